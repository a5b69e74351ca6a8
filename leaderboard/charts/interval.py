"""Intervals beside the numbers of a column, all of them on one axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.charts.labels import clean
from leaderboard.charts.scales import linear_scale
from leaderboard.numerals import between

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 92, 12
MARGIN = 4
"""Free at either end, in pixels: a mark at the end of the axis is drawn whole."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its interval, ready to be drawn in ``WIDTH`` x ``HEIGHT`` pixels.

    Attributes:
        at: Place of the mean.
        low: Place of the lower bound, or None.
        high: Place of the upper bound, or None.
        label: The interval in words, for those who do not see it.
    """

    at: float
    low: float | None
    high: float | None
    label: str
    width: int = WIDTH
    height: int = HEIGHT
    margin: int = MARGIN


def interval_column(
    values: Sequence[tuple[float, tuple[float, float] | None]],
    *,
    also: Sequence[float] = (),
    name: str = "95% interval",
    decimals: int = 3,
) -> tuple[Interval, ...]:
    """Places the means of a column, with their intervals, on one axis.

    Args:
        values: Mean and confidence interval, if it has one, of each row.
        also: Numbers of other rows that the axis is to hold.
        name: What the interval is.
        decimals: Decimals of the bounds in words.

    Raises:
        ValueError: If a number is not finite.
    """
    if not values:
        return ()
    name = clean(name)
    scale = linear_scale([*_all(values), *also], padding=0.0)

    def place(value: float | None) -> float | None:
        return None if value is None else _pixels(scale.at(value))

    drawn = []
    for mean, bounds in values:
        low, high = bounds or (None, None)
        said = f"{name} {between(*bounds, decimals)}" if bounds else f"no {name}"
        drawn.append(Interval(_pixels(scale.at(mean)), place(low), place(high), said))
    return tuple(drawn)


def _all(values: Iterable[tuple[float, tuple[float, float] | None]]) -> list[float]:
    return [number for mean, bounds in values for number in (mean, *(bounds or ()))]


def _pixels(percent: float) -> float:
    return round(MARGIN + (WIDTH - 2 * MARGIN) * percent / 100, 2)
