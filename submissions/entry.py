"""An entry: a folder with a manifest, and for each task the ranks and what follows from them.

::

    <id>/submission.toml          who answered, how, and with what
    <id>/ranks/<task>.parquet     the rank of every judged document: all else is computed from it
    <id>/scores/<task>.json       means per setting and class, for readers without Parquet
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.files import write_atomically
from harness.question_scores import summary
from harness.ranks import ranks_as_bytes, read_ranks
from submissions.manifest import (
    FILE_NAME,
    ID_PATTERN,
    Manifest,
    MethodPart,
    ModelPart,
    RunPart,
    read_manifest,
    write_manifest,
)
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.ranks import RankTable
    from harness.score import Scored


@dataclass(frozen=True, slots=True)
class Entry:
    """A system's folder.

    Attributes:
        folder: Where it is; its name is the entry's id.
        manifest: What it says of itself.
    """

    folder: Path
    manifest: Manifest

    def ranks(self, task: str) -> RankTable:
        """The ranks of a task that the entry has.

        Raises:
            EntryError: If the file is missing or is not the one that was scored.
        """
        path = ranks_path(self.folder, task)
        expected = self.manifest.runs[task].ranks
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
        if found != expected:
            raise EntryError(
                f"{path} is not the file that was scored: submission.toml says sha256 {expected}, "
                f"found {found}. Restore it, or score the task again."
            )
        return read_ranks(path)


@dataclass(frozen=True, slots=True)
class Submission:
    """What the submitter says of a system.

    Attributes:
        id: Id of the entry, also the name of its folder.
        name: Name that people read.
        method: How the model came about.
        command: What to type to get these ranks again.
    """

    id: str
    name: str
    method: MethodPart
    command: str


def ranks_path(folder: Path, task: str) -> Path:
    """Where an entry keeps the ranks of a task."""
    return folder / "ranks" / f"{task}.parquet"


def read_entry(folder: Path) -> Entry:
    """Reads an entry's manifest.

    Raises:
        EntryError: If the folder is no entry, or its name is not the entry's id.
    """
    manifest = read_manifest(folder / FILE_NAME)
    if manifest.id != folder.resolve().name:
        raise EntryError(
            f"{folder / FILE_NAME} has the id {manifest.id!r}; it must be the folder's name."
        )
    return Entry(folder, manifest)


def read_entries(root: Path) -> list[Entry]:
    """Every entry of a folder of entries, by id."""
    if not root.is_dir():
        raise EntryError(f"There is no folder of entries {root}.")
    return [read_entry(folder.parent) for folder in sorted(root.glob(f"*/{FILE_NAME}"))]


def check_can_write(root: Path, submission_id: str, task: str, *, complete: bool) -> None:
    """Refuses, before any work is done, to write what could not be written later.

    Raises:
        EntryError: If the id is not allowed, or a complete run would be lost for a partial one.
    """
    if not re.match(ID_PATTERN, submission_id):
        raise EntryError(
            f"{submission_id!r} cannot be an entry's id: it needs 1 to 64 of a-z 0-9 . _ - and "
            "begins with a letter or digit. Choose one with --entry."
        )
    folder = root / submission_id
    if (folder / FILE_NAME).is_file():
        run = read_entry(folder).manifest.runs.get(task)
        if run and run.complete and not complete:
            raise EntryError(
                f"{folder} has a complete run of {task}, which some settings alone would replace. "
                "Score all settings, or choose another id with --entry."
            )


def write_run(root: Path, submission: Submission, scored: Scored) -> Entry:
    """Writes a scored task into an entry, new or existing; the manifest comes last.

    Raises:
        EntryError: If the entry exists and was made by another model.
    """
    folder = root / submission.id
    model = ModelPart.model_validate(asdict(scored.model))
    runs: dict[str, RunPart] = {}
    if (folder / FILE_NAME).is_file():
        before = read_entry(folder).manifest
        if before.model != model:
            raise EntryError(
                f"{folder} was made by another model or with other settings of it. "
                "Choose another id with --entry, or remove the folder."
            )
        runs = dict(before.runs)
    task = scored.table.task
    ranks = ranks_as_bytes(scored.table)
    scores = json.dumps(summary(scored.table), indent=1) + "\n"
    runs[task] = RunPart(
        command=submission.command,
        complete=scored.complete,
        settings=len(scored.table.pool_sizes),
        ranks=hashlib.sha256(ranks).hexdigest(),
        data=dict(scored.data),
        versions=dict(scored.versions),
        hardware=dict(scored.hardware),
    )
    manifest = Manifest(
        schema_version=1,
        id=submission.id,
        name=submission.name,
        model=model,
        method=submission.method,
        runs=runs,
    )
    write_atomically(ranks_path(folder, task), ranks)
    write_atomically(folder / "scores" / f"{task}.json", scores.encode())
    write_manifest(folder / FILE_NAME, manifest)
    return Entry(folder, manifest)
