"""Lexicon files: what is read of each kind of line, and what is said of a wrong one."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from submissions.baselines.lexicon_files import read_pairs
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, kind: str, content: str | bytes) -> list[tuple[str, str, float]]:
    path = folder / "lexicon.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_pairs(kind, path, "en", "de"))


def test_muse(tmp_path: Path) -> None:
    assert read(tmp_path, "muse", "\ufeffred rot\r\n\n#the\tdie") == [
        ("red", "rot", 1.0),
        ("#the", "die", 1.0),
    ]


def test_gzip(tmp_path: Path) -> None:
    assert read(tmp_path, "muse", gzip.compress(b"red rot\n")) == [("red", "rot", 1.0)]


def test_wiktionary_in_two_columns(tmp_path: Path) -> None:
    assert read(tmp_path, "wiktionary", "free of charge\tumsonst (adv)\n") == [
        ("free of charge", "umsonst ", 1.0)
    ]


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        (
            "abortion {n} (induced (early)) :: έκτρωση {f} (of (some) kind)",
            [("abortion", "έκτρωση")],
        ),
        (
            "about {prep} (concerning, of) :: για, περί {m} {f} [formal]",
            [("about", "για"), ("about", "περί")],
        ),
        ("about turn {n} (about face) :: Hellenika: μεταβολή {f}", [("about turn", "μεταβολή")]),
        ("above-named {adj} (named) SEE: above-mentioned ::", []),
        ("# a comment", []),
    ],
)
def test_wiktionary_with_glosses(tmp_path: Path, line: str, pairs: list[tuple[str, str]]) -> None:
    found = read(tmp_path, "wiktionary", f"{line}\n")
    assert [(term, translation.strip()) for term, translation, _ in found] == pairs


def test_quoted_names_are_nicknames(tmp_path: Path) -> None:
    content = '"red"\tрыжий\n"the\tэдвардс\njabo\t"джабо"\n'
    assert read(tmp_path, "wikidata-names", content) == [("jabo", "джабо", 1.0)]


def test_pairs_with_weights(tmp_path: Path) -> None:
    assert read(tmp_path, "pairs", "# en\tde\nbank\tUfer\t0.25\nred\trot\n") == [
        ("bank", "Ufer", 0.25),
        ("red", "rot", 1.0),
    ]


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("muse", "red", "a word, a space or tab, its translation"),
        ("muse", "red rot rouge", "a word, a space or tab, its translation"),
        ("wiktionary", "red", "term TAB translation, or term :: translations"),
        ("wiktionary", "red\t", "a term, a tab, its translation"),
        ("wiktionary", "red\trot\trouge", "a term, a tab, its translation"),
        ("wiktionary", ":: rot", "term TAB translation, or term :: translations"),
        ("wikidata-names", "red rot", "a name, a tab"),
        ("wikidata-names", "red\t ", "a name, a tab"),
        ("pairs", "red", "term TAB translation"),
        ("pairs", "red\trot\theavy", "weight above 0"),
        ("pairs", "red\trot\t0", "weight above 0"),
        ("pairs", "red\trot\tnan", "weight above 0"),
        ("pairs", "red\trot\t1\t2", "weight above 0"),
    ],
)
def test_a_line_that_is_no_pair_is_named(
    tmp_path: Path, kind: str, line: str, expected: str
) -> None:
    with pytest.raises(DataFileError, match=r"lexicon\.txt:3: not a pair") as error:
        read(tmp_path, kind, f"green\tgrün\n\n{line}\n")
    assert expected in str(error.value)


def test_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    content = "red\trot\ngreen\tgrün\n".encode("latin-1")
    with pytest.raises(DataFileError, match=r"lexicon\.txt:2: not a text file in UTF-8"):
        read(tmp_path, "muse", content)
