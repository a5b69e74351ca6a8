"""What fits a screen: two lines of links, systems beside their numbers, sums that are apart."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from site_entries import REPORTED, TASK

if TYPE_CHECKING:
    from conftest import OpenPage
    from playwright.sync_api import Locator

pytestmark = pytest.mark.site

PHONE = 390
LIMITS = "math :is(munder, munderover)"
TOUCHING = """sums => sums.filter(sum => {
  const drawn = [...sum.children].map(one => one.getBoundingClientRect());
  const before = sum.previousElementSibling?.getBoundingClientRect().right ?? -Infinity;
  const after = sum.nextElementSibling?.getBoundingClientRect().left ?? Infinity;
  const least = 0.2 * parseFloat(getComputedStyle(sum).fontSize);
  return Math.min(...drawn.map(one => one.left)) < before + least
    || Math.max(...drawn.map(one => one.right)) > after - least;
}).map(sum => sum.parentElement.outerHTML)"""
"""Sums and their limits that are less than a fifth of an em from what is beside them."""


def left(found: Locator) -> float:
    box = found.bounding_box()
    assert box is not None
    return box["x"]


@pytest.mark.parametrize("address", ["index.html", "submit.html", f"tasks/{TASK}.html"])
def test_links_to_other_pages_take_two_lines(address: str, open_page: OpenPage) -> None:
    page = open_page(address, width=PHONE)
    places = [left(link) for link in page.locator(".top a").all()]
    assert len(places) > 6
    # A line starts where a link is not right of the one before.
    assert 1 + sum(now <= before for before, now in pairwise(places)) == 2


def test_the_name_of_a_system_stays_while_its_numbers_are_scrolled(open_page: OpenPage) -> None:
    page = open_page(f"tasks/{TASK}.html", width=PHONE)
    table = page.locator(".scroll:has(> .board)").first
    name, number = table.locator("tbody th").first, table.locator("tbody td").last
    before = left(number)
    table.evaluate("box => { box.scrollLeft = 1000; }")
    assert left(number) < before
    assert left(name) == left(table)
    heading = table.locator("thead th").nth(1)
    assert heading.inner_text().startswith("System")
    assert left(heading) == left(table)


@pytest.mark.parametrize("width", [320, PHONE, 1280])
def test_sums_stand_apart_and_no_formula_is_cut(width: int, open_page: OpenPage) -> None:
    page = open_page("methods.html", width=width)
    sums = page.locator(LIMITS)
    assert sums.count() > 8
    assert sums.evaluate_all(TOUCHING) == []
    assert (
        page.locator(".formula").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.outerHTML)"
        )
        == []
    )


def test_means_stand_at_one_place_on_a_reported_page(open_page: OpenPage) -> None:
    page = open_page(f"entries/{REPORTED}.html")
    places = {left(found) for found in page.locator(".aside").all()}
    assert len(places) == 1
    assert left(page.locator("h2").first) in places
