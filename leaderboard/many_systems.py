"""All pairs of very many systems of a task, in each of its settings or classes.

Beyond :data:`MANY` systems, the tests of :mod:`leaderboard.families` would take hours: pairs grow
with the square of the systems. The range of means (:mod:`harness.significance.range_of_means`)
grows with their number, and what it needs of systems that were there before is kept, so that
adding one to a thousand costs a thousandth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from harness.design import Design
from harness.question_scores import classes
from harness.significance.letters import letter
from harness.significance.range_of_means import range_of_means
from leaderboard.families import Difference, Family, Place, PlacesByColumn
from leaderboard.kept_extremes import KeptExtremes, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.significance.range_of_means import RangeOfMeans
    from leaderboard.kept_extremes import Member
    from leaderboard.score_store import Layout

MANY = 50
"""With more systems, the range of means takes the place of step-down max-T."""
CLASS_RESAMPLES = 10_000
SETTING_RESAMPLES = 2_000
"""Of the range in a single setting, of which a task has many."""
LETTERS_IN_FULL = 3
"""A system with more letters has the first and the last: they follow each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Places(PlacesByColumn):
    """Where very many systems stand, best first; a place is made when it is asked for.

    Attributes:
        systems: Their ids, best first.
        means: Aligned with them, descending, shape (systems,).
        best: The best rank that the tests do not exclude, shape (systems,).
        worst: The worst, shape (systems,).
        p: Adjusted p-value of the difference to the first, shape (systems,).
        half: Half the width of the interval of every difference.
        letters: Numbers of the first and the last letter of each, shape (systems, 2).
        questions: Number of questions.
        alpha: Level of the tests.
    """

    systems: tuple[str, ...]
    means: NDArray[np.float64]
    best: NDArray[np.int64]
    worst: NDArray[np.int64]
    p: NDArray[np.float64]
    half: float
    letters: NDArray[np.int64]
    questions: int
    alpha: float

    def __len__(self) -> int:
        return len(self.systems)

    @overload
    def __getitem__(self, index: int) -> Place: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Place, ...]: ...
    def __getitem__(self, index: int | slice) -> Place | tuple[Place, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        position = range(len(self))[index]
        return Place(
            system=self.systems[position],
            mean=float(self.means[position]),
            letters=_letters(*self.letters[position].tolist()),
            ranks=(int(self.best[position]), int(self.worst[position])),
            to_first=self._to_first(position) if position else None,
        )

    def columns(self) -> tuple[list[Any], ...]:
        """See :func:`leaderboard.families.columns_of`."""
        changes = self.means - self.means[0]
        is_bounded = math.isfinite(self.half)
        of_change = (
            changes.tolist(),
            (changes - self.half).tolist() if is_bounded else [None] * len(self),
            (changes + self.half).tolist() if is_bounded else [None] * len(self),
            self.p.tolist(),
        )
        return (
            list(self.systems),
            self.means.tolist(),
            [_letters(first, last) for first, last in self.letters.tolist()],
            self.best.tolist(),
            self.worst.tolist(),
            *([None, *column[1:]] for column in of_change),
        )

    def _to_first(self, position: int) -> Difference:
        difference = float(self.means[position] - self.means[0])
        p = float(self.p[position])
        ci = None if math.isinf(self.half) else (difference - self.half, difference + self.half)
        return Difference(difference, ci, p, self.questions, p < self.alpha)


def all_pairs_of_many(
    members: Mapping[str, Member], task: str, folder: Path | None, *, by_setting: bool
) -> Family:
    """Compares all pairs of systems.

    Args:
        members: By system id; all of one layout.
        task: Name of the task.
        folder: Where extremes are kept from build to build, or None.
        by_setting: Whether each setting is a family of its own, or the class averages are one.
    """
    layout = next(iter(members.values()))[0].layout
    design = Design(resamples=SETTING_RESAMPLES if by_setting else CLASS_RESAMPLES)
    units = _units(layout, by_setting=by_setting)
    found = KeptExtremes(folder, task, layout, units, design).of(members)
    level = design.alpha if by_setting else design.alpha / len(units)
    places = {}
    means = _means(members, units, by_setting=by_setting)
    for unit, one, values in zip(units, found, means, strict=True):
        questions = len(_asked(layout, unit))
        spread = range_of_means(one, questions)
        # Classes are one family: Bonferroni over them.
        of_systems = dict(zip(members, values, strict=True))
        places[unit.name] = _places(of_systems, spread, questions, level, design.alpha / level)
    pairs = len(members) * (len(members) - 1) // 2
    return Family(pairs * (1 if by_setting else len(units)), "range", design.resamples, places)


def _units(layout: Layout, *, by_setting: bool) -> list[Unit]:
    valued = [layout.settings[position] for position in np.unique(layout.setting)]
    position = {name: place for place, name in enumerate(layout.settings)}
    if by_setting:
        return [Unit(name, (position[name],)) for name in valued]
    return [
        Unit(kind, tuple(position[name] for name in settings))
        for kind, settings in classes(valued).items()
    ]


def _means(
    members: Mapping[str, Member], units: Sequence[Unit], *, by_setting: bool
) -> list[list[float]]:
    """By unit, the mean of each system, as on the other pages: over questions, then over seeds."""
    found = []
    for member in members.values():
        sums = [0.0] * len(units)
        for one in (scored.summary for scored in member):
            if by_setting:
                means = one.means[one.measure]
                values = [means[unit.name].mean for unit in units]
            else:
                averages = one.averages[one.measure]
                values = [averages[unit.name].micro for unit in units]
            sums = [total + value for total, value in zip(sums, values, strict=True)]
        found.append([total / len(member) for total in sums])
    return [list(column) for column in zip(*found, strict=True)]


def _asked(layout: Layout, unit: Unit) -> NDArray[np.int64]:
    """Positions of the questions of a unit, ascending."""
    return np.unique(layout.question[np.isin(layout.setting, unit.settings)])


def _places(
    means: Mapping[str, float], spread: RangeOfMeans, questions: int, level: float, tests: float
) -> Places:
    """Places from means and what their differences are held against.

    Args:
        means: By system.
        spread: Of one unit.
        questions: Number of its questions.
        level: That its tests are made at.
        tests: Number of units that are corrected for together.
    """
    systems = tuple(sorted(means, key=lambda name: (-means[name], name)))
    values = np.array([means[name] for name in systems])
    critical = spread.critical(level)
    # As many as are better by more than the critical difference, and likewise worse.
    first = np.searchsorted(-values, -values - critical, "left")
    last = np.searchsorted(-values, -values + critical, "right")
    return Places(
        systems=systems,
        means=values,
        best=1 + first,
        worst=last,
        p=np.minimum(1.0, spread.p(values - values[0]) * tests),
        half=critical,
        letters=_groups(last),
        questions=questions,
        alpha=level * tests,
    )


def _groups(last: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first and the last letter of each system, shape (systems, 2).

    Systems stand in order and all critical differences are the same, so those that one system is
    not separated from follow each other: a letter for each longest stretch.

    Args:
        last: Number of systems up to the last that each is not separated from, ascending.
    """
    starts = np.flatnonzero(np.diff(last, prepend=0) > 0)
    places = np.arange(len(last))
    ends = last[starts]
    return np.stack(
        [np.searchsorted(ends, places, "right"), np.searchsorted(starts, places, "right") - 1],
        axis=1,
    )


@cache
def _letters(first: int, last: int) -> str:
    """All letters, or the first and the last of many."""
    if last - first < LETTERS_IN_FULL:
        return "".join(letter(number) for number in range(first, last + 1))
    return f"{letter(first)}–{letter(last)}"
