"""The folder of a queue: a job's state is the folder that its manifest lies in.

::

    FOLDER/waiting/<job>.toml      to be scored
    FOLDER/running/<job>.toml      being scored by a run-queue that holds the manifest's lock
    FOLDER/done/<job>.toml         scored: its entry is in entries/
    FOLDER/failed/<job>.toml       not scored: journal/ says why, logs/ what it printed
    FOLDER/refused/<job>.toml      no manifest of a job: <job>.reason.txt says why
    FOLDER/journal/<job>.jsonl     its attempts
    FOLDER/logs/<job>.log          what its last attempt printed
    FOLDER/entries/<id>/           finished entries
    FOLDER/models/<name>/          models that jobs may name as models/<name>
    FOLDER/scratch/<job>/          where it works; removed when it is done or has failed
    FOLDER/cache/                  converted texts of tasks, shared by all jobs

A move from state to state is one rename, so a manifest is always in exactly one of them.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from submissions.manifest import ID_PATTERN
from tasks.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["waiting", "running", "done", "failed", "refused"]
STATES: tuple[State, ...] = get_args(State)
_OTHERS = ("journal", "logs", "entries", "models", "scratch", "cache")
SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class QueueFolder:
    """Where the parts of a queue are.

    Attributes:
        root: Its folder, absolute.
    """

    root: Path

    @property
    def entries(self) -> Path:
        """Folder of finished entries."""
        return self.root / "entries"

    @property
    def models(self) -> Path:
        """Folder of the queue's own models."""
        return self.root / "models"

    @property
    def cache(self) -> Path:
        """What jobs share."""
        return self.root / "cache"

    def manifest(self, state: State, job: str) -> Path:
        """Where the manifest of a job lies when it is in a state."""
        return self.root / state / f"{job}{SUFFIX}"

    def journal(self, job: str) -> Path:
        """Its journal."""
        return self.root / "journal" / f"{job}.jsonl"

    def log(self, job: str) -> Path:
        """What its last attempt printed."""
        return self.root / "logs" / f"{job}.log"

    def work(self, job: str) -> Path:
        """Its working folder."""
        return self.root / "scratch" / job

    def reason(self, job: str) -> Path:
        """Why its manifest was refused."""
        return self.root / "refused" / f"{job}.reason.txt"

    def listed(self, state: State) -> list[str]:
        """Names of the manifests in a state, the oldest first; hidden files are being written."""
        folder = self.root / state
        found = []
        for name in os.listdir(folder) if folder.is_dir() else ():  # noqa: PTH208  # names alone
            if name.endswith(SUFFIX) and not name.startswith("."):
                try:
                    found.append(((folder / name).lstat().st_mtime_ns, name))
                except FileNotFoundError:  # another run-queue was faster
                    continue
        return [name for _, name in sorted(found)]


def find_queue(root: Path) -> QueueFolder:
    """The queue of a folder.

    Raises:
        UsageError: If it is not the folder of a queue.
    """
    if not (root / "waiting").is_dir():
        raise UsageError(
            f"{root} is not the folder of a queue: it has no folder waiting/. "
            f"Make one with: mkdir -p {root / 'waiting'}"
        )
    return QueueFolder(root.absolute())


def open_queue(root: Path) -> QueueFolder:
    """The queue of a folder, with all its folders.

    Raises:
        UsageError: If it is not the folder of a queue: without ``waiting``, it may be any other.
    """
    queue = find_queue(root)
    for name in (*STATES, *_OTHERS):
        (queue.root / name).mkdir(exist_ok=True)
    return queue


def job_name(file: str) -> str | None:
    """The job that a manifest's file name names; None if it cannot be a job's name."""
    stem = file.removesuffix(SUFFIX)
    return stem if re.fullmatch(ID_PATTERN, stem) else None


def stand_in(file: str) -> str:
    """A name for what has a name that cannot be a job's."""
    return f"unnamed-{hashlib.sha256(os.fsencode(file)).hexdigest()[:16]}"


def move(source: Path, target: Path) -> bool:
    """Renames a file so that the move outlives a power failure; False if it is gone.

    Raises:
        OSError: If it cannot be renamed.
    """
    try:
        source.rename(target)
    except FileNotFoundError:
        return False
    for folder in {source.parent, target.parent}:
        sync_folder(folder)
    return True


def sync_folder(folder: Path) -> None:
    """Has the disk hold the names in a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
