"""Attacks by Parquet: files that poison, explode or lie, and ranks that nobody can have got."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from honest_entry import RANKS, write_ranks_as_scored
from parquet_files import content_of, parquet, with_column

from harness import parquet_caps
from harness.parquet_caps import ParquetCaps, check_parquet
from harness.ranks import Column, RankTable, ranks_as_bytes, read_ranks
from tasks.errors import EntryError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Checks

    Make = Callable[[pa.Table, dict[str, Any]], bytes]

PICKLED = {"pandas": pickle.dumps({"index": 1}, 0).decode("latin-1")}


def patched(content: bytes, before: bytes, after: bytes) -> bytes:
    """A file with other bytes of the same number in its footer."""
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    assert before in content[start:]
    assert len(before) == len(after)
    return content[:start] + content[start:].replace(before, after)


POISONED: dict[str, tuple[str, Make]] = {
    # pandas would unpickle what its metadata hold, if they were read.
    "pandas-metadata": ("E042", lambda t, m: parquet(t, m, PICKLED)),
    "arrow-schema": ("E040", lambda t, m: parquet(t, m, {"ARROW:schema": "AAAA"})),
    "arrow-schema-of-an-extension": ("E042", lambda t, m: parquet(t, m, store_schema=True)),
    "metadata-of-somebody": ("E042", lambda t, m: parquet(t, m, {"owner": "<script>"})),
    "metadata-with-more": ("E042", lambda t, m: parquet(t, m | {"score": 1})),
    "metadata-nested": (
        "E042",
        lambda t, m: parquet(t, json.dumps(m)[:-1] + ', "x": ' + "[" * 9000 + "]" * 9000 + "}"),
    ),
    "metadata-are-no-json": ("E042", lambda t, _: parquet(t, "{")),
    "metadata-are-gone": ("E042", lambda t, _: parquet(t, None)),
    "metadata-of-a-megabyte": ("E041", lambda t, m: parquet(t, m, {"x": "y" * 2**20})),
    "other-tie-rule": ("E042", lambda t, m: parquet(t, m | {"tie_rule": "mine first"})),
    "pool-of-nothing": ("E042", lambda t, m: parquet(t, m | {"pool_sizes": {"moir/de-de": 0}})),
    "pool-size-is-text": ("E042", lambda t, m: parquet(t, m | {"pool_sizes": {"moir/de-de": "<"}})),
    "no-pool-sizes": ("E042", lambda t, m: parquet(t, m | {"pool_sizes": {}})),
    # Columns that are not ours.
    "columns-missing": ("E042", lambda t, m: parquet(t.drop_columns(["rank"]), m)),
    "columns-more": ("E042", lambda t, m: parquet(t.append_column("x", t["rank"]), m)),
    "columns-thousands": (
        "E041",
        lambda _, m: parquet(pa.table({f"c{n}": pa.array([1]) for n in range(2000)}), m),
    ),
    "columns-renamed": ("E042", lambda t, m: parquet(t.rename_columns([*"abcdef"]), m)),
    "rank-as-float": (
        "E042",
        lambda t, m: parquet(with_column(t, "rank", [0.5] * len(t), pa.float64()), m),
    ),
    "rank-as-text": (
        "E042",
        lambda t, m: parquet(with_column(t, "rank", ["1"] * len(t), pa.string()), m),
    ),
    "rank-not-a-number": (
        "E042",
        lambda t, m: parquet(with_column(t, "rank", [float("nan")] * len(t), pa.float64()), m),
    ),
    "rank-negative": (
        "E042",
        lambda t, m: parquet(with_column(t, "rank", [-1] * len(t), pa.int32()), m),
    ),
    "rank-of-64-bits": (
        "E042",
        lambda t, m: parquet(with_column(t, "rank", t["rank"].cast(pa.uint64()), pa.uint64()), m),
    ),
    "id-as-bytes": (
        "E042",
        lambda t, m: parquet(with_column(t, "question_id", [b"\xff"] * len(t), pa.binary()), m),
    ),
    "id-as-list": (
        "E042",
        lambda t, m: parquet(
            with_column(t, "question_id", [["a"]] * len(t), pa.list_(pa.string())), m
        ),
    ),
    "id-not-utf-8": (
        "E040",
        lambda t, m: parquet(
            with_column(
                t,
                "question_id",
                pa.array([b"\xff\xfe"] * len(t), pa.binary()).view(pa.string()),
            ),
            m,
        ),
    ),
    # Not Parquet at all.
    "pickle": ("E040", lambda *_: pickle.dumps([1])),
    "page": ("E040", lambda *_: b"<html><script>alert(1)</script></html>"),
    "nothing": ("E040", lambda *_: b""),
    "half": ("E040", lambda t, m: parquet(t, m)[:-1000]),
    "footer-longer-than-the-file": (
        "E040",
        lambda t, m: parquet(t, m)[:-8] + b"\xff\xff\xff\x7fPAR1",
    ),
    "footer-of-zeros": ("E040", lambda t, m: parquet(t, m)[:-1000] + bytes(992) + b"\0\2\0\0PAR1"),
    # Bombs.
    "row-groups": ("E041", lambda t, m: parquet(t.slice(0, 1000), m, group=1)),
    "footer-of-many-groups": ("E041", lambda t, m: parquet(t.slice(0, 9000), m, group=1)),
}


@pytest.mark.parametrize("attack", POISONED)
def test_a_file_that_is_poisoned_is_an_error(entry: Path, problems: Checks, attack: str) -> None:
    code, make = POISONED[attack]
    write_ranks_as_scored(entry, make(*content_of(entry / RANKS)))
    found = {one["code"] for one in problems(entry) if one["path"] == RANKS}
    assert code in found
    assert code != "E040" or found == {"E040"}


def test_a_dictionary_bomb_stays_small(entry: Path, problems: Checks) -> None:
    """A megabyte once in a dictionary, named by every row: 27 GB if it were written out."""
    table, metadata = content_of(entry / RANKS)
    bomb = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(len(table), dtype=np.int32)), pa.array(["x" * 2**20])
    )
    place = table.schema.get_field_index("question_id")
    coded = table.set_column(place, pa.field("question_id", bomb.type, nullable=False), bomb)
    content = parquet(coded, metadata, dictionary_pagesize_limit=2**22)
    assert len(content) < 2**20
    write_ranks_as_scored(entry, content)
    before = pa.total_allocated_bytes()
    with pytest.raises(EntryError, match="of 1,048,576 characters"):
        read_ranks(entry / RANKS)
    assert pa.total_allocated_bytes() - before < 2**26
    assert "E042" in {one["code"] for one in problems(entry)}


def test_a_page_of_zeros_is_not_unpacked(entry: Path) -> None:
    """300 MB of one letter in a few kilobytes; the footer says as much as the page."""
    rows = 3000
    table, metadata = content_of(entry / RANKS)
    short = table.slice(0, rows)
    bomb = with_column(short, "document_id", ["x" * 100_000] * rows)
    content = parquet(bomb, metadata, use_dictionary=False, data_page_size=2**30)
    assert len(content) < 2**20
    write_ranks_as_scored(entry, content)
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="bytes in a page"):
        check_parquet(entry / RANKS, ParquetCaps(file=2**28, rows=10**7, memory=2**30, page=2**27))
    with pytest.raises(TooLargeError, match="bytes once decompressed"):
        check_parquet(entry / RANKS, ParquetCaps(file=2**28, rows=10**7, memory=2**27, page=2**30))
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_an_encoding_that_grows_without_bound_is_not_read(entry: Path, problems: Checks) -> None:
    table, metadata = content_of(entry / RANKS)
    content = parquet(
        table,
        metadata,
        use_dictionary=False,
        column_encoding={"document_id": "DELTA_BYTE_ARRAY"},
    )
    write_ranks_as_scored(entry, content)
    (one,) = (one for one in problems(entry) if one["path"] == RANKS)
    assert "DELTA_BYTE_ARRAY" in one["found"]


@pytest.mark.parametrize(
    ("caps", "what"),
    [
        ({"file": 100}, "bytes"),
        ({"rows": 100}, "rows"),
        ({"footer": 100}, "bytes of its footer"),
        ({"columns": 3}, "columns"),
        ({"row_groups": 0}, "row groups"),
        ({"page": 1000}, "bytes in a page"),
        ({"memory": 1000}, "bytes once decompressed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_cap_holds(entry: Path, caps: dict[str, int], what: str) -> None:
    check_parquet(entry / RANKS, parquet_caps.RANKS)
    with pytest.raises(TooLargeError, match=f"has [0-9,]+ {what}; [0-9,]+ are the most"):
        check_parquet(entry / RANKS, replace(parquet_caps.RANKS, **caps))


def test_statistics_that_lie_change_nothing(entry: Path, problems: Checks) -> None:
    table, metadata = content_of(entry / RANKS)
    longest = max(table["document_id"].to_pylist()).encode()
    content = parquet(table, metadata, use_dictionary=False, compression="none")
    lying = patched(content, longest, b"aa" + longest[2:])
    write_ranks_as_scored(entry, lying)
    assert lying != content
    assert problems(entry) == []


# Ranks that are well-formed and wrong.


def ranks(change: Callable[[RankTable, np.ndarray[Any, Any]], object]) -> Any:
    def do(table: RankTable) -> RankTable:
        rank = table.rank.copy()
        change(table, rank)
        return replace(table, rank=rank)

    return do


def column(name: str, change: Callable[[str], str]) -> Any:
    def do(table: RankTable) -> RankTable:
        old: Column = getattr(table, name)
        return replace(table, **{name: Column(tuple(change(n) for n in old.names), old.codes)})

    return do


def rows(keep: Callable[[RankTable], Any]) -> Any:
    """Only some rows, in some order."""

    def do(table: RankTable) -> RankTable:
        kept = keep(table)
        columns = {
            name: Column(getattr(table, name).names, getattr(table, name).codes[kept])
            for name in ("setting", "query_language", "question", "document")
        }
        return replace(table, relevance=table.relevance[kept], rank=table.rank[kept], **columns)

    return do


def setting_is(table: RankTable, setting: str) -> Any:
    return table.setting.codes == table.setting.names.index(setting)


def sizes(**changes: int) -> Any:
    renamed = {name.replace("_", "/", 1).replace("_", "-"): n for name, n in changes.items()}
    return lambda table: replace(table, pool_sizes={**table.pool_sizes, **renamed})


IMPOSSIBLE: dict[str, tuple[str, Any]] = {
    "beyond-the-pool": ("E051", ranks(lambda _, rank: rank.__setitem__(0, 199))),
    "far-beyond": ("E051", ranks(lambda _, rank: rank.__setitem__(0, 2**32 - 1))),
    # Every relevant document first: an average precision above 1.
    "all-first": ("E051", ranks(lambda _, rank: rank.fill(1))),
    "a-row-twice": ("E050", rows(lambda t: [0, *range(len(t))])),
    "out-of-order": ("E050", rows(lambda t: [1, 0, *range(2, len(t))])),
    "unknown-question": ("E046", column("question", lambda n: n.replace("5", "5x", 1))),
    "unknown-document": ("E048", column("document", lambda n: f"{n}x")),
    "document-that-nobody-judged": (
        "E048",
        lambda t: replace(
            t,
            document=Column(
                t.document.names, np.concatenate([t.document.codes[1:2], t.document.codes[1:]])
            ),
        ),
    ),
    "document-of-another-language": (
        "E053",
        column("document", lambda n: n.replace("ar_", "aa_", 1)),
    ),
    "query-of-another-language": (
        "E053",
        column("query_language", lambda n: n.replace("ar", "aa")),
    ),
    "question-left-out": (
        "E047",
        rows(lambda t: np.flatnonzero(t.question.codes != t.question.codes[0])),
    ),
    "hard-document-left-out": (
        "E054",
        rows(
            lambda t: np.delete(np.arange(len(t)), np.flatnonzero(setting_is(t, "mlir/de-xx"))[1])
        ),
    ),
    "judgment-raised": ("E049", lambda t: replace(t, relevance=t.relevance + 1)),
    "judgment-beyond-all": ("E049", lambda t: replace(t, relevance=t.relevance + 10**6)),
    "judgment-negative": ("E049", lambda t: replace(t, relevance=-t.relevance)),
    "setting-left-out": (
        "E045",
        rows(lambda t: np.flatnonzero(~setting_is(t, "clir/ar-de"))),
    ),
    "setting-made-up": ("E044", sizes(clir_xx_yy=5)),
    "pool-made-smaller": ("E052", sizes(moir_de_de=197)),
    "pool-made-larger": ("E052", sizes(mlir_de_xx=10**6)),
    "measure-that-flatters": (
        "E043",
        lambda t: replace(t, primary_measure="R@100", measures=("R@100",)),
    ),
    "measure-that-is-none": ("E043", lambda t: replace(t, measures=("<script>", "AP"))),
    "setting-that-is-a-script": (
        "E044",
        lambda t: replace(
            t,
            pool_sizes={
                ("<script>" if n == "moir/ar-ar" else n): s for n, s in t.pool_sizes.items()
            },
            setting=Column(
                tuple("<script>" if n == "moir/ar-ar" else n for n in t.setting.names),
                t.setting.codes,
            ),
        ),
    ),
    "ranks-of-another-task": ("E043", lambda t: replace(t, task="xquad-r")),
}


@pytest.mark.parametrize("attack", IMPOSSIBLE)
def test_ranks_that_nobody_can_have_got_are_an_error(
    entry: Path, problems: Checks, attack: str
) -> None:
    code, change = IMPOSSIBLE[attack]
    write_ranks_as_scored(entry, ranks_as_bytes(change(read_ranks(entry / RANKS))))
    found = [one for one in problems(entry) if one["path"] == RANKS]
    assert code in {one["code"] for one in found}
    (first, *_) = (one for one in found if one["code"] == code)
    if code in ("E046", "E048", "E049", "E050", "E051", "E053"):
        assert isinstance(first["row"], int)


@pytest.mark.parametrize("attack", ["beyond-the-pool", "all-first", "a-row-twice"])
def test_ranks_that_cannot_be_are_not_read_by_the_site(entry: Path, attack: str) -> None:
    table = IMPOSSIBLE[attack][1](read_ranks(entry / RANKS))
    write_ranks_as_scored(entry, ranks_as_bytes(table))
    with pytest.raises(EntryError, match=r"row [0-9]+ (has rank|is out of order)"):
        read_ranks(entry / RANKS)


def test_of_many_problems_of_a_kind_some_are_listed(entry: Path, babelboard: Any) -> None:
    table = IMPOSSIBLE["all-first"][1](read_ranks(entry / RANKS))
    write_ranks_as_scored(entry, ranks_as_bytes(table))
    done = babelboard("submit", "check", entry, "--json")
    (found,) = json.loads(done.stdout)["entries"]
    listed = sum(one["code"] == "E051" for one in found["problems"])
    (more,) = found["not_listed"]
    assert listed == 20
    assert found["errors"] >= listed + more["count"] > 1000
    shown = babelboard("submit", "check", entry)
    assert f"... and {more['count']:,} more" in shown.stdout
    assert shown.returncode == 1


def test_a_name_that_is_twice_in_a_dictionary_is_one_name(entry: Path) -> None:
    table, metadata = content_of(entry / RANKS)
    names = table["question_id"].combine_chunks().dictionary_encode()
    twice = pa.concat_arrays([names.dictionary, names.dictionary])
    codes = names.indices.to_numpy() + len(names.dictionary) * (np.arange(len(names)) % 2)
    coded = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), twice)
    place = table.schema.get_field_index("question_id")
    table = table.set_column(place, pa.field("question_id", coded.type, nullable=False), coded)
    kept = read_ranks(entry / RANKS).question
    write_ranks_as_scored(entry, parquet(table, metadata))
    found = read_ranks(entry / RANKS).question
    assert found.names == kept.names
    assert (found.codes == kept.codes).all()
