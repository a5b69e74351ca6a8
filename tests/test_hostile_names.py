"""Names that try to do harm are text in every file of the site, whatever its form."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import tomllib
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import tomli_w
from hostile_entries import (
    POOL_SIZES,
    REFUSED,
    REPORTED,
    TASK,
    TEXTS,
    TRAINED,
    tame,
    write_entries,
    write_scored,
)
from hypothesis import given
from hypothesis import strategies as st

from harness.progress import Silent
from leaderboard.charts.labels import clean
from leaderboard.data_table import Column, DataTable
from leaderboard.facts import gather
from leaderboard.page import Page
from leaderboard.pages import changes
from leaderboard.rendering import environment, render
from leaderboard.site import InvalidEntriesError, build_site
from submissions.manifest import NOT_ON_A_LINE, read_manifest
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ISOLATED = frozenset(("bdi", "dd", "dt", "li", "pre"))
"""Elements that writing from right to left does not leave."""
ATOM = "{http://www.w3.org/2005/Atom}"
COMMANDS = re.compile(
    r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater)\{\}|\\[&%$#_{}]"
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
REGISTERED = re.compile(r"babelboard\.register\((\".*?\"), (.*)\);\n")

lines = st.text(st.characters(exclude_categories=["Cs", *NOT_ON_A_LINE]), min_size=1, max_size=60)
"""Names as a manifest allows them."""
starts = st.sampled_from([*FORMULA[:4], "[", "*", "\\", "</script>", "]]>", "\u202e", "'", '"'])
names = lines | st.builds(str.__add__, starts, lines)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a site, made from hostile entries, and nothing else than the entries."""
    folder = tmp_path_factory.mktemp("hostile")
    write_entries(folder / "entries")
    build_site(folder / "entries", folder / "public" / "site", Silent())
    return folder


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    return root / "public" / "site"


@pytest.fixture(scope="module")
def tame_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the same entries under harmless names."""
    folder = tmp_path_factory.mktemp("tame")
    write_entries(folder / "entries", tame)
    build_site(folder / "entries", folder / "site", Silent())
    return folder / "site"


class Outline(HTMLParser):
    """The elements of a page with the names of their attributes, and what they say and link to.

    Attributes:
        elements: Tag and names of attributes of each element; of pictures, the outermost.
        addresses: Values of href and src.
        names: Texts of bdi elements.
        mixed: Text beside which other text stands: that in no element of ISOLATED.
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.addresses: list[str] = []
        self.names: list[str] = []
        self.mixed = ""
        self._open: list[str] = []
        self._in_svg = 0
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Where there is room for labels in a picture depends on how wide they are.
        if not self._in_svg:
            self.elements.append((tag, *sorted(name for name, _ in attrs)))
        self._in_svg += tag == "svg"
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag in ISOLATED:
            self._open.append(tag)
        if tag == "bdi":
            self.names.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_svg -= tag == "svg"
        if tag in ISOLATED:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "bdi" in self._open:
            self.names[-1] += data
        elif not self._open:
            self.mixed += data


def outline(path: Path) -> Outline:
    return Outline(path.read_text("utf-8"))


def relative_files(site: Path) -> list[str]:
    return sorted(p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file())


def board(site: Path, form: str) -> str:
    return (site / "data" / "boards" / f"{TASK}.{form}").read_text("utf-8")


def test_a_name_changes_no_element_of_a_page(site: Path, tame_site: Path) -> None:
    pages = sorted(path.relative_to(site) for path in site.rglob("*.html"))
    assert len(pages) > len(TEXTS) + len(POOL_SIZES)
    assert pages == sorted(path.relative_to(tame_site) for path in tame_site.rglob("*.html"))
    for page in pages:
        assert outline(site / page).elements == outline(tame_site / page).elements, page


def test_a_name_changes_no_link(site: Path, tame_site: Path) -> None:
    for path in sorted(site.rglob("*.html")):
        found = outline(path).addresses
        assert found == outline(tame_site / path.relative_to(site)).addresses
        assert {urlsplit(address).scheme for address in found} <= {"", "https"}


def test_the_page_of_a_system_has_its_name_letter_for_letter(site: Path) -> None:
    for entry, text in TEXTS.items():
        assert text in outline(site / "entries" / f"{entry}.html").names


def test_text_that_turns_the_writing_stays_within_its_element(site: Path) -> None:
    for path in sorted(site.rglob("*.html")):
        head, _, body = path.read_text("utf-8").partition("<main")
        assert not BIDI.search(Outline(body).mixed), path
        # No element of the page stands around a title or a description.
        assert not BIDI.search(html.unescape(head)), path
    for entry in ("turned", REPORTED):
        content = (site / "entries" / f"{entry}.html").read_text("utf-8")
        assert BIDI.search(content.partition("<main")[2]), "its name must be one that turns"


def test_every_text_of_an_entry_has_an_element_of_its_own(site: Path) -> None:
    # Its name, model and training data, a setting and its value, the command, a package and its
    # version, and what it ran on.
    names = outline(site / "entries" / "turned.html").names
    assert names.count(TEXTS["turned"]) == 9


def test_no_file_is_named_after_a_text(site: Path, root: Path, tame_site: Path) -> None:
    assert relative_files(site) == relative_files(tame_site)
    for name in relative_files(site):
        assert re.fullmatch(r"[A-Za-z0-9._/+-]+", name)
        assert ".." not in name
    assert {path.name for path in root.iterdir()} == {"entries", "public"}
    assert {path.name for path in (root / "public").iterdir()} == {"site"}


def test_scripts_hold_names_as_data(site: Path) -> None:
    scripts = sorted((site / "data").rglob("*.js"))
    assert scripts
    for path in scripts:
        content = path.read_text("utf-8")
        assert content.isascii()
        assert not set(content) & set("<>&")
        found = REGISTERED.fullmatch(content)
        assert found, path
        assert json.loads(found[1]) == path.relative_to(site / "data").with_suffix("").as_posix()
        json.loads(found[2])
    listed = (site / "data" / "queries" / TASK / "systems.js").read_text("utf-8")
    found = REGISTERED.fullmatch(listed)
    assert found
    by_id = {one["id"]: one["name"] for one in json.loads(found[2])["systems"]}
    assert {entry: by_id[entry] for entry in TEXTS} == TEXTS


def test_json_holds_names_as_they_are(site: Path) -> None:
    for path in sorted(site.rglob("*.json")):
        json.loads(path.read_text("utf-8"))
    by_id = {row["system"]: row["name"] for row in json.loads(board(site, "json"))["rows"]}
    assert {entry: by_id[entry] for entry in TEXTS} == TEXTS
    published = (site / "data" / REPORTED / "reported.json").read_text("utf-8")
    assert json.loads(published)["source"]["title"] == TEXTS["script"]


def test_no_cell_of_csv_is_a_formula(site: Path) -> None:
    tables = sorted(site.rglob("*.csv"))
    assert tables
    for path in tables:
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        assert {len(row) for row in rows} == {len(head)}
        for cell in (cell for row in rows for cell in row):
            assert NUMBER.fullmatch(cell) or not cell.startswith(FORMULA), cell
    with (site / "data" / "boards" / f"{TASK}.csv").open(encoding="utf-8", newline="") as file:
        by_id = {row["system"]: row["name"] for row in csv.DictReader(file)}
    for entry, text in TEXTS.items():
        assert by_id[entry].removeprefix("'") == text.removeprefix("'")


def latex_rows(table: str) -> list[str]:
    """The rows of a table, of which all lines must be made up."""
    body = table.partition("\\midrule\n")[2].partition("\\bottomrule\n")[0]
    return body.split("\n")[:-1]


def is_literal(row: str, cells: int) -> bool:
    """Whether a row has so many cells, and nothing in them that TeX would act on."""
    inner = row.removeprefix("{}").removesuffix(" \\\\")
    plain = COMMANDS.sub("", inner).replace("$-$", "")
    return len(plain.split("&")) == cells and not set(plain) & set("\\%$#_{}~^")


def test_latex_has_a_row_for_each_system_and_no_command(site: Path) -> None:
    rows = latex_rows(board(site, "tex"))
    assert len(rows) == len(TEXTS) + 1
    assert all(row.startswith("{}") and row.endswith(r" \\") for row in rows)
    assert all(is_literal(row, 5) for row in rows)


def test_the_feed_is_xml_with_names_as_text(site: Path) -> None:
    content = (site / "feed.xml").read_bytes()
    feed = ET.fromstring(content)  # noqa: S314  # the site's own file
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == len(TEXTS)
    said = {entry.findtext(f"{ATOM}summary") for entry in entries}
    for entry, text in TEXTS.items():
        assert f"{clean(text, 500)} ({entry})" in said
    titles = {link.get("title") for link in feed.iter(f"{ATOM}link")}
    assert TEXTS["script"] in titles
    assert not BIDI.search(content.decode())
    assert {element.tag.removeprefix(ATOM) for element in feed.iter()} == {
        *("feed", "id", "title", "updated", "author", "name", "link", "entry", "summary")
    }


def test_a_training_and_a_publication_are_text_too(site: Path) -> None:
    trained = outline(site / "entries" / f"{TRAINED}.html")
    assert TEXTS["script"] in trained.names
    assert any(name == TEXTS["image"] for name in trained.names)
    published = (site / "entries" / f"{REPORTED}.html").read_text("utf-8")
    assert "@misc{&lt;script&gt;" in published
    assert "<script>document" not in published


REFUSED_CHARACTERS = sorted({c for text in REFUSED.values() for c in text if not c.isprintable()})


@pytest.mark.parametrize(
    "character", REFUSED_CHARACTERS, ids=[f"U+{ord(c):04X}" for c in REFUSED_CHARACTERS]
)
def test_a_name_that_is_no_line_is_refused(tmp_path: Path, character: str) -> None:
    root = tmp_path / "entries"
    write_scored(root / "plus", "Plus")
    manifest = root / "plus" / "submission.toml"
    content = tomllib.loads(manifest.read_text("utf-8"))
    manifest.write_text(tomli_w.dumps(content | {"name": f"a{character}b"}), "utf-8")
    said = rf"plus: (?s:.*)\bname: .*character 2 is U\+{ord(character):04X}\. .*remove it"
    with pytest.raises(InvalidEntriesError, match=said) as raised:
        build_site(root, tmp_path / "site", Silent())
    assert character == "\n" or character not in str(raised.value), "it would act on the terminal"


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("place", ["model.name", "method.training_data", "runs.own.hardware"])
def test_every_text_of_a_manifest_is_a_line(tmp_path: Path, text: str, place: str) -> None:
    write_scored(tmp_path / "plus", "Plus")
    manifest = tmp_path / "plus" / "submission.toml"
    content = tomllib.loads(manifest.read_text("utf-8"))
    *parents, last = place.split(".")
    part = content
    for name in parents:
        part = part[name]
    part[last] = {"cpu": text} if last == "hardware" else text
    manifest.write_text(tomli_w.dumps(content), "utf-8")
    with pytest.raises(EntryError, match=rf"(?s){re.escape(place)}.*is U\+"):
        read_manifest(manifest)


def test_a_name_of_more_than_500_characters_is_no_name(tmp_path: Path) -> None:
    root = tmp_path / "entries"
    write_entries(root)
    manifest = root / "long" / "submission.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("WWW", "WWWW", 1), "utf-8")
    with pytest.raises(InvalidEntriesError, match=r"long: .*500"):
        build_site(root, tmp_path / "site", Silent())


@pytest.mark.parametrize("task", ["../../../../harm", "<script>", "a\nb"])
def test_a_task_that_is_no_id_is_refused(tmp_path: Path, task: str) -> None:
    folder = tmp_path / "far" / "down"
    write_scored(folder / "entries" / "plus", "Plus")
    manifest = folder / "entries" / "plus" / "submission.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace(f"[runs.{TASK}", f"[runs.{json.dumps(task)}"), "utf-8")
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InvalidEntriesError, match=r"(?s)plus: .*runs"):
        build_site(folder / "entries", folder / "public" / "site", Silent())
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == written


TABLE = (
    Column("name", "text", "Its name", in_latex=True),
    Column("score", "number", "A number", in_latex=True),
)


@given(found=st.lists(st.tuples(names, st.floats(-1, 1)), min_size=1, max_size=3), title=names)
def test_any_name_is_text_in_every_form_of_a_table(
    found: list[tuple[str, float]], title: str
) -> None:
    table = DataTable.of_rows(title, TABLE, found)
    as_json = json.loads(table.as_json())
    assert as_json["title"] == title
    assert [row["name"] for row in as_json["rows"]] == [name for name, _ in found]
    cells = [row[0] for row in csv.reader(io.StringIO(table.as_csv().decode(), newline=""))][1:]
    for cell, (name, _) in zip(cells, found, strict=True):
        assert cell in (name, f"'{name}")
        assert not cell.startswith(FORMULA)
    rows = latex_rows(table.as_latex().decode())
    assert len(rows) == len(found)
    assert all(is_literal(row, 2) for row in rows)


@pytest.fixture(scope="module")
def feed(root: Path) -> Page:
    (found,) = (p for p in changes.pages(gather(root / "entries", None)) if p.path == "feed.xml")
    return found


@given(what=names)
def test_any_text_of_a_change_leaves_the_feed_well_formed(feed: Page, what: str) -> None:
    content: dict[str, Any] = dict(feed.content)
    first = content["changes"][0].model_copy(update={"what": clean(what, 500)})
    content["changes"] = [first]
    made = Page(feed.path, feed.template, content, feed.section)
    read = ET.fromstring(render(environment(), made))  # noqa: S314  # the site's own file
    said = f"{clean(what, 500)} ({', '.join(first.entries)})"
    assert read.findtext(f"{ATOM}entry/{ATOM}summary") == said
