"""Heat maps: a system in every pair of query and document language, and against a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tasks.languages import POOL, language_name
from tasks.settings import languages_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from leaderboard.facts import SiteFacts
    from leaderboard.families import Difference
    from leaderboard.systems import SiteSystem

STEPS = (0.005, 0.02, 0.05, 0.1)
"""Differences from which on a cell has the next stronger colour."""
SHADES = 10
"""Steps of the colour of means, from 0 to 1."""
MOST_BASELINES = 6
"""That a map can be held against on a page."""
LEADER = "the task’s leader"

Pair = tuple[str, str]


class Baseline(NamedTuple):
    """What a system is held against.

    Attributes:
        system: The other system.
        reason: What it is to the system.
    """

    system: SiteSystem
    reason: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting.

    Attributes:
        mean: Over its questions, and over seeds.
        questions: Number of questions.
        difference: To the baseline, where there is one.
    """

    mean: float
    questions: int
    difference: Difference | None

    @property
    def step(self) -> int:
        """Strength of the colour: 0 to 4, negative below the baseline."""
        if self.difference is None:
            return 0
        strength = sum(abs(self.difference.difference) >= step for step in STEPS)
        return strength if self.difference.difference > 0 else -strength

    @property
    def shade(self) -> int:
        """The colour of the mean, of a measure from 0 to 1: one of ten steps."""
        return min(SHADES - 1, max(0, int(self.mean * SHADES)))


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Means by query language (rows) and document language (columns).

    Attributes:
        languages: Codes, by name.
        cells: By query and document language; ``xx`` is the pool of all languages.
        baseline: What the differences are to.
        reason: What the baseline is to the system.
    """

    languages: tuple[str, ...]
    cells: Mapping[Pair, Cell]
    baseline: SiteSystem | None
    reason: str

    @property
    def sides(self) -> tuple[str, ...]:
        """Codes of the rows and of the columns: each language, then the pool if it is there."""
        pool = any(POOL in pair for pair in self.cells)
        return (*self.languages, POOL) if pool else self.languages

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The settings in the order of the cells on a page: row by row."""
        every = ((query, document) for query in self.sides for document in self.sides)
        return tuple(pair for pair in every if pair in self.cells)

    def counts(self) -> dict[str, int]:
        """Number of cells that are significantly better, worse, and not separated."""
        found = [cell.difference for cell in self.cells.values() if cell.difference]
        better = sum(one.significant and one.difference > 0 for one in found)
        worse = sum(one.significant and one.difference < 0 for one in found)
        return {"better": better, "worse": worse, "open": len(found) - better - worse}


def heat_map(system: SiteSystem, task: str, facts: SiteFacts, baseline: Baseline | None) -> HeatMap:
    """The map of a system on a task, against a baseline or of its means alone."""
    seeds = facts.seeds(system, task)
    means = [one.summary.means[one.summary.measure] for one in seeds]
    differences: Mapping[str, Difference] = {}
    if baseline is not None:
        differences = facts.differences(system, baseline.system, task)
    cells = {
        languages_of(setting): Cell(
            mean=sum(one[setting].mean for one in means) / len(means),
            questions=means[0][setting].n,
            difference=differences.get(setting),
        )
        for setting in means[0]
    }
    other, reason = baseline or (None, "")
    return HeatMap(_languages(tuple(means[0])), cells, other, reason)


def heat_maps(system: SiteSystem, task: str, facts: SiteFacts) -> Iterator[HeatMap]:
    """A map against each of the baselines, the closest first; each is tested when it is asked for.

    Without any baseline there is one map, of means.
    """
    alone = True
    for baseline in baselines_of(system, task, facts):
        alone = False
        yield heat_map(system, task, facts, baseline)
    if alone:
        yield heat_map(system, task, facts, None)


def choices_of(system: SiteSystem, task: str, facts: SiteFacts) -> tuple[Baseline, ...]:
    """The baselines that a page offers, the closest first."""
    return tuple(islice(baselines_of(system, task, facts), MOST_BASELINES))


def drawn_first(choices: Sequence[Baseline]) -> Baseline | None:
    """The baseline that a map is drawn against until another is chosen; None for its means.

    That is the closest; the leader alone is too far from a system that has nothing else.
    """
    return choices[0] if choices and choices[0].reason != LEADER else None


def baselines_of(system: SiteSystem, task: str, facts: SiteFacts) -> Iterator[Baseline]:
    """What a system is best held against, the closest first, each with the reason.

    The same model trained on texts that were left as they are, the model before any training,
    BM25, the same recipe in other conditions (such as translate-test), and the first in the table
    of the task. A system that was withdrawn takes part in no test.
    """
    if system.is_withdrawn:
        return
    seen = {system.id}
    for found in _candidates(system, task, facts):
        if found.system.id not in seen:
            seen.add(found.system.id)
            yield found


def _candidates(system: SiteSystem, task: str, facts: SiteFacts) -> Iterator[Baseline]:
    others = facts.complete(task)
    yield from _before(system, others)
    if (words := facts.first_of_kind("bm25", task)) is not None:
        yield Baseline(words, "words alone")
    yield from _twins(system, others)
    yield from [Baseline(row.system, LEADER) for row in facts.board(task).rows[:1]]


def _before(system: SiteSystem, others: Sequence[SiteSystem]) -> Iterator[Baseline]:
    """What a training is to improve on: that of the same model on other texts, and no training."""
    record = system.system.record
    if record is None:
        return
    conditions = system.system.conditions
    for other in others:
        if other.system.training == "zero-shot" and other.system.conditions == conditions:
            yield Baseline(other, "its own zero-shot")
    for other in others:
        if other.manifest.model.digest == record.base.digest:
            yield Baseline(other, "before training")


def _twins(system: SiteSystem, others: Sequence[SiteSystem]) -> Iterator[Baseline]:
    """The first system of the same recipe: other seeds are the system itself."""
    record = system.system.record
    if record is None:
        return
    name, digest = record.recipe.name, record.recipe.digest()
    for other in others:
        twin = other.system.record
        if (
            twin
            and other.id != system.id
            and twin.recipe.name == name
            and twin.recipe.digest() == digest
        ):
            yield Baseline(other, "the same recipe in other conditions")
            return


def _languages(settings: Sequence[str]) -> tuple[str, ...]:
    codes = {code for setting in settings for code in languages_of(setting)} - {POOL}
    return tuple(sorted(codes, key=language_name))
