"""Takes a job from those that wait, or refuses its manifest."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.files import write_atomically
from submissions.queue.claim import claim
from submissions.queue.folder import State, job_name, move, stand_in
from submissions.queue.job import read_job
from submissions.queue.journal import Event, append
from submissions.queue.process_table import myself
from submissions.queue.staged_entry import taken
from tasks.errors import BabelboardError, UsageError

if TYPE_CHECKING:
    from submissions.queue.claim import Claim
    from submissions.queue.folder import QueueFolder
    from submissions.queue.job import Job

_ELSEWHERE: tuple[State, ...] = ("running", "done", "failed")


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that this run-queue holds.

    Attributes:
        claim: Its lock.
        job: Its manifest.
    """

    claim: Claim
    job: Job


@dataclass(frozen=True, slots=True)
class Refused:
    """A manifest that was moved to ``refused``.

    Attributes:
        job: The name that it has there.
        reason: Why.
    """

    job: str
    reason: str


def take(queue: QueueFolder, file: str) -> Taken | Refused | None:
    """Takes a job; None if it is gone, or another run-queue has it.

    Args:
        queue: The queue.
        file: Name of a file in ``waiting``.

    Raises:
        OSError: If the queue's folder cannot be written.
    """
    path = queue.root / "waiting" / file
    name = job_name(file)
    try:
        is_file = stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return None
    if name is None:
        return refuse(
            queue,
            file,
            f"{file!r} cannot be a job's name: it needs 1 to 64 of a-z 0-9 . _ - before .toml, and "
            "begins with a letter or digit. Rename it, and move it back to waiting/.",
        )
    if not is_file or not os.access(path, os.R_OK):
        return refuse(queue, file, f"{file} is not a file that can be read, as a job must be.")
    lock = claim(queue, name, "waiting")
    if lock is None:
        return None
    try:
        job = read_job(path)
        _check_names(queue, name, job)
    except BabelboardError as error:
        refused = refuse(queue, file, str(error))
        lock.release()
        return refused
    append(queue.journal(name), Event(event="taken", owner=myself()))
    lock.move("running")
    return Taken(lock, job)


def _check_names(queue: QueueFolder, name: str, job: Job) -> None:
    """Refuses what would overwrite another job's manifest or another job's entry."""
    for state in _ELSEWHERE:
        if os.path.lexists(queue.manifest(state, name)):
            raise UsageError(name_taken(name, state))
    if os.path.lexists(queue.entries / job.id):
        raise UsageError(taken(queue.entries / job.id))


def name_taken(name: str, state: State) -> str:
    """What to say where a name is another job's."""
    return (
        f"There is a job {name!r} in {state}/ already. Give the file another name; to repeat a "
        f"job, move its file from {state}/ to waiting/."
    )


def refuse(queue: QueueFolder, file: str, reason: str) -> Refused | None:
    """Moves a manifest out of the way; None if it is gone.

    The reason comes first, so that no manifest is without one. What was refused under this name
    before is kept beside it.

    Args:
        queue: The queue.
        file: Name of a file in ``waiting``.
        reason: Why.
    """
    name = job_name(file) or stand_in(file)
    write_atomically(queue.reason(name), f"{reason}\n".encode("utf-8", "backslashreplace"))
    target = queue.manifest("refused", name)
    if os.path.lexists(target):
        move(target, target.with_name(f"{target.name}.{target.lstat().st_ino}"))
    moved = move(queue.root / "waiting" / file, target)
    return Refused(name, reason) if moved else None
