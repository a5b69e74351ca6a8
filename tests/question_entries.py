"""Entries whose ranks are given row by row, for tests of the pages of questions."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rank_tables import rank_table

from harness.ranks import ranks_as_bytes
from submissions.entry import ranks_path
from submissions.manifest import Manifest, MethodPart, ModelPart, RunPart, write_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rank_tables import Row


def write_ranked(
    root: Path,
    entry: str,
    rows: Mapping[str, Sequence[Row]],
    sizes: Mapping[str, Mapping[str, int]],
    name: str | None = None,
) -> None:
    """An entry with the rows of each task.

    Args:
        root: Folder of entries.
        entry: Id of the entry.
        rows: By task.
        sizes: Pool sizes by setting, by task; the run is complete if it has rows in all of them.
        name: Name that people read, where it is not the id.
    """
    runs = {}
    for task, given in rows.items():
        asked = {setting: size for setting, size in sizes[task].items() if setting in _of(given)}
        content = ranks_as_bytes(rank_table(given, asked, task))
        path = ranks_path(root / entry, task)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        runs[task] = RunPart(
            command="babelboard score x",
            complete=set(asked) == set(sizes[task]),
            settings=len(asked),
            ranks=hashlib.sha256(content).hexdigest(),
            data={},
            versions={},
            hardware={},
        )
    manifest = Manifest(
        schema_version=1,
        id=entry,
        name=name or entry,
        model=ModelPart(kind="dense", name=entry),
        method=MethodPart(),
        runs=runs,
    )
    write_manifest(root / entry / "submission.toml", manifest)


def _of(rows: Sequence[Row]) -> set[str]:
    return {row[0] for row in rows}
