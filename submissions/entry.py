"""An entry: a folder with a manifest, and for each task the ranks and what follows from them.

::

    <id>/submission.toml          who answered, how, and with what
    <id>/ranks/<task>.parquet     the rank of every judged document: all else is computed from it
    <id>/scores/<task>.json       means per setting and class, for readers without Parquet
    <id>/language_shares/<task>.json  languages of the first documents of MLIR rankings
    <id>/runs/<task>.parquet      the first documents of each ranking, where they were kept
    <id>/training.json            the record of the training, where it was made by a recipe
    <id>/about.toml               what people say of the system
    <id>/verification.toml        what came of it when somebody repeated the runs
    <id>/status.toml              whether it is withdrawn or disputed, and why
    <id>/history/<task>.json      results that were superseded
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from harness.bias.language_shares import read_shares, shares_path
from harness.entry_folders import REPORTED
from harness.files import remove_left_behind, write_atomically
from harness.folder_swap import new_folder, recover_folder
from harness.locks import only_writer
from harness.ranks import ranks_as_bytes, read_ranks
from harness.run_table import read_runs, runs_as_bytes
from harness.task_summary import summarise
from submissions.about import FILE_NAME as ABOUT
from submissions.about import About, check_said, read_about
from submissions.history import Superseded, history_path, keep_superseded, read_history
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
from submissions.status import FILE_NAME as STATUS
from submissions.status import Flag, read_flags
from submissions.structured_text import read_json
from submissions.verification_record import FILE_NAME as VERIFICATION
from submissions.verification_record import VerificationRecord, read_verification
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping
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
        about: What people say of it, where they have.
        flags: What maintainers say against it.
        verification: What came of it when somebody repeated its runs, where somebody has.
        history: Superseded results, oldest first, by task that has any.
    """

    folder: Path
    manifest: Manifest
    about: About | None = None
    flags: tuple[Flag, ...] = ()
    verification: VerificationRecord | None = None
    history: Mapping[str, tuple[Superseded, ...]] = field(default_factory=dict)

    @property
    def said(self) -> list[Path]:
        """The files that say something of it, whether they are there or not: all but its results.

        Those of its results are known by their checksums, which the manifest has.
        """
        names = (FILE_NAME, TRAINING_RECORD, ABOUT, STATUS, VERIFICATION)
        histories = [history_path(self.folder, task) for task in self.manifest.runs]
        return [*(self.folder / name for name in names), *histories]

    @property
    def is_withdrawn(self) -> bool:
        """Whether it may have no place, letter or part in any test."""
        return any(flag.flag == "withdrawn" for flag in self.flags)

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
    found = sha256_of(path)
    if found != expected:
        raise EntryError(
            f"{path} is not the file that was scored: submission.toml says sha256 {expected}, "
            f"found {found or 'no file'}. Restore it, or score the task again."
        )


def sha256_of(path: Path) -> str | None:
    """The sha256 of a file of an entry; None if there is no such file.

    A link counts as no file, whether it is the file or its folder: it could lead out of the entry.
    """
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ranks_path(folder: Path, task: str) -> Path:
    """Where an entry keeps the ranks of a task."""
    return folder / "ranks" / f"{task}.parquet"


def runs_path(folder: Path, task: str) -> Path:
    """Where an entry keeps the rankings of a task, if it does."""
    return folder / "runs" / f"{task}.parquet"


def read_entry(folder: Path) -> Entry:
    """Reads what is said of an entry: its manifest, and the files of people beside it.

    What people wrote in ``about.toml`` holds, also where they changed it after the scoring.

    Raises:
        EntryError: If the folder is no entry, its name is not the entry's id, or one of the files
            is malformed.
    """
    manifest = read_manifest(folder / FILE_NAME)
    about = read_about(folder)
    if about is not None:
        said = {"name": about.name, "method": about.method}
        manifest = manifest.model_copy(update=said)
    if manifest.id != folder.resolve().name:
        raise EntryError(
            f"{folder / FILE_NAME} has the id {manifest.id!r}; it must be the folder's name."
        )
    if (folder / TRAINING_RECORD).exists():
        read_json(folder / TRAINING_RECORD)  # so that whoever reads it is not led too deep
    return Entry(
        folder,
        manifest,
        about=about,
        flags=read_flags(folder),
        verification=read_verification(folder),
        history=read_history(folder, manifest.runs),
    )


def read_entries(root: Path) -> list[Entry]:
    """Every entry of a folder of entries, by id."""
    if not root.is_dir():
        raise EntryError(f"There is no folder of entries {root}.")
    return [read_entry(folder.parent) for folder in sorted(root.glob(f"*/{FILE_NAME}"))]


def check_can_write(root: Path, submission: Submission, task: str, *, complete: bool) -> None:
    """Refuses, before any work is done, to write what could not be written later.

    Raises:
        EntryError: If the folder cannot be written, a complete run would be lost for a partial
            one, or what is said now is not what people wrote in ``about.toml``.
    """
    folder = root / submission.id
    check_said(folder, submission)
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
    """Writes a scored task into an entry, new or existing.

    A stop at any moment leaves the entry as it was, or with all of the new run.

    Args:
        root: Folder of entries.
        submission: What the submitter says.
        command: What to type to get these ranks again.
        scored: What was scored.

    Raises:
        EntryError: If the entry exists and was made by another model.
        InUseError: If another process is writing the entry.
    """
    folder = root / submission.id
    with only_writer(folder):
        recover_folder(folder)
        check_same_model(root, submission, scored.model)
        _write_run(folder, submission, command, scored)
    return read_entry(folder)


def _write_run(folder: Path, submission: Submission, command: str, scored: Scored) -> None:
    is_new = not (folder / FILE_NAME).is_file()
    there = None if is_new else read_entry(folder)
    before = there.manifest if there else None
    about = read_about(folder)
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
    name = submission.name or (before.name if before else scored.model.name)
    method = submission.method or (before.method if before else MethodPart())
    manifest = Manifest(
        schema_version=1,
        id=submission.id,
        name=about.name if about else name,
        model=_part(scored.model),
        method=about.method if about else method,
        runs={**(before.runs if before else {}), task: run},
    )
    with new_folder(folder) as fresh:
        remove_left_behind(fresh, older_than=0)
        if there and task in there.manifest.runs and there.manifest.runs[task].ranks != run.ranks:
            superseded = _ranks_if_whole(there, task)
            keep_superseded(fresh, task, there.manifest.runs[task], superseded)
        for path, content in files.items():
            write_atomically(fresh / path.relative_to(folder), content)
        write_manifest(fresh / FILE_NAME, manifest)
        for path in (runs_path(folder, task), shares_path(folder, task)):
            if path not in files:  # of an earlier run, which this one replaces
                (fresh / path.relative_to(folder)).unlink(missing_ok=True)


def _ranks_if_whole(entry: Entry, task: str) -> RankTable | None:
    try:
        return entry.ranks(task)
    except EntryError:  # damaged or lost, which may be why the task was scored again
        return None


def _part(model: ModelDescription) -> ModelPart:
    return ModelPart.model_validate(asdict(model))
