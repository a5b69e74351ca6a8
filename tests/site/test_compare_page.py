"""The page that compares systems, in a browser: its numbers, its address, and who can use it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from site_entries import LONG, NAMES, SCRIPT, SEEDED, TASK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import OpenPage, RunsCommand
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="needs the package playwright").expect
pytestmark = pytest.mark.site

ADDRESS = f"compare/{TASK}.html"
EARLIER_WORK_MS = 2_000
"""By then work for an earlier choice, which nobody ended, would have been shown."""
HARMED = "document.title === 'harmed' || document.querySelector('main img, main script:not([src])')"


def ready(page: Page) -> Page:
    page.wait_for_selector("#findings", timeout=120_000)
    return page


def shown(page: Page) -> list[dict[str, Any]]:
    """What the tables of the page say, under the names of compare --format json."""
    return page.evaluate(
        """() => {
          const differences = [...document.querySelectorAll(".forest tbody .value")];
          return [...document.querySelectorAll(".tests tr[data-a]")].map((row, i) => {
            const numbers = [...row.querySelectorAll("data")].map((one) => Number(one.value));
            const [n, wins, ties, losses, effect_size, p, p_adjusted] = numbers;
            const { a, b, setting } = row.dataset;
            const difference = Number(differences[i].value);
            return { a, b, setting, n, difference, p, p_adjusted, effect_size, wins, ties, losses };
          });
        }"""
    )


def chosen(page: Page) -> list[str]:
    return page.locator("#chosen bdi").all_inner_texts()


def in_terminal(page: Page, entries: Path, babelboard: RunsCommand) -> list[dict[str, Any]]:
    """The tests that the command gives which stands on the page."""
    words = shlex.split(page.locator("#command").inner_text())
    assert words[0] == "babelboard"
    done = babelboard(*words[1:], "--entries", entries, "--format", "json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["tests"]
    return found


@pytest.mark.parametrize(
    "systems",
    ["strong,weak", "weak,lacking,turned", "script,strong,long,lacking,weak"],
    ids=["two", "missing questions", "five"],
)
def test_numbers_are_those_of_the_command(
    systems: str, open_page: OpenPage, entries: Path, babelboard: RunsCommand
) -> None:
    page = ready(open_page(f"{ADDRESS}#systems={systems}"))
    found = shown(page)
    expected = in_terminal(page, entries, babelboard)
    assert found == [{name: test[name] for name in found[0]} for test in expected]
    pairs = len(systems.split(",")) * (len(systems.split(",")) - 1) // 2
    assert len(found) == 3 * pairs


def test_means_over_seeds_give_the_numbers_of_the_command(
    open_page: OpenPage, entries: Path, babelboard: RunsCommand
) -> None:
    page = ready(open_page(f"{ADDRESS}#systems=strong,{SEEDED}"))
    assert "checkpoints" in page.locator("#results").inner_text()
    found = shown(page)
    expected = in_terminal(page, entries, babelboard)
    assert [test["p_adjusted"] for test in found] == [test["p_adjusted"] for test in expected]
    # A mean over seeds is taken before or after that over settings: the last digit may differ.
    assert [test["difference"] for test in found] == pytest.approx(
        [test["difference"] for test in expected], abs=1e-12
    )


def test_the_answer_is_given_in_words(open_page: OpenPage) -> None:
    page = ready(open_page(f"{ADDRESS}#systems=weak,strong"))
    assert page.locator("#findings").inner_text() == "Strong is better in MoIR, CLIR and MLIR"
    assert page.locator("#status").inner_text().startswith("Strong is better")
    page = ready(open_page(f"{ADDRESS}#systems=script,turned"))
    assert page.locator("#findings").inner_text() == "Not separated in MoIR, CLIR and MLIR"


def test_without_a_choice_the_first_two_systems_are_compared(open_page: OpenPage) -> None:
    page = ready(open_page(ADDRESS))
    first, second = page.locator(".pairs tbody tr").first.locator("bdi").all_inner_texts()
    assert chosen(page) == [first, second]
    assert "#" not in page.url


def test_a_choice_by_keyboard_stays_in_the_address(open_page: OpenPage) -> None:
    page = ready(open_page(f"{ADDRESS}#systems=strong,weak"))
    page.locator("#candidates").focus()
    page.keyboard.type("ML-CS")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".tests tr[data-a]")).to_have_count(9)
    assert chosen(page) == ["Strong", "Weak", "ML-CS, p = 0.5"]
    address = page.url
    page.reload()
    ready(page)
    assert chosen(page) == ["Strong", "Weak", "ML-CS, p = 0.5"]
    shared = ready(open_page(address.partition("/out/")[2]))
    assert shown(shared) == shown(page)
    page.get_by_role("button", name="Remove Weak").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tests tr[data-a]")).to_have_count(3)
    assert page.url.endswith(f"#systems=strong%2C{SEEDED}")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "Remove ML-CS, p = 0.5"


def test_five_systems_are_the_most_and_two_the_least(open_page: OpenPage) -> None:
    page = ready(open_page(f"{ADDRESS}#systems={','.join(NAMES)}"))
    assert len(chosen(page)) == 5
    assert page.locator("#add").is_disabled()
    assert "At most 5 systems" in page.locator("#status").inner_text()
    page = open_page(f"{ADDRESS}#systems=strong,nobody")
    expect(page.locator("#status")).to_contain_text("at least two")
    assert "Not among the systems of this task: nobody." in page.locator("#status").inner_text()
    assert page.locator("#results").inner_text() == ""


def test_a_changed_address_is_followed(open_page: OpenPage) -> None:
    page = ready(open_page(f"{ADDRESS}#systems=strong,weak"))
    page.evaluate("location.hash = '#systems=turned,lacking'")
    expect(page.locator("#command")).to_contain_text("turned")
    assert "compare turned lacking" in page.locator("#command").inner_text()


def test_the_last_of_quick_choices_is_shown(open_page: OpenPage) -> None:
    page = ready(open_page(f"{ADDRESS}#systems=strong,weak,script,turned,lacking"))
    page.evaluate(
        """() => {
          for (let i = 0; i < 3; i++) document.querySelector("#chosen button").click();
        }"""
    )
    page.wait_for_selector(".tests tr[data-a]")
    page.wait_for_timeout(EARLIER_WORK_MS)
    assert page.locator("#command").inner_text().startswith("babelboard compare turned lacking ")
    assert page.locator("#progress").is_hidden()
    assert page.locator("#findings").count() == 1


def test_missing_data_is_said(open_page: OpenPage) -> None:
    page = ready(open_page(f"{ADDRESS}#systems=strong,weak"))
    page.evaluate(
        """() => {
          document.head.append = (script) => {
            script.dispatchEvent(new Event("error"));
          };
        }"""
    )
    page.evaluate("location.hash = '#systems=strong,turned'")
    expect(page.locator("#status")).to_contain_text("read")
    said = page.locator("#status").inner_text()
    assert said == f"The file data/queries/{TASK}/1/scores/turned.js could not be read."


def test_hostile_names_are_text(open_page: OpenPage) -> None:
    page = ready(open_page(f"{ADDRESS}#systems=script,turned,long,lacking"))
    names = [NAMES[name] for name in ("script", "turned", "long", "lacking")]
    assert page.locator("#chosen bdi").evaluate_all("all => all.map(one => one.textContent)") == (
        names
    )
    assert not page.evaluate(f"Boolean({HARMED})")
    assert SCRIPT in page.locator("#results").evaluate("one => one.textContent")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("systems", ["strong,long", "strong,script,turned,long,lacking"])
def test_nothing_overflows_sideways(systems: str, width: int, open_page: OpenPage) -> None:
    page = ready(open_page(f"{ADDRESS}#systems={systems}", width=width))
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert LONG in page.locator("#chosen").evaluate("one => one.textContent")


@pytest.mark.parametrize("width", [320, 1280])
def test_without_scripts_all_pairs_can_be_read(width: int, open_page: OpenPage) -> None:
    page = open_page(ADDRESS, width=width, scripts=False)
    assert page.locator("#compare").is_hidden()
    assert "needs JavaScript" in page.locator("main").inner_text()
    systems = len(NAMES) + 1
    assert page.locator(".pairs tbody tr").count() == systems * (systems - 1) // 2
    box = page.locator("main").bounding_box()
    assert box is not None
    assert box["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    "address",
    ["compare.html", f"{ADDRESS}#systems=strong,weak", f"{ADDRESS}#systems=strong,script,long"],
)
def test_everyone_can_use_it(
    address: str, width: int, scheme: str, open_page: OpenPage, axe: Callable[[Page], list[str]]
) -> None:
    page = open_page(address, width=width, scheme=scheme)
    if "#" in address:
        ready(page)
    assert axe(page) == []
