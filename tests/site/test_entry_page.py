"""The page of a system in a browser: another baseline for its heat map, chosen in the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from claim_entries import Trained, write_system
from site_entries import NAMES, POOL_SIZES, SEEDED, TASK, write_entries

from harness.progress import Silent
from leaderboard.facts import gather
from leaderboard.heat_maps import choices_of, heat_map
from leaderboard.site import build_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import OpenPage
    from playwright.sync_api import Page

    from leaderboard.facts import SiteFacts
    from leaderboard.heat_maps import Baseline

pytestmark = pytest.mark.site

SYSTEM = SEEDED
ADDRESS = f"entries/{SYSTEM}.html"
KEY = f"baseline-{TASK}"
LEADER = "strong"
TABLE = "table.map tbody"


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up systems, and the zero-shot of one of them."""
    root = write_entries(tmp_path_factory.mktemp("entry-page"))
    zero_shot = Trained("zero-shot", rank, tasks=(TASK,), sizes=POOL_SIZES)
    write_system(root, zero_shot.with_(replaced={"title": NAMES["script"] + NAMES["turned"]}))
    return root


def rank(setting: str, number: int, _seed: int) -> int:
    return 9 if setting.startswith("clir") else 1 + number % 4


@pytest.fixture(scope="module")
def facts(entries: Path) -> SiteFacts:
    return gather(entries, None)


@pytest.fixture(scope="module")
def site(entries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of these systems."""
    out = tmp_path_factory.mktemp("entry-page-site") / "out"
    build_site(entries, out, Silent())
    return out


@pytest.fixture(scope="module")
def choices(facts: SiteFacts) -> dict[str, Baseline]:
    system = next(one for one in facts.systems if one.id == SYSTEM)
    return {one.system.id: one for one in choices_of(system, TASK, facts)}


def choose(page: Page, value: str) -> None:
    page.get_by_label("Compare with").select_option(value)
    page.wait_for_function(
        "([name, own]) => document.querySelector('.against').textContent.includes(name)"
        " || (own && document.querySelector('.against').textContent.startsWith('Colour: the'))",
        arg=[page.locator("select option:checked").inner_text().split("\u2069")[0][1:], not value],
    )


def drawn(page: Page) -> str:
    return page.locator(TABLE).inner_html()


def test_what_can_be_chosen(open_page: OpenPage, choices: dict[str, Baseline]) -> None:
    page = open_page(ADDRESS)
    select = page.get_by_label("Compare with")
    options = select.locator("option")
    assert options.evaluate_all("all => all.map(one => one.value)") == ["", *choices]
    assert options.first.inner_text() == "no baseline (means)"
    assert select.input_value() == "tiny-zero-shot-seed-1"
    for text, choice in zip(options.all_inner_texts()[1:], choices.values(), strict=True):
        assert text.endswith(f", {choice.reason}")


def test_a_chosen_baseline_is_drawn_as_it_is_computed(
    open_page: OpenPage, facts: SiteFacts, choices: dict[str, Baseline]
) -> None:
    system = next(one for one in facts.systems if one.id == SYSTEM)
    page = open_page(ADDRESS)
    choose(page, LEADER)
    map_ = heat_map(system, TASK, facts, choices[LEADER])
    cells = page.locator(f"{TABLE} td[class]")
    assert cells.count() == len(map_.pairs) == 6
    for index, pair in enumerate(map_.pairs):
        cell, shown = map_.cells[pair], cells.nth(index)
        assert cell.difference
        classes = (shown.get_attribute("class") or "").split()
        tone = f"up{cell.step}" if cell.step > 0 else f"down{-cell.step}" if cell.step else "even"
        assert classes[0] == tone
        assert ("same" in classes) == (pair[0] == pair[1])
        assert ("pool" in classes) == (pair[1] == "xx")
        better = cell.difference.difference > 0
        mark = ("▲ better" if better else "▼ worse") if cell.difference.significant else ""
        assert (shown.text_content() or "")[3:] == mark
        sign = "+" if better else "−"
        assert f"; {sign}.{abs(cell.difference.difference) * 1000:03.0f}, p " in (
            shown.get_attribute("title") or ""
        )
    counts = map_.counts()
    assert counts["worse"], "or nothing is seen of a loss"
    numbers = page.locator(".held .marks b").all_inner_texts()
    assert numbers == [str(counts[kind]) for kind in ("better", "worse", "open")]
    sentence = page.locator(".against")
    assert sentence.inner_text() == ("Colour and mark: difference to Strong, the task’s leader.")
    link = sentence.get_by_role("link")
    assert (link.get_attribute("href") or "").endswith(f"entries/{LEADER}.html#{TASK}")
    said = page.get_by_role("status").inner_text()
    assert f"Better: {counts['better']}, worse: {counts['worse']}" in said


def test_going_back_draws_what_was_built(open_page: OpenPage) -> None:
    page = open_page(ADDRESS)
    built = drawn(page)
    page.get_by_label("Compare with").select_option("")
    page.wait_for_selector(".shades:not([hidden])")
    means = drawn(page)
    assert "better" not in means
    assert ";" not in means
    assert page.locator(".held .marks").is_hidden()
    assert page.locator(".tested").is_hidden()
    assert page.locator(".against").inner_text() == "Colour: the score."
    choose(page, LEADER)
    assert drawn(page) not in (built, means)
    assert page.locator(".shades").is_hidden()
    choose(page, "tiny-zero-shot-seed-1")
    assert drawn(page) == built
    assert NAMES["script"] in (page.locator(".against bdi").text_content() or "")
    assert page.title() != "harmed"


def test_means_have_the_colours_of_a_page_without_a_baseline(open_page: OpenPage) -> None:
    page = open_page(f"entries/{LEADER}.html")
    assert page.locator("select").count() == 0, "the leader has no baseline here"
    classes = "all => all.map(one => [Number(one.firstChild.data), one.classList[0]])"
    for value, shade in page.locator(f"{TABLE} td[class]").evaluate_all(classes):
        assert abs(int(shade[1:]) - int(value * 10)) <= (value * 100 % 10 == 0)
    other = open_page(f"{ADDRESS}?{KEY}=")
    other.wait_for_selector(".shades:not([hidden])")
    for value, shade in other.locator(f"{TABLE} td[class]").evaluate_all(classes):
        assert abs(int(shade[1:]) - int(value * 10)) <= (value * 100 % 10 == 0)


def test_the_address_keeps_the_choice_and_all_else_that_it_has(open_page: OpenPage) -> None:
    page = open_page(f"{ADDRESS}?other=1#{TASK}")
    choose(page, LEADER)
    assert page.url.endswith(f"?other=1&{KEY}={LEADER}#{TASK}")
    chosen = drawn(page)
    page.reload()
    page.wait_for_function("document.querySelector('.against').textContent.includes('Strong')")
    assert page.get_by_label("Compare with").input_value() == LEADER
    assert drawn(page) == chosen
    choose(page, "tiny-zero-shot-seed-1")
    assert page.url.endswith(f"?other=1#{TASK}"), "what the page has by itself is not said"


@pytest.mark.parametrize("value", ["no-such", "weak", "%3Cscript%3E", SYSTEM, "constructor"])
def test_an_unknown_baseline_is_passed_over(value: str, open_page: OpenPage) -> None:
    built = drawn(open_page(ADDRESS))
    page = open_page(f"{ADDRESS}?{KEY}={value}&baseline-elsewhere={LEADER}")
    assert page.get_by_label("Compare with").input_value() == "tiny-zero-shot-seed-1"
    assert drawn(page) == built


def test_the_script_is_loaded_with_the_first_choice_only(open_page: OpenPage) -> None:
    page = open_page(ADDRESS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/data/")[2]))
    page.wait_for_timeout(100)
    assert asked == []
    choose(page, LEADER)
    choose(page, "")
    assert asked == [f"maps/{SYSTEM}/{TASK}.js"]


def test_it_is_chosen_by_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(ADDRESS)
    page.get_by_label("Compare with").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('.against').textContent.includes('Strong')")
    assert KEY in page.url
    assert page.evaluate("document.activeElement.tagName") == "SELECT"


@pytest.mark.parametrize("how", ["missing", "other cells", "other baselines"])
def test_a_script_that_does_not_fit_is_said_and_nothing_changes(
    how: str, open_page: OpenPage, site: Path
) -> None:
    path = site / "data" / "maps" / SYSTEM / f"{TASK}.js"
    content = path.read_bytes()
    page = open_page(ADDRESS)
    built = drawn(page)
    try:
        if how == "missing":
            # An empty script loads, and registers nothing: a missing one would be logged as error.
            path.write_text("")
        else:
            text = content.decode()
            other = {
                "other cells": ('"cells":["', '"cells":["xx","'),
                "other baselines": (LEADER, "x"),
            }
            assert other[how][0] in text
            path.write_text(text.replace(*other[how]))
        page.get_by_label("Compare with").select_option(LEADER)
        page.wait_for_selector("[role=status].note")
    finally:
        path.write_bytes(content)
    said = page.get_by_role("status").inner_text()
    assert f"data/maps/{SYSTEM}/{TASK}.js" in said
    assert drawn(page) == built
    assert page.get_by_label("Compare with").input_value() == "tiny-zero-shot-seed-1"
    assert KEY not in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("value", ["", LEADER])
def test_nothing_keeps_people_out_and_nothing_overflows(
    value: str, width: int, scheme: str, open_page: OpenPage, axe: Callable[[Page], list[str]]
) -> None:
    page = open_page(f"{ADDRESS}?{KEY}={value}", width=width, scheme=scheme)
    page.wait_for_function("document.querySelector('[role=status]').textContent !== ''")
    for folded in page.locator("details").all():
        folded.evaluate("one => { one.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert axe(page) == []
    assert page.title() != "harmed"


def test_without_scripts_the_closest_baseline_is_drawn(open_page: OpenPage) -> None:
    page = open_page(ADDRESS, scripts=False)
    assert drawn(page) == drawn(open_page(ADDRESS))
    assert page.locator("select").count() == 0
    note = page.locator("noscript")
    assert "With scripts, other baselines can be chosen here." in note.inner_text()
    target = note.get_by_role("link").get_attribute("href")
    assert target == f"../data/{SYSTEM}-seed-1/{TASK}.json"
