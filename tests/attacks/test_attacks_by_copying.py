"""Attacks by taking another entry's place: its ranks, or its name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from honest_entry import (
    HONEST,
    RANKS,
    TASK,
    put,
    rename,
    write_honest,
    write_ranks_as_scored,
)
from parquet_files import content_of, parquet, with_column

from harness.ranks import SCHEMA, Column, read_ranks

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Checks

    from harness.ranks import RankTable


@pytest.fixture
def taken(ours: Path) -> RankTable:
    """The ranks of an entry that is there already."""
    return read_ranks(ours / "bm25" / RANKS)


def test_ranks_of_another_entry_are_an_error(
    tmp_path: Path, problems: Checks, ours: Path, taken: RankTable
) -> None:
    folder = write_honest(tmp_path, taken, "copied")
    (one,) = problems(folder, "--entries", ours)
    assert (one["code"], one["path"]) == ("E070", RANKS)
    assert "bm25" in one["found"]
    # Without the others nobody can tell.
    assert problems(folder) == []


def test_ranks_of_another_entry_in_another_form_are_an_error(
    entry: Path, problems: Checks, ours: Path, tmp_path: Path
) -> None:
    file = pq.ParquetFile(ours / "bm25" / RANKS)
    with pq.ParquetWriter(tmp_path / "x", SCHEMA, compression="none", store_schema=False) as to:
        to.write_table(file.read())
        to.add_key_value_metadata({"babelboard": file.metadata.metadata[b"babelboard"]})
    write_ranks_as_scored(entry, (tmp_path / "x").read_bytes())
    assert "E070" in {one["code"] for one in problems(entry, "--entries", ours)}


def test_nearly_the_ranks_of_another_entry_are_a_warning(
    tmp_path: Path, problems: Checks, ours: Path, taken: RankTable
) -> None:
    rank = taken.rank.copy()
    low = (taken.rank > 1).nonzero()[0][:1]  # of moir/ar-ar, where questions have one answer
    rank[low] += 1
    folder = write_honest(tmp_path, replace(taken, rank=rank), "copied")
    assert [one["code"] for one in problems(folder, "--entries", ours)] == ["W004"]


def test_an_entry_is_no_copy_of_itself(entry: Path, problems: Checks) -> None:
    assert problems(entry, "--entries", entry.parent) == []


def test_data_of_another_revision_than_the_others_are_an_error(
    entry: Path, problems: Checks, ours: Path, tmp_path: Path
) -> None:
    others = shutil.copytree(ours, tmp_path / "others")
    put(others / "bm25", f"runs/{TASK}/data/de.json", "0" * 64)
    (one,) = problems(entry, "--entries", others)
    assert (one["code"], one["key"]) == ("E032", f"runs.{TASK}.data")
    assert "'de.json'" in one["found"]


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("h0nest", "Other"),
        ("hon-est", "Other"),
        ("honest-", "Other"),
        ("other", "An honest system"),
        ("other", "Аn honest system"),
        ("other", "An һonest systеm"),
        ("other", "AN HONEST SYSTEM!"),
        ("other", "Αn hοnest system"),
        ("other", "An hon\u200best system"),
        ("other", "\uff21n honest system"),
    ],
    ids=[
        "digit-for-letter",
        "hyphen",
        "hyphen-at-the-end",
        "same-name",
        "cyrillic-capital",
        "cyrillic-letters",
        "case-and-marks",
        "greek-letters",
        "unseen-letter",
        "full-width-letter",
    ],
)
def test_a_name_that_looks_like_anothers_is_a_warning(
    entry: Path, problems: Checks, tmp_path: Path, other: str, name: str
) -> None:
    folder = write_honest(tmp_path / "others", read_ranks(entry / RANKS), other)
    rename(folder, name)
    found = [one for one in problems(entry, "--entries", folder.parent) if one["code"] == "W003"]
    assert found
    assert other in found[0]["found"]


@pytest.mark.parametrize("name", ["BM25 mоdel", "Mοdel"], ids=["cyrillic-o", "greek-o"])
def test_a_word_in_two_scripts_is_a_warning(entry: Path, problems: Checks, name: str) -> None:
    rename(entry, name)
    (one,) = problems(entry)
    assert one["code"] == "W003"
    assert "Latin" in one["found"]


def test_names_that_people_tell_apart_are_fine(entry: Path, problems: Checks, ours: Path) -> None:
    rename(entry, "Модель из Праги, BM25-L")
    assert problems(entry, "--entries", ours) == []
    assert HONEST not in {path.name for path in ours.iterdir()}


def test_damaged_entries_of_others_are_no_fault_of_ours(
    entry: Path, problems: Checks, ours: Path, tmp_path: Path
) -> None:
    others = shutil.copytree(ours, tmp_path / "others")
    (others / "damaged").mkdir()
    (others / "damaged" / "submission.toml").write_text("<html>")
    (others / "bm25" / RANKS).write_bytes(b"PAR1")
    assert problems(entry, "--entries", others) == []


def few(table: RankTable, keep: slice) -> RankTable:
    """The first rows of moir/ar-ar, where all is found at once."""
    names = ("setting", "query_language", "question", "document")
    columns = {n: Column(getattr(table, n).names, getattr(table, n).codes[keep]) for n in names}
    rank = table.rank[keep] * 0 + 1
    return replace(table, relevance=table.relevance[keep], rank=rank, **columns)


@pytest.mark.parametrize(
    ("rows", "codes"), [(10, {"W004"}), (9, set())], ids=["the-same", "others"]
)
def test_a_few_ranks_may_agree_by_chance(
    tmp_path: Path, problems: Checks, taken: RankTable, rows: int, codes: set[str]
) -> None:
    folder = write_honest(tmp_path / "mine", few(taken, slice(10)))
    write_honest(tmp_path / "others", few(taken, slice(rows)), "other")
    # Not the very same file: its metadata say something else.
    put(tmp_path / "others" / "other", f"runs/{TASK}/ranks", "0" * 64)
    found = problems(folder, "--entries", tmp_path / "others")
    assert {one["code"] for one in found} & {"W004", "E070"} == codes


def test_ranks_of_others_that_are_none_are_no_ranks(
    entry: Path, problems: Checks, tmp_path: Path
) -> None:
    other = write_honest(tmp_path / "others", read_ranks(entry / RANKS), "other")
    table, metadata = content_of(other / RANKS)
    texts = with_column(table, "rank", ["1"] * len(table), pa.string())
    write_ranks_as_scored(other, parquet(texts, metadata))
    assert problems(entry, "--entries", other.parent) == []
