"""Published results on the site: beside what was scored, with their sources, never among it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_reported import HEAD, block
from test_site import HOSTILE, Page, build_site

from leaderboard.tables import task_text
from submissions.reported import read_reported

ENTRIES = Path(__file__).parents[1] / "submissions" / "entries"
MARK = "\u202e<b>"
"""Would turn the text after it around, and start a tag, if it got into a page as it is."""


class Tables(HTMLParser):
    """The rows of text of every table, by the id of the section it stands in."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self._section = ""
        self._in_cell = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "section" or (found.get("id") or "").endswith("-reported"):
            self._section = found.get("id") or ""
        elif tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        elif tag in ("td", "th"):
            self.rows[self._section][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell &= tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            cell = f"{self.rows[self._section][-1][-1]} {data}"
            self.rows[self._section][-1][-1] = " ".join(cell.split())


def rows_of(site: Path, task: str) -> dict[str, list[list[str]]]:
    """The tables of a task's page: ``systems`` and ``<task>-reported``."""
    return Tables(site / "tasks" / f"{task}.html").rows


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system scored on xquad-r, all that is reported, and one with hostile texts."""
    root = tmp_path_factory.mktemp("entries")
    for name in ("bm25", *(e.id for e in read_reported(ENTRIES))):
        shutil.copytree(ENTRIES / name, root / name)
    manifest = root / "bm25" / "submission.toml"
    head, *runs = re.split(r"(?=^\[runs\.[^.\]]+\]$)", manifest.read_text("utf-8"), flags=re.M)
    manifest.write_text(head + next(r for r in runs if r.startswith("[runs.xquad-r]")), "utf-8")
    (root / "hostile").mkdir()
    text = HEAD.format(top=f"notes = [{json.dumps(MARK)}]")
    text = text.replace('id = "published"', 'id = "hostile"')
    for field in ("A published system", "On finding things", "Doe, Jane", "A journal", "encoder"):
        assert f'"{field}"' in text
        text = text.replace(f'"{field}"', json.dumps(field + HOSTILE))
    text = text.replace('"@misc{doe}"', json.dumps("</code></pre>" + MARK))
    text += block('"moir/ar-ar" = 0.4321', where=f"Table {MARK}", provenance=f"seen: {MARK}")
    (root / "hostile" / "reported.toml").write_text(text, "utf-8")
    return root


@pytest.fixture(scope="module")
def site(entries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "out"
    build_site(entries, out)
    return out


def test_they_stand_under_the_scored_systems_of_their_task(site: Path) -> None:
    rows = rows_of(site, "xquad-r")
    assert [row[:2] for row in rows["systems"]] == [["#", "System"], ["1", "BM25 untrained"]]
    reported = rows["xquad-r-reported"]
    assert reported[0] == ["System", "MoIR", "CLIR", "MLIR", "Rank distance", "Where"]
    assert [
        *("XLM-R, hybrid batches hybrid batches", ".798", ".705", ".593", "287"),
        "Table 3, Table 7",
    ] in reported
    assert [
        *("mBERT, X-Y fine tuned", "–", "–", "all queries .66", "–"),
        "README, Training and Evaluation",
    ] in reported


def test_no_place_no_letter_no_order_by_value(site: Path) -> None:
    pages = [path.read_text("utf-8") for path in (site / "tasks").glob("*.html")]
    assert 'class="reported"' not in (site / "index.html").read_text("utf-8")
    parts = re.findall(r'<div class="reported">.*?</table>', "".join(pages), re.S)
    assert len(parts) == 5
    for part in parts:
        assert "letters" not in part
        assert "aria-sort" not in part
        for group in part.split("<tbody>")[1:]:
            names = re.findall(r'<th scope="row"><a [^>]*><bdi>(.*?)</bdi>', group)
            assert names
            assert names == sorted(names, key=str.casefold)


def test_what_was_scored_is_shown_as_without_them(
    site: Path, entries: Path, tmp_path: Path
) -> None:
    root = tmp_path / "entries"
    shutil.copytree(entries / "bm25", root / "bm25")
    build_site(root, tmp_path / "site")
    alone, together = (rows_of(s, "xquad-r")["systems"] for s in (tmp_path / "site", site))
    assert alone == together
    for page in ("entries/bm25.html", "settings/xquad-r/clir-en-de.html"):
        assert (tmp_path / "site" / page).read_bytes() == (site / page).read_bytes()
    assert "Reported" not in Page(tmp_path / "site" / "index.html").text


def test_tasks_that_nobody_scored_say_so(site: Path) -> None:
    assert "published-title" in Page(site / "index.html").ids
    for task in ("mlqa-r", "miracl", "mmarco", "mmarco-rerank"):
        page = Page(site / "tasks" / f"{task}.html")
        assert "No system has been scored on it here yet." in page.text
        assert list(rows_of(site, task)) == [f"{task}-reported"]
    by_name = {row[0]: row[1:] for row in rows_of(site, "miracl")["miracl-reported"]}
    assert by_name["BM25 untrained"] == ["computed .388", "pyserini/2cr/miracl.yaml, dev"]
    assert by_name["mDPR, fine-tuned on MIRACL fine tuned"][0] == "computed, 16 of 18 .627"
    assert by_name["LaBSE, monolingual batches fine tuned"] == ["15 of 18 .455", "Table 13"]


def test_titles_name_no_form_of_the_candidates_but_an_unusual_one(site: Path) -> None:
    page = (site / "index.html").read_text("utf-8")
    titles = re.findall(r'html"><bdi>(.*?)</bdi></a>', page)
    assert titles[0] == "XQuAD-R"
    assert not [title for title in titles if "context" in title or "drawn" in title]
    assert task_text("xquad-r+context").title == "XQuAD-R, sentence with context"


def test_sources_say_where_the_numbers_were_found(site: Path) -> None:
    mmarco = rows_of(site, "mmarco")["mmarco-reported"]
    (bonifacio,) = (row for row in mmarco if row[0].startswith("Bonifacio"))
    assert bonifacio[0].startswith(
        "Bonifacio et al. 2021 Second-hand, from the model card of ColBERT-XM;"
    )
    xquad = rows_of(site, "xquad-r")["xquad-r-reported"]
    roy = [row[0] for row in xquad if row[0].startswith("Roy et al. 2020")]
    assert [text.split("; ")[0] for text in roy] == [
        "Roy et al. 2020 Read in the data set's README",
        "Roy et al. 2020 Second-hand, from a document that quotes the paper",
    ]


def test_a_page_has_every_number_as_printed(site: Path) -> None:
    (entry,) = (e for e in read_reported(ENTRIES) if e.id == "elmahdy-2024-xlm-r-hybrid")
    path = site / "entries" / f"{entry.id}.html"
    rows = Tables(path).rows
    assert ["Arabic ar", ".7619", ".6564", ".5416", "376.0"] in rows["xquad-r"]
    for task in entry.tasks:
        cells = [cell for row in rows[task] for cell in row]
        for measure in entry.measures(task):
            for key, results in entry.printed(task, measure).items():
                printed = f"{results.values[key]:.{results.decimals}f}".removeprefix("0")
                assert any(cell.startswith(printed) for cell in cells), (task, measure, key)
    text = " ".join(Page(path).text.split())
    assert "Reported, not re-run." in text
    assert "Table 3 : AP, R@1, R@10" in text
    assert "Read in an anonymous version of the paper" in text
    assert entry.source.bibtex.strip() in path.read_text("utf-8")


def test_single_pairs_are_a_map(site: Path) -> None:
    rows = Tables(site / "entries" / "litschko-2023-zero-shot.html").rows["mmarco-rerank"]
    # The means stand before it.
    assert [row[1:] for row in rows[-4:]] == [
        ["Arabic ar", "German de"],
        [".239", ""],
        [".140", ".240"],
        ["", ".259"],
    ]


def test_data_are_the_file_as_json(site: Path) -> None:
    for entry in read_reported(ENTRIES):
        content = json.loads((site / "data" / entry.id / "reported.json").read_text("utf-8"))
        assert content.pop("trust_level") == "T0"
        assert type(entry).model_validate(content) == entry


def test_hostile_texts_are_text(site: Path) -> None:
    for name in ("tasks/xquad-r.html", "entries/hostile.html"):
        source = (site / name).read_text("utf-8")
        assert "<script>" not in source
        assert "<b>" not in source
        assert MARK in Page(site / name).text
        assert "A published system" + HOSTILE in Page(site / name).text


def test_links_out_are_https_and_nothing_is_fetched(site: Path) -> None:
    outside = 0
    for path in site.rglob("*.html"):
        page = Page(path)
        assert not {"img", "iframe", "form", "style"} & set(page.tags)
        assert "style" not in page.attributes
        assert not any(name.startswith("on") for name in page.attributes)
        source = path.read_text("utf-8")
        links = re.findall(r"<(\w+)[^>]*? (?:href|src)=\"([^\"]*)\"([^>]*)>", source)
        assert len(links) == len(page.links)
        for tag, address, rest in links:
            scheme, host = urlsplit(address)[:2]
            assert tag != "script" or re.fullmatch(r"[./]*assets/[a-z_]+\.js", address)
            if scheme or host:
                assert (tag, scheme) == ("a", "https")
                assert 'rel="external noreferrer"' in rest
                outside += 1
    assert outside > 60


def test_links_within_lead_to_files_and_ids(site: Path) -> None:
    for path in site.rglob("*.html"):
        for link in Page(path).links:
            if urlsplit(link).scheme:
                continue
            target, _, fragment = link.partition("#")
            target = target.partition("?")[0]
            file = (path.parent / target).resolve() if target else path
            assert file.is_file(), f"{path.name} links to {link}"
            assert not fragment or fragment in Page(file).ids, f"{path.name} links to {link}"


def test_ids_are_unique(site: Path) -> None:
    for path in site.rglob("*.html"):
        ids = re.findall(r' id="([^"]*)"', path.read_text("utf-8"))
        assert len(ids) == len(set(ids))


def test_pages_are_light(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert len(Page(path).tags) <= 3000
        assert len(path.read_bytes()) <= 100_000


def test_same_entries_give_the_same_bytes(site: Path, entries: Path, tmp_path: Path) -> None:
    built = build_site(entries, tmp_path / "again")
    assert (built.entries, built.reported, built.pages) == (
        1,
        27,
        len(list((tmp_path / "again").rglob("*.html"))),
    )
    first, second = (
        {
            file.relative_to(root): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in root.rglob("*")
            if file.is_file()
        }
        for root in (site, tmp_path / "again")
    )
    assert first == second


def test_an_entry_that_is_gone_leaves_nothing(entries: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "entries", tmp_path / "site"
    for name in ("bm25", "hostile"):
        shutil.copytree(entries / name, root / name)
    build_site(root, out)
    assert (out / "entries" / "hostile.html").is_file()
    shutil.rmtree(root / "hostile")
    build_site(root, out)
    assert not (out / "entries" / "hostile.html").exists()
    assert not (out / "data" / "hostile" / "reported.json").exists()
    assert "T0" not in Page(out / "index.html").text
