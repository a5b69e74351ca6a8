"""The entry that a job wrote: checked while it is still the job's, and moved only as a whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from typing import TYPE_CHECKING, Any

from harness.bias.language_shares import shares_path
from harness.task_summary import summarise
from submissions.entry import ranks_path, read_entry, runs_path
from submissions.manifest import FILE_NAME
from submissions.queue.folder import sync_folder
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from submissions.queue.job import Job


def check_staged(folder: Path, job: Job) -> None:
    """Makes sure that an entry is what a job was to write, and nothing else.

    Args:
        folder: The entry.
        job: What was to be scored.

    Raises:
        EntryError: If it has another id, lacks a task, cannot be read, does not hold together, or
            has a file that no entry has.
    """
    files = set(_files(folder))
    entry = read_entry(folder)
    runs = entry.manifest.runs
    if missing := [task for task in job.tasks if task not in runs]:
        raise EntryError(f"The entry lacks {', '.join(missing)}, which the job was to score.")
    expected = {folder / FILE_NAME}
    for task, run in runs.items():
        scores = folder / "scores" / f"{task}.json"
        expected |= {ranks_path(folder, task), scores}
        table = entry.ranks(task)
        if run.runs:
            expected.add(runs_path(folder, task))
            entry.kept_runs(task)
        if run.shares:
            expected.add(shares_path(folder, task))
            entry.shares(task)
        if table.task != task:
            raise EntryError(f"The ranks of {task} are those of the task {table.task!r}.")
        computed = json.loads(json.dumps(summarise(table)[0].as_published()))
        if scores not in files or _as_json(scores) != computed:
            raise EntryError(f"{scores.name} has not the scores that follow from the ranks.")
    if other := sorted(str(path.relative_to(folder)) for path in files ^ expected):
        raise EntryError(f"The entry does not have the files of an entry: {', '.join(other[:5])}.")


def digest_of(folder: Path) -> str:
    """sha256 over names and contents of all files of an entry.

    Raises:
        EntryError: If there is no such folder, or it holds what is neither a file nor a folder.
    """
    digest = hashlib.sha256()
    for path in sorted(_files(folder)):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def sync(folder: Path) -> None:
    """Has the disk hold all of an entry, so that a move cannot leave half of it."""
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(inner)


def publish(staged: Path, target: Path, digest: str) -> None:
    """Moves a checked entry to its place; done before, by a run-queue that was killed, it is kept.

    Args:
        staged: Where the job wrote it.
        target: Its place, where nothing may be.
        digest: sha256 over it when it was checked.

    Raises:
        EntryError: If another entry has this id, or the checked one is gone or altered.
    """
    if not staged.exists():
        if not target.exists() or digest_of(target) != digest:
            raise EntryError("The entry that was checked is gone. Move the job back to waiting/.")
        return
    if digest_of(staged) != digest:
        raise EntryError("The entry was altered after it was checked. Move the job to waiting/.")
    try:
        staged.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise EntryError(taken(target)) from error
    sync_folder(target.parent)


def taken(target: Path) -> str:
    """What to say where an id is another entry's."""
    return (
        f"There is an entry {target.name!r} in {target.parent} already. Give the job another id, "
        "or move that entry away first."
    )


def _as_json(path: Path) -> Any:
    """Content of a JSON file; None if it is none."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_symlink() or not folder.is_dir():
        raise EntryError(f"The job ended without an error, but wrote no entry {folder.name!r}.")
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            yield path
        elif not stat.S_ISDIR(mode):
            raise EntryError(f"{path.relative_to(folder)} is neither a file nor a folder.")
