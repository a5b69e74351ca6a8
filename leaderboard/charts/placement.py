"""Where the labels of a scatter plot stand, so that none covers another one or a mark.

The plot has a height in pixels but takes whatever width the page has, so each box is pinned to a
share of the width and reaches so many pixels to either side. Whether two boxes meet is solved for
all widths at once: both conditions of an overlap are linear in the width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

Widths = tuple[float, float]
Side = Literal["right", "left", "above", "below", "upper right", "upper left"]
SIDES: tuple[Side, ...] = get_args(Side)
"""From the best to the one for want of a better."""
FONT_SIZE = 12.5
LINE = 15.0
GAP = 9.0
"""From the centre of a mark to its label."""
CORNER = 5.0
"""The same across and down, for a label off the mark's corner."""
MARK = 6.0
"""Half the width of a mark."""
CORE = 1.5
"""Half the width of its middle: a mark whose middle lies under another one's gets no label."""
EVERY_WIDTH = (216.0, 700.0)
"""Widths of the plot, in pixels, on a phone of 320 and at its widest."""
WIDE = (560.0, EVERY_WIDTH[1])
"""Widths at which labels are shown that have no place on a phone."""
OVERHANG = 10.0
"""Pixels that a label may reach beyond the right end of the plot."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box around a point: across in pixels from a share of the width, down in pixels."""

    share: float
    left: float
    right: float
    top: float
    bottom: float

    def inside(self, height: float, widths: Widths) -> bool:
        """Whether it lies within a plot at all widths between two."""
        # What is linear and holds at both ends holds between them.
        return 0 <= self.top <= self.bottom <= height and all(
            width * self.share + self.left >= 0
            and width * self.share + self.right <= width + OVERHANG
            for width in widths
        )

    def meets(self, other: Box, widths: Widths) -> bool:
        """Whether two boxes overlap at a width between two."""
        if self.top >= other.bottom or other.top >= self.bottom:
            return False
        apart = self.share - other.share
        least, most = widths
        # apart * width < other.right - self.left, and -apart * width < self.right - other.left
        for slope, bound in (
            (apart, other.right - self.left),
            (-apart, self.right - other.left),
        ):
            if slope > 0:
                most = min(most, bound / slope)
            elif slope < 0:
                least = max(least, bound / slope)
            elif bound <= 0:
                return False
        return least < most


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a label stands.

    Attributes:
        side: Side of its mark.
        wide_only: Whether it is shown in wide plots only.
    """

    side: Side
    wide_only: bool


def place_labels(
    points: Sequence[tuple[float, float]], widths: Sequence[float], height: float
) -> tuple[Placed | None, ...]:
    """Gives each label the first side on which it is free, and those before it their places first.

    Args:
        points: Share of the width (0 to 1) and pixels from the top of every mark.
        widths: Width in pixels of the labels of the first points; the others have none.
        height: Height of the plot in pixels.

    Returns:
        A place for each label, or None where there is none.
    """
    labels: list[tuple[Box, Widths]] = []
    found: list[Placed | None] = []
    for own, (point, width) in enumerate(zip(points, widths, strict=False)):
        others = [mark_box(other) for number, other in enumerate(points) if number != own]
        fixed = [(box, EVERY_WIDTH) for box in others]
        above = [mark_box(other, CORE) for other in points[:own]]
        best = _first_free(point, (width, height), [*fixed, *labels], above)
        if best:
            box, placed = best
            labels.append((box, WIDE if placed.wide_only else EVERY_WIDTH))
        found.append(best[1] if best else None)
    return tuple(found)


def _first_free(
    point: tuple[float, float],
    size: tuple[float, float],
    obstacles: Sequence[tuple[Box, Widths]],
    above: Sequence[Box],
) -> tuple[Box, Placed] | None:
    """The first place of a label that is free, at every width if there is one.

    Args:
        point: Its mark.
        size: Width of the label, height of the plot.
        obstacles: Boxes, and at which widths they are there.
        above: Middles of the marks that are drawn over its mark.
    """
    middle = mark_box(point, CORE)
    for shown in (EVERY_WIDTH, WIDE):
        if any(middle.meets(other, shown) for other in above):
            continue
        for side in SIDES:
            box = label_box(point, size[0], side)
            if box.inside(size[1], shown) and not any(
                box.meets(other, _common(shown, there)) for other, there in obstacles
            ):
                return box, Placed(side, wide_only=shown == WIDE)
    return None


def mark_box(point: tuple[float, float], half: float = MARK) -> Box:
    """The box of a mark, or of its middle."""
    share, down = point
    return Box(share, -half, half, down - half, down + half)


def label_box(point: tuple[float, float], width: float, side: Side) -> Box:
    """The box of a label beside the mark at a point."""
    share, down = point
    if side == "right":
        return Box(share, GAP, GAP + width, down - LINE / 2, down + LINE / 2)
    if side == "left":
        return Box(share, -GAP - width, -GAP, down - LINE / 2, down + LINE / 2)
    if side in ("upper right", "upper left"):
        left = CORNER if side == "upper right" else -CORNER - width
        return Box(share, left, left + width, down - CORNER - LINE, down - CORNER)
    top = down - GAP - LINE if side == "above" else down + GAP
    return Box(share, -width / 2, width / 2, top, top + LINE)


def _common(a: Widths, b: Widths) -> Widths:
    return max(a[0], b[0]), min(a[1], b[1])
