"""A site with tables of more systems than a page has rows, and what its pages show."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import made_up_boards
from site_entries import LONG, SCRIPT, TURNED
from small_systems import TASK, built, write_contaminated, write_system, write_systems

from leaderboard.board_index import systems_index, unit_index
from leaderboard.board_view import task_view
from leaderboard.facts import gather
from leaderboard.page import Page as SitePage
from leaderboard.rendering import environment, render

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from leaderboard.board_view import BoardRow
    from leaderboard.facts import SiteFacts

FIRST = f"tasks/{TASK}.html"
SECOND = f"tasks/{TASK}/2.html"
SETTING = f"settings/{TASK}/clir-de-en.html"
THOUSAND = "tasks/made-up/2.html"
ROWS = 100
SYSTEMS = 120
HOSTILE = {
    "hostile-a": (30, SCRIPT),
    "hostile-b": (11, TURNED),
    "hostile-c": (19, LONG),
    "hostile-d": (55, "$& $1 </bdi>\"'; <b>bold</b>"),
}
"""Numbers of systems, which decide their ranks, and names: on both pages."""
CELLS = """(rows) => rows.map((row) => [...row.cells]
  .filter((cell) => !cell.matches(".picture"))
  .map((cell) => cell.textContent.replace(/\\s+/g, " ").trim()))"""


@cache
def long_entries(base: Path) -> Path:
    """The entries of 120 systems.

    Args:
        base: An existing folder, the same for all tests of a run.
    """
    root = base / "long-entries"
    write_systems(root, range(SYSTEMS - len(HOSTILE) - 1))
    for entry, (number, name) in HOSTILE.items():
        write_system(root, entry, number, name=name, draw=1)
    write_contaminated(root, "tiny")
    return root


@cache
def long_site(base: Path) -> Path:
    """A built site of them; beside it, the table of 1,000 systems that have no entries."""
    out = base / "long-site" / "out"
    built(long_entries(base), out)
    large = made_up_boards.board(1_000)
    assert large.family
    files = [*systems_index(large)]
    for unit, places in large.family.places.items():
        files += unit_index(made_up_boards.tables(large), unit, places)
    content = {"task": large.task, "board": large, "view": task_view(large, 2)}
    page = SitePage(THOUSAND, "task_further.html", content)
    for path, script in [*files, (page.path, render(environment(), page))]:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(script)
    return out


@cache
def long_facts(base: Path) -> SiteFacts:
    """What the site is made from."""
    return gather(long_entries(base), None)


def listed_rows(base: Path) -> list[BoardRow]:
    """All rows of the task, best first, as Python has them."""
    board = long_facts(base).board(TASK)
    return [row for number in (1, 2) for row in task_view(board, number).rows]


def rows(page: Page) -> Any:
    return page.locator("table.board tbody tr")


def cells(page: Page) -> list[list[str]]:
    found: list[list[str]] = rows(page).evaluate_all(CELLS)
    return found


def names(page: Page) -> list[str]:
    found: list[str] = page.locator("table.board tbody th bdi").evaluate_all(
        "(all) => all.map((one) => one.textContent)"
    )
    return found


def pager(page: Page) -> tuple[str, bool, bool]:
    """What the buttons stand around, and whether one may go back and on."""
    nav = page.locator("nav.pager")
    back, on = (nav.get_by_role("button", name=name) for name in ("Previous", "Next"))
    return nav.locator("span").inner_text(), back.is_enabled(), on.is_enabled()


def asked(page: Page, question: str) -> Locator:
    """The box that narrows the table down by a question."""
    return page.locator(".facets").get_by_label(re.compile(f"^{question} "))


def turn(page: Page, to: str) -> None:
    page.locator("nav.pager").get_by_role("button", name=to).click()


def ready(page: Page) -> Page:
    page.wait_for_selector(".facets")
    return page


def all_names(page: Page) -> list[str]:
    """Of both pages, from the first."""
    first = names(page)
    turn(page, "Next")
    return first + names(page)
