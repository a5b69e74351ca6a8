"""The pages of questions, in a browser: ranks are those of the tables, and all can use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from question_site import (
    HARMED,
    HARMFUL_ID,
    MANY,
    OWN,
    POCKET,
    POCKET_SYSTEMS,
    best_ranks,
    number,
    question_entries,
    question_site,
    ready,
    shown_ranks,
    title,
)
from site_entries import LONG, NAMES, SEEDED, TASK, TURNED

from tasks.languages import NAMES as LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import OpenPage
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="needs the package playwright").expect
pytestmark = pytest.mark.site


@pytest.fixture(scope="session")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Also with entries of tasks that have texts, or many questions."""
    return question_entries(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of these entries."""
    return question_site(tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("question", ["p01-1", "p33-1", "p66-1"])
@pytest.mark.parametrize("show", ["clir", "mlir"])
def test_ranks_of_two_systems_are_those_of_their_tables(
    show: str, question: str, open_page: OpenPage, entries: Path
) -> None:
    page = ready(open_page(f"{POCKET}?q={question}&systems=first,second&show={show}"))
    assert title(page) == question
    expected = [
        best_ranks(entries, system, "pocket", question, show) for system in ("first", "second")
    ]
    assert shown_ranks(page) == expected
    assert len(expected[0]) == (110 if show == "clir" else 121)


def test_ranks_within_a_language_stand_side_by_side(open_page: OpenPage, entries: Path) -> None:
    systems = list(POCKET_SYSTEMS)
    page = ready(open_page(f"{POCKET}?q=p02-1&systems={','.join(systems)}&show=moir"))
    rows = page.evaluate(
        """() => [...document.querySelectorAll("#ranks tbody tr")].map((row) =>
          [...row.children].map((cell) => cell.textContent))"""
    )
    names = {name: code for code, name in LANGUAGES.items()}
    expected = [best_ranks(entries, system, "pocket", "p02-1", "moir") for system in systems]
    assert len(rows) == 11
    for language, *cells in rows:
        code = names[language]
        assert [number(cell) for cell in cells] == [one[code, code] for one in expected]


def test_one_query_language_shows_its_corpora_and_the_pool(
    open_page: OpenPage, entries: Path
) -> None:
    page = ready(open_page(f"{POCKET}?q=p02-1&systems=second&show=from-ar"))
    alone, pool = shown_ranks(page)
    own = best_ranks(entries, "second", "pocket", "p02-1", "moir")
    other = best_ranks(entries, "second", "pocket", "p02-1", "clir")
    every = best_ranks(entries, "second", "pocket", "p02-1", "mlir")
    assert alone == {pair: rank for pair, rank in (own | other).items() if pair[0] == "ar"}
    assert pool == {pair: rank for pair, rank in every.items() if pair[0] == "ar"}
    assert page.locator("#asked .asks").get_attribute("lang") == "ar"


@pytest.mark.parametrize("question", ["q0000", "q0299", "q0451", "q0899"])
def test_the_best_of_several_relevant_documents_is_shown(
    question: str, open_page: OpenPage, entries: Path, site: Path
) -> None:
    assert (site / "data/ranks/many/first/2.js").is_file()
    page = ready(open_page(f"{MANY}?q={question}&systems=first,second&show=mlir"))
    expected = [best_ranks(entries, one, "many", question, "mlir") for one in ("first", "second")]
    assert shown_ranks(page) == expected
    page.locator("#show").select_option("clir")
    expect(page.locator("#ranks h3")).to_contain_text("CLIR")
    expected = [best_ranks(entries, one, "many", question, "clir") for one in ("first", "second")]
    assert shown_ranks(page) == expected


def test_differences_say_who_is_ahead(open_page: OpenPage) -> None:
    page = ready(open_page(f"{POCKET}?q=p05-1&systems=first,second&show=clir"))
    first, second = shown_ranks(page)
    tables = page.locator("#ranks table")
    assert tables.count() == 3
    rows = tables.nth(2).evaluate(
        """one => [...one.rows].slice(1).map((row) =>
          [...row.cells].slice(1).map((cell) => cell.textContent))"""
    )
    kinds = set()
    codes = sorted({query for query, _ in first}, key=LANGUAGES.__getitem__)
    for query, cells in zip(codes, rows, strict=True):
        for document, text in zip(codes, cells, strict=True):
            if query == document:
                assert text == ""
                continue
            a, b = first[query, document], second[query, document]
            expected, kind = difference(a, b)
            assert text == expected
            kinds.add(kind)
    assert {"first", "second", "first only", "second only"} <= kinds


def difference(a: int, b: int) -> tuple[str, str]:
    """What the page writes, and of which kind it is."""
    if a == b:
        return ("=the same rank", "same") if a else ("–neither retrieves it", "neither")
    if a == 0 or b == 0:
        return ("▲\u2009first only", "first only") if a else ("▼\u2009second only", "second only")
    if a < b:
        return f"▲\u2009first ahead by {b - a:,}", "first"
    return f"▼\u2009second ahead by {a - b:,}", "second"


def test_of_several_seeds_the_first_is_shown_and_said(open_page: OpenPage, entries: Path) -> None:
    page = ready(open_page(f"{OWN}?q=q003&systems={SEEDED}&show=clir"))
    assert shown_ranks(page) == [best_ranks(entries, f"{SEEDED}-seed-1", TASK, "q003", "clir")]
    said = page.locator("#ranks .note").inner_text()
    assert "2 seeds; these are the ranks of the first" in said
    assert f"{SEEDED}-seed-1" in said


def test_texts_are_shown_in_their_language_and_direction(open_page: OpenPage) -> None:
    page = ready(open_page(f"{POCKET}?q=p01-1"))
    assert page.locator("#asked .asks").inner_text() == "In which mountains does the Amazon begin?"
    assert page.locator("#parallel dt").count() == 11
    arabic = page.locator("#parallel [lang=ar]").all()
    assert arabic[0].inner_text() == "في أي جبال تقع منابع الأمازون؟"
    for text in arabic:
        assert text.evaluate("one => getComputedStyle(one).direction") == "rtl"
    assert "ar_0_1" in arabic[1].inner_text()
    assert (
        page.locator("#parallel [lang=de]").first.evaluate("one => getComputedStyle(one).direction")
        == "ltr"
    )


def test_without_texts_the_ids_are_shown_and_where_texts_are(open_page: OpenPage) -> None:
    page = ready(open_page(f"{MANY}?q=q0002&systems=first&show=mlir"))
    assert page.locator("#asked").inner_text() == ""
    assert page.locator("#parallel bdi").all_inner_texts() == [
        f"{code}_2_{copy}" for code in ("en", "de") for copy in range(3)
    ]
    assert "not part of this site" in page.locator("#texts").inner_text()


def test_hostile_names_and_ids_are_text(open_page: OpenPage) -> None:
    page = ready(open_page(f"{OWN}?q=q009&systems=script,turned,long,lacking&show=clir"))
    names = [NAMES[name] for name in ("script", "turned", "long", "lacking")]
    every = "all => all.map(one => one.textContent)"
    assert page.locator("#chosen bdi").evaluate_all(every) == names
    assert page.locator("#ranks caption bdi").evaluate_all(every) == names
    page.get_by_label("Another system").fill("strong")
    assert not page.evaluate(f"Boolean({HARMED})")
    page = ready(open_page(f"{MANY}?q=q0449&systems=first"))
    page.get_by_label("Find a question").fill("onerror")
    page.locator("#matches button").click()
    expect(page.locator("#question-title")).to_contain_text("onerror")
    assert title(page) == HARMFUL_ID
    assert not page.evaluate(f"Boolean({HARMED})")
    page.reload()
    assert title(ready(page)) == HARMFUL_ID


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("show", ["moir", "clir", "from-de"])
def test_nothing_overflows_sideways(show: str, width: int, open_page: OpenPage) -> None:
    page = ready(open_page(f"{OWN}?q=q009&systems=script,turned,long&show={show}", width=width))
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert LONG in page.locator("#ranks").evaluate("one => one.textContent")
    assert TURNED in page.locator("#ranks").evaluate("one => one.textContent")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("address", [OWN, POCKET, MANY])
def test_without_scripts_the_lists_can_be_read(
    address: str, width: int, open_page: OpenPage
) -> None:
    page = open_page(address, width=width, scripts=False)
    assert page.locator("#questions").is_hidden()
    assert "needs JavaScript" in page.locator("main").inner_text()
    for part in ("hardest", "easiest", "disputed"):
        assert page.locator(f"#{part} li").count() == 20
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    "address",
    [
        "questions.html",
        f"{POCKET}?q=p01-1&systems=first,second&show=clir",
        f"{POCKET}?q=p01-1&systems=first,second,third&show=from-ar",
        f"{OWN}?q=q009&systems=script,turned,long,lacking,strong&show=mlir",
        f"{MANY}?q=q0002&systems=first,second&show=moir",
    ],
)
def test_everyone_can_use_it(
    address: str, width: int, scheme: str, open_page: OpenPage, axe: Callable[[Page], list[str]]
) -> None:
    page = open_page(address, width=width, scheme=scheme)
    if "?" in address:
        ready(page)
    faults: Any = axe(page)
    assert faults == []
