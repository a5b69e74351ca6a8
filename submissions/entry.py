"""An entry: a folder with a manifest, and for each task the ranks and what follows from them.

::

    <id>/submission.toml          who answered, how, and with what
    <id>/ranks/<task>.parquet     the rank of every judged document: all else is computed from it
    <id>/scores/<task>.json       means per setting and class, for readers without Parquet
    <id>/language_shares/<task>.json  languages of the first documents of MLIR rankings
    <id>/runs/<task>.parquet      the first documents of each ranking, where they were kept
    <id>/training.json            the record of the training, where it was made by a recipe
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.bias.language_shares import read_shares, shares_path
from harness.entry_folders import REPORTED
from harness.files import write_atomically
from harness.ranks import ranks_as_bytes, read_ranks
from harness.run_table import read_runs, runs_as_bytes
from harness.task_summary import summarise
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

    from harness.bias.language_shares import LanguageShares
    from harness.models.description import ModelDescription
    from harness.ranks import RankTable
    from harness.run_table import RunTable
    from harness.score import Scored

TRAINING_RECORD = "training.json"


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
        self.check_ranks(task)
        return read_ranks(ranks_path(self.folder, task))

    def check_ranks(self, task: str) -> None:
        """Makes sure that the ranks of a task are those that were scored, without reading them.

        Raises:
            EntryError: If the file is missing or another one.
        """
        _check_sum(ranks_path(self.folder, task), self.manifest.runs[task].ranks)

    def kept_runs(self, task: str) -> RunTable:
        """The rankings of a task that the entry kept.

        Raises:
            EntryError: If it kept none, or the file is missing or is not the one that was scored.
        """
        path = runs_path(self.folder, task)
        run = self.manifest.runs.get(task)
        if run is None or run.runs is None:
            raise EntryError(
                f"The entry {self.manifest.id!r} has kept no rankings of {task}. "
                "Score it with --keep-runs 100, or as many as are needed."
            )
        _check_sum(path, run.runs)
        return read_runs(path)

    def shares(self, task: str) -> LanguageShares | None:
        """Languages of the first documents of a task's MLIR rankings, where there are any.

        Raises:
            EntryError: If the file is missing or is not the one that was scored.
        """
        expected = self.manifest.runs[task].shares
        if expected is None:
            return None
        path = shares_path(self.folder, task)
        _check_sum(path, expected)
        return read_shares(path)


def _check_sum(path: Path, expected: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if found != expected:
        raise EntryError(
            f"{path} is not the file that was scored: submission.toml says sha256 {expected}, "
            f"found {found}. Restore it, or score the task again."
        )


def ranks_path(folder: Path, task: str) -> Path:
    """Where an entry keeps the ranks of a task."""
    return folder / "ranks" / f"{task}.parquet"


def runs_path(folder: Path, task: str) -> Path:
    """Where an entry keeps the rankings of a task, if it does."""
    return folder / "runs" / f"{task}.parquet"


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
    if (folder / REPORTED).is_file():
        raise EntryError(
            f"{folder} holds reported numbers, which a run may not join. "
            "Choose another id with --entry."
        )
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
    files = {
        ranks_path(folder, task): ranks_as_bytes(scored.table),
        folder / "scores" / f"{task}.json": (
            json.dumps(summarise(scored.table)[0].as_published(), indent=1) + "\n"
        ).encode(),
    }
    if scored.runs:
        files[runs_path(folder, task)] = runs_as_bytes(scored.runs)
    if scored.shares:
        files[shares_path(folder, task)] = scored.shares.as_bytes()
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    run = RunPart(
        command=command,
        complete=scored.complete,
        settings=len(scored.table.pool_sizes),
        ranks=sums[ranks_path(folder, task)],
        runs=sums.get(runs_path(folder, task)),
        shares=sums.get(shares_path(folder, task)),
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
    for path, content in files.items():
        write_atomically(path, content)
    write_manifest(folder / FILE_NAME, manifest)
    for path in (runs_path(folder, task), shares_path(folder, task)):
        if path not in files:  # of an earlier run, which this one replaces
            path.unlink(missing_ok=True)
    return Entry(folder, manifest)


def _part(model: ModelDescription) -> ModelPart:
    return ModelPart.model_validate(asdict(model))
