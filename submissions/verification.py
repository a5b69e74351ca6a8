"""Holds the ranks of an entry against ranks that somebody else computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.measures import RANK_DISTANCE
from harness.task_summary import summarise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.ranks import RankTable
    from harness.run_table import RunTable
    from harness.task_summary import TaskSummary
    from submissions.manifest import ModelPart

EXACT = 0.0
"""Words are counted and given rankings are read: nothing is rounded otherwise elsewhere."""
TOLERANCES = {"float32": 0.001, "float16": 0.002, "bfloat16": 0.002}
"""Largest ``delta`` that is allowed, by the number format of the model.

Matrix products add in another order on other processors, and numbers that are rounded differently
change the places of documents whose scores are nearly the same. docs/verifying.md says what was
measured.
"""


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """One setting, scored twice.

    Attributes:
        setting: Its id.
        judged: Number of ranks that were compared.
        differing: Number of those that differ.
        greatest_change: Of a rank; a document that was not retrieved stands behind the pool.
        questions: Number of its questions.
        means: By measure, the mean now minus the mean of the entry.
        largest: The largest difference of a mean, whatever its sign. That of the rank distance
            counts as a share of the entry's, as it is no number from 0 to 1.
    """

    setting: str
    judged: int
    differing: int
    greatest_change: int
    questions: int
    means: Mapping[str, float]
    largest: float


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """One task, scored twice.

    Attributes:
        task: Its name.
        tolerance: Largest ``delta`` that is allowed.
        settings: Every setting that either has, in the order of the task.
        averages: By class, the largest difference of the macro average of a measure.
        mismatches: What cannot differ between two runs of one model on the same data, and does.
    """

    task: str
    tolerance: float
    settings: tuple[SettingDifference, ...]
    averages: Mapping[str, float]
    mismatches: tuple[str, ...]

    @property
    def delta(self) -> float:
        """What is held against the tolerance: the largest difference of any average or setting.

        Of a setting counts what is beyond the weight of one question. A single document that
        crosses a cut-off changes the mean of a setting by as much, and where there are few
        questions that is more than any tolerance; averages of classes hardly move by it. Where
        nothing at all may differ, all of it counts.
        """
        settings = (one.largest - self._slack(one) for one in self.settings)
        return max([0.0, *self.averages.values(), *settings])

    @property
    def largest(self) -> float:
        """The largest difference of a mean in any setting."""
        return max((one.largest for one in self.settings), default=0.0)

    def _slack(self, setting: SettingDifference) -> float:
        return 1 / setting.questions if self.tolerance > 0 and setting.questions else 0.0

    @property
    def judged(self) -> int:
        """Number of ranks that were compared."""
        return sum(one.judged for one in self.settings)

    @property
    def differing(self) -> int:
        """Number of ranks that differ."""
        return sum(one.differing for one in self.settings)

    @property
    def greatest_change(self) -> int:
        """Of a rank."""
        return max((one.greatest_change for one in self.settings), default=0)

    @property
    def holds(self) -> bool:
        """Whether the entry is what came out again, within the tolerance."""
        return not self.mismatches and self.delta <= self.tolerance


class _Paired(NamedTuple):
    """The judged documents of both tables, those of one alone included, shape (documents,) each."""

    setting: NDArray[np.str_]
    differs: NDArray[np.bool_]
    change: NDArray[np.int64]
    is_in_both: NDArray[np.bool_]
    is_judged_alike: NDArray[np.bool_]


def tolerance_of(model: ModelPart) -> float:
    """The tolerance for the number format that a model was scored in.

    A model that has none counts or is given its rankings, and must come out the same.
    """
    dtype = model.settings.get("dtype")
    return TOLERANCES.get(str(dtype), EXACT)


def compare_ranks(entry: RankTable, again: RankTable, tolerance: float) -> TaskComparison:
    """Holds the ranks of an entry against those that came out again.

    Args:
        entry: What the entry has.
        again: What came out, of the same task.
        tolerance: Largest :attr:`TaskComparison.delta` that is allowed.
    """
    paired = _paired(entry, again)
    before, after = summarise(entry)[0], summarise(again)[0]
    settings = []
    for name in dict.fromkeys((*entry.pool_sizes, *again.pool_sizes)):
        rows = paired.setting == name
        means = _means(before, after, name)
        settings.append(
            SettingDifference(
                setting=name,
                judged=int(rows.sum()),
                differing=int(paired.differs[rows].sum()),
                greatest_change=int(paired.change[rows].max(initial=0)),
                questions=max((before.means[m][name].n for m in means), default=0),
                means=means,
                largest=max(
                    (_size(m, d, before.means[m][name].mean) for m, d in means.items()),
                    default=0.0,
                ),
            )
        )
    return TaskComparison(
        task=entry.task,
        tolerance=tolerance,
        settings=tuple(settings),
        averages=_averages(before, after),
        mismatches=tuple(_mismatches(entry, again, paired)),
    )


def as_deep_as(table: RankTable, runs: RunTable) -> RankTable:
    """A rank table as rankings of some depth would have it.

    A document that stands deeper than the ranking of its query goes is not retrieved. A query
    without any ranking is left as it is, so that its absence shows.

    Args:
        table: The ranks.
        runs: The rankings, all of their documents.
    """
    listed = _keys(runs, (runs.setting, runs.query_language, runs.question))
    names, counts = np.unique(listed, return_counts=True)
    depth = dict(zip(names.tolist(), counts.tolist(), strict=True))
    asked = _keys(table, (table.setting, table.query_language, table.question))
    deepest = np.array([depth.get(key, np.iinfo(np.int64).max) for key in asked.tolist()])
    return replace(table, rank=np.where(table.rank > deepest, 0, table.rank))


def _keys(table: RankTable | RunTable, columns: Sequence[object]) -> NDArray[np.str_]:
    """The names of each row as one text; ids have no tabs."""
    if not len(table):
        return np.array([], dtype=np.str_)
    texts = [np.array(c.names)[c.codes] for c in columns]  # type: ignore[attr-defined]
    joined = texts[0]
    for text in texts[1:]:
        joined = np.char.add(np.char.add(joined, "\t"), text)
    return joined


def _paired(entry: RankTable, again: RankTable) -> _Paired:
    keys, places, relevance = [], [], []
    for table in (entry, again):
        columns = (table.setting, table.query_language, table.question, table.document)
        keys.append(_keys(table, columns))
        sizes = np.array([table.pool_sizes[name] for name in table.setting.names], dtype=np.int64)
        behind = sizes[table.setting.codes] + 1 if len(table) else table.rank
        places.append(np.where(table.rank > 0, table.rank, behind))
        relevance.append(table.relevance)
    every, index = np.unique(np.concatenate(keys), return_inverse=True)
    sides = np.split(index, [len(keys[0])])
    there = np.zeros((2, len(every)), dtype=np.bool_)
    place = np.zeros((2, len(every)), dtype=np.int64)
    grade = np.zeros((2, len(every)), dtype=np.int64)
    for number, rows in enumerate(sides):
        there[number, rows] = True
        place[number, rows] = places[number]
        grade[number, rows] = relevance[number]
    both = there[0] & there[1]
    change = np.where(both, np.abs(place[1] - place[0]), 0)
    return _Paired(
        setting=np.array([key.partition("\t")[0] for key in every.tolist()], dtype=np.str_),
        differs=~both | (change > 0),
        change=change,
        is_in_both=both,
        is_judged_alike=~both | (grade[0] == grade[1]),
    )


def _mismatches(entry: RankTable, again: RankTable, paired: _Paired) -> list[str]:
    found = []
    if entry.measures != again.measures or entry.primary_measure != again.primary_measure:
        found.append(
            f"The entry reports {', '.join(entry.measures)}, led by {entry.primary_measure}; the "
            f"task has {', '.join(again.measures)}, led by {again.primary_measure}."
        )
    names = dict.fromkeys((*entry.pool_sizes, *again.pool_sizes))
    sizes = [(name, entry.pool_sizes.get(name, 0), again.pool_sizes.get(name, 0)) for name in names]
    if other := [one for one in sizes if one[1] != one[2]]:
        name, before, after = other[0]
        found.append(
            f"The pools of {len(other)} settings are of another size, such as {name}: "
            f"{before:,} documents in the entry, {after:,} now."
        )
    for wrong, what in (
        (~paired.is_in_both, "are there in one of both only"),
        (~paired.is_judged_alike, "have another relevance"),
    ):
        if wrong.any():
            first = str(paired.setting[int(np.flatnonzero(wrong)[0])])
            found.append(f"{int(wrong.sum()):,} judged documents {what}, such as in {first}.")
    return found


def _means(before: TaskSummary, after: TaskSummary, setting: str) -> dict[str, float]:
    """By measure that both have of a setting, the difference of its means."""
    return {
        measure: after.means[measure][setting].mean - means[setting].mean
        for measure, means in before.means.items()
        if setting in means and setting in after.means.get(measure, {})
    }


def _averages(before: TaskSummary, after: TaskSummary) -> dict[str, float]:
    found: dict[str, float] = {}
    for measure, by_class in before.averages.items():
        for kind, average in by_class.items():
            other = after.averages.get(measure, {}).get(kind)
            if other is not None:
                size = _size(measure, other.macro - average.macro, average.macro)
                found[kind] = max(found.get(kind, 0.0), size)
    return found


def _size(measure: str, difference: float, before: float) -> float:
    is_share = measure == RANK_DISTANCE and before > 0
    return abs(difference) / before if is_share else abs(difference)
