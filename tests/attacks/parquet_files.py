"""Parquet files that another program than babelboard's wrote, with intent."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.ranks import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path


def content_of(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """The columns and the metadata of a rank file."""
    file = pq.ParquetFile(path)
    table = file.read().replace_schema_metadata(None)
    return table, json.loads(file.metadata.metadata[b"babelboard"])


def parquet(
    table: pa.Table,
    metadata: dict[str, Any] | str | None,
    more: dict[str, str] | None = None,
    group: int | None = None,
    **how: Any,
) -> bytes:
    """A file with these columns and metadata; ``how`` goes to pyarrow's writer."""
    buffer = io.BytesIO()
    settings = {"store_schema": False, "compression": "zstd", **how}
    with pq.ParquetWriter(buffer, table.schema, **settings) as writer:
        writer.write_table(table, row_group_size=group)
        if metadata is not None:
            text = metadata if isinstance(metadata, str) else json.dumps(metadata)
            writer.add_key_value_metadata({"babelboard": text})
        if more:
            writer.add_key_value_metadata(more)
    return buffer.getvalue()


def with_column(
    table: pa.Table, name: str, values: Any, kind: pa.DataType | None = None
) -> pa.Table:
    """The table with other values in a column."""
    place = table.schema.get_field_index(name)
    field = SCHEMA.field(name)
    array = pa.array(values, type=kind or field.type)
    return table.set_column(place, pa.field(name, array.type, field.nullable), array)
