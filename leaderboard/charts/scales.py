"""Scales: numbers become places along an axis, and round numbers its ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal

from leaderboard.charts.labels import width
from leaderboard.numerals import tick_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

PADDING = 0.05
"""Share of the values' span that is left free on either side of them."""
MOST_TICKS = 6
MULTIPLES = (1, 2, 5)
SAME = 1e-9
"""Values whose span is a smaller share of their size are drawn as one value."""
DECIMALS = 2
NARROW = 175.0
"""Width in pixels of the narrowest axis, on a phone of 320."""
TICK_FONT_SIZE = 12.0
BETWEEN_LABELS = 4.0


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis.

    Attributes:
        low: The value at its beginning.
        high: The value at its end, above ``low``.
        ticks: Round values between them, ascending.
        kind: ``linear``, or ``log``: equal distances are equal ratios.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    kind: Literal["linear", "log"] = "linear"

    def at(self, value: float) -> float:
        """Where a value stands, in percent of the axis, with two decimals."""
        low, high, value = (self._straight(number) for number in (self.low, self.high, value))
        return round(100 * (value - low) / (high - low), DECIMALS) + 0.0  # no -0.0

    def drawn_ticks(self) -> tuple[Tick, ...]:
        """The ticks with their places in percent, and their labels."""
        drawn: list[Tick] = []
        reached = -math.inf
        for tick, label in zip(self.ticks, tick_labels(self.ticks), strict=True):
            place, half = NARROW * self.at(tick) / 100, width(label, TICK_FONT_SIZE) / 2
            free = place - half >= reached + BETWEEN_LABELS
            drawn.append(Tick(self.at(tick), label, wide_only=not free))
            reached = place + half if free else reached
        return tuple(drawn)

    def _straight(self, value: float) -> float:
        return math.log10(value) if self.kind == "log" else value


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick that is drawn.

    Attributes:
        at: Its place, in the unit of the chart.
        label: Its number.
        wide_only: Whether a phone has no room for the label.
    """

    at: float
    label: str
    wide_only: bool = False


def linear_scale(
    values: Iterable[float],
    *,
    padding: float = PADDING,
    floor: float | None = None,
    most_ticks: int = MOST_TICKS,
) -> Scale:
    """A linear scale that holds all values.

    Args:
        values: Finite numbers, at least one.
        padding: Share of their span that is left free on either side.
        floor: Least possible value, where there is one: padding does not go below it.
        most_ticks: Most ticks, at least three.

    Raises:
        ValueError: If there is no value, or one is not finite.
    """
    least, most = _ends(values)
    span = most - least
    if span <= SAME * max(abs(least), abs(most)):
        span = abs(most) or 1.0
        padding = max(padding, PADDING)  # one value needs an axis all the same
    low, high = least - padding * span, most + padding * span
    if floor is not None:
        low = max(low, min(floor, least))
    return Scale(low, high, nice_ticks(low, high, most_ticks))


def log_scale(
    values: Iterable[float], *, padding: float = PADDING, most_ticks: int = MOST_TICKS
) -> Scale:
    """A logarithmic scale that holds all values.

    Args:
        values: Finite numbers above 0, at least one.
        padding: Share of their span, in powers of ten, that is left free on either side.
        most_ticks: Most ticks, at least three.

    Raises:
        ValueError: If there is no value, or one is not finite or not above 0.
    """
    low, high = _ends(values)
    if low <= 0:
        raise ValueError(f"a logarithmic axis has no place for {low}: values above 0 are needed")
    span = math.log10(high / low)
    free = padding * span if span > SAME else math.log10(2)
    low, high = low / 10**free, high * 10**free
    return Scale(low, high, _log_ticks(low, high, most_ticks), "log")


def nice_ticks(low: float, high: float, most: int = MOST_TICKS) -> tuple[float, ...]:
    """Multiples, from ``low`` to ``high``, of the least interval that gives at most ``most``.

    Intervals are 1, 2 and 5 times a power of ten.
    """
    for power in count(math.floor(math.log10((high - low) / most)) - 1):
        for multiple in MULTIPLES:
            interval = _times_power(multiple, power)
            # Quotients may miss a whole number by their last digits, so one too many is let in
            # at either end and what is outside goes after that.
            first, last = math.ceil(low / interval - SAME), math.floor(high / interval + SAME)
            if last - first + 1 <= most + 2:
                ticks = [
                    _times_power(number * multiple, power) for number in range(first, last + 1)
                ]
                inside = tuple(tick for tick in ticks if low <= tick <= high)
                if len(inside) <= most:
                    return inside
    raise AssertionError("an interval that is long enough gives no more than one tick")


def _log_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """1, 2 and 5 times powers of ten; fewer of them where they are too many."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for multiples in (MULTIPLES, MULTIPLES[:1]):
        every = (_times_power(multiple, power) for power in powers for multiple in multiples)
        inside = tuple(tick for tick in every if low <= tick <= high)
        if len(inside) <= most:
            # Less than a decade may hold one of them or none.
            return inside if len(inside) > 1 else nice_ticks(low, high, most)
    for stride in count(2):
        inside = tuple(_times_power(1, power) for power in powers if not power % stride)
        inside = tuple(tick for tick in inside if low <= tick <= high)
        if len(inside) <= most:
            return inside
    raise AssertionError("a stride that is long enough gives no more than one tick")


def _times_power(multiple: int, power: int) -> float:
    """``multiple`` x 10 ** ``power``, rounded once: the same float as the literal."""
    return float(multiple * 10**power) if power >= 0 else multiple / 10**-power


def _ends(values: Iterable[float]) -> tuple[float, float]:
    found = list(values)
    if not found:
        raise ValueError("an axis needs at least one value")
    if wrong := [value for value in found if not math.isfinite(value)]:
        raise ValueError(f"an axis has no place for {wrong[0]}: finite values are needed")
    return min(found), max(found)
