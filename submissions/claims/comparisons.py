"""The comparisons that a part of a claim asks for, among the systems at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from harness.measures import parse_measure
from harness.question_scores import question_scores
from submissions.claims.setting_choice import averages_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harness.question_scores import QuestionScores
    from submissions.claims.claim import Claim, ClaimPart
    from submissions.claims.system import System
    from submissions.entry import Entry

LEAST_QUESTIONS = 2
"""A paired test needs as many."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Two systems that are compared, or one in two choices of settings.

    Attributes:
        task: Name of the task.
        a: The first system.
        b: The second; the same one where it is compared with itself.
        baseline: Taken off both, where gains are compared.
    """

    task: str
    a: System
    b: System
    baseline: System | None

    @property
    def systems(self) -> tuple[System, ...]:
        """All that take part, each once."""
        found = (self.a, self.b, self.baseline)
        return tuple({system.label: system for system in found if system}.values())


@dataclass(frozen=True, slots=True)
class PairOfScores:
    """One comparison, with its scores.

    Attributes:
        part: Id of the part of the claim.
        sides: What is compared.
        measure: In which measure.
        settings_a: Settings that the scores of ``a`` are averaged over.
        settings_b: Those of ``b``.
        questions: Ids of the questions that all of them answered, ascending.
        a: Scores of side ``a``, averaged over seeds, shape (questions,).
        b: Those of side ``b``, shape (questions,).
        first: Scores of each seed, shape (questions, seeds); ``a`` minus ``b`` is the mean of
            ``first`` minus the mean of ``second``, and their seeds are independent of each other.
        second: See there.
        averaged_over: Number of settings and seeds that scores are means over.
    """

    part: str
    sides: Sides
    measure: str
    settings_a: tuple[str, ...]
    settings_b: tuple[str, ...]
    questions: tuple[str, ...]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    averaged_over: int

    @property
    def higher_is_better(self) -> bool:
        """False for measures of bias."""
        return parse_measure(self.measure).higher_is_better

    @property
    def setting(self) -> str:
        """What is averaged over, in short."""
        a, b = averages_of(self.settings_a), averages_of(self.settings_b)
        return a if self.settings_a == self.settings_b else f"{a} against {b}"


@dataclass(frozen=True, slots=True)
class Scored:
    """What is kept of a rank file; the ranks of many entries would not fit into memory.

    Attributes:
        settings: Ids of its settings.
        measure: The measure that its task is reported in.
    """

    settings: tuple[str, ...]
    measure: str


class ScoreShelf:
    """Scores of entries, each computed once."""

    def __init__(self) -> None:
        self._scored: dict[tuple[str, str], Scored] = {}
        self._scores: dict[tuple[str, str, str], QuestionScores] = {}

    def scored(self, entry: Entry, task: str) -> Scored:
        """The settings and the measure of an entry's task.

        Raises:
            EntryError: If the ranks are not those that were scored.
        """
        key = (entry.manifest.id, task)
        if key not in self._scored:
            table = entry.ranks(task)
            measure = table.primary_measure
            self._scored[key] = Scored(tuple(table.pool_sizes), measure)
            self._scores[*key, measure] = question_scores(table, measure)
        return self._scored[key]

    def by_question(
        self, entry: Entry, task: str, measure: str, settings: Sequence[str]
    ) -> dict[str, float]:
        """Each question's mean over settings."""
        key = (entry.manifest.id, task, measure)
        if key not in self._scores:
            self._scores[key] = question_scores(entry.ranks(task), measure)
        return self._scores[key].by_question(settings)


def comparisons_of(
    claim: Claim, part: ClaimPart, systems: Sequence[System], only: str | None, shelf: ScoreShelf
) -> tuple[list[PairOfScores], str]:
    """The comparisons of a part of a claim.

    Args:
        claim: The claim.
        part: Its part.
        systems: The systems at hand.
        only: The only task to look at, if not all.
        shelf: Keeps scores.

    Returns:
        The comparisons, and where there are none, why.
    """
    tasks = [task for task in claim.tasks_of(part) if only in (None, task)]
    if not tasks:
        return [], f"the claim is not about {only}"
    methods = {name: claim.methods[name] for name in (part.a, part.b, part.baseline) if name}
    if lacking := [m.name for m in methods.values() if not any(map(m.matches, systems))]:
        return [], f"no entry of: {'; '.join(lacking)}"
    sides = [one for task in tasks for one in _sides(claim, part, systems, task)]
    if not sides:
        return [], _why_no_sides(claim, part, systems, tasks)
    found = [pair for one in sides for pair in _pairs(part, one, shelf)]
    choices = " against ".join(choice.words for choice in part.choices)
    where = " or ".join(dict.fromkeys(one.task for one in sides))
    return found, "" if found else f"these systems share no questions of {where} in: {choices}"


def _sides(claim: Claim, part: ClaimPart, systems: Sequence[System], task: str) -> Iterator[Sides]:
    """Every pair of systems that differ in their method alone."""

    def at_hand(name: str) -> list[System]:
        return [s for s in systems if claim.methods[name].matches(s) and s.has(task)]

    baselines = at_hand(part.baseline) if part.baseline else [None]
    # By what systems must have in common: each then meets those alone that it may be held against.
    others: dict[object, list[System]] = {}
    for system in at_hand(part.b):
        others.setdefault(system.conditions, []).append(system)
    for a, baseline in product(at_hand(part.a), baselines):
        for b in [a] if part.a == part.b else others.get(a.conditions, []):
            one = Sides(task, a, b, baseline)
            if (a is b) == (part.a == part.b) and len({s.conditions for s in one.systems}) == 1:
                yield one


def _why_no_sides(
    claim: Claim, part: ClaimPart, systems: Sequence[System], tasks: Sequence[str]
) -> str:
    methods = {name: claim.methods[name] for name in (part.a, part.b, part.baseline) if name}
    where = " or ".join(tasks)
    for method in methods.values():
        if not any(s.has(task) for s in systems if method.matches(s) for task in tasks):
            return f"no complete run of {where} by an entry of: {method.name}"
    names = " and ".join(method.name for method in methods.values())
    return (
        f"no complete runs of {where} by entries of {names} with one base model, kind, number of "
        "steps and way of scoring"
    )


def _pairs(part: ClaimPart, sides: Sides, shelf: ScoreShelf) -> Iterator[PairOfScores]:
    """The comparison of two sides, or that in each setting."""
    scored = [shelf.scored(entry, sides.task) for s in sides.systems for entry in s.entries]
    ids = [name for name in scored[0].settings if all(name in one.settings for one in scored)]
    measure = part.measure or scored[0].measure
    chosen = [choice.of_systems(ids, sides.systems) for choice in part.choices]
    if not all(chosen):
        return
    settings_a, settings_b = chosen[0], chosen[-1]
    choices = [((n,), (n,)) for n in settings_a] if part.each else [(settings_a, settings_b)]
    for one, other in choices:
        pair = _pair(part, sides, measure, (one, other), shelf)
        if len(pair.questions) >= LEAST_QUESTIONS:
            yield pair


def _pair(
    part: ClaimPart,
    sides: Sides,
    measure: str,
    settings: tuple[tuple[str, ...], tuple[str, ...]],
    shelf: ScoreShelf,
) -> PairOfScores:
    get = partial(_of_seeds, sides.task, measure, shelf)
    both = [get(sides.a, settings[0]), get(sides.b, settings[1])]
    off = [get(sides.baseline, one) for one in settings] if sides.baseline else []
    questions = sorted(set.intersection(*(set(one) for seeds in (*both, *off) for one in seeds)))
    a, b = (_matrix(seeds, questions) for seeds in both)
    first, second = a, b
    if sides.a is sides.b:
        # One training in two choices of settings: its seeds are the same on both sides.
        first, second = a - b, np.zeros((len(questions), 1))
    if off:
        off_a, off_b = (_matrix(seeds, questions) for seeds in off)
        second = off_a - off_b
        a, b = a - off_a.mean(axis=1, keepdims=True), b - off_b.mean(axis=1, keepdims=True)
    over = np.lcm.reduce([len(one) for one in settings] + [m.shape[1] for m in (a, b, second)])
    return PairOfScores(
        part=part.id,
        sides=sides,
        measure=measure,
        settings_a=settings[0],
        settings_b=settings[1],
        questions=tuple(questions),
        a=a.mean(axis=1),
        b=b.mean(axis=1),
        first=first,
        second=second,
        averaged_over=int(over),
    )


def _of_seeds(
    task: str, measure: str, shelf: ScoreShelf, system: System, settings: Sequence[str]
) -> list[dict[str, float]]:
    """By seed and question, the mean over settings."""
    return [shelf.by_question(entry, task, measure, settings) for entry in system.entries]


def _matrix(seeds: Sequence[dict[str, float]], questions: Sequence[str]) -> NDArray[np.float64]:
    """Shape (questions, seeds)."""
    values = np.array([[one[q] for one in seeds] for q in questions], dtype=np.float64)
    return values.reshape(len(questions), len(seeds))
