"""Searches for a switching policy without gradients.

::

    <out>/
        trials.jsonl             every trial, written as it ends
        trial-7.safetensors      where the training of trial 7 stands, until it is done
        <name>.toml              the recipe of the best policy
        search.json              what was searched for, and what was found

A trial trains the base recipe with another policy for a few steps, and measures how well the
encoder finds translations that were held out. All trials have one seed: what differs between two of
them is the policy, not the luck of their batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from harness.files import remove_left_behind
from harness.locks import only_writer
from submissions.baselines.alignment import alignment, read_held_out
from submissions.baselines.base_model import load_base
from submissions.baselines.batch_languages import Batches
from submissions.baselines.bi_encoder_training import BiEncoderLoss
from submissions.baselines.policy_sampler import PolicySampler
from submissions.baselines.policy_space import PolicySpace
from submissions.baselines.step_texts import (
    StepSource,
    SwitchedTexts,
    languages_of,
    read_tallies,
)
from submissions.baselines.training import read_material
from submissions.baselines.training_loop import Job, run_steps
from submissions.baselines.training_record import plan_of
from submissions.baselines.trial_log import Found, Header, Trial, TrialLog
from submissions.baselines.weighted_sources import load_sources, weighted
from tasks.errors import DataFileError, ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.progress import Reporter
    from submissions.baselines.alignment import HeldOut, Pairs
    from submissions.baselines.lexicon import Lexicon
    from submissions.baselines.recipe import Recipe
    from submissions.baselines.search_file import Search
    from submissions.baselines.training import Where

TRIALS = "trials.jsonl"


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search found.

    Attributes:
        recipe: The base recipe with the best policy.
        best: Its trial; of equals the first.
        header: What decided the trials, and the untrained model.
        trials: All of them; the first is the base recipe's policy.
        sentences: Pairs of each half by language: those chosen on, and the others.
        pairs: Training pairs, by language.
    """

    recipe: Recipe
    best: Trial
    header: Header
    trials: tuple[Trial, ...]
    sentences: tuple[Mapping[str, int], Mapping[str, int]]
    pairs: Mapping[str, int]


def search_policy(search: Search, recipe: Recipe, where: Where, reporter: Reporter) -> Searched:
    """Searches, or goes on where an earlier run stopped, to the same trials.

    Args:
        search: What to search for.
        recipe: The base recipe.
        where: Places and habits.
        reporter: Told of each trial.

    Raises:
        DataFileError: If a file is missing or malformed, or the sampler gives other parameters than
            those that were recorded.
        ModelError: If the base model cannot be had, or a loss or vector is no finite number.
        InUseError: If another process searches in the folder.
        UsageError: If the search does not fit the recipe, or the folder holds another search.
    """
    with only_writer(where.out):
        return _search_policy(search, recipe, where, reporter)


def _search_policy(search: Search, recipe: Recipe, where: Where, reporter: Reporter) -> Searched:
    tried = recipe.model_copy(
        update={"training": recipe.training.model_copy(update={"steps": search.steps})}
    )
    space = PolicySpace(search.space, tried)
    sampler = PolicySampler(space.parameters, search.seed)
    path = where.out / TRIALS
    if where.from_scratch:
        _forget(where.out)
    remove_left_behind(where.out, older_than=0)
    log = TrialLog(path)
    trials = _Trials(search, tried, where, log, reporter)
    for trial in log.trials:  # a run that was killed may have left the checkpoint of its last one
        _checkpoint(where.out, trial.trial).unlink(missing_ok=True)
    while len(trials.done) < search.trials:
        number = len(trials.done)
        values = sampler.ask()
        if number < len(log.trials):
            _refuse_other_parameters(path, log.trials[number], values)
            trials.done.append(log.trials[number])
        else:
            trials.add(values, space.recipe(values))
        sampler.tell(trials.done[number].objective)
    best = trials.best()
    header = trials.header
    return Searched(
        recipe=_with_steps(space.recipe(best.parameters), recipe),
        best=best,
        header=header,
        trials=tuple(trials.done),
        sentences=trials.sentences,
        pairs=trials.pairs,
    )


class _Trials:
    """Trains and measures, one trial after the other."""

    def __init__(
        self, search: Search, recipe: Recipe, where: Where, log: TrialLog, reporter: Reporter
    ) -> None:
        self._search, self._where, self._log, self._reporter = search, where, log, reporter
        self._seed = search.seed
        held_out = _held_out(search, recipe, where.data)
        self.sentences = (_sizes(held_out.searched), _sizes(held_out.reported))
        self._held_out = held_out
        self._material = read_material(recipe, where.data)
        self._sources = _load(search, recipe, where.data)
        self.pairs = {
            code: len(found) for code, found in self._material.pairs.by_language().items()
        }
        base = load_base(recipe, where.device, self._seed)
        plan = {
            "search": search.digest(),
            **{f"held out {name}": sum_ for name, sum_ in held_out.checksums.items()},
            **plan_of(recipe, self._seed, base, self._material.pairs, self._material.lexicons),
            **{
                f"source {spec} {target}": lexicon.checksum
                for target, lexicons in self._sources.items()
                for spec, lexicon in lexicons.items()
            },
            **{package: version(package) for package in ("cmaes", "optuna")},
        }
        log.refuse_other_plan(plan)
        if log.header is None:
            threads = where.threads or torch.get_num_threads()
            found = [self._measure(base.model, half, threads) for half in self._halves()]
            log.begin(Header(plan=plan, threads=threads, searched=found[0], reported=found[1]))
        elif log.trials:
            reporter.say(f"Going on after {len(log.trials)} trials")
        self.done: list[Trial] = []

    @property
    def header(self) -> Header:
        """The first line of the log, which is there once this is made."""
        if self._log.header is None:
            raise ValueError("the log has not been begun")
        return self._log.header

    def best(self) -> Trial:
        """The trial with the highest objective; of equals the first."""
        return max(self.done, key=lambda trial: trial.objective)

    def add(self, values: Mapping[str, float], recipe: Recipe) -> None:
        """Makes one more trial, and writes it down."""
        number, threads = len(self.done) + 1, self.header.threads
        lexicons = self._lexicons(recipe)
        base = load_base(recipe, self._where.device, self._seed)
        pairs = self._material.pairs
        texts = SwitchedTexts(pairs.pairs, recipe, self._seed, lexicons)
        job = Job(
            model=base.model,
            loss=BiEncoderLoss(base.model, recipe),
            numbers=recipe.training,
            seed=self._seed,
            plan=plan_of(recipe, self._seed, base, pairs, lexicons),
            checkpoint=_checkpoint(self._where.out, number),
            every=self._where.every,
            threads=threads,
        )
        source = StepSource(Batches(recipe, pairs.by_language(), self._seed), texts)
        try:
            progress = run_steps(job, source, self._reporter)
            searched, reported = self._measured(base.model, number)
        except ModelError as error:
            raise ModelError(f"Trial {number}: {error}") from error
        switching = recipe.model_dump(mode="json")["switching"]
        requested = switching["probability"]
        trial = Trial(
            trial=number,
            seed=self._seed,
            parameters=dict(values),
            policy=switching,
            objective=searched.mean,
            searched=searched,
            reported=reported,
            loss=progress.losses[-1],
            seconds=round(progress.seconds, 1),
            switching={
                side: tally.as_json(requested)
                for side, tally in read_tallies(progress.counts).items()
            },
        )
        self._log.append(trial)
        self.done.append(trial)
        job.checkpoint.unlink(missing_ok=True)
        best = self.best()
        self._reporter.say(
            f"Trial {number} of {self._search.trials}: RR@10 {trial.objective:.4f}; "
            f"the best is {best.objective:.4f}, of trial {best.trial}"
        )

    def _measured(self, model: Any, number: int) -> tuple[Found, Found | None]:
        """What a model finds of the first half, and of the other if its trial may be reported."""
        searched, reported = self._halves()
        found = self._measure(model, searched, self.header.threads)
        if number > 1 and found.mean <= self.best().objective:
            return found, None
        return found, self._measure(model, reported, self.header.threads)

    def _halves(self) -> tuple[Mapping[str, Pairs], Mapping[str, Pairs]]:
        return self._held_out.searched, self._held_out.reported

    @staticmethod
    def _measure(model: Any, half: Mapping[str, Pairs], threads: int) -> Found:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            return Found.model_validate(alignment(model, half).as_json())
        finally:
            torch.set_num_threads(before)

    def _lexicons(self, recipe: Recipe) -> Mapping[str, Lexicon]:
        if recipe.switching is None or not self._search.space.sources:
            return self._material.lexicons
        weights = recipe.switching.sources
        return {target: weighted(found, weights) for target, found in self._sources.items()}


def _held_out(search: Search, recipe: Recipe, data: Path | None) -> HeldOut:
    """The held-out pairs.

    Raises:
        UsageError: If their languages do not fit the recipe.
    """
    source = recipe.switching.source if recipe.switching else ""
    if source in [part.language for part in search.held_out]:
        raise UsageError(
            f"held_out: {source} is the language that the recipe switches; name those of the "
            "translations."
        )
    return read_held_out(search.held_out, search.pairs, data)


def _load(search: Search, recipe: Recipe, data: Path | None) -> dict[str, dict[str, Lexicon]]:
    """The lexicons of the sources that are searched among, by target language.

    Raises:
        UsageError: If a language could be left without any.
    """
    part, bounds = recipe.switching, search.space.sources
    if part is None or not bounds:
        return {}
    found = load_sources(bounds, part.source, languages_of(recipe), data)
    for target, lexicons in found.items():
        if not any(bounds[spec][0] > 0 for spec in lexicons):
            raise UsageError(
                f"space.sources: {', '.join(lexicons)} may have the weight 0, and no other source "
                f"has {part.source}-{target}: give one of them a lower bound above 0."
            )
    return found


def _sizes(half: Mapping[str, Pairs]) -> dict[str, int]:
    return {language: len(pairs.sources) for language, pairs in half.items()}


def _with_steps(found: Recipe, base: Recipe) -> Recipe:
    """The recipe that was found, with as many steps as the base recipe has."""
    return found.model_copy(update={"training": base.training})


def _refuse_other_parameters(path: Path, before: Trial, now: Mapping[str, float]) -> None:
    """Refuses to go on where the sampler would not have come to.

    Raises:
        DataFileError: If the parameters differ.
    """
    if before.parameters != dict(now):
        names = sorted(
            name
            for name in {*before.parameters, *now}
            if before.parameters.get(name) != now.get(name)
        )
        raise DataFileError(
            f"{path}:{before.trial + 1}: trial {before.trial} has other parameters than the "
            f"sampler now gives ({', '.join(names)}): the file was altered, or was written on a "
            "machine that computes other last digits. Begin anew with --from-scratch, or choose "
            "another --out."
        )


def _checkpoint(folder: Path, trial: int) -> Path:
    return folder / f"trial-{trial}.safetensors"


def _forget(folder: Path) -> None:
    """Throws away what an earlier search left."""
    for path in (folder / TRIALS, *folder.glob("trial-*.safetensors")):
        path.unlink(missing_ok=True)
