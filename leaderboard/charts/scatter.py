"""Scatter plot: systems by two numbers, with labels where there is room for them.

Places across are percentages, so that the plot takes the width of the page while letters keep
their size; places down are pixels of a plot of ``HEIGHT``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leaderboard.charts.labels import clean, cleaned, site_link, width
from leaderboard.charts.marks import group_marks
from leaderboard.charts.placement import CORNER, FONT_SIZE, GAP, place_labels
from leaderboard.charts.scales import Scale, Tick, linear_scale, log_scale
from leaderboard.numerals import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaderboard.charts.marks import Mark
    from leaderboard.charts.placement import Placed, Side

HEIGHT = 340
LONGEST_LABEL = 32
NAME = re.compile(r"[a-z][a-z0-9-]*")
# How the letters of a label lie to its mark: anchor, pixels across, pixels down to the baseline.
BESIDE: dict[Side, tuple[str, float, float]] = {
    "right": ("start", GAP, 4),
    "left": ("end", -GAP, 4),
    "above": ("middle", 0, -GAP - 3),
    "below": ("middle", 0, GAP + 11),
    "upper right": ("start", CORNER, -CORNER - 3),
    "upper left": ("end", -CORNER, -CORNER - 3),
}


@dataclass(frozen=True, slots=True)
class Axis:
    """What is on an axis.

    Attributes:
        name: Its name with the measure or unit.
        decimals: Decimals of its numbers in the data table.
        log: Whether it is logarithmic; its values are above 0 then.
    """

    name: str
    decimals: int = 3
    log: bool = False


@dataclass(frozen=True, slots=True)
class ScatterPoint:
    """A system.

    Attributes:
        label: Its name.
        x: Its number across.
        y: Its number upwards.
        group: What it has its mark by, such as the training method.
        link: Its page within the site; nothing for no link.
    """

    label: str
    x: float
    y: float
    group: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class ScatterText:
    """What a scatter plot is called.

    Attributes:
        name: Its id in the page: small letters, digits and hyphens.
        title: What is shown.
        description: What is to be seen, in a sentence, for those who do not see it.
        points: Heading of the labels in the data table.
        groups: Heading of the groups.
        order: Groups that may occur: each keeps its mark whichever others do.
        diagonal: Name of the line on which both numbers are equal; nothing for no line.
    """

    name: str
    title: str
    description: str
    points: str = "System"
    groups: str = "Training"
    order: tuple[str, ...] = ()
    diagonal: str = ""


@dataclass(frozen=True, slots=True)
class DrawnLabel:
    """A label beside its mark: how it is anchored, and its distance in pixels."""

    text: str
    anchor: str
    dx: float
    dy: float
    wide_only: bool


@dataclass(frozen=True, slots=True)
class DrawnPoint:
    """A mark: percent of the width, pixels from the top; its numbers as text."""

    name: str
    link: str
    group: str
    mark: Mark
    x: float
    y: float
    x_text: str
    y_text: str
    label: DrawnLabel | None


@dataclass(frozen=True, slots=True)
class Diagonal:
    """The stretch of a line within the plot: percent of the width, pixels from the top."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class ScatterChart:
    """A scatter plot, ready to be drawn.

    Attributes:
        text: What it is called.
        x: What is across.
        y: What is upwards.
        points: Points in the order given.
        x_ticks: Ticks across, in percent.
        y_ticks: Ticks upwards, in pixels from the top.
        groups: Groups with their marks, if there are several.
        diagonal: The line on which both numbers are equal, where it passes through the plot.
        diagonal_beyond: ``above`` or ``below``: where it is if it does not; nothing without one.
        height: Height of the plot in pixels.
    """

    text: ScatterText
    x: Axis
    y: Axis
    points: tuple[DrawnPoint, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    groups: tuple[tuple[str, Mark], ...]
    diagonal: Diagonal | None
    diagonal_beyond: Literal["above", "below", ""]
    height: int = HEIGHT


def scatter_chart(
    points: Sequence[ScatterPoint], x: Axis, y: Axis, text: ScatterText, labelled: int = 24
) -> ScatterChart:
    """Places points, and labels for the first of them where there is room.

    Each axis has its own range, so that systems are apart as far as the plot lets them.

    Args:
        points: At least one, the most important first: they lie on top, and have the first choice
            of places for their labels.
        x: What is across.
        y: What is upwards.
        text: What the plot is called.
        labelled: How many points may have a label; all are in the data table.

    Raises:
        ValueError: If there is no point, a number is not finite or has no place on a logarithmic
            axis, there are more groups than marks, an id cannot be one, or there is to be a
            diagonal between a linear and a logarithmic axis.
    """
    text = cleaned(text)
    if not points:
        raise ValueError("a scatter plot needs at least one point")
    if not NAME.fullmatch(text.name):
        raise ValueError(f"{text.name!r} is no id: small letters, digits and hyphens")
    if text.diagonal and x.log != y.log:
        raise ValueError("a diagonal is straight only if both axes are logarithmic, or none is")
    x_scale, y_scale = _scale([point.x for point in points], x), _scale([p.y for p in points], y)
    diagonal = _diagonal(x_scale, y_scale) if text.diagonal else None
    marks = group_marks((point.group for point in points), text.order)
    places = [(x_scale.at(point.x), _from_top(y_scale.at(point.y))) for point in points]
    names = [clean(point.label, LONGEST_LABEL) for point in points[:labelled]]
    labels = place_labels(
        [(percent / 100, down) for percent, down in places],
        [width(name, FONT_SIZE) for name in names],
        HEIGHT,
    )
    drawn = [
        DrawnPoint(
            name=clean(point.label),
            link=site_link(point.link),
            group=clean(point.group) if point.group else "",
            mark=marks[clean(point.group)],
            x=place[0],
            y=place[1],
            x_text=plain(point.x, x.decimals),
            y_text=plain(point.y, y.decimals),
            label=_label(names[number], labels[number]) if number < len(names) else None,
        )
        for number, (point, place) in enumerate(zip(points, places, strict=True))
    ]
    y_ticks = y_scale.drawn_ticks()
    return ScatterChart(
        text=text,
        x=cleaned(x),
        y=cleaned(y),
        points=tuple(drawn),
        x_ticks=x_scale.drawn_ticks(),
        y_ticks=tuple(Tick(_from_top(tick.at), tick.label) for tick in y_ticks),
        groups=tuple(marks.items()) if len(marks) > 1 else (),
        diagonal=diagonal,
        diagonal_beyond=_beyond(x_scale, y_scale) if text.diagonal and not diagonal else "",
    )


def _diagonal(x: Scale, y: Scale) -> Diagonal | None:
    """The line on which both numbers are equal, from the first value that both axes have."""
    low, high = max(x.low, y.low), min(x.high, y.high)
    if low >= high:
        return None
    return Diagonal(x.at(low), _from_top(y.at(low)), x.at(high), _from_top(y.at(high)))


def _beyond(x: Scale, y: Scale) -> Literal["above", "below"]:
    """Where the line is that passes by: above, if all numbers across are the larger ones."""
    return "above" if x.low >= y.high else "below"


def _scale(values: Sequence[float], axis: Axis) -> Scale:
    if axis.log:
        return log_scale(values)
    return linear_scale(values, floor=0.0 if min(values) >= 0 else None)


def _from_top(percent: float) -> float:
    return round(HEIGHT * (100 - percent) / 100, 2)


def _label(text: str, placed: Placed | None) -> DrawnLabel | None:
    if placed is None:
        return None
    anchor, dx, dy = BESIDE[placed.side]
    return DrawnLabel(text, anchor, dx, dy, placed.wide_only)
