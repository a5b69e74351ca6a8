"""The site without a mouse: what can be pressed is reached, and seen to be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from site_entries import TASK
from test_every_page import PAGES

if TYPE_CHECKING:
    from conftest import OpenPage
    from playwright.sync_api import Page

pytestmark = pytest.mark.site

NUMBER_WHAT_CAN_BE_PRESSED = """() => {
  const all = "a[href], button, select, input, textarea, summary, [tabindex]";
  const found = [...document.querySelectorAll(all)].filter((one) =>
    !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }));
  found.forEach((one, number) => { one.dataset.number = number; });
  return found.map((one) => one.outerHTML.slice(0, 200));
}"""
FOCUSED = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const isOutlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
    && style.outlineColor !== "rgba(0, 0, 0, 0)";
  return { number: Number(one.dataset.number ?? -1), isOutlined, html: one.outerHTML.slice(0, 200),
    isBody: one === document.body };
}"""


def walk(page: Page, steps: int) -> list[dict[str, Any]]:
    """What has the focus after each press of Tab, until it leaves the page."""
    found = []
    for _ in range(steps):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["isBody"]:
            break
        found.append(focused)
    return found


@pytest.mark.parametrize("address", [*PAGES, f"compare/{TASK}.html"])
def test_tab_reaches_everything_in_order_and_shows_it(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    if address.startswith("compare/"):
        page.wait_for_selector("#findings", timeout=120_000)
    there = page.evaluate(NUMBER_WHAT_CAN_BE_PRESSED)
    # A box that scrolls has the focus too, whether or not it says so.
    met = [one for one in walk(page, 2 * len(there)) if one["number"] >= 0]
    assert [one["number"] for one in met] == list(range(len(there)))
    assert [one["html"] for one in met if not one["isOutlined"]] == []


def test_a_focus_that_is_not_seen_is_found(open_page: OpenPage) -> None:
    page = open_page("index.html")
    page.evaluate("document.querySelector('.brand').style.outline = 'none'")
    page.evaluate("document.querySelector('nav a').tabIndex = -1")
    there = page.evaluate(NUMBER_WHAT_CAN_BE_PRESSED)
    first, *others = walk(page, 3)
    assert 'class="brand"' in first["html"]
    assert not first["isOutlined"]
    assert all(one["isOutlined"] for one in others)
    assert "aria-current" not in there[1]


def shown(page: Page) -> list[str]:
    return page.locator("table[data-facets] tbody tr:not([hidden]) th bdi").all_inner_texts()


def test_facets_and_order_survive_a_reload_and_a_shared_link(open_page: OpenPage) -> None:
    page = open_page(f"tasks/{TASK}.html")
    everything = shown(page)
    page.get_by_label("Training").select_option("unknown")
    trained = shown(page)
    page.get_by_label("Base model").select_option("weak")
    page.locator("th[data-key=name] button").press("Enter")
    assert shown(page) == ["Weak"]
    assert set(shown(page)) < set(trained) < set(everything)
    assert "method=unknown&base=weak&sort=name&order=asc" in page.url
    page.reload()
    other = open_page(f"tasks/{TASK}.html?{page.url.partition('?')[2]}")
    for again in (page, other):
        assert again.get_by_label("Training").input_value() == "unknown"
        assert again.get_by_label("Base model").input_value() == "weak"
        assert shown(again) == ["Weak"]
        assert again.locator("th[aria-sort]").count() == 1
        assert again.locator("th[data-key=name]").get_attribute("aria-sort") == "ascending"
    page.get_by_label("Base model").select_option("all")
    assert shown(page) == sorted(trained, key=str.lower)
    assert "base=" not in page.url
    assert "method=unknown&sort=name&order=asc" in page.url


@pytest.mark.parametrize("key", ["moir", "clir", "mlir", "name"])
def test_the_column_that_rows_are_sorted_by_says_so(key: str, open_page: OpenPage) -> None:
    page = open_page(f"tasks/{TASK}.html")
    header = page.locator(f"th[data-key={key}]")
    orders = []
    for _ in range(2):
        header.locator("button").press("Enter")
        assert page.locator("th[aria-sort]").count() == 1
        values = page.locator("table[data-facets] tbody tr").evaluate_all(
            "(rows, key) => rows.map((row) => row.getAttribute(`data-v${key}`))", key
        )
        order = header.get_attribute("aria-sort")
        orders.append(order)
        typed = values if key == "name" else [float(value) for value in values]
        assert typed == sorted(typed, reverse=order == "descending")
    assert set(orders) == {"ascending", "descending"}
