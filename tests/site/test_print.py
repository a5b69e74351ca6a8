"""Every sort of page on paper: whole, dark on white, with nothing that only a screen can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from site_entries import REPORTED, TASK
from test_every_page import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import OpenPage
    from playwright.sync_api import Page

    OpenPrinted = Callable[[str], Page]

pytestmark = pytest.mark.site

WIDTH, HEIGHT = 703, 1016
"""Of A4 within the margins of the style sheet, in CSS pixels."""
DARKEST = 0.183
"""Relative luminance of the lightest text with a contrast of 4.5 to white."""
TO_PRESS = "nav, select, input, progress, button:not(th > button)"
CUT = """(width) => {
  const root = document.documentElement;
  const cut = [...document.querySelectorAll("body *")].filter((one) => {
    const style = getComputedStyle(one);
    // What is one pixel wide is there for screen readers.
    return one.clientWidth > 1 && (/auto|scroll/.test(style.overflowX)
      || /hidden|clip/.test(style.overflowX) && one.scrollWidth > one.clientWidth + 1);
  });
  const found = cut.map((one) => one.outerHTML.slice(0, 200));
  return root.scrollWidth > width ? [...found, `the page is ${root.scrollWidth} wide`] : found;
}"""
"""Finds boxes that scroll, and what loses a part of itself at its right edge."""
TOO_TALL = """(height) => [...document.querySelectorAll("body *")]
  .filter((one) => getComputedStyle(one).breakInside === "avoid"
    && one.getBoundingClientRect().height > height)
  .map((one) => one.outerHTML.slice(0, 200))"""
"""Finds what may not be broken, but must be; it would leave the page before it empty."""
COLOURS = """() => {
  const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((x) => linear(Number(x) / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const texts = [...document.querySelectorAll("h1, h2, p, li, dt, dd, th, a")];
  return {
    ground: getComputedStyle(document.body).backgroundColor,
    lightest: Math.max(...texts.map((one) => luminance(getComputedStyle(one).color))),
  };
}"""


@pytest.fixture
def printed(open_page: OpenPage) -> OpenPrinted:
    """Opens a page as a printer gets it, from a screen that is dark."""

    def open_(address: str) -> Page:
        page = open_page(address, width=WIDTH, scheme="dark")
        if address.startswith("compare/"):
            page.wait_for_selector("#findings", timeout=120_000)
        page.emulate_media(media="print")
        return page

    return open_


@pytest.mark.parametrize("address", [*PAGES, f"compare/{TASK}.html"])
def test_a_page_is_whole_on_paper_and_dark_on_white(
    address: str, printed: OpenPrinted, axe: Callable[[Page], list[str]]
) -> None:
    page = printed(address)
    assert page.locator("h1").is_visible()
    assert page.locator(TO_PRESS).filter(visible=True).count() == 0
    assert page.evaluate(CUT, WIDTH) == []
    assert page.evaluate(TOO_TALL, HEIGHT) == []
    colours = page.evaluate(COLOURS)
    assert colours["ground"] == "rgb(255, 255, 255)"
    assert colours["lightest"] <= DARKEST
    assert [fault for fault in axe(page) if fault.startswith("color-contrast")] == []


def test_links_can_be_told_from_text_and_say_where_they_lead(printed: OpenPrinted) -> None:
    page = printed(f"entries/{REPORTED}.html")
    links = page.locator("main a").filter(visible=True)
    lines = links.evaluate_all("all => all.map(a => getComputedStyle(a).textDecorationLine)")
    assert set(lines) == {"underline"}
    source = page.locator("main a[rel~=external]").first
    said = source.evaluate("a => getComputedStyle(a, '::after').content")
    assert source.get_attribute("href") in said.replace('" "', "").replace('"', "")


def test_a_page_prints(printed: OpenPrinted) -> None:
    content = printed(f"tasks/{TASK}.html").pdf()
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") >= 1


def test_what_is_cut_or_too_tall_is_found(printed: OpenPrinted) -> None:
    page = printed(f"tasks/{TASK}.html")
    box = page.locator(".scroll").first
    box.evaluate("box => { box.style.overflow = 'hidden'; box.style.width = '100px'; }")
    assert 'class="scroll"' in page.evaluate(CUT, WIDTH)[0]
    box.evaluate("box => { box.style.breakInside = 'avoid'; box.style.height = '2000px'; }")
    assert 'class="scroll"' in page.evaluate(TOO_TALL, HEIGHT)[0]
    box.evaluate("box => { box.style.overflow = ''; box.style.maxWidth = 'none'; }")
    box.evaluate("box => { box.style.width = '2000px'; }")
    assert page.evaluate(CUT, WIDTH)[-1].startswith("the page is ")
