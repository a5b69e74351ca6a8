"""Marks: one shape and colour for each group, told apart without colour too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.charts.labels import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CIRCLE = "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z"
DIAMOND = "M0-5.6L5.6 0 0 5.6-5.6 0z"
SQUARE = "M-4-4H4V4H-4z"
TRIANGLE = "M0-5.2L5.2 4H-5.2z"
UPSIDE_DOWN = "M0 5.2L5.2-4H-5.2z"
PLUS = "M-1.6-5.2H1.6V-1.6H5.2V1.6H1.6V5.2H-1.6V1.6H-5.2V-1.6H-1.6z"
CROSS = "M0-2.2L3.1-5.3 5.3-3.1 2.2 0 5.3 3.1 3.1 5.3 0 2.2-3.1 5.3-5.3 3.1-2.2 0-5.3-3.1-3.1-5.3z"
BAR = "M-2-5.4H2V5.4H-2z"

BLUE, ORANGE, GREY = "blue", "orange", "grey"
SHAPES = (CIRCLE, DIAMOND, SQUARE, TRIANGLE, UPSIDE_DOWN, PLUS, CROSS, BAR)


@dataclass(frozen=True, slots=True)
class Mark:
    """How a point is drawn.

    Attributes:
        path: Outline around 0, 0, in pixels.
        colour: Name of its colour in the style sheet.
        filled: Whether it is filled.
    """

    path: str
    colour: str
    filled: bool = True


GROUP_MARKS = (
    Mark(CIRCLE, BLUE),
    Mark(DIAMOND, ORANGE),
    Mark(SQUARE, GREY),
    Mark(TRIANGLE, BLUE, filled=False),
    Mark(UPSIDE_DOWN, ORANGE, filled=False),
    Mark(PLUS, GREY),
    Mark(CROSS, BLUE),
    Mark(CIRCLE, GREY, filled=False),
)
"""Of the first group, the second, ...: their order decides which ones stand out."""


def in_order(groups: Iterable[str]) -> tuple[str, ...]:
    """Each group once, in the order in which they come.

    Raises:
        ValueError: If there are more groups than marks.
    """
    found = tuple(dict.fromkeys(groups))
    if len(found) > len(GROUP_MARKS):
        raise ValueError(f"{len(found)} groups: no more than {len(GROUP_MARKS)} can be told apart")
    return found


def group_marks(groups: Iterable[str], order: Iterable[str] = ()) -> Mapping[str, Mark]:
    """The mark of each group; the names are cleaned.

    Args:
        groups: A group for each point.
        order: Groups that may occur: a group keeps its mark whichever others do. Those that it
            does not name follow as they come.

    Raises:
        ValueError: If there are more groups than marks.
    """
    names = [clean(group) for group in groups]
    marks = dict(zip(in_order([*map(clean, order), *names]), GROUP_MARKS, strict=False))
    return {name: mark for name, mark in marks.items() if name in names}
