"""Titles of parallel articles: linguatools' XML, two columns, Wikipedia's dumps."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from submissions.baselines.lexicon import load_lexicon
from submissions.baselines.parallel_titles import clean_titles, read_titles
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from pathlib import Path

XML = """<?xml version="1.0" encoding="UTF-8"?>
<wikititles>
<translation id="1">
<entry lang="de">Kategorie:Physik</entry>
<categories lang="de"><category>Wissenschaft</category></categories>
<entry lang="en">Category:Physics</entry>
</translation>
<translation id="2">
<entry lang="de">Stra&#223;e &amp; Weg</entry>
<entry lang="en">Mercury (planet)</entry>
<redirects lang="en"><redirect>Hermes</redirect></redirects>
</translation>
<translation id="3"><entry lang="de">Nur deutsch</entry></translation>
</wikititles>
"""


@pytest.mark.parametrize(
    ("first", "second", "cleaned"),
    [
        ("Category:Physics", "Kategorie:Physik", ("Physics", "Physik")),
        ("Mercury (planet)", "Merkur_(Planet)", ("Mercury", "Merkur")),
        (
            "Star Wars: Episode IV",
            "Krieg der Sterne",
            ("Star Wars: Episode IV", "Krieg der Sterne"),
        ),
        ("Talk:x", "Ohne", ("Talk:x", "Ohne")),
        ("水星（行星）", "Mercury", ("水星", "Mercury")),
        ("f(x) calculus", "f(x)", ("f(x) calculus", "f")),
        ("(1) Ceres", "(1) Ceres", ("(1) Ceres", "(1) Ceres")),
    ],
)
def test_cleaning(first: str, second: str, cleaned: tuple[str, str]) -> None:
    assert clean_titles(first, second) == cleaned


@pytest.mark.parametrize("packed", [False, True])
def test_linguatools(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / f"wikititles-2014_deen.xml{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(XML.encode()) if packed else XML.encode())
    assert list(read_titles(path, "en", "de")) == [
        ("Physics", "Physik"),
        ("Mercury", "Straße & Weg"),
    ]
    # One file serves both directions, also when its folder is named.
    for spec in (f"titles:{tmp_path}", f"titles:{path}"):
        assert load_lexicon(spec, "en", "de").entries["physics"] == (("Physik", 1.0),)
        assert load_lexicon(spec, "de", "en").entries["physik"] == (("Physics", 1.0),)


def test_a_long_file_is_read_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "wikititles-2014_deen.xml"
    entries = "".join(
        f'<translation id="{n}"><entry lang="en">Énglish {n}</entry>'
        f'<entry lang="de">Döitsch {n}</entry></translation>\n'
        for n in range(3000)
    )
    path.write_text(f"<wikititles>{entries}</wikititles>", "utf-8")
    found = list(read_titles(path, "en", "de"))
    assert found == [(f"Énglish {n}", f"Döitsch {n}") for n in range(3000)]


def test_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "en-de.tsv"
    path.write_text("# titles\nNew York City\tNew York (Stadt)\n\n", "utf-8")
    assert list(read_titles(path, "en", "de")) == [("New York City", "New York")]


DUMP = """-- MySQL dump
CREATE TABLE `langlinks` (`ll_from` int(8));
INSERT INTO `langlinks` VALUES (12,'de','Anarchie'),\
(12,'fr','Anarchie'),(25,'de','O\\'Neill (1,\\'de\\',\\'x\\') zwei'),\
(7,'de',''),(39,'de','Kategorie:Physik'),(40,'de','Weg');
INSERT INTO `langlinks` VALUES (41,'de','Albedo_(Licht)');
"""
PAGES = """INSERT INTO `page` VALUES (12,0,'Anarchism',0,0,0.78,'2024','2024',1,2,'wikitext',NULL),\
(25,0,'O\\'Neill',0,0,0.5,'2024',NULL,1,2,'wikitext',NULL),\
(39,14,'Physics',0,0,0.1,'2024',NULL,1,2,'wikitext',NULL),\
(41,0,'Albedo_(light)',0,0,0.1,'2024',NULL,1,2,'wikitext',NULL);
"""


@pytest.mark.parametrize("packed", [False, True])
def test_dumps(tmp_path: Path, packed: bool) -> None:
    suffix = ".gz" if packed else ""
    for name, content in (("langlinks", DUMP), ("page", PAGES)):
        raw = content.encode()
        path = tmp_path / f"enwiki-20240101-{name}.sql{suffix}"
        path.write_bytes(gzip.compress(raw) if packed else raw)
    links = tmp_path / f"enwiki-20240101-langlinks.sql{suffix}"
    assert list(read_titles(links, "en", "de")) == [
        ("Anarchism", "Anarchie"),
        ("O'Neill", "O'Neill (1,'de','x') zwei"),
        ("Albedo", "Albedo"),
    ]
    assert load_lexicon(f"titles:{links}", "de", "en").entries["anarchie"] == (("anarchism", 1.0),)


def test_rows_that_lie_on_the_edge_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "enwiki-langlinks.sql").write_text(DUMP, "utf-8")
    (tmp_path / "enwiki-page.sql").write_text(PAGES, "utf-8")
    whole = list(read_titles(tmp_path / "enwiki-langlinks.sql", "en", "de"))
    for size in (1, 7, 64):
        monkeypatch.setattr("submissions.baselines.wikipedia_dumps._BLOCK", size)
        assert list(read_titles(tmp_path / "enwiki-langlinks.sql", "en", "de")) == whole


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t_deen.xml", "<a><b></a>", r"t_deen\.xml:1: not XML: mismatched tag"),
        ("t_deen.xml", "<a/>", "no <translation>"),
        ("t_deen.xml", '<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>', "declares entities"),
        ("t_deen.xml", "<a>\n<translation>", r"t_deen\.xml:2: not XML: no element found"),
        ("t.tsv", "a\tb\nc\n", r"t\.tsv:2: not a pair"),
        ("enwiki-langlinks.sql", "INSERT (1,'fr','x')", "no link to a page in de"),
        ("enwiki-langlinks.sql", "INSERT (1,'de','x')", "no file .*enwiki-page.sql"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataFileError, match=message):
        list(read_titles(tmp_path / name, "en", "de"))


def test_a_gzip_file_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "wikititles-2014_deen.xml.gz"
    path.write_bytes(gzip.compress(XML.encode())[:-20])
    with pytest.raises(DataFileError, match="cut short"):
        list(read_titles(path, "en", "de"))
