"""The rank file of an entry: what a system did with a task, one row a judged document.

Everything published is computed from these ranks, without running the model again.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.files import write_atomically
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

SCHEMA_VERSION = 1
TIE_RULE = "descending document id"
METADATA_KEY = "babelboard"

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
        EntryError: If the file is missing, damaged, or not a rank file of this version.
    """
    try:
        file = pq.ParquetFile(path)
        content = file.read()
    except FileNotFoundError:
        raise EntryError(f"There is no rank file {path}.") from None
    except (pa.ArrowException, OSError) as error:
        raise EntryError(f"{path} cannot be read as Parquet: {error}") from error
    metadata = _metadata(path, file)
    columns = {name: _column(path, content, name) for name in SCHEMA.names[:4]}
    pool_sizes = {str(k): int(v) for k, v in metadata["pool_sizes"].items()}
    if unknown := set(columns["setting"].names) - set(pool_sizes):
        raise EntryError(f"{path}: no pool size is given for setting {min(unknown)!r}.")
    return RankTable(
        task=str(metadata["task"]),
        pool_sizes=pool_sizes,
        setting=columns["setting"],
        query_language=columns["query_language"],
        question=columns["question_id"],
        document=columns["document_id"],
        relevance=_integers(content["relevance"]),
        rank=_integers(content["rank"].fill_null(0)),
        primary_measure=str(metadata["primary_measure"]),
        measures=tuple(str(name) for name in metadata["measures"]),
    )


def _strings(column: Column) -> pa.StringArray:
    return pa.array(column.names, type=pa.string()).take(pa.array(column.codes, type=pa.int64()))


def _metadata(path: Path, file: pq.ParquetFile) -> dict[str, Any]:
    raw = (file.metadata.metadata or {}).get(METADATA_KEY.encode())
    if raw is None or file.schema_arrow.names != SCHEMA.names:
        raise EntryError(
            f"{path} is not a rank file: it needs the columns {', '.join(SCHEMA.names)} "
            "and babelboard's metadata."
        )
    metadata: dict[str, Any] = json.loads(raw)
    if metadata.get("schema_version") != SCHEMA_VERSION:
        raise EntryError(
            f"{path} has schema_version {metadata.get('schema_version')}; "
            f"this babelboard reads {SCHEMA_VERSION}."
        )
    return metadata


def _column(path: Path, content: pa.Table, name: str) -> Column:
    encoded = content[name].combine_chunks().dictionary_encode()
    if encoded.null_count:
        raise EntryError(f"{path}: column {name!r} has empty cells; only 'rank' may be empty.")
    return Column(tuple(encoded.dictionary.to_pylist()), _integers(encoded.indices))


def _integers(values: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(values.to_numpy(), dtype=np.int64)
