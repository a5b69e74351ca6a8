"""The run file of an entry: the first documents of each ranking, for reranking and fusion.

Larger than the ranks, and not needed for any measure, so it is kept only where it is asked for.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field, ValidationError

from harness.parquet_caps import RUNS, THRIFT_LIMITS, check_parquet
from harness.ranks import Column
from tasks.definition import describe
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.retrieval.layout import Layout
    from harness.retrieval.top_documents import TopDocuments

METADATA_KEY = "babelboard-runs"
NAMES = ("setting", "query_language", "question_id", "document_id")
SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.dictionary(pa.int32(), pa.string()), nullable=False) for name in NAMES),
        pa.field("score", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class RunTable:
    """The first documents that a system ranked, one row a document.

    Rows are sorted by setting (in the task's order), query language, question id, then best first.

    Attributes:
        task: Name of the task.
        depth: How many documents of each ranking were kept; a ranking may have fewer.
        setting: Setting of each row; its names are all the settings that were kept, also those in
            which nothing was retrieved.
        query_language: Language of each row's query.
        question: Question id of each row.
        document: Document id of each row.
        score: Score of each row, shape (rows,).
    """

    task: str
    depth: int
    setting: Column
    query_language: Column
    question: Column
    document: Column
    score: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.score)


def run_table(layout: Layout, tops: Mapping[str, TopDocuments], depth: int) -> RunTable:
    """The run table of rankings.

    Args:
        layout: The settings and their rows.
        tops: First documents by setting id.
        depth: How many of them are kept.
    """
    collection = layout.task.collection
    language_of = np.repeat(
        np.arange(len(layout.query_languages)),
        [len(collection.queries[code].texts) for code in layout.query_languages],
    )
    question_of = np.concatenate(
        [collection.queries[code].question for code in layout.query_languages]
    )
    parts = []
    for number, one in enumerate(layout.settings):
        top = tops[one.id].cut(depth)
        there = top.document >= 0
        query = np.repeat(top.query, there.sum(axis=1))
        # Questions ascend within a language, as their ids do.
        by = np.argsort(
            language_of[query] * len(collection.questions) + question_of[query], kind="stable"
        )
        parts.append(
            (
                np.full(len(query), number),
                language_of[query][by],
                question_of[query][by],
                top.document[there][by],
                top.score[there][by],
            )
        )
    setting, language, question, document, score = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    distinct, document = np.unique(document, return_inverse=True)
    return RunTable(
        task=layout.task.name,
        depth=depth,
        setting=Column(tuple(one.id for one in layout.settings), setting),
        query_language=Column(layout.query_languages, language),
        question=Column(collection.questions, question),
        document=Column(tuple(layout.document_names(distinct)), document),
        score=score,
    )


def runs_as_bytes(table: RunTable) -> bytes:
    """The run file's content: Parquet, the same bytes for the same table."""
    columns = (table.setting, table.query_language, table.question, table.document)
    arrays = [
        pa.DictionaryArray.from_arrays(
            pa.array(column.codes, type=pa.int32()), pa.array(column.names, type=pa.string())
        )
        for column in columns
    ]
    content = pa.Table.from_arrays([*arrays, pa.array(table.score)], schema=SCHEMA)
    metadata = {
        "schema_version": 1,
        "task": table.task,
        "depth": table.depth,
        "settings": list(table.setting.names),
    }
    buffer = io.BytesIO()
    with pq.ParquetWriter(
        buffer, SCHEMA, compression="zstd", compression_level=9, use_dictionary=list(NAMES)
    ) as writer:
        writer.write_table(content)
        writer.add_key_value_metadata({METADATA_KEY: json.dumps(metadata)})
    return buffer.getvalue()


def read_runs(path: Path) -> RunTable:
    """Reads a run file.

    Raises:
        TooLargeError: If it takes more room than :data:`harness.parquet_caps.RUNS`.
        EntryError: If the file is missing, damaged, or not a run file of this version.
    """
    try:
        footer = check_parquet(path, RUNS)
        raw = (footer.metadata or {}).get(METADATA_KEY.encode())
        found = [footer.schema.column(place).path for place in range(footer.num_columns)]
        if raw is None or found != SCHEMA.names:
            raise EntryError(f"{path} is not a run file of babelboard.")
        metadata = _Metadata.model_validate_json(raw)
        coded = pq.ParquetFile(path, read_dictionary=list(NAMES), **THRIFT_LIMITS)
        read = coded.read()
        read.validate(full=True)  # a code beyond the names would be read from beyond their memory
        content = read.cast(SCHEMA).combine_chunks()
        columns = {name: _column(content[name]) for name in NAMES}
        score = content["score"].to_numpy()
    except FileNotFoundError:
        raise EntryError(
            f"There is no run file {path}. Score the task again with --keep-runs 100."
        ) from None
    except ValidationError as error:
        raise EntryError(describe(f"The metadata of {path}", error)) from error
    except (pa.ArrowException, OSError, ValueError) as error:  # a null is a ValueError
        raise EntryError(f"{path} cannot be read as Parquet: {error}") from error
    if not np.isfinite(score).all():
        raise EntryError(f"{path} holds scores that are not finite numbers.")
    return RunTable(
        task=metadata.task,
        depth=metadata.depth,
        setting=_among(path, metadata.settings, columns["setting"]),
        query_language=columns["query_language"],
        question=columns["question_id"],
        document=columns["document_id"],
        score=score,
    )


class _Metadata(BaseModel):
    schema_version: Literal[1]
    task: str
    depth: Annotated[int, Field(ge=1)]
    settings: tuple[str, ...]


def _column(values: pa.ChunkedArray) -> Column:
    merged = values.unify_dictionaries().combine_chunks()
    if isinstance(merged, pa.ChunkedArray):  # no rows: no chunks
        return Column((), np.zeros(0, dtype=np.int64))
    return Column(tuple(merged.dictionary.to_pylist()), np.asarray(merged.indices, dtype=np.int64))


def _among(path: Path, names: tuple[str, ...], column: Column) -> Column:
    """The same column, with names that it need not use."""
    if unknown := set(column.names) - set(names):
        raise EntryError(f"{path}: its metadata do not list the setting {min(unknown)!r}.")
    number = {name: place for place, name in enumerate(names)}
    place = np.array([number[name] for name in column.names], dtype=np.int64)
    return Column(names, place[column.codes])
