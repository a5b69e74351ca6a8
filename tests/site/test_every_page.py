"""Every sort of page, in a browser: who can use it, on what screen, with scripts and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from site_entries import NAMES, REPORTED, SEEDED, TASK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import OpenPage
    from playwright.sync_api import Page

pytestmark = pytest.mark.site

PAGES = (
    "index.html",
    f"tasks/{TASK}.html",
    "tasks/xquad-r.html",
    f"settings/{TASK}/clir-de-en.html",
    "entries/strong.html",
    "entries/script.html",
    "entries/turned.html",
    "entries/long.html",
    f"entries/{SEEDED}.html",
    f"entries/{REPORTED}.html",
    "code-switching.html",
    "claims.html",
    "claims/code-switching-beats-zero-shot.html",
    "compare.html",
    "questions.html",
    "methods.html",
    "submit.html",
    "changes.html",
)


def test_every_sort_of_page_is_here(site: Path) -> None:
    folders = {path.parent.relative_to(site).as_posix() for path in site.rglob("*.html")}
    tested = {page.rpartition("/")[0] or "." for page in PAGES}
    with_tests_of_their_own = {"compare", "questions"}
    assert folders == tested | with_tests_of_their_own
    assert {path.name for path in site.glob("*.html")} <= set(PAGES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("address", PAGES)
def test_nothing_keeps_people_out_and_nothing_overflows(
    address: str, width: int, scheme: str, open_page: OpenPage, axe: Callable[[Page], list[str]]
) -> None:
    page = open_page(address, width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert axe(page) == []
    assert page.title() != "harmed"


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_without_scripts(address: str, open_page: OpenPage) -> None:
    with_scripts, without = (open_page(address, scripts=on) for on in (True, False))
    assert without.locator("h1").count() == 1
    rows = [page.locator("tbody tr").count() for page in (with_scripts, without)]
    assert rows[0] == rows[1]
    assert without.locator(".facets").count() == 0


def names(page: Page) -> list[str]:
    return page.locator("table[data-facets] tbody tr:not([hidden]) th bdi").all_inner_texts()


def test_a_column_is_sorted_by_the_keyboard_and_the_address_keeps_it(open_page: OpenPage) -> None:
    page = open_page(f"tasks/{TASK}.html")
    built = names(page)
    assert len(built) == len(NAMES) + 1
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("CLIR")
    page.locator("th[data-key=name] button").focus()
    page.keyboard.press("Enter")
    assert page.locator("th[data-key=name]").get_attribute("aria-sort") == "ascending"
    by_name = names(page)
    assert by_name == sorted(built, key=str.lower)
    assert "sort=name&order=asc" in page.url
    page.keyboard.press("Enter")
    assert names(page) == by_name[::-1]
    page.reload()
    assert names(page) == by_name[::-1]
    assert page.locator("th[data-key=name]").get_attribute("aria-sort") == "descending"


def test_systems_are_narrowed_down_and_the_address_keeps_it(open_page: OpenPage) -> None:
    page = open_page(f"tasks/{TASK}.html")
    built = names(page)
    select = page.get_by_label("Training")
    select.select_option("code switched")
    kept = names(page)
    assert kept
    assert set(kept) < set(built)
    assert page.get_by_role("status").inner_text().startswith(f"{len(kept)} of {len(built)} ")
    page.reload()
    assert names(page) == kept
    page.get_by_label("Training").select_option("all")
    assert names(page) == built
    assert "?" not in page.url


def test_an_address_that_makes_no_sense_shows_everything(open_page: OpenPage) -> None:
    page = open_page(f"tasks/{TASK}.html")
    built = names(page)
    page = open_page(f"tasks/{TASK}.html?sort=beauty&order=up&method=magic")
    assert names(page) == built
