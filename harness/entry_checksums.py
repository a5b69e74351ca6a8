"""Holds a result file of an entry against the checksum that the entry's manifest has of it.

A folder with ranks and no manifest is no entry that was scored: there is nothing to hold it
against.
"""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING, Any

from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "submission.toml"
_MOST_BYTES = 2**18


def check_scored(folder: Path, task: str, part: str, path: Path) -> None:
    """Makes sure that a file is the one that was scored, before it is read.

    Args:
        folder: Of the entry.
        task: The task.
        part: Which of the task's checksums: ``ranks``, ``runs`` or ``shares``.
        path: The file.

    Raises:
        EntryError: If the file is another one, or the manifest cannot be read.
    """
    expected = _said(folder / MANIFEST, task, part)
    if expected is None:
        return
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        found = "no file"
    if found != expected:
        raise EntryError(
            f"{path} is not the file that was scored: {MANIFEST} says sha256 {expected}, found "
            f"{found}. Restore it, or score the task again."
        )


def _said(manifest: Path, task: str, part: str) -> Any:
    """The checksum of a manifest; None where there is no manifest, or it has none."""
    try:
        with manifest.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise EntryError(f"{manifest} has more than {_MOST_BYTES:,} bytes. Shorten it.")
        runs = tomllib.loads(content.decode()).get("runs")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError) as error:
        raise EntryError(
            f"{manifest} is damaged: {error}. Restore it, or score the entry again."
        ) from error
    if not isinstance(runs, dict) or not isinstance(run := runs.get(task, {}), dict):
        raise EntryError(f"{manifest} has no runs that can be read. Restore it.")
    return run.get(part)
