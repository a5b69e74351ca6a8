"""Every link of the site leads somewhere, and out of it only in one form."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from site_entries import TASK
from site_links import feed_faults, page_faults, reached, style_faults

from harness.progress import Silent
from leaderboard.site import build_site

if TYPE_CHECKING:
    from pathlib import Path

REGISTERED = re.compile(r"babelboard\.register\((\".*?\"), (.*)\);\n", re.DOTALL)


def registered(site: Path, name: str) -> object:
    """What the script of this name hands to the page."""
    found = REGISTERED.fullmatch((site / "data" / f"{name}.js").read_text("utf-8"))
    assert found
    assert json.loads(found[1]) == name, "a page waits for the name that it asked for"
    return json.loads(found[2])


def test_links_of_pages_lead_to_files_and_ids(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert pages
    assert [fault for page in pages for fault in page_faults(site, page)] == []


def test_every_page_can_be_reached_from_the_first(site: Path) -> None:
    assert reached(site, site / "index.html") == set(site.rglob("*.html"))


def test_the_style_sheet_loads_nothing_from_outside(site: Path) -> None:
    assert style_faults(site, site / "assets" / "site.css") == []


def test_links_of_the_feed_lead_to_pages(site: Path) -> None:
    assert feed_faults(site, site / "feed.xml") == []


def test_scripts_that_pages_load_later_are_there(site: Path) -> None:
    """The page that compares systems makes these addresses from what systems.js says."""
    folder = f"queries/{TASK}"
    listed = registered(site, f"{folder}/systems")
    assert isinstance(listed, dict)
    needed = {f"{folder}/systems"}
    for part in range(1, listed["parts"] + 1):
        needed |= {f"{folder}/{part}/questions"}
        needed |= {f"{folder}/{part}/scores/{system['id']}" for system in listed["systems"]}
    data = site / "data"
    there = {path.relative_to(data).with_suffix("").as_posix() for path in data.rglob("*.js")}
    assert needed == {name for name in there if name.startswith(f"{folder}/")}
    for name in sorted(there):
        registered(site, name)
    for system in listed["systems"]:
        assert (site / "entries" / f"{system['id']}.html").is_file()
        for seed in system["seeds"]:
            assert (data / seed / f"{TASK}.json").is_file()


def test_the_schema_names_the_forms_that_are_there(site: Path) -> None:
    schema = json.loads((site / "data" / "schema.json").read_text("utf-8"))
    tables = {name: table for name, table in schema["files"].items() if "forms" in table}
    assert tables
    for name, table in tables.items():
        for form in table["forms"]:
            assert (site / "data" / f"{name.replace('<task>', TASK)}.{form}").is_file()


def test_links_of_the_page_without_entries_lead_somewhere(tmp_path: Path) -> None:
    (tmp_path / "entries").mkdir()
    site = tmp_path / "site"
    build_site(tmp_path / "entries", site, Silent())
    assert [fault for page in site.rglob("*.html") for fault in page_faults(site, page)] == []


GOOD = [
    '<a href="other.html">x</a>',
    '<a href="other.html#there">x</a>',
    '<a id="here" href="#here">x</a>',
    '<a href="https://example.org/a" rel="external noreferrer">x</a>',
    '<img src="data:image/png;base64,AA==" alt="">',
]
BAD = {
    '<a href="none.html">x</a>': "is no file",
    '<a href="../outside.html">x</a>': "is no file",
    '<a href="">x</a>': "is empty",
    '<a href="other.html#nowhere">x</a>': "finds no id 'nowhere'",
    '<a href="#nowhere">x</a>': "finds no id 'nowhere'",
    '<a href="/index.html">x</a>': "is not an address of the form",
    '<a href="//example.org/" rel="noreferrer">x</a>': "is not an address of the form",
    '<a href="http://example.org/" rel="noreferrer">x</a>': "is not an address of the form",
    '<a href="https://me@example.org/" rel="noreferrer">x</a>': "is not an address of the form",
    '<a href="javascript:alert(1)">x</a>': "is not an address of the form",
    '<a href=" JavaScript:alert(1)">x</a>': "is not an address of the form",
    '<a href="data:text/html,x">x</a>': "is data, and not an image",
    '<img src="data:text/html,x" alt="">': "is data, and not an image",
    '<a href="https://example.org/">x</a>': "without rel=noreferrer",
    '<a href="https://e.org/" rel="noreferrer" target="_blank">x</a>': "without rel=noopener",
    '<script src="https://example.org/x.js"></script>': "is loaded from outside",
    '<img src="https://example.org/x.png" alt="">': "is loaded from outside",
    '<form action="https://example.org/"></form>': "is loaded from outside",
}


@pytest.fixture
def small_site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.html").write_text("", "utf-8")
    (site / "other.html").write_text('<p id="there">x</p>', "utf-8")
    return site


@pytest.mark.parametrize("content", GOOD)
def test_a_good_link_is_no_fault(content: str, small_site: Path) -> None:
    page = small_site / "page.html"
    page.write_text(content, "utf-8")
    assert page_faults(small_site, page) == []


@pytest.mark.parametrize(("content", "fault"), BAD.items())
def test_a_link_that_leads_nowhere_is_found(content: str, fault: str, small_site: Path) -> None:
    page = small_site / "page.html"
    page.write_text(content, "utf-8")
    (found,) = page_faults(small_site, page)
    assert fault in found


def test_a_page_that_no_link_leads_to_is_found(small_site: Path) -> None:
    page = small_site / "page.html"
    page.write_text("<p>x</p>", "utf-8")
    assert reached(small_site, page) == {page}


def test_faults_of_a_style_sheet_and_a_feed_are_found(small_site: Path) -> None:
    sheet = small_site / "site.css"
    sheet.write_text("@import 'http://a.org/x'; p { background: url(\"none.png\"); }", "utf-8")
    assert len(style_faults(small_site, sheet)) == 2
    feed = small_site / "feed.xml"
    links = '<link href="none.html"/><link href="other.html"/><link href="http://a.org/"/>'
    feed.write_text(f'<feed xmlns="http://www.w3.org/2005/Atom">{links}</feed>', "utf-8")
    assert len(feed_faults(small_site, feed)) == 2
