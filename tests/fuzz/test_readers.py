"""Readers of what others send: whatever comes is taken, or refused with an error of ours."""

from __future__ import annotations

import io
import json
import string
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.ranks import METADATA_KEY
from tests.fuzz.readers import CORPUS, READERS, is_taken
from tests.fuzz.seeds import seeds

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

MOST_KEPT = 300_000
# What the formats are made of, and what numbers, names and encodings go wrong with.
TOKENS = (
    *(b'"', b"'", b"[", b"]", b"{", b"}", b"=", b",", b":", b"\t", b"\n", b"\r\n", b"#", b"\\"),
    *(b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\ud800", b"\\u0000", "\u202e".encode()),
    *(b"nan", b"inf", b"-0", b"1e999", b"9" * 5000, b"1_0", b"0x1", b"-1", b"null", b"true"),
    *(b"[" * 3000, b"{x=" * 400, b"a." * 400, b"..", b"/", b"=1+1", b"\x1f\x8b", b"PAR1"),
)


@st.composite
def spoilt(draw: DrawFn, seed: bytes) -> bytes:
    """A seed with pieces of it replaced, repeated, cut out or put elsewhere."""
    content = bytearray(seed)
    place = st.integers(0, max(len(seed), 1))
    piece = st.one_of(
        st.sampled_from(TOKENS),
        st.binary(max_size=8),
        st.builds(lambda start, size: seed[start : start + size], place, st.integers(0, 64)),
    )
    for _ in range(draw(st.integers(1, 4))):
        start = draw(place)
        content[start : start + draw(st.sampled_from((0, 1, 2, 8, 64, 4096)))] = draw(piece)
    return bytes(content)


def inputs(reader: str) -> SearchStrategy[bytes]:
    kept = [path.read_bytes() for path in sorted((CORPUS / reader).iterdir())]
    return st.one_of(st.binary(max_size=200), *(spoilt(seed) for seed in kept[:20]))


@pytest.mark.parametrize("reader", READERS)
def test_whatever_comes_is_taken_or_refused(reader: str) -> None:
    with tempfile.TemporaryDirectory() as folder:

        @settings(max_examples=60, deadline=None)
        @given(inputs(reader))
        def check(content: bytes) -> None:
            is_taken(READERS[reader], content, Path(folder))

        check()


@pytest.mark.parametrize("reader", READERS)
def test_mutations_begin_from_what_is_taken(reader: str, tmp_path: Path) -> None:
    kept = [path.read_bytes() for path in sorted((CORPUS / reader).iterdir())]
    assert any(is_taken(READERS[reader], content, tmp_path) for content in kept)


def test_the_corpus_is_small_and_has_the_seeds() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(READERS) == set(seeds())
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < MOST_KEPT
    for reader, files in seeds().items():
        assert set(files) <= {path.name for path in (CORPUS / reader).iterdir()}


NAMES = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["clir/en-de", "d1"])
WHOLE = st.integers(-(2**31), 2**31 - 1) | st.integers(0, 5)


@st.composite
def rank_files(draw: DrawFn) -> bytes:
    """A Parquet file with a rank file's columns, each of some type, and some metadata."""
    rows = draw(st.integers(0, 6))
    columns = {}
    for name in ("setting", "query_language", "question_id", "document_id"):
        values = draw(st.lists(NAMES, min_size=rows, max_size=rows))
        kinds = (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))
        columns[name] = pa.array(values).cast(draw(st.sampled_from(kinds)))
    for name in ("relevance", "rank"):
        kind = draw(st.sampled_from((pa.int32(), pa.int64(), pa.float64(), pa.bool_())))
        empty = st.none() if draw(st.booleans()) else st.nothing()
        values = draw(st.lists(WHOLE | empty, min_size=rows, max_size=rows))
        columns[name] = pa.array(values, type=pa.int64()).cast(kind, safe=False)
    metadata = {
        "schema_version": 1,
        "task": draw(NAMES),
        "primary_measure": draw(st.sampled_from(("AP", "RR@10", "", "AP@0", "nonsense"))),
        "measures": draw(st.lists(st.sampled_from(("AP", "RR@10", "R@1", "@")), max_size=3)),
        "pool_sizes": draw(st.dictionaries(NAMES, st.integers(-1, 10) | WHOLE, max_size=3)),
    }
    table, file = pa.table(columns), io.BytesIO()
    with pq.ParquetWriter(file, table.schema, store_schema=draw(st.booleans())) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({METADATA_KEY: json.dumps(metadata)})
    return file.getvalue()


@settings(max_examples=150, deadline=None)
@given(content=rank_files())
def test_a_parquet_file_of_any_columns_is_taken_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        is_taken(READERS["rank-files"], content, Path(folder))


WORDS = st.text(string.printable, max_size=12)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(WORDS, max_size=5), max_size=8))
def test_a_table_of_any_cells_is_taken_or_refused(rows: list[list[str]]) -> None:
    lines = ["question_id,setting,a,b", *(",".join(row) for row in rows)]
    with tempfile.TemporaryDirectory() as folder:
        is_taken(READERS["score-csvs"], "\n".join(lines).encode(), Path(folder))
