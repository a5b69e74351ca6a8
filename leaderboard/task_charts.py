"""The pictures of a task: MoIR against CLIR, and what size buys."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from leaderboard.charts.scatter import Axis, ScatterPoint, ScatterText, scatter_chart
from leaderboard.wording import method_in_words
from submissions.manifest import Training
from tasks.settings import KIND_NAMES

if TYPE_CHECKING:
    from leaderboard.charts.scatter import ScatterChart
    from leaderboard.tables import SystemRow, TaskBoard

FEWEST_POINTS = 3
"""A picture of fewer systems shows no more than their table."""
MOST_POINTS = 100
"""The best systems: a page has at most 3,000 elements."""
_METHODS = tuple(method_in_words(training) for training in get_args(Training))


def task_charts(board: TaskBoard, here: str) -> list[ScatterChart]:
    """The pictures that a task has enough systems for.

    Args:
        board: The task.
        here: The way from the page to the root of the site.
    """
    charts = [_within_against_across(board, here), _size_against_score(board, here)]
    return [chart for chart in charts if chart is not None]


def _within_against_across(board: TaskBoard, here: str) -> ScatterChart | None:
    within, across = "moir", "clir"
    points = [
        _point(here, row, row.averages[within].micro, row.averages[across].micro)
        for row in board.rows
        if {within, across} <= row.averages.keys()
    ]
    return _chart(
        points,
        (
            Axis(f"{KIND_NAMES[within]}, {board.measure}"),
            Axis(f"{KIND_NAMES[across]}, {board.measure}"),
        ),
        ScatterText(
            name="within-across",
            title="Within a language and across languages",
            description="A system on the line would do as well across languages as within one; "
            "the farther below it, the more it loses.",
            order=_METHODS,
            diagonal="MoIR = CLIR",
        ),
    )


def _size_against_score(board: TaskBoard, here: str) -> ScatterChart | None:
    by = board.sorted_by
    points = [
        _point(here, row, float(row.system.manifest.model.parameters), row.averages[by].micro)
        for row in board.rows
        if row.system.manifest.model.parameters
    ]
    if len({point.x for point in points}) < FEWEST_POINTS:
        return None  # one column of points shows nothing
    return _chart(
        points,
        (Axis("Parameters", decimals=0, log=True), Axis(f"{KIND_NAMES[by]}, {board.measure}")),
        ScatterText(
            name="size-score",
            title="Size and score",
            description="Systems with a known number of parameters, which is on a logarithmic "
            "axis.",
            order=_METHODS,
        ),
    )


def _point(here: str, row: SystemRow, x: float, y: float) -> ScatterPoint:
    system = row.system
    group = method_in_words(system.system.training)
    return ScatterPoint(system.name, x, y, group, f"{here}entries/{system.id}.html")


def _chart(
    points: list[ScatterPoint], axes: tuple[Axis, Axis], text: ScatterText
) -> ScatterChart | None:
    if len(points) < FEWEST_POINTS:
        return None
    return scatter_chart(points[:MOST_POINTS], *axes, text)
