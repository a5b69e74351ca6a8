"""What there is in a queue: a row for each job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from submissions.queue.attempts import attempts_made
from submissions.queue.folder import STATES, job_name
from submissions.queue.job import read_job
from submissions.queue.journal import read
from submissions.queue.process_table import is_alive
from tasks.errors import BabelboardError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from submissions.queue.folder import QueueFolder, State
    from submissions.queue.journal import Event

_MOST_REASON = 2000


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job of a queue.

    Attributes:
        job: Its name; of what waits with a name that no job has, the file's.
        state: Where its manifest lies.
        entry: Id of its entry; None where the manifest cannot be read.
        attempts: How many there were since it last came to wait.
        reason: Why it failed or was refused, or how its last attempt ended; empty if there is
            nothing to say.
    """

    job: str
    state: State
    entry: str | None
    attempts: int
    reason: str


def status_of(queue: QueueFolder) -> list[JobStatus]:
    """All jobs of a queue, by state, the oldest first; nothing is locked or changed."""
    return [_status(queue, state, file) for state in STATES for file in queue.listed(state)]


def counts(jobs: Iterable[JobStatus]) -> dict[State, int]:
    """How many jobs there are in each state."""
    found = Counter(job.state for job in jobs)
    return {state: found[state] for state in STATES}


def _status(queue: QueueFolder, state: State, file: str) -> JobStatus:
    try:
        entry = read_job(queue.root / state / file).id
    except BabelboardError:
        entry = None
    name = job_name(file)
    if name is None:
        return JobStatus(file, state, None, 0, "not a job's name: it will be refused")
    if state == "refused":
        return JobStatus(name, state, None, 0, _refusal(queue, name))
    events = read(queue.journal(name))
    return JobStatus(name, state, entry, attempts_made(events), _reason(state, events))


def _refusal(queue: QueueFolder, name: str) -> str:
    try:
        with queue.reason(name).open("rb") as file:
            return file.read(_MOST_REASON).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""


def _reason(state: State, events: list[Event]) -> str:
    if state == "running":
        owner = next((event.owner for event in reversed(events) if event.owner), None)
        if owner is None or not is_alive(owner):
            return "its run-queue is gone: the next one takes it up"
        return ""
    last = events[-1] if events else None
    return last.reason or "" if last else ""
