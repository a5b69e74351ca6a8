"""How large a Parquet file of an entry may be, and become in memory: known before it is read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from harness.parquet_pages import (
    ColumnChunk,
    MalformedPageError,
    RowGroup,
    pages,
    row_groups,
)
from tasks.errors import EntryError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENCODINGS = frozenset(
    (
        "PLAIN",
        "PLAIN_DICTIONARY",
        "RLE",
        "RLE_DICTIONARY",
        "BIT_PACKED",
        "BYTE_STREAM_SPLIT",
    )
)
"""Of these a page grows no further than its header says, once dictionaries stay dictionaries; the
DELTA encodings build each value from the one before, and grow without bound."""
MAGIC = b"PAR1"
THRIFT_LIMITS: Mapping[str, int] = {
    "thrift_string_size_limit": 2**20,
    "thrift_container_size_limit": 2**16,
}


@dataclass(frozen=True, slots=True)
class ParquetCaps:
    """What a file may have at most.

    Attributes:
        file: Bytes of the file.
        footer: Bytes of its footer.
        rows: Rows.
        row_groups: Row groups.
        columns: Columns.
        memory: Bytes of all its pages once they are decompressed.
        page: Bytes of one of them.
    """

    file: int
    rows: int
    memory: int
    footer: int = 2**20
    row_groups: int = 256
    columns: int = 16
    page: int = 2**28


RANKS = ParquetCaps(file=2**28, rows=10**7, memory=2**30)
"""Of rank files. The largest task, all pairs of mMARCO, has 1.5 million rows."""
RUNS = ParquetCaps(file=2**30, rows=150 * 10**6, memory=2**32)
"""Of run files. All pairs of mMARCO to depth 100 have 137 million rows."""


def check_parquet(path: Path, caps: ParquetCaps) -> pq.FileMetaData:
    """Refuses a file that takes more room than it may, before its columns are read.

    Returns:
        What its footer says.

    Raises:
        FileNotFoundError: If there is no such file.
        TooLargeError: If it has too much of something.
        EntryError: If it cannot be read as Parquet.
    """
    # Opening a named pipe would wait for somebody to write into it.
    if not stat.S_ISREG(path.stat().st_mode):
        raise EntryError(f"{path} cannot be read as Parquet: it is not a plain file.")
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        _at_most(path, "bytes", status.st_size, caps.file)
        footer = _footer(path, file, status.st_size, caps)
        file.seek(0)
        try:
            metadata = pq.ParquetFile(file, **THRIFT_LIMITS).metadata
        except (pa.ArrowException, OSError, ValueError) as error:
            raise EntryError(f"{path} cannot be read as Parquet: {error}") from error
        try:
            groups = row_groups(footer)
        except MalformedPageError as error:
            raise EntryError(f"{path} cannot be read as Parquet: {error}.") from error
        _check_metadata(path, file, metadata, groups, caps)
        return metadata


def _footer(path: Path, file: BinaryIO, size: int, caps: ParquetCaps) -> bytes:
    if size < 12:
        raise EntryError(f"{path} cannot be read as Parquet: it has {size} bytes.")
    start = file.read(4)
    file.seek(size - 8)
    end = file.read(8)
    if start != MAGIC or end[4:] != MAGIC:
        raise EntryError(
            f"{path} cannot be read as Parquet: it does not begin and end with {MAGIC.decode()}."
        )
    footer = int.from_bytes(end[:4], "little")
    if footer > size - 12:
        raise EntryError(f"{path} cannot be read as Parquet: its footer is longer than the file.")
    _at_most(path, "bytes of its footer", footer, caps.footer)
    file.seek(size - 8 - footer)
    return file.read(footer)


def _check_metadata(
    path: Path,
    file: BinaryIO,
    metadata: pq.FileMetaData,
    groups: list[RowGroup],
    caps: ParquetCaps,
) -> None:
    _at_most(path, "rows", metadata.num_rows, caps.rows)
    _at_most(path, "row groups", len(groups), caps.row_groups)
    _at_most(path, "columns", metadata.num_columns, caps.columns)
    if sum(group.rows for group in groups) != metadata.num_rows:
        raise EntryError(f"{path} cannot be read as Parquet: its row groups are not all its rows.")
    names = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
    total = 0
    for number, group in enumerate(groups):
        if len(group.chunks) != len(names):
            raise EntryError(
                f"{path} cannot be read as Parquet: row group {number} has {len(group.chunks)} "
                f"columns, the schema {len(names)}."
            )
        for place, (name, chunk) in enumerate(zip(names, group.chunks, strict=True)):
            if chunk.values != group.rows:
                raise EntryError(
                    f"{path} cannot be read as Parquet: row group {number} has {group.rows} "
                    f"rows, its column {place} {chunk.values} values."
                )
            total = _check_chunk(path, file, (name, chunk), total, caps)


def _check_chunk(
    path: Path,
    file: BinaryIO,
    column: tuple[str, ColumnChunk],
    total: int,
    caps: ParquetCaps,
) -> int:
    """Adds the sizes of a column chunk's pages to those of the chunks before it."""
    name, chunk = column
    try:
        for page in pages(file, chunk.start, chunk.end):
            if page.encoding not in ENCODINGS:
                raise EntryError(
                    f"{path}: column {name!r} is in the encoding {page.encoding}, "
                    "which is not read, as it can grow without bound. Write the file with "
                    "babelboard, or with pyarrow's usual encodings."
                )
            _at_most(path, "bytes in a page", page.uncompressed, caps.page)
            total += page.uncompressed
            _at_most(path, "bytes once decompressed", total, caps.memory)
    except MalformedPageError as error:
        raise EntryError(f"{path} cannot be read as Parquet: {error}.") from error
    return total


def _at_most(path: Path, what: str, found: int, most: int) -> None:
    if found > most:
        raise TooLargeError(
            f"{path} has {found:,} {what}; {most:,} are the most that is read. A file that "
            "babelboard wrote has less: score the task again."
        )
