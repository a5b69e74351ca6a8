"""Charts as a page has them: places by hand, every number in a table, nothing that runs."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, PackageLoader, StrictUndefined

from leaderboard.charts.forest import ForestChart, ForestRow, ForestText, forest_chart
from leaderboard.charts.interval import interval_column
from leaderboard.charts.labels import clean
from leaderboard.charts.marks import GROUP_MARKS, group_marks
from leaderboard.charts.profile import ProfileRow, ProfileText, profile_chart
from leaderboard.charts.scatter import Axis, ScatterPoint, ScatterText, scatter_chart

HOSTILE = "<script>alert(1)</script> & \"quotes\" ='x' \u202eevil\u2066 \x00\x08\ud800 javascript:x"
TEXT = ForestText("Difference in AP", "Setting", "Zero-shot better", "ML-CS better")
ROWS = [
    ForestRow("Turkish → English", 0.06, (0.02, 0.1), "better"),
    ForestRow("Arabic → German", 0.01, None, "not separated"),
    ForestRow("Russian → Russian", -0.1, (-0.1, -0.1), "worse"),
]
PLOT = ScatterText("moir-clir", "Within and across", "Higher within.")
POINTS = [
    ScatterPoint("Zero-shot", 0.0, 0.0, "zero-shot"),
    ScatterPoint("ML-CS", 1.0, 0.5, "code-switched", "entries/ml-cs.html"),
    ScatterPoint("Hybrid", 0.5, 1.0, "code-switched"),
]
CALLS = {
    "forest": "{% from 'charts/_macros.html' import forest %}{{ forest(chart) }}",
    "scatter": "{% from 'charts/_macros.html' import scatter %}{{ scatter(chart) }}",
    "profile": "{% from 'charts/_macros.html' import profile %}{{ profile(chart) }}",
    "interval": "{% from 'charts/_macros.html' import interval %}{{ interval(chart) }}",
}


def draw(kind: str, chart: object, *, autoescape: bool = True) -> str:
    """What a page gets, with the settings of the site's pages unless others are asked for."""
    environment = Environment(
        loader=PackageLoader("leaderboard"),
        autoescape=autoescape,  # noqa: S701 - the charts do not depend on it
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(CALLS[kind]).render(chart=chart)


def parsed(drawn: str) -> ET.Element:
    """The tree of a chart, which is well-formed XML as well as HTML."""
    return ET.fromstring(f'<div xmlns:x="x">{drawn}</div>')  # noqa: S314 - our own text


def table(drawn: str) -> list[list[str]]:
    """The text of the cells of a chart's table."""
    rows = parsed(drawn).iter("tr")
    cells = [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in rows]
    return [row for row in cells if any(row)]


def test_a_forest_by_hand() -> None:
    # From -.1 to .1 with .01 free on either side: zero in the middle, 0.1 is 100 / 2.2 away.
    chart = forest_chart(ROWS, TEXT)
    assert chart.zero == 50
    assert [row.at for row in chart.rows] == [77.27, 54.55, 4.55]
    assert [(row.low, row.high) for row in chart.rows] == [
        (59.09, 95.45),
        (None, None),
        (4.55, 4.55),
    ]
    assert [tick.label for tick in chart.ticks] == ["−.10", "−.05", "0", ".05", ".10"]
    assert [row.mark.colour for row in chart.rows] == ["blue", "grey", "orange"]
    assert [row.mark.filled for row in chart.rows] == [True, False, True]


def test_the_table_of_a_forest_has_every_number_in_the_order_given() -> None:
    rows = table(draw("forest", forest_chart(ROWS, TEXT)))
    assert rows[0] == ["Setting", "← Zero-shot better ML-CS better →", "Difference", "95% interval"]
    assert rows[1:4] == [
        ["Turkish → English", "", "+.060 ▲", "[.020, .100]"],
        ["Arabic → German", "", "+.010", "no bound"],
        ["Russian → Russian", "", "−.100 ▼", "[−.100, −.100]"],
    ]


def test_a_forest_that_is_all_on_one_side_shows_the_line_of_no_difference() -> None:
    chart = forest_chart(ROWS[:1], TEXT)
    assert 0 < chart.zero < chart.rows[0].low < chart.rows[0].at
    assert f'x1="{chart.zero}%"' in draw("forest", chart)


def test_rank_distances_are_better_below_zero_and_have_no_decimals() -> None:
    text = ForestText("Rank distance", "System", "closer", "wider apart", decimals=0)
    chart = forest_chart([ForestRow("ML-CS", -1187.4, (-1300.0, -1000.0), "better")], text)
    assert chart.rows[0].mark.colour == "blue"
    row = table(draw("forest", chart))[1]
    assert row == ["ML-CS", "", "−1,187 ▲", "[−1,300, −1,000]"]


def test_groups_of_a_forest_have_a_shape_each_and_a_key() -> None:
    rows = [
        ForestRow("a", 0.1, None, "better", "near"),
        ForestRow("b", 0.2, None, "better", "far"),
        ForestRow("c", 0.3, None, "not separated", "near"),
    ]
    chart = forest_chart(rows, TEXT)
    shapes = [row.mark.path for row in chart.rows]
    assert shapes[0] == shapes[2] != shapes[1]
    drawn = draw("forest", chart)
    keys = ["".join(item.itertext()).split() for item in parsed(drawn).iter("li")]
    assert keys == [["significantly", "better", "▲"], ["not", "separated"], ["near"], ["far"]]
    assert table(drawn)[2][0] == "bfar"
    assert "far" not in draw("forest", forest_chart(rows[:1], TEXT))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "at least one row"),
        ([ForestRow("x", 0.5, (0.0, 0.2), "better")], "does not hold 0.5"),
        ([ForestRow("x", float("nan"), None, "better")], "nan"),
        ([ForestRow("x", 0.5, None, "better", link="javascript:alert(1)")], "no link within"),
        ([ForestRow("x", 0.5, None, "better", link="//example.org")], "no link within"),
        ([ForestRow("x", 0.5, None, "better", group=str(n)) for n in range(9)], "9 groups"),
    ],
    ids=["none", "interval", "nan", "script", "elsewhere", "groups"],
)
def test_a_forest_refuses_what_cannot_be_drawn(rows: list[ForestRow], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forest_chart(rows, TEXT)


def test_intervals_of_a_column_share_an_axis() -> None:
    # 84 pixels between 4 and 88 for .1 to .3.
    first, second, third = interval_column([(0.2, (0.1, 0.3)), (0.3, None), (0.15, (0.1, 0.2))])
    assert (first.low, first.at, first.high) == (4, 46, 88)
    assert (second.low, second.at, second.high) == (None, 88, None)
    assert (third.low, third.at, third.high) == (4, 25, 46)
    assert first.label == "95% interval [.100, .300]"
    (svg,) = parsed(draw("interval", first))
    assert (svg.get("role"), svg.get("aria-label")) == ("img", first.label)
    paths = [path.get("d") for path in svg.iter("path")]
    assert paths == ["M4 6.0H88", "M4.0 6.0H88.0"]
    assert len(list(parsed(draw("interval", second)).iter("path"))) == 1
    assert interval_column([]) == ()


def test_a_scatter_by_hand() -> None:
    # 5% are free at either end, but not below 0.
    chart = scatter_chart(POINTS, Axis("MoIR"), Axis("CLIR"), PLOT)
    assert [(point.x, point.y) for point in chart.points] == [
        (0, 340),
        (95.24, pytest.approx(340 * (1 - 0.5 / 1.05), abs=0.02)),
        (47.62, pytest.approx(340 * (1 - 1 / 1.05), abs=0.02)),
    ]
    assert [tick.label for tick in chart.x_ticks] == ["0", ".2", ".4", ".6", ".8", "1.0"]
    assert chart.y_ticks[0].at == 340
    assert [name for name, _ in chart.groups] == ["zero-shot", "code-switched"]


def test_the_table_of_a_scatter_has_every_number_and_its_unit() -> None:
    points = [
        ScatterPoint("MiniLM", 22_713_216, 0.0704, "as released"),
        ScatterPoint("E5", 559_890_432, 0.61, "as released", "entries/e5.html"),
    ]
    chart = scatter_chart(points, Axis("Parameters", 0, log=True), Axis("CLIR, AP"), PLOT, 0)
    drawn = draw("scatter", chart)
    assert table(drawn) == [
        ["System", "Parameters", "CLIR, AP"],
        ["MiniLM", "22,713,216", ".070"],
        ["E5", "559,890,432", ".610"],
    ]
    assert re.findall('href="([^"]*)"', drawn) == ["entries/e5.html"]
    assert 'class="label' not in drawn
    assert "100 M" in drawn


def test_a_scatter_is_an_image_with_a_name_and_a_description() -> None:
    drawn = draw("scatter", scatter_chart(POINTS, Axis("MoIR"), Axis("CLIR"), PLOT))
    image = next(svg for svg in parsed(drawn).iter("svg") if svg.get("role") == "img")
    named = {element.get("id"): element.text for element in image if element.get("id")}
    assert image.get("aria-labelledby") == " ".join(named)
    assert list(named.values()) == ["Within and across", "Higher within."]
    # The first point is the most important one: it is drawn last.
    titles = [title.text for title in image.iter("title")]
    assert titles[-1] == "Zero-shot: MoIR .000, CLIR .000"


def test_a_group_keeps_its_mark_whichever_others_occur() -> None:
    order = ("code-switched", "zero-shot", "fine-tuned")
    assert group_marks(["fine-tuned"], order) == {"fine-tuned": GROUP_MARKS[2]}
    assert group_marks(["own", "zero-shot"], order) == {
        "zero-shot": GROUP_MARKS[1],
        "own": GROUP_MARKS[3],
    }
    looks = {(mark.path, mark.filled) for mark in GROUP_MARKS}
    assert len(looks) == len(GROUP_MARKS)


@pytest.mark.parametrize(
    "name", ["", "A", "a b", '"><b>'], ids=["empty", "capital", "space", "tag"]
)
def test_an_id_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        scatter_chart(POINTS, Axis("x"), Axis("y"), ScatterText(name, "t", "d"))


PROFILE = ProfileText("AP by language", "Language", ("MoIR", "CLIR from", "CLIR to"))


def test_a_profile_by_hand() -> None:
    rows = [ProfileRow("Thai", (None, 0.5, 0.2)), ProfileRow("Greek", (1.0, 0.0, 0.0))]
    chart = profile_chart(rows, PROFILE)
    assert [at for at, _ in chart.rows[0].marks] == [47.62, 19.05]
    assert [mark for _, mark in chart.rows[0].marks] == list(GROUP_MARKS[1:3])
    assert (chart.rows[0].low, chart.rows[0].high) == (19.05, 47.62)
    assert table(draw("profile", chart))[:3] == [
        ["Language", "", "MoIR", "CLIR from", "CLIR to"],
        ["Thai", "", "–", ".500", ".200"],
        ["Greek", "", "1.000", ".000", ".000"],
    ]


def test_a_profile_without_a_number_in_a_row_draws_the_row_empty() -> None:
    rows = [ProfileRow("Thai", (None,)), ProfileRow("Greek", (0.5,))]
    chart = profile_chart(rows, ProfileText("AP", "Language", ("MoIR",)))
    assert chart.rows[0].low is None
    assert table(draw("profile", chart))[1] == ["Thai", "", "–"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "at least one score"),
        ([ProfileRow("Thai", (None, None, None))], "at least one score"),
        ([ProfileRow("Thai", (0.1, 0.2))], "2 scores for 3 series"),
    ],
    ids=["none", "empty", "short"],
)
def test_a_profile_refuses_what_cannot_be_drawn(rows: list[ProfileRow], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        profile_chart(rows, PROFILE)


def hostile_charts() -> dict[str, object]:
    row = ForestRow(HOSTILE, 0.1, (0.0, 0.2), "better", HOSTILE)
    other = ForestRow("x", 0.1, None, "worse", "other")
    points = [
        ScatterPoint(HOSTILE, 0.1, 0.2, HOSTILE),
        ScatterPoint("شبكة", 0.9, 0.8, "b"),
        ScatterPoint("x" * 5000, 0.5, 0.5, "b"),
    ]
    said = ScatterText("a", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    return {
        "forest": forest_chart([row, other], ForestText(*[HOSTILE] * 5)),
        "scatter": scatter_chart(points, Axis(HOSTILE), Axis("y"), said),
        "profile": profile_chart([ProfileRow(HOSTILE, (0.1,))], ProfileText("t", "r", (HOSTILE,))),
        "interval": interval_column([(0.1, (0.0, 0.2))], name=HOSTILE)[0],
    }


@pytest.mark.parametrize("autoescape", [True, False], ids=["escaping", "not escaping"])
@pytest.mark.parametrize("kind", sorted(CALLS))
def test_hostile_names_are_inert_and_well_formed(kind: str, autoescape: bool) -> None:
    drawn = draw(kind, hostile_charts()[kind], autoescape=autoescape)
    tags = {element.tag for element in parsed(drawn).iter()}
    assert "script" not in tags
    assert "&lt;script&gt;" in drawn
    assert "style=" not in drawn  # the policy of the pages refuses it
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\ud800]", drawn)
    assert "x" * 201 not in drawn
    handlers = {name for element in parsed(drawn).iter() for name in element.attrib}
    assert not [name for name in handlers if name.startswith("on")]


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_label_gives_well_formed_xml(label: str) -> None:
    assert clean(clean(label)) == clean(label) != ""
    chart = scatter_chart([ScatterPoint(label, 1, 2)], Axis("x"), Axis("y"), PLOT)
    cells = table(draw("scatter", chart))
    assert cells[1][1:] == ["1.000", "2.000"]


def test_labels_are_cut_and_spaced_and_keep_the_joiners_of_scripts() -> None:
    assert clean("a\n b\u2028c\t") == "a b c"
    assert clean("می\u200cخواهم") == "می\u200cخواهم"
    assert clean("abcdef", 4) == "abc…"
    assert clean("\u202e") == "(no name)"


def test_the_same_numbers_give_the_same_text() -> None:
    def drawn() -> list[str]:
        chart: ForestChart = forest_chart(ROWS, TEXT)
        plot = scatter_chart(POINTS, Axis("MoIR"), Axis("CLIR"), PLOT)
        return [draw("forest", chart), draw("scatter", plot)]

    first = drawn()
    assert first == drawn()
    # Two decimals are the most that a place has.
    places = re.findall(r' (?:x|y|x1|x2|y1|y2|cx)="(-?[0-9.]+)%?"', "".join(first))
    assert len(places) > 20
    assert all(len(place.partition(".")[2]) <= 2 for place in places)
