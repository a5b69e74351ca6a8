"""The journal of a job: what happened to it, a line of JSON each, only ever added to."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from submissions.queue.folder import sync_folder
from submissions.queue.process_table import ProcessId  # noqa: TC001  # pydantic reads it

if TYPE_CHECKING:
    from pathlib import Path

Outcome = Literal[
    "scored",
    "crashed",
    "lost",
    "stopped",
    "over time",
    "over memory",
    "over disk",
    "wrong",
    "unusable entry",
]
"""How an attempt ended: ``lost`` with its run-queue, ``wrong`` because score refused the input."""


class Event(BaseModel):
    """A line of a journal.

    Attributes:
        event: ``taken`` from those that wait, attempt ``started`` and ``ended``; the job is
            ``done`` or has ``failed``.
        at: When, in UTC; nothing is decided by it, so that a clock may go wrong.
        owner: The run-queue that took the job.
        attempt: Number of the attempt, from 1.
        token: What marks the processes of the attempt, in their environment.
        outcome: How it ended.
        exit: Exit code of its process.
        signal: Signal that ended its process.
        seconds: How long it took.
        peak_memory: Most bytes of memory that it was seen to hold.
        digest: sha256 over the entry that it wrote.
        reason: Why, in words.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    event: Literal["taken", "started", "ended", "done", "failed"]
    at: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    owner: ProcessId | None = None
    attempt: Annotated[int, Field(ge=1)] | None = None
    token: str | None = None
    outcome: Outcome | None = None
    exit: int | None = None
    signal: int | None = None
    seconds: float | None = None
    peak_memory: int | None = None
    digest: str | None = None
    reason: str | None = None


def append(path: Path, event: Event) -> None:
    """Adds a line, which is on the disk when this returns.

    Raises:
        OSError: If the disk is full or the file cannot be written.
    """
    is_new = not path.exists()
    line = event.model_dump_json(exclude_none=True).encode() + b"\n"
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":  # a line that a full disk or a power failure cut
                line = b"\n" + line
        file.write(line)
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def read(path: Path) -> list[Event]:
    """What happened to a job; lines that were cut or damaged are left out."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    events = []
    for line in lines:
        try:
            events.append(Event.model_validate_json(line))
        except ValidationError:
            continue
    return events
