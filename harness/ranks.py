"""The rank file of an entry: what a system did with a task, one row a judged document.

Everything published is computed from these ranks, without running the model again.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field, ValidationError

from harness.files import write_atomically
from harness.parquet_caps import RANKS, THRIFT_LIMITS, check_parquet
from harness.rank_faults import row_faults
from tasks.definition import describe
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

SCHEMA_VERSION = 1
TIE_RULE = "descending document id"
METADATA_KEY = "babelboard"
MOST_NAME = 512
"""Characters of the longest id."""

# Measured on XQuAD-R: document ids repeat in long sequences, one a document language, which zstd
# finds among plain strings but not among the bit-packed indices of a dictionary (0.23 against
# 0.62 MB); the bytes of a rank compress better apart.
DICTIONARIES = ["setting", "query_language", "question_id", "relevance"]
ENCODINGS = {"rank": "BYTE_STREAM_SPLIT"}

SCHEMA = pa.schema(
    [
        pa.field("setting", pa.string(), nullable=False),
        pa.field("query_language", pa.string(), nullable=False),
        pa.field("question_id", pa.string(), nullable=False),
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("relevance", pa.int32(), nullable=False),
        pa.field("rank", pa.uint32(), nullable=True),
    ]
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of names.

    Attributes:
        names: The distinct names.
        codes: Index in ``names`` for each row, shape (rows,).
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RankTable:
    """The ranks that one system gave to the judged documents of one task.

    Rows are sorted by setting (in the task's order), query language, question id, document id.

    Attributes:
        task: Name of the task.
        pool_sizes: Number of documents that are ranked in each setting, by setting id.
        setting: Setting of each row.
        query_language: Language of each row's query.
        question: Question id of each row.
        document: Document id of each row.
        relevance: Judgment of each row, shape (rows,).
        rank: Rank of each row from 1; 0 where the document was not retrieved, shape (rows,).
        primary_measure: The measure that the task is reported in.
        measures: Names of all the measures that the task is reported in.
    """

    task: str
    pool_sizes: Mapping[str, int]
    setting: Column
    query_language: Column
    question: Column
    document: Column
    relevance: NDArray[np.int64]
    rank: NDArray[np.int64]
    primary_measure: str = "AP"
    measures: tuple[str, ...] = field(default=("AP",))

    def __len__(self) -> int:
        return len(self.rank)


def ranks_as_bytes(table: RankTable) -> bytes:
    """The rank file's content: Parquet, the same bytes for the same table."""
    arrays = [
        _strings(table.setting),
        _strings(table.query_language),
        _strings(table.question),
        _strings(table.document),
        pa.array(table.relevance, type=pa.int32()),
        pa.array(table.rank, type=pa.uint32(), mask=table.rank == 0),
    ]
    metadata = {
        "schema_version": SCHEMA_VERSION,
        "task": table.task,
        "tie_rule": TIE_RULE,
        "primary_measure": table.primary_measure,
        "measures": list(table.measures),
        "pool_sizes": dict(table.pool_sizes),
    }
    buffer = io.BytesIO()
    with pq.ParquetWriter(
        buffer,
        SCHEMA,
        compression="zstd",
        compression_level=19,
        data_page_size=2**24,
        use_dictionary=DICTIONARIES,
        column_encoding=ENCODINGS,
        store_schema=False,  # a copy of the schema in Arrow's own form, which no reader needs
    ) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), row_group_size=2**24)
        writer.add_key_value_metadata({METADATA_KEY: json.dumps(metadata)})
    return buffer.getvalue()


def write_ranks(path: Path, table: RankTable) -> None:
    """Writes a rank file; either the whole file is there afterwards, or what was there before."""
    write_atomically(path, ranks_as_bytes(table))


def read_ranks(path: Path) -> RankTable:
    """Reads a rank file.

    Raises:
        TooLargeError: If it takes more room than :data:`harness.parquet_caps.RANKS`.
        EntryError: If the file is missing, damaged, not a rank file of this version, or a row of
            it cannot be.
    """
    table = read_unchecked_ranks(path)
    for fault in row_faults(table):
        raise EntryError(f"{path}: {fault.message}")
    return table


def read_unchecked_ranks(path: Path) -> RankTable:
    """Reads a rank file whose rows may have faults, see :func:`harness.rank_faults.row_faults`.

    Raises:
        TooLargeError: If it takes more room than :data:`harness.parquet_caps.RANKS`.
        EntryError: If the file is missing, damaged, or not a rank file of this version.
    """
    try:
        footer = check_parquet(path, RANKS)
        raw = (footer.metadata or {}).get(METADATA_KEY.encode())
        found = [footer.schema.column(place).path for place in range(footer.num_columns)]
        if raw is None or found != SCHEMA.names:
            raise EntryError(
                f"{path} is not a rank file: it needs the columns {', '.join(SCHEMA.names)} "
                "and babelboard's metadata."
            )
        metadata = _Metadata.model_validate_json(raw)
        # Names stay codes: written out, a name of a megabyte in every row would fill the memory.
        content = pq.ParquetFile(path, read_dictionary=SCHEMA.names[:4], **THRIFT_LIMITS).read()
        content.validate(full=True)  # a code beyond the names would lead out of their memory
        columns = {name: _column(path, content, name) for name in SCHEMA.names[:4]}
    except FileNotFoundError:
        raise EntryError(f"There is no rank file {path}.") from None
    except ValidationError as error:
        raise EntryError(describe(f"The metadata of {path}", error)) from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise EntryError(f"{path} cannot be read as Parquet: {error}") from error
    return RankTable(
        task=metadata.task,
        pool_sizes=metadata.pool_sizes,
        setting=columns["setting"],
        query_language=columns["query_language"],
        question=columns["question_id"],
        document=columns["document_id"],
        relevance=_integers(path, content, "relevance"),
        rank=_integers(path, content, "rank"),
        primary_measure=metadata.primary_measure,
        measures=metadata.measures,
    )


class _Metadata(BaseModel):
    schema_version: Literal[1]
    task: str
    primary_measure: str
    measures: tuple[str, ...]
    pool_sizes: dict[str, Annotated[int, Field(ge=1)]]


def _strings(column: Column) -> pa.StringArray:
    return pa.array(column.names, type=pa.string()).take(pa.array(column.codes, type=pa.int64()))


def _column(path: Path, content: pa.Table, name: str) -> Column:
    values = content[name]
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if not pa.types.is_string(kind) or values.null_count:
        raise EntryError(
            f"{path}: column {name!r} must hold text in every row, found {kind} with "
            f"{values.null_count} empty cells."
        )
    merged = values.unify_dictionaries().combine_chunks()
    if isinstance(merged, pa.ChunkedArray):  # no rows: no chunks
        return Column((), np.zeros(0, dtype=np.int64))
    return _column_of(path, name, merged)


def _column_of(path: Path, name: str, coded: pa.DictionaryArray) -> Column:
    """The names that occur, in the order in which they do, each once."""
    names = coded.dictionary.to_pylist()
    distinct = list(dict.fromkeys(names))
    if len(distinct) < len(names):
        place = {text: number for number, text in enumerate(distinct)}
        codes = np.array([place[text] for text in names], dtype=np.int64)[_as_numpy(coded.indices)]
    else:
        codes = _as_numpy(coded.indices)
    first = np.full(len(distinct), len(codes))
    first[codes[::-1]] = np.arange(len(codes))[::-1]  # the last that is written stays
    by = np.argsort(first)[: np.count_nonzero(first < len(codes))]
    order = np.empty(len(distinct), dtype=np.int64)
    order[by] = np.arange(len(by))
    used = tuple(distinct[number] for number in by.tolist())
    longest = max(used, key=len, default="")
    if len(longest) > MOST_NAME:
        raise EntryError(
            f"{path}: column {name!r} holds {longest[:40]!r}..., of {len(longest):,} characters; "
            f"{MOST_NAME} are the most. Give it a shorter name."
        )
    return Column(used, order[codes])


def _as_numpy(whole: pa.Array) -> NDArray[np.int64]:
    """Whole numbers without gaps; pyarrow's own way would import pandas where there is one."""
    return np.from_dlpack(whole).astype(np.int64)


def _integers(path: Path, content: pa.Table, name: str) -> NDArray[np.int64]:
    values = content[name]
    empty = values.null_count if name == "relevance" else 0
    if not pa.types.is_integer(values.type) or empty:
        raise EntryError(
            f"{path}: column {name!r} must hold whole numbers, found {values.type} with {empty} "
            "empty cells."
        )
    filled = _as_numpy(values.fill_null(0).combine_chunks())
    if name == "rank" and (filled < 0).any():
        raise EntryError(f"{path}: column 'rank' holds {filled.min()}; ranks begin at 1.")
    return filled
