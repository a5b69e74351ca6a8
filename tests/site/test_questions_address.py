"""What is chosen on a page of questions: by keyboard, by links, and in the address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from question_site import (
    MANY,
    MOIR_ONLY,
    OWN,
    POCKET,
    chosen,
    question_site,
    ready,
    shown_ranks,
    title,
)
from site_entries import NAMES, TASK

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import OpenPage

expect = pytest.importorskip("playwright.sync_api", reason="needs the package playwright").expect
pytestmark = pytest.mark.site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of these entries."""
    return question_site(tmp_path_factory.getbasetemp())


def test_a_first_visit_shows_the_most_disputed_question_and_two_systems(
    open_page: OpenPage,
) -> None:
    page = ready(open_page(POCKET))
    listed = page.locator("#disputed a").first.get_attribute("data-question")
    assert title(page) == listed
    assert len(chosen(page)) == 2
    assert "?" not in page.url


def test_choices_by_keyboard_stay_in_the_address(open_page: OpenPage) -> None:
    page = ready(open_page(f"{POCKET}?q=p01-1&systems=first&show=clir"))
    page.get_by_label("Find a question").focus()
    page.keyboard.type("ATACAMA")
    page.keyboard.press("Enter")
    expect(page.locator("#asked .asks")).to_contain_text("Atacama")
    assert page.evaluate("document.activeElement.id") == "question-title"
    question = title(page)
    page.get_by_label("Another system").focus()
    page.keyboard.type("SECOND")
    page.keyboard.press("Enter")
    expect(page.locator("#chosen li")).to_have_count(2)
    assert page.evaluate("document.activeElement.id") == "candidate"
    page.get_by_label("Show", exact=True).select_option("from-th")
    expect(page.locator("#asked .asks")).to_have_attribute("lang", "th")
    assert page.url.endswith(f"?q={question}&show=from-th&systems=first,second")
    before = shown_ranks(page)
    address = page.url
    page.reload()
    assert shown_ranks(ready(page)) == before
    assert (title(page), chosen(page)) == (question, ["first", "second"])
    shared = ready(open_page(address.partition("/out/")[2]))
    assert shown_ranks(shared) == before
    shared.get_by_role("button", name="Remove first").focus()
    shared.keyboard.press("Enter")
    expect(shared.locator("#chosen li")).to_have_count(1)
    assert shared.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove second"
    assert shared.url.endswith("&systems=second")


def test_previous_and_next(open_page: OpenPage) -> None:
    page = ready(open_page(f"{POCKET}?q=p02-1&systems=first"))
    assert page.locator("#place").inner_text() == "2 of 75"
    page.get_by_role("button", name="Next").click()
    assert title(page) == "p02-2"
    for _ in range(2):
        page.get_by_role("button", name="Previous").focus()
        page.keyboard.press("Enter")
    assert title(page) == "p01-1"
    assert page.locator("#previous").is_disabled()
    assert page.evaluate("document.activeElement.id") == "next"
    expect(page.locator("#status")).to_have_text("Question p01-1, 1 of 75.")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("p02-2", ["p02-2"]),
        ("manto flood", []),
        ("جبال الأمازون", ["p01-1"]),
        ("p01-", ["p01-1"]),
    ],
    ids=["an id", "words of two questions", "Arabic words", "a part of an id"],
)
def test_questions_are_found(typed: str, found: list[str], open_page: OpenPage) -> None:
    page = ready(open_page(POCKET))
    page.get_by_label("Find a question").fill(typed)
    said = f"{len(found)} found." if found else "No question has this."
    expect(page.locator("#status")).to_have_text(said)
    assert page.locator("#matches bdi").all_inner_texts() == found
    page.get_by_label("Find a question").press("Escape")
    assert page.locator("#matches").is_hidden()


def test_of_many_matches_the_first_are_listed(open_page: OpenPage) -> None:
    page = ready(open_page(MANY))
    page.get_by_label("Find a question").fill("q08")
    expect(page.locator("#matches li")).to_have_count(8)
    assert page.locator("#status").inner_text() == "100 found, the first 8 are listed."


def test_a_link_of_the_lists_changes_the_question_in_place(open_page: OpenPage) -> None:
    page = ready(open_page(f"{POCKET}?q=p01-1&systems=first&show=mlir"))
    page.evaluate("globalThis.isSamePage = true")
    link = page.locator("#hardest a").first
    link.click()
    question = link.get_attribute("data-question")
    expect(page.locator("#question-title bdi")).to_have_text(str(question))
    assert chosen(page) == ["first"]
    assert page.evaluate("globalThis.isSamePage")
    link = page.locator("#disputed a").first
    link.click()
    expect(page.locator("#chosen li")).to_have_count(2)
    systems = str(link.get_attribute("data-systems"))
    assert page.url.endswith(f"&systems={systems}")


def test_what_the_address_says_wrongly_is_ignored_and_said(open_page: OpenPage) -> None:
    wrong = "q=<b>no&systems=nobody,first,first,&show=beauty"
    page = ready(open_page(f"{POCKET}?{wrong}"))
    said = page.locator("#status").inner_text()
    assert "Not a question of this task: \u2068<b>no\u2069." in said
    assert "Not something to show: \u2068beauty\u2069." in said
    assert "Not among the systems of this task: \u2068nobody\u2069." in said
    assert page.locator("#status").is_visible()
    assert "unseen" not in str(page.locator("#status").get_attribute("class"))
    assert chosen(page) == ["first"]
    page.locator("#next").click()
    expect(page.locator("#status")).to_have_class(re.compile("unseen"))


def test_five_systems_are_the_most_and_none_is_said(open_page: OpenPage) -> None:
    page = ready(open_page(f"{OWN}?systems={','.join(NAMES)}"))
    assert len(chosen(page)) == 5
    assert page.locator("#add").is_disabled()
    assert "At most 5 systems" in page.locator("#status").inner_text()
    page = open_page(f"{OWN}?systems=")
    expect(page.locator("#status")).to_have_text("Choose at least one system.")
    assert page.locator("#ranks").inner_text() == ""


def test_a_name_that_many_or_none_have_is_said(open_page: OpenPage) -> None:
    page = ready(open_page(f"{OWN}?systems=strong"))
    page.get_by_label("Another system").fill("e")
    page.locator("#add").click()
    assert 'systems have "e"' in page.locator("#status").inner_text()
    page.get_by_label("Another system").fill("nowhere")
    page.locator("#add").click()
    assert page.locator("#status").inner_text().startswith('No other system has "nowhere"')
    assert chosen(page) == ["Strong"]


def test_a_system_without_the_setting_or_the_question_is_said(open_page: OpenPage) -> None:
    page = open_page(f"{POCKET}?q=p01-1&systems={MOIR_ONLY}&show=clir")
    expect(page.locator("#status")).to_contain_text("None of these systems has ranks for p01-1")
    page = ready(open_page(f"{OWN}?q=q000&systems=strong,lacking&show=clir"))
    assert "no ranks for this question" in page.locator("#ranks").inner_text()
    assert len(shown_ranks(page)) == 1


def test_missing_data_is_said(open_page: OpenPage) -> None:
    page = ready(open_page(f"{OWN}?q=q001&systems=strong"))
    page.evaluate(
        """() => {
          document.head.append = (script) => { script.dispatchEvent(new Event("error")); };
        }"""
    )
    page.get_by_label("Another system").fill("weak")
    page.locator("#add").click()
    expect(page.locator("#status")).to_have_text(
        f"The file data/ranks/{TASK}/weak/parts.js could not be read."
    )
    assert page.locator("#ranks").inner_text() == ""
