"""Headers of Parquet pages: sizes are the true ones, and no bytes lead the reader astray."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.parquet_caps import RANKS, check_parquet
from harness.parquet_pages import MalformedPageError, pages
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

TABLE = pa.table(
    {
        "text": [f"text {n % 7}" for n in range(5000)],
        "number": np.arange(5000),
        "maybe": [None if n % 3 else n for n in range(5000)],
    }
)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_sizes_add_up_to_those_of_the_footer(version: str, codec: str, *, dictionary: bool) -> None:
    file = io.BytesIO()
    pq.write_table(
        TABLE,
        file,
        data_page_version=version,
        compression=codec,
        use_dictionary=dictionary,
        data_page_size=1000,
        row_group_size=3000,
        write_statistics=True,
        write_page_index=True,
    )
    metadata = pq.read_metadata(file)
    for group in range(metadata.num_row_groups):
        for place in range(3):
            chunk = metadata.row_group(group).column(place)
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            found = list(pages(file, start, start + chunk.total_compressed_size))
            headers = chunk.total_compressed_size - sum(page.compressed for page in found)
            assert chunk.total_uncompressed_size == headers + sum(p.uncompressed for p in found)
            assert len(found) > 1
            assert {page.encoding for page in found} <= {"PLAIN", "RLE_DICTIONARY"}


# By hand, in Thrift's compact protocol: type of the page 0, 10 bytes, 4 of them compressed, and a
# header of a data page with 1 value in PLAIN.
HEADER = bytes((0x15, 0, 0x15, 20, 0x15, 8, 0x2C, 0x15, 2, 0x15, 0, 0, 0))


def read(content: bytes) -> list[tuple[int, int, str]]:
    found = pages(io.BytesIO(content), 0, len(content))
    return [(page.compressed, page.uncompressed, page.encoding) for page in found]


def test_a_header_by_hand() -> None:
    assert read((HEADER + b"data") * 2) == [(4, 10, "PLAIN")] * 2


def test_fields_of_every_kind_are_passed_over() -> None:
    # After the 8 of the last field, with its number in full: true, a byte, a double, bytes, a list
    # of two numbers, a list of bools, a list of 16 bytes, and a struct.
    more = bytes((0x11, 0x13, 7, 0x17, *bytes(8), 0x18, 2, 1, 2, 0x19, 0x25, 2, 4))
    more += bytes((0x19, 0x21, 1, 2, 0x19, 0xF3, 16, *bytes(16), 0x0C, 80, 0x00))
    assert read(HEADER[:-1] + more + b"\0" + b"data") == [(4, 10, "PLAIN")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", None),
        (HEADER[:5], "does not end"),
        (HEADER + b"dat", "beyond the end"),
        (b"\0", "how large"),
        (bytes((0x25, 19, 0x15, 8, 0)), "negative"),
        (bytes((0x25, 20, 0x15, 7, 0)), "negative"),
        (bytes((0x25, 20, 0x15, 0, 0)), "neither"),
        (bytes((0x1D,)), "no header has"),
        (bytes((0x18, 0xFF, 0xFF, 0xFF, 0x7F)), "does not end"),
        (bytes((0x15, *[0xFF] * 11)), "too long"),
        (bytes((0x1C,)) * 20, "nested"),
        (bytes((0x19, 0x1C)) + bytes((0x19, 0x1C)) * 20, "nested"),
    ],
)
def test_what_is_no_header_is_refused(content: bytes, said: str | None) -> None:
    if said is None:
        assert read(content) == []
    else:
        with pytest.raises(MalformedPageError, match=said):
            read(content)


def test_an_unknown_encoding_is_named_so() -> None:
    assert read(HEADER.replace(bytes((0x15, 0, 0, 0)), bytes((0x15, 98, 0, 0))) + b"data") == [
        (4, 10, "unknown")
    ]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        found = read(content)
    except MalformedPageError:
        return
    assert sum(compressed for compressed, _, _ in found) <= len(content)


def test_a_folder_is_no_parquet_file(tmp_path: Path) -> None:
    with pytest.raises(EntryError, match="not a plain file"):
        check_parquet(tmp_path, RANKS)


def test_a_chunk_must_have_a_value_a_row(tmp_path: Path) -> None:
    lists = pa.table({"a": [[1, 2], [3]]})
    pq.write_table(lists, tmp_path / "x.parquet")
    with pytest.raises(EntryError, match=r"has 2 rows, its column 0 3 values"):
        check_parquet(tmp_path / "x.parquet", RANKS)
