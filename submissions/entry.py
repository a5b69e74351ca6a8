"""An entry: a folder with a manifest, and for each task the ranks and what follows from them.

::

    <id>/submission.toml          who answered, how, and with what
    <id>/ranks/<task>.parquet     the rank of every judged document: all else is computed from it
    <id>/scores/<task>.json       means per setting and class, for readers without Parquet
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.files import write_atomically
from harness.question_scores import summary
from harness.ranks import ranks_as_bytes, read_ranks
from submissions.manifest import (
    FILE_NAME,
    Manifest,
    MethodPart,
    ModelPart,
    RunPart,
    Submission,
    read_manifest,
    write_manifest,
)
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.models.description import ModelDescription
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


def check_can_write(root: Path, submission: Submission, task: str, *, complete: bool) -> None:
    """Refuses, before any work is done, to write what could not be written later.

    Raises:
        EntryError: If the folder cannot be written, or a complete run would be lost for a partial
            one.
    """
    folder = root / submission.id
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise EntryError(
            f"The entry {folder} cannot be written: {there} is not a folder that may be written. "
            "Name another with --entries."
        )
    if (folder / FILE_NAME).is_file():
        run = read_entry(folder).manifest.runs.get(task)
        if run and run.complete and not complete:
            raise EntryError(
                f"{folder} has a complete run of {task}, which some settings alone would replace. "
                "Score all settings, or choose another id with --entry."
            )


def check_same_model(root: Path, submission: Submission, model: ModelDescription) -> None:
    """Refuses to add another model's runs to an entry.

    Raises:
        EntryError: If the entry exists and was made by another model.
    """
    folder = root / submission.id
    if (folder / FILE_NAME).is_file() and read_entry(folder).manifest.model != _part(model):
        raise EntryError(
            f"{folder} was made by another model or with other settings of it. "
            "Choose another id with --entry, or remove the folder."
        )


def write_run(root: Path, submission: Submission, command: str, scored: Scored) -> Entry:
    """Writes a scored task into an entry, new or existing; the manifest comes last.

    Args:
        root: Folder of entries.
        submission: What the submitter says.
        command: What to type to get these ranks again.
        scored: What was scored.

    Raises:
        EntryError: If the entry exists and was made by another model.
    """
    check_same_model(root, submission, scored.model)
    folder = root / submission.id
    is_new = not (folder / FILE_NAME).is_file()
    before = None if is_new else read_entry(folder).manifest
    task = scored.table.task
    ranks = ranks_as_bytes(scored.table)
    scores = json.dumps(summary(scored.table), indent=1) + "\n"
    run = RunPart(
        command=command,
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
        name=submission.name or (before.name if before else scored.model.name),
        model=_part(scored.model),
        method=submission.method or (before.method if before else MethodPart()),
        runs={**(before.runs if before else {}), task: run},
    )
    write_atomically(ranks_path(folder, task), ranks)
    write_atomically(folder / "scores" / f"{task}.json", scores.encode())
    write_manifest(folder / FILE_NAME, manifest)
    return Entry(folder, manifest)


def _part(model: ModelDescription) -> ModelPart:
    return ModelPart.model_validate(asdict(model))
