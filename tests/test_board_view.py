"""Tables of systems cut into pages, and the scripts that have the rows which a page has not."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import string
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_boards import CLASSES, board, system, tables, tied

from leaderboard.board_index import systems_index, unit_index
from leaderboard.board_view import (
    FIRST_ROWS,
    LEADS,
    MAIN,
    change_texts,
    leaders_view,
    page_count,
    ranks_text,
    setting_view,
    task_view,
)
from leaderboard.facets import FACETS
from leaderboard.families import Difference, Place
from leaderboard.numerals import plain
from leaderboard.pages import task
from leaderboard.rendering import environment, render
from leaderboard.system_card import system_card
from leaderboard.tables import MOST_ROWS
from leaderboard.wording import parameters_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leaderboard.board_view import BoardRow
    from leaderboard.tables import TaskBoard

MOST_KB = 50


@given(rows=st.integers(0, 10_000))
def test_pages_have_room_for_all_rows_and_none_is_empty(rows: int) -> None:
    pages = page_count(rows)
    assert pages >= 1
    assert (pages - 1) * MOST_ROWS < max(rows, 1) <= pages * MOST_ROWS


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_each_system_is_on_one_page(count: int, sizes: list[int]) -> None:
    whole = board(count)
    views = [task_view(whole, number) for number in range(1, len(sizes) + 1)]
    assert [len(view.rows) for view in views] == sizes
    rows = [row for view in views for row in view.rows]
    assert [row.number for row in rows] == list(range(1, count + 1))
    assert [row.system for row in rows] == [row.card for row in whole.rows]
    for number, view in enumerate(views, 1):
        assert (view.number, view.pages, view.total) == (number, len(sizes), count)
        assert view.is_cut == (count > MOST_ROWS)
        assert view.main == "clir"
        assert [column.key for column in view.columns] == list(CLASSES)


def test_the_leaders_alone_are_no_cut_table() -> None:
    view = leaders_view(board(150), 5)
    assert [row.number for row in view.rows] == [1, 2, 3, 4, 5]
    assert not view.is_cut
    assert view.questions == []
    assert len(leaders_view(board(3), 5).rows) == 3


@pytest.mark.parametrize(("count", "shown"), [(60, 60), (100, 100), (101, FIRST_ROWS)])
def test_the_table_of_a_setting_is_cut_shorter(count: int, shown: int) -> None:
    whole = board(count)
    found = whole.family.places["moir"] if whole.family else ()
    view = setting_view(tables(whole), "moir/de-de", found)
    assert len(view.rows) == shown
    assert [row.system.id for row in view.rows] == [place.system for place in found[:shown]]
    assert view.is_cut == (shown < count)
    assert (view.total, view.pages, view.has_distance) == (count, 1, False)
    assert [(column.key, column.unit) for column in view.columns] == [(MAIN, "moir-de-de")]


def test_what_is_written_of_a_place() -> None:
    assert ranks_text((3, 3)) == "3"
    assert ranks_text((1, 4)) == "1–4"
    assert change_texts(Place("a", 0.5, "a", (1, 1), None)) == (LEADS, "")
    behind = Difference(-0.1234, (-0.1734, -0.0734), 0.01, 100, True)
    assert change_texts(Place("b", 0.4, "b", (2, 2), behind)) == ("−.123", "± .050")
    open_ended = Difference(-0.1234, None, 0.01, 100, True)
    assert change_texts(Place("b", 0.4, "b", (2, 2), open_ended)) == ("−.123", "")
    of_millions = f"zero-shot · {parameters_in_words(50_000_000)}\u00a0parameters"
    assert system_card(system(1, "x")).about == of_millions
    assert system_card(system(0, "x")).about == "untrained"


def contents(scripts: Iterable[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """What each script registers; under the name that its path says."""
    found = []
    for path, script in scripts:
        text = script.decode().removeprefix("babelboard.register(").removesuffix(");\n")
        name, content = json.loads(f"[{text}]")
        assert path == f"data/{name}.js"
        found.append(content)
    assert [content["parts"] for content in found] == [len(found)] * len(found)
    return found


def column(parts: Sequence[dict[str, Any]], key: str) -> list[Any]:
    return [value for part in parts for value in part[key]]


def answers(parts: Sequence[dict[str, Any]], key: str) -> list[str]:
    return [
        part["facets"][key]["answers"][code]
        for part in parts
        for code in part["facets"][key]["codes"]
    ]


def rows_of(whole: TaskBoard) -> list[BoardRow]:
    pages = range(1, page_count(len(whole.rows)) + 1)
    return [row for number in pages for row in task_view(whole, number).rows]


@pytest.mark.parametrize("count", [101, 250, 1_001])
def test_scripts_say_what_pages_say(count: int) -> None:
    whole = board(count)
    assert whole.family
    systems = contents(systems_index(whole))
    rows = {row.system.id: row for row in rows_of(whole)}
    ids = column(systems, "id")
    assert ids == sorted(rows)
    of_each = [rows[name] for name in ids]
    assert column(systems, "name") == [row.system.name for row in of_each]
    assert column(systems, "about") == [row.system.about for row in of_each]
    distances = ["–" if row.distance is None else f"{row.distance:,.0f}" for row in of_each]
    assert [one or "–" for one in column(systems, "distance")] == distances
    for facet in FACETS:
        assert answers(systems, facet.key) == [row.system.facets[facet.key] for row in of_each]
    for unit, found in whole.family.places.items():
        parts = contents(unit_index(tables(whole), unit, found))
        assert len(parts) == math.ceil(count / 1_000)
        placed = [rows[ids[position]] for position in column(parts, "system")]
        assert [row.system.id for row in placed] == [place.system for place in found]
        cells = [row.cells[unit] for row in placed]
        assert column(parts, "score") == [cell.score for cell in cells]
        assert column(parts, "letters") == [cell.letters for cell in cells]
        if unit == whole.sorted_by:
            assert column(parts, "ranks") == [row.ranks for row in placed]
            assert column(parts, "change") == [row.change for row in placed]
            assert {part["half"] for part in parts} == {row.half for row in placed[1:]}
            check_drawn(parts, placed)


def check_drawn(parts: Sequence[dict[str, Any]], rows: Sequence[BoardRow]) -> None:
    """Places on the axis are those of the page, to a tenth of a pixel."""
    for at, row in zip(column(parts, "at"), rows, strict=True):
        assert at == pytest.approx(row.interval.at, abs=0.1)
        if row.interval.low is not None and row.interval.high is not None:
            half = (row.interval.high - row.interval.low) / 2
            assert parts[0]["width"] == pytest.approx(half, abs=0.1)


def test_a_setting_has_a_script_under_the_name_of_its_page() -> None:
    whole = board(101)
    assert whole.family
    ((path, _),) = unit_index(tables(whole), "moir/de-de", whole.family.places["moir"])
    assert path == "data/index/made-up/moir-de-de/1.js"


def test_intervals_without_a_bound_are_not_drawn() -> None:
    whole = board(101, half=math.inf)
    assert whole.family
    (content,) = contents(unit_index(tables(whole), "clir", whole.family.places["clir"]))
    assert (content["width"], content["half"]) == (None, "")
    check_drawn([content], rows_of(whole))


def test_systems_with_one_mean_stand_in_one_place() -> None:
    whole = tied(board(101))
    assert whole.family
    (content,) = contents(unit_index(tables(whole), "clir", whole.family.places["clir"]))
    assert len(set(content["at"])) == 1
    assert set(content["score"]) == {plain(0.5)}
    assert content["change"][:2] == [LEADS, ".000"]


def random_name(number: int) -> str:
    letters = random.Random(number).choices(string.printable[:95], k=450)  # noqa: S311
    return "".join(letters) + str(number)


NAMES = {
    "usual": "System {}".format,
    "long": ("A system with a name of many words, trained at length " * 8 + "{}").format,
    "random": random_name,
    "foreign": ("שלום 多言語検索 <b>&" * 20 + " {}").format,
}


@pytest.mark.parametrize("names", NAMES)
def test_no_script_is_large(names: str) -> None:
    whole = board(1_000, NAMES[names])
    assert whole.family
    scripts = [
        *systems_index(whole),
        *unit_index(tables(whole), "clir", whole.family.places["clir"]),
    ]
    sizes = {path: len(gzip.compress(script, mtime=0)) for path, script in scripts}
    assert max(sizes.values()) <= MOST_KB * 1000
    assert len(scripts) <= (5 if names == "usual" else 40)
    parts = contents(systems_index(whole))
    assert column(parts, "name") == [NAMES[names](number) for number in range(1_000)]


@pytest.mark.parametrize("count", [50, 51, 61, 100, 101, 1000])
def test_no_page_of_a_task_is_more_than_a_browser_takes(count: int) -> None:
    facts: Any = SimpleNamespace(boards=[board(count)], reported=(), complete=lambda _: [])
    pages = {page.path: render(environment(), page).decode() for page in task.pages(facts)}
    elements = {path: len(re.findall(r"<[a-z]", page)) for path, page in pages.items()}
    # The links to 133 settings are not among them.
    assert max(elements.values()) <= 3000 - 2 * 133
    (task_id,) = {one.task.id for one in facts.boards}
    assert (f"tasks/{task_id}/pictures.html" in pages) == (count > 50)
    assert all(f"tasks/{task_id}/{n}.html" in pages for n in range(2, -(-count // 100) + 1))
