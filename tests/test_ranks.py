"""The rank file: the same table gives the same bytes, and whatever is no rank file is refused."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.ranks import SCHEMA, Column, RankTable, ranks_as_bytes, read_ranks, write_ranks
from tasks.errors import EntryError

COMMITTED = Path(__file__).parents[1] / "submissions" / "entries" / "bm25" / "ranks"

Row = tuple[str, str, str, str, int, int]
"""Setting, query language, question, document, relevance, rank (0: not retrieved)."""

ROWS: list[Row] = [
    ("moir/de-de", "de", "q1", "d1", 1, 3),
    ("moir/de-de", "de", "q1", "d2", 0, 1),
    ("moir/de-de", "de", "q2", "d1", 2, 0),
    ("mlir/xx-xx", "de", "q1", "d1", 1, 7),
    ("mlir/xx-xx", "de", "q1", "ü中", 1, 8),
    ("mlir/xx-xx", "en", "q1", "d1", 1, 2),
]
POOL_SIZES = {"moir/de-de": 4, "mlir/xx-xx": 9}


def column(values: list[str], names: tuple[str, ...] | None = None) -> Column:
    names = names or tuple(dict.fromkeys(values))
    return Column(names, np.array([names.index(value) for value in values], dtype=np.int64))


def make_table(rows: list[Row], pool_sizes: dict[str, int]) -> RankTable:
    columns = [list(values) for values in zip(*rows, strict=True)] or [[]] * 6
    return RankTable(
        task="pocket",
        pool_sizes=pool_sizes,
        setting=column(columns[0], tuple(pool_sizes)),
        query_language=column(columns[1]),
        question=column(columns[2]),
        document=column(columns[3]),
        relevance=np.array(columns[4], dtype=np.int64),
        rank=np.array(columns[5], dtype=np.int64),
        primary_measure="RR@10",
        measures=("RR@10", "AP"),
    )


def rows_of(table: RankTable) -> list[Row]:
    columns = (table.setting, table.query_language, table.question, table.document)
    named = [[c.names[code] for code in c.codes] for c in columns]
    return list(zip(*named, table.relevance.tolist(), table.rank.tolist(), strict=True))


@st.composite
def tables(draw: st.DrawFn) -> RankTable:
    pool_sizes = draw(
        st.dictionaries(
            st.sampled_from(["moir/de-de", "clir/de-en", "mlir/en-xx", "mlir/xx-xx"]),
            st.integers(1, 2**32 - 1),
            min_size=1,
        )
    )
    order = list(pool_sizes)
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
    keys = st.tuples(st.sampled_from(order), st.sampled_from(["de", "en"]), text, text)
    rows: list[Row] = []
    given: set[tuple[object, ...]] = set()
    for key in sorted(draw(st.sets(keys)), key=lambda key: (order.index(key[0]), *key[1:])):
        rank = draw(st.one_of(st.just(0), st.integers(1, pool_sizes[key[0]])))
        if (*key[:3], rank) in given:  # a rank is given once in a ranking
            rank = 0
        given.add((*key[:3], rank))
        rows.append((*key, draw(st.integers(-(2**31), 2**31 - 1)), rank))
    return make_table(rows, pool_sizes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ranks" / "pocket.parquet"


@given(tables())
@settings(deadline=None)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, table: RankTable
) -> None:
    path = tmp_path_factory.mktemp("ranks") / "pocket.parquet"
    write_ranks(path, table)
    found = read_ranks(path)
    assert rows_of(found) == rows_of(table)
    assert list(found.pool_sizes.items()) == list(table.pool_sizes.items())
    assert (found.task, found.primary_measure) == (table.task, table.primary_measure)
    assert found.measures == table.measures
    assert len(found) == len(table)
    # And the same bytes go out again.
    assert ranks_as_bytes(found) == path.read_bytes()


def test_the_same_rows_give_the_same_bytes_however_names_are_numbered() -> None:
    table = make_table(ROWS, POOL_SIZES)
    names = (*reversed(table.document.names), "never used")
    document = column([table.document.names[code] for code in table.document.codes], names)
    assert ranks_as_bytes(replace(table, document=document)) == ranks_as_bytes(table)


def test_a_rank_file_can_be_read_without_babelboard(path: Path) -> None:
    write_ranks(path, make_table(ROWS, POOL_SIZES))
    file = pq.ParquetFile(path)
    assert [(f.name, str(f.type), f.nullable) for f in file.schema_arrow] == [
        ("setting", "string", False),
        ("query_language", "string", False),
        ("question_id", "string", False),
        ("document_id", "string", False),
        ("relevance", "int32", False),
        ("rank", "uint32", True),
    ]
    assert json.loads(file.metadata.metadata[b"babelboard"]) == {
        "schema_version": 1,
        "task": "pocket",
        "tie_rule": "descending document id",
        "primary_measure": "RR@10",
        "measures": ["RR@10", "AP"],
        "pool_sizes": {"moir/de-de": 4, "mlir/xx-xx": 9},
    }
    assert file.metadata.num_row_groups == 1
    group = file.metadata.row_group(0)
    assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}
    # A document that was not retrieved has no rank.
    expected = [(*row[:5], row[5] or None) for row in ROWS]
    assert [tuple(row.values()) for row in file.read().to_pylist()] == expected


@pytest.mark.parametrize("task", ["pocket", "mlqa-r"])
def test_committed_ranks_are_sorted_and_lie_within_the_pool(task: str) -> None:
    table = read_ranks(COMMITTED / f"{task}.parquet")
    columns = (table.query_language, table.question, table.document)
    alphabetical = [np.argsort(np.argsort(np.array(c.names)))[c.codes] for c in columns]
    place = np.array([list(table.pool_sizes).index(name) for name in table.setting.names])
    keys = np.stack([place[table.setting.codes], *alphabetical])
    step = np.diff(keys, axis=1)
    first_change = np.argmax(step != 0, axis=0)
    assert (step[first_change, np.arange(step.shape[1])] > 0).all()
    sizes = np.array([table.pool_sizes[name] for name in table.setting.names])
    assert (table.rank >= 0).all()
    assert (table.rank <= sizes[table.setting.codes]).all()


# What is refused.


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(EntryError, match=r"There is no rank file .*pocket\.parquet"):
        read_ranks(path)


def test_a_folder_is_no_rank_file(tmp_path: Path) -> None:
    with pytest.raises(EntryError, match="cannot be read as Parquet"):
        read_ranks(tmp_path)


@pytest.mark.parametrize("content", [b"", b"setting,rank\nmoir/de-de,1\n", b"PAR1 ... PAR1"])
def test_a_file_that_is_not_parquet_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(EntryError, match="cannot be read as Parquet"):
        read_ranks(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(path: Path, share: float) -> None:
    write_ranks(path, make_table(ROWS, POOL_SIZES))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(EntryError, match="cannot be read as Parquet"):
        read_ranks(path)


def test_a_damaged_page_is_refused(path: Path) -> None:
    write_ranks(path, make_table(ROWS, POOL_SIZES))
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)
    path.write_bytes(content)
    with pytest.raises(EntryError, match="cannot be read as Parquet"):
        read_ranks(path)


def write_parquet(path: Path, content: pa.Table, metadata: str | bytes | None) -> None:
    """Writes a table as any program could, with babelboard's metadata if there are some."""
    path.parent.mkdir(exist_ok=True)
    with pq.ParquetWriter(path, content.schema) as writer:
        writer.write_table(content)
        if metadata is not None:
            writer.add_key_value_metadata({"babelboard": metadata})


def good_parts(**changes: Any) -> tuple[pa.Table, dict[str, Any]]:
    """The columns and the metadata of a good rank file, with changes to the metadata."""
    content = pa.Table.from_pylist(
        [dict(zip(SCHEMA.names, row, strict=True)) for row in ROWS], schema=SCHEMA
    )
    metadata = {
        "schema_version": 1,
        "task": "pocket",
        "tie_rule": "descending document id",
        "primary_measure": "AP",
        "measures": ["AP"],
        "pool_sizes": POOL_SIZES,
    }
    return content, metadata | changes


def with_column(content: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return content.set_column(content.schema.get_field_index(name), name, values)


def test_a_file_that_another_program_wrote_in_our_form_is_read(path: Path) -> None:
    content, metadata = good_parts()
    write_parquet(path, content, json.dumps(metadata))
    assert rows_of(read_ranks(path)) == ROWS


def test_a_parquet_file_without_our_metadata_is_refused(path: Path) -> None:
    write_parquet(path, good_parts()[0], None)
    with pytest.raises(EntryError, match="not a rank file: it needs the columns setting, query_"):
        read_ranks(path)


def test_a_parquet_file_with_other_columns_is_refused(path: Path) -> None:
    content, metadata = good_parts()
    write_parquet(path, content.drop_columns(["relevance"]), json.dumps(metadata))
    with pytest.raises(EntryError, match="not a rank file"):
        read_ranks(path)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_schema_version_is_refused(path: Path, version: object) -> None:
    content, metadata = good_parts(schema_version=version)
    write_parquet(path, content, json.dumps(metadata))
    with pytest.raises(EntryError, match="schema_version: Input should be 1"):
        read_ranks(path)


def test_a_setting_without_a_pool_size_is_refused(path: Path) -> None:
    content, metadata = good_parts(pool_sizes={"moir/de-de": 4})
    write_parquet(path, content, json.dumps(metadata))
    with pytest.raises(EntryError, match="no pool size is given for setting 'mlir/xx-xx'"):
        read_ranks(path)


def test_only_the_rank_may_be_empty(path: Path) -> None:
    content, metadata = good_parts()
    values = pa.array([None, *content["question_id"].to_pylist()[1:]])
    write_parquet(path, with_column(content, "question_id", values), json.dumps(metadata))
    with pytest.raises(EntryError, match="'question_id' must hold text in every row"):
        read_ranks(path)


@pytest.mark.parametrize(
    "metadata",
    [
        "{",
        b"\xff\xfe",
        "[]",
        "{}",
        json.dumps({"schema_version": 1}),
        json.dumps(good_parts(pool_sizes=["moir/de-de"])[1]),
        json.dumps(good_parts(pool_sizes={"moir/de-de": "some", "mlir/xx-xx": "more"})[1]),
        json.dumps(good_parts(measures=None)[1]),
    ],
    ids=[
        "not JSON",
        "not UTF-8",
        "a list",
        "nothing in it",
        "keys missing",
        "pool sizes a list",
        "pool sizes not numbers",
        "no measures",
    ],
)
def test_broken_metadata_are_refused(path: Path, metadata: str | bytes) -> None:
    write_parquet(path, good_parts()[0], metadata)
    with pytest.raises(EntryError, match=r"pocket\.parquet"):
        read_ranks(path)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("rank", pa.array(["1"] * len(ROWS))),
        ("rank", pa.array([0.5] * len(ROWS))),
        ("rank", pa.array([-1] * len(ROWS))),
        ("relevance", pa.array([None] * len(ROWS), type=pa.int32())),
        ("question_id", pa.array([1] * len(ROWS))),
    ],
    ids=["rank a text", "rank a fraction", "rank negative", "no relevance", "id a number"],
)
def test_columns_of_another_type_are_refused(path: Path, name: str, values: pa.Array) -> None:
    content, metadata = good_parts()
    write_parquet(path, with_column(content, name, values), json.dumps(metadata))
    with pytest.raises(EntryError, match=name):
        read_ranks(path)


def test_a_rank_beyond_the_pool_is_refused(path: Path) -> None:
    content, metadata = good_parts(pool_sizes={"moir/de-de": 2, "mlir/xx-xx": 9})
    write_parquet(path, content, json.dumps(metadata))
    with pytest.raises(EntryError, match="moir/de-de"):
        read_ranks(path)


@pytest.mark.parametrize("order", [[0, 2, 1, 3, 4, 5], [0, 0, 1, 2, 3, 4]], ids=["order", "twice"])
def test_rows_that_are_out_of_order_or_there_twice_are_refused(
    path: Path, order: list[int]
) -> None:
    # A query whose rows do not stand together would count as two.
    content, metadata = good_parts()
    write_parquet(path, content.take(pa.array(order)), json.dumps(metadata))
    with pytest.raises(EntryError, match="row"):
        read_ranks(path)


# Writing.


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = make_table(ROWS, POOL_SIZES)
    write_ranks(path, old)

    def no_space(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        write_ranks(path, make_table(ROWS[:3], {"moir/de-de": 4}))
    with pytest.raises(OSError, match="No space left"):
        write_ranks(path.with_name("new.parquet"), old)
    assert rows_of(read_ranks(path)) == ROWS
    assert [found.name for found in path.parent.iterdir()] == ["pocket.parquet"]


def test_a_file_is_replaced_as_a_whole_and_all_may_read_it(path: Path) -> None:
    write_ranks(path, make_table(ROWS, POOL_SIZES))
    write_ranks(path, make_table(ROWS[:3], {"moir/de-de": 4}))
    assert rows_of(read_ranks(path)) == ROWS[:3]
    assert [found.name for found in path.parent.iterdir()] == ["pocket.parquet"]
    assert path.stat().st_mode & 0o777 == 0o644
