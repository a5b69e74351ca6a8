"""Numbers as the site writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUS = "−"
UNITS = ((10**9, "B"), (10**6, "M"))
MOST_DECIMALS = 12


def plain(value: float, decimals: int = 3) -> str:
    """``.386``, ``1,187``, ``−.021``: no leading zero, as it says nothing; a real minus sign."""
    text = f"{abs(value):,.{decimals}f}"
    negative = value < 0 and float(text.replace(",", "")) > 0
    return (MINUS if negative else "") + (text[1:] if text.startswith("0.") else text)


def signed(value: float, decimals: int = 3) -> str:
    """``+.122``, ``−.021``; what rounds to 0 has no sign."""
    text = plain(value, decimals)
    return text if value <= 0 or not text.strip("0.,") else f"+{text}"


def between(low: float, high: float, decimals: int = 3) -> str:
    """``[−.021, .004]``."""
    return f"[{plain(low, decimals)}, {plain(high, decimals)}]"


def tick_labels(ticks: Sequence[float]) -> tuple[str, ...]:
    """Labels of an axis: all with the decimals that one of them needs; 0 is ``0``."""
    decimals = max((_decimals(tick) for tick in ticks if abs(tick) < UNITS[-1][0]), default=0)
    return tuple(_tick_label(tick, decimals) for tick in ticks)


def _tick_label(tick: float, decimals: int) -> str:
    if not tick:
        return "0"
    for unit, name in UNITS:
        if abs(tick) >= unit and _decimals(tick / unit) <= 3:
            return f"{plain(tick / unit, _decimals(tick / unit))} {name}"
    return plain(tick, max(decimals, _decimals(tick)) if abs(tick) >= UNITS[-1][0] else decimals)


def _decimals(value: float) -> int:
    """The fewest decimals that say a number exactly."""
    return next((d for d in range(MOST_DECIMALS) if round(value, d) == value), MOST_DECIMALS)
