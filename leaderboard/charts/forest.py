"""Forest plot: differences with their intervals around a line of no difference.

It is drawn as a table with a picture in each row, so that the numbers are the data table, and
labels keep their size on a phone. Pictures have no width of their own: places along the axis are
percentages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leaderboard.charts.labels import clean, cleaned, site_link
from leaderboard.charts.marks import BLUE, GREY, ORANGE, SHAPES, Mark, in_order
from leaderboard.charts.scales import linear_scale
from leaderboard.numerals import between, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaderboard.charts.scales import Tick

Verdict = Literal["better", "worse", "not separated"]
COLOURS: dict[Verdict, str] = {"better": BLUE, "worse": ORANGE, "not separated": GREY}
MOST_TICKS = 5


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One difference.

    Attributes:
        label: What was compared.
        difference: The difference.
        interval: Its confidence interval, or None where the data give no bound.
        verdict: What the test says; it is not read off the interval, as the two may differ in
            family, and a lower rank distance is the better one.
        group: What kind of row it is, if there are several: each has its shape.
        link: Where the label leads, within the site; nothing for no link.
    """

    label: str
    difference: float
    interval: tuple[float, float] | None
    verdict: Verdict
    group: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class ForestText:
    """What a forest plot says beside its rows.

    Attributes:
        title: What is shown, such as ``Difference in AP``.
        rows: Heading of the labels, such as ``Setting``.
        lower: What a difference below 0 means, such as ``Zero-shot better``.
        higher: What a difference above 0 means.
        interval: Heading of the intervals.
        decimals: Decimals of the numbers.
    """

    title: str
    rows: str
    lower: str
    higher: str
    interval: str = "95% interval"
    decimals: int = 3


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row of the plot: places in percent of the axis, numbers as text."""

    label: str
    link: str
    group: str
    verdict: Verdict
    mark: Mark
    at: float
    low: float | None
    high: float | None
    difference: str
    interval: str


@dataclass(frozen=True, slots=True)
class ForestChart:
    """A forest plot, ready to be drawn.

    Attributes:
        text: What it says beside its rows.
        rows: Rows in the order given.
        zero: Place of the line of no difference, in percent.
        ticks: Ticks of the axis.
        verdicts: Verdicts that occur, with a mark each for the key.
        groups: Groups with their marks, if there are several.
    """

    text: ForestText
    rows: tuple[DrawnRow, ...]
    zero: float
    ticks: tuple[Tick, ...]
    verdicts: tuple[tuple[Verdict, Mark], ...]
    groups: tuple[tuple[str, Mark], ...]


def forest_chart(rows: Sequence[ForestRow], text: ForestText) -> ForestChart:
    """Places the rows of a forest plot on one axis, which holds 0 and every interval.

    Args:
        rows: At least one; their order is kept.
        text: What the plot says beside them.

    Raises:
        ValueError: If there is no row, a number is not finite, an interval does not hold its
            difference, or there are more groups than shapes.
    """
    if not rows:
        raise ValueError("a forest plot needs at least one row")
    for row in rows:
        if row.interval and not row.interval[0] <= row.difference <= row.interval[1]:
            raise ValueError(f"{row.label!r}: {row.interval} does not hold {row.difference}")
    ends = [end for row in rows for end in (row.difference, *(row.interval or ()))]
    scale = linear_scale([0.0, *ends], most_ticks=MOST_TICKS)
    shapes = dict(zip(in_order(clean(row.group) for row in rows), SHAPES, strict=False))

    def drawn(row: ForestRow) -> DrawnRow:
        low, high = row.interval or (None, None)
        separated = row.verdict != "not separated"
        return DrawnRow(
            label=clean(row.label),
            link=site_link(row.link),
            group=clean(row.group) if row.group else "",
            verdict=row.verdict,
            mark=Mark(shapes[clean(row.group)], COLOURS[row.verdict], filled=separated),
            at=scale.at(row.difference),
            low=None if low is None else scale.at(low),
            high=None if high is None else scale.at(high),
            difference=signed(row.difference, text.decimals),
            interval="" if low is None or high is None else between(low, high, text.decimals),
        )

    found = {row.verdict for row in rows}
    key = [
        (name, Mark(SHAPES[0], COLOURS[name], filled=name != "not separated")) for name in COLOURS
    ]
    groups = [(name, Mark(shape, GREY)) for name, shape in shapes.items()]
    return ForestChart(
        text=cleaned(text),
        rows=tuple(map(drawn, rows)),
        zero=scale.at(0.0),
        ticks=scale.drawn_ticks(),
        verdicts=tuple((name, mark) for name, mark in key if name in found),
        groups=tuple(groups) if len(groups) > 1 else (),
    )
