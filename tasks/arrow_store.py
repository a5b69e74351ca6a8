"""Arrow files in the user's cache: made once from a source, memory-mapped afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tasks.data_files import cache_folder
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FORMAT = 1
"""Part of every key: raised when a conversion changes what it writes."""

TEXTS = pa.schema([("id", pa.string()), ("text", pa.string())])


def store_key(**parts: Any) -> str:
    """A key that changes when anything does that the file depends on."""
    content = json.dumps({"format": FORMAT, **parts}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def stored(
    name: str, key: str, schema: pa.Schema, make: Callable[[], Iterable[pa.RecordBatch]]
) -> pa.Table:
    """The table of a name and key, memory-mapped; made first where it is not there.

    It is written beside its place and moved there when it is whole, so that a run that is stopped,
    or another at the same time, never leaves or meets half a file.

    Args:
        name: What it holds, for people who look into the cache.
        key: See :func:`store_key`.
        schema: Names and types of its columns.
        make: Gives its rows, batch by batch: memory holds one batch.

    Raises:
        DataFileError: If it cannot be written, or what ``make`` raises.
    """
    path = _path(name, key)
    table = _opened(path, schema)
    if table is None:
        _write(path, schema, make)
        table = _opened(path, schema)
    if table is None:
        raise DataFileError(f"{path} was written and cannot be read; is the disk full or damaged?")
    return table


def forget(name: str, key: str) -> None:
    """Removes the file of a name and key, if it is there."""
    _path(name, key).unlink(missing_ok=True)


def _path(name: str, key: str) -> Path:
    return cache_folder() / "corpora" / f"{name}-{key}.arrow"


def _opened(path: Path, schema: pa.Schema) -> pa.Table | None:
    """The table of a file; None where it is missing, not whole, or of another form."""
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowInvalid):
        return None
    return table if table.schema.equals(schema) else None


def _write(path: Path, schema: pa.Schema, make: Callable[[], Iterable[pa.RecordBatch]]) -> None:
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for batch in make():
                writer.write_batch(batch)
        temporary.replace(path)
    except OSError as error:
        raise DataFileError(
            f"{path} cannot be written: {error.strerror or error}.\n"
            "The cache needs about as much room as the texts."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
