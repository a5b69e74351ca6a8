"""Tables of more systems than a page has rows: turned over, with scripts and without."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from long_site import (
    FIRST,
    HOSTILE,
    ROWS,
    SECOND,
    SETTING,
    SYSTEMS,
    all_names,
    asked,
    cells,
    listed_rows,
    long_facts,
    long_site,
    names,
    pager,
    ready,
    rows,
    turn,
)
from small_systems import TASK
from test_keyboard import NUMBER_WHAT_CAN_BE_PRESSED, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conftest import OpenPage
    from playwright.sync_api import Browser, Page

    from leaderboard.board_view import BoardRow
    from leaderboard.facts import SiteFacts

pytestmark = pytest.mark.site

HREFS = "(rows) => rows.map((row) => row.querySelector('th a').getAttribute('href'))"
DRAWN = """(rows) => rows.map((row) => {
  const found = row.querySelector("svg.interval");
  const span = found.querySelector(".span")?.getAttribute("d").match(/[\\d.]+/g) ?? [];
  return [found.querySelector("circle").getAttribute("cx"), ...span].map(Number);
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return long_site(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> SiteFacts:
    return long_facts(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> list[BoardRow]:
    return listed_rows(tmp_path_factory.getbasetemp())


def test_without_scripts_links_lead_through_all_rows(
    open_page: OpenPage, listed: Sequence[BoardRow]
) -> None:
    page = open_page(FIRST, scripts=False)
    first = names(page)
    assert len(first) == ROWS
    assert page.locator("link[rel=next]").get_attribute("href") == f"../tasks/{TASK}/2.html"
    assert page.locator("link[rel=prev], a[rel=prev], .facets, .pager button").count() == 0
    assert page.locator("nav.pager span").inner_text() == "1–100 of 120"
    page.locator("a[rel=next]").click()
    assert page.url.endswith(SECOND)
    assert first + names(page) == [row.system.name for row in listed]
    assert page.locator("nav.pager span").inner_text() == "101–120 of 120"
    assert page.locator("link[rel=prev]").count() == 1
    assert page.locator("link[rel=next], a[rel=next]").count() == 0
    page.locator("a[rel=prev]").click()
    assert page.url.endswith(FIRST)
    assert names(page) == first


def test_buttons_turn_the_table_over(open_page: OpenPage, listed: Sequence[BoardRow]) -> None:
    page = ready(open_page(FIRST))
    assert page.locator("nav.pager").count() == 1, "in place of the links"
    assert page.locator("a[rel=next]").count() == 0
    assert page.get_by_role("status").inner_text() == "120 systems."
    assert (len(names(page)), pager(page)) == (ROWS, ("1–100 of 120", False, True))
    turn(page, "Next")
    assert pager(page) == ("101–120 of 120", True, False)
    assert names(page) == [row.system.name for row in listed[ROWS:]]
    assert page.url.endswith("?page=2")
    turn(page, "Previous")
    assert names(page) == [row.system.name for row in listed[:ROWS]]
    assert "?" not in page.url


def test_a_further_page_is_turned_back(open_page: OpenPage, listed: Sequence[BoardRow]) -> None:
    page = ready(open_page(SECOND))
    assert pager(page) == ("101–120 of 120", True, False)
    turn(page, "Previous")
    assert names(page) == [row.system.name for row in listed[:ROWS]]
    assert page.url.endswith("?page=1")
    page.reload()
    assert pager(ready(page)) == ("1–100 of 120", False, True)


@pytest.mark.parametrize("address", [FIRST, SECOND, SETTING])
def test_scripts_draw_what_was_built(address: str, open_page: OpenPage) -> None:
    """Row by row: every text, every link and, to a tenth of a pixel, every interval."""
    built_page = open_page(address, scripts=False)
    page = ready(open_page(address))
    if address != SECOND:
        turn(page, "Next")
        turn(page, "Previous")
    else:
        turn(page, "Previous")
        turn(page, "Next")
    shown = len(cells(built_page))
    assert shown == {FIRST: 100, SECOND: 20, SETTING: 50}[address]
    assert cells(page)[:shown] == cells(built_page)
    hrefs = [rows(one).evaluate_all(HREFS) for one in (page, built_page)]
    assert hrefs[0][:shown] == hrefs[1]
    drawn = [rows(one).evaluate_all(DRAWN) for one in (page, built_page)]
    for ours, theirs in zip(drawn[0][:shown], drawn[1], strict=True):
        assert ours == pytest.approx(theirs, abs=0.15)
    sorted_cells = [one.locator("td.sorted").count() for one in (page, built_page)]
    assert sorted_cells == [len(cells(page)), shown]


def test_a_setting_that_is_cut_has_all_rows(open_page: OpenPage, facts: SiteFacts) -> None:
    static = open_page(SETTING, scripts=False)
    assert len(names(static)) == 50
    assert "The first 50 of 120 systems" in static.locator("main").inner_text()
    page = ready(open_page(SETTING))
    assert pager(page) == ("1–100 of 120", False, True)
    family = facts.family(TASK, ("*",))
    assert family is not None
    expected = [facts.system(place.system).name for place in family.places["clir/de-en"]]
    assert all_names(page) == expected
    assert [row[0] for row in cells(page)] == [str(place) for place in range(101, 121)]
    page.locator("th[data-key=name] button").click()
    assert pager(page)[0] == "1–100 of 120"


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.textContent")
    return found


def test_the_table_is_turned_over_by_the_keyboard(open_page: OpenPage) -> None:
    page = ready(open_page(FIRST))
    there = page.evaluate(NUMBER_WHAT_CAN_BE_PRESSED)
    (at,) = (number for number, html in enumerate(there) if ">Next<" in html)
    met = [one for one in walk(page, at + 3) if one["number"] >= 0]
    assert [one["number"] for one in met[: at + 1]] == list(range(at + 1))
    assert [one["html"] for one in met if not one["isOutlined"]] == []
    page.locator("nav.pager").get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    assert pager(page)[0] == "101–120 of 120"
    assert focused(page) == "Previous", "Next cannot be pressed any more"
    page.keyboard.press("Space")
    assert pager(page)[0] == "1–100 of 120"
    assert focused(page) == "Next"
    asked(page, "Trust").focus()
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("status").inner_text().partition(" of ")[2].startswith("120 systems.")


def test_names_that_try_to_do_harm_are_text(
    open_page: OpenPage, listed: Sequence[BoardRow]
) -> None:
    page = ready(open_page(FIRST))
    turn(page, "Next")
    turn(page, "Previous")
    found = all_names(page)
    for _, name in HOSTILE.values():
        assert name in found
    late = {row.system.name for row in listed[ROWS:]} & {name for _, name in HOSTILE.values()}
    assert late, "one of them is on the second page"
    assert page.title() != "harmed"
    assert page.locator("main img, main b, main script").count() == 0


@pytest.mark.parametrize(
    "missing", ["systems/1.js", "clir/1.js", "mlir/1.js"], ids=lambda path: path.partition("/")[0]
)
def test_a_missing_script_is_said(
    missing: str, browser: Browser, site: Path, tmp_path: Path
) -> None:
    for folder in ("assets", "tasks", f"data/index/{TASK}"):
        shutil.copytree(site / folder, tmp_path / folder)
    (tmp_path / "data" / "index" / TASK / missing).unlink()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{tmp_path.as_uri()}/{FIRST}")
    said = page.get_by_role("status").inner_text()
    assert said == (
        f"The file data/index/{TASK}/{missing} could not be read. The table stands as it was built."
    )
    assert len(names(page)) == ROWS
    page.locator("a[rel=next]").click()
    assert len(names(page)) == SYSTEMS - ROWS
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("address", [FIRST, SECOND, SETTING])
def test_nothing_keeps_people_out_and_nothing_overflows(
    address: str, width: int, scheme: str, open_page: OpenPage, axe: Callable[[Page], list[str]]
) -> None:
    page = ready(open_page(address, width=width, scheme=scheme))
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert axe(page) == []
    turn(page, "Previous" if address == SECOND else "Next")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert axe(page) == []
