"""Dot plot of a profile: a few scores of each language, on one axis.

Like the forest plot, it is a table with a picture in each row; the heads of its columns are its
key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.charts.labels import clean, cleaned
from leaderboard.charts.marks import group_marks
from leaderboard.charts.scales import linear_scale
from leaderboard.numerals import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaderboard.charts.marks import Mark
    from leaderboard.charts.scales import Tick

MOST_TICKS = 5
NO_NUMBER = "–"


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """The scores of one language.

    Attributes:
        label: Its name.
        values: A score for each series; None where there is none.
    """

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ProfileText:
    """What a profile says beside its rows.

    Attributes:
        title: What is shown, such as ``AP by language``.
        rows: Heading of the labels, such as ``Language``.
        series: Names of the scores of each row.
        decimals: Decimals of the numbers.
    """

    title: str
    rows: str
    series: tuple[str, ...]
    decimals: int = 3


@dataclass(frozen=True, slots=True)
class DrawnProfile:
    """A row: marks with their places in percent, its span, numbers as text."""

    label: str
    marks: tuple[tuple[float, Mark], ...]
    low: float | None
    high: float | None
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileChart:
    """A profile, ready to be drawn."""

    text: ProfileText
    rows: tuple[DrawnProfile, ...]
    series: tuple[tuple[str, Mark], ...]
    ticks: tuple[Tick, ...]


def profile_chart(rows: Sequence[ProfileRow], text: ProfileText) -> ProfileChart:
    """Places the scores of all rows on one axis, which begins at 0 if none is negative.

    Args:
        rows: At least one, with at least one score among them; their order is kept.
        text: What the plot says beside them.

    Raises:
        ValueError: If there is no score, a row has more or fewer than there are series, a number
            is not finite, or there are more series than marks.
    """
    marks = group_marks(text.series)
    for row in rows:
        if len(row.values) != len(marks):
            raise ValueError(f"{row.label!r}: {len(row.values)} scores for {len(marks)} series")
    found = [value for row in rows for value in row.values if value is not None]
    start = [0.0] if found and min(found) >= 0 else []
    if not found:
        raise ValueError("a profile needs at least one score")
    scale = linear_scale([*start, *found], floor=0.0 if start else None, most_ticks=MOST_TICKS)
    drawn = []
    for row in rows:
        placed = [
            (scale.at(value), mark)
            for value, mark in zip(row.values, marks.values(), strict=True)
            if value is not None
        ]
        ends = [at for at, _ in placed]
        drawn.append(
            DrawnProfile(
                label=clean(row.label),
                marks=tuple(placed),
                low=min(ends, default=None),
                high=max(ends, default=None),
                numbers=tuple(
                    NO_NUMBER if value is None else plain(value, text.decimals)
                    for value in row.values
                ),
            )
        )
    return ProfileChart(cleaned(text), tuple(drawn), tuple(marks.items()), scale.drawn_ticks())
