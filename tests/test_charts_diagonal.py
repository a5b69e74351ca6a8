"""The diagonal of a scatter plot: where both numbers are equal, if that is in the picture."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_charts import draw, parsed

from leaderboard.charts.scatter import Axis, ScatterPoint, ScatterText, scatter_chart

EQUAL = ScatterText("d", "t", "d", diagonal="MoIR = CLIR")


def lines(drawn: str) -> int:
    """Number of diagonals in a chart, the one of its key included."""
    return sum(line.get("class") == "diagonal" for line in parsed(drawn).iter("line"))


def key(drawn: str) -> list[str]:
    return [" ".join("".join(item.itertext()).split()) for item in parsed(drawn).iter("li")]


def test_a_diagonal_by_hand() -> None:
    # Across .38 to .82, upwards .18 to .62: both have .38 to .62. The first is .2 of .44 up.
    points = [ScatterPoint("a", 0.8, 0.2), ScatterPoint("b", 0.4, 0.6)]
    chart = scatter_chart(points, Axis("MoIR"), Axis("CLIR"), EQUAL)
    line = chart.diagonal
    assert line is not None
    assert (line.x1, line.x2) == (0, 54.55)
    assert line.y1 == pytest.approx(340 * (1 - 0.2 / 0.44), abs=0.02)
    assert line.y2 == 0
    drawn = draw("scatter", chart)
    assert lines(drawn) == 2
    assert key(drawn) == ["MoIR = CLIR"]
    assert chart.groups == ()


@pytest.mark.parametrize(
    ("x", "y", "beyond"), [(0.8, 0.1, "above"), (0.1, 0.8, "below")], ids=["above", "below"]
)
def test_a_diagonal_that_passes_by_is_said_not_drawn(x: float, y: float, beyond: str) -> None:
    points = [ScatterPoint("a", x, y), ScatterPoint("b", x + 0.01, y + 0.02)]
    chart = scatter_chart(points, Axis("MoIR"), Axis("CLIR"), EQUAL)
    # The other axis does not stretch this one: 5% are free at either end.
    assert [point.x for point in chart.points] == [4.55, 95.45]
    drawn = draw("scatter", chart)
    assert lines(drawn) == 0
    assert key(drawn) == [f"MoIR = CLIR lies {beyond} all that is drawn"]


shares = st.floats(0, 1, allow_nan=False)


@given(st.lists(st.tuples(shares, shares), min_size=2, max_size=6), shares)
@settings(deadline=None)
def test_what_is_equal_lies_on_the_diagonal(
    places: list[tuple[float, float]], equal: float
) -> None:
    points = [ScatterPoint("a", x, y) for x, y in [*places, (equal, equal)]]
    chart = scatter_chart(points, Axis("MoIR"), Axis("CLIR"), EQUAL)
    line, on = chart.diagonal, chart.points[-1]
    assert line is not None
    assert line.x1 <= on.x <= line.x2
    assert line.y2 <= on.y <= line.y1
    # Twice the area of the triangle of three points of a line, all rounded to .01.
    area = (line.x2 - line.x1) * (on.y - line.y1) - (on.x - line.x1) * (line.y2 - line.y1)
    assert abs(area) < 0.01 * 2 * (100 + 340)


def test_a_diagonal_needs_axes_of_one_kind() -> None:
    points = [ScatterPoint("a", 0.8, 0.2)]
    assert scatter_chart(points, Axis("x", log=True), Axis("y", log=True), EQUAL)
    with pytest.raises(ValueError, match="a diagonal is straight only if both"):
        scatter_chart(points, Axis("x", log=True), Axis("y"), EQUAL)
