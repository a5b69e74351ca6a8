"""What is to be done with a job, as its journal has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from submissions.queue.journal import Event

REPEATED = ("crashed", "lost")
"""Outcomes after which a repetition may help; what is wrong or too large will be so again."""


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next for a job whose manifest is in ``running``.

    Attributes:
        to: ``waiting`` to be taken again, ``publish`` its entry, or its last state.
        reason: Why it failed, in words.
        digest: sha256 over the entry that is to be published.
    """

    to: Literal["waiting", "publish", "done", "failed"]
    reason: str = ""
    digest: str = ""


def this_round(events: Sequence[Event]) -> Sequence[Event]:
    """The events since a maintainer put the job back, where one did: all, where none."""
    for number in range(len(events) - 1, 0, -1):
        if events[number].event == "taken" and events[number - 1].event in ("done", "failed"):
            return events[number:]
    return events


def attempts_made(events: Sequence[Event]) -> int:
    """How many attempts there were in this round, finished or not."""
    return sum(event.event == "started" for event in this_round(events))


def is_open(events: Sequence[Event]) -> bool:
    """Whether an attempt has started of which no end is known."""
    return bool(events) and events[-1].event == "started"


def next_step(events: Sequence[Event], retries: int) -> Step:
    """What is to be done after the last event.

    Args:
        events: A job's journal; no attempt is open.
        retries: How often a job is repeated that crashed or was lost.
    """
    events = this_round(events)
    last = events[-1] if events else None
    if last is None or last.event == "taken" or last.outcome == "stopped":
        return Step("waiting")
    if last.event == "done":
        return Step("done")
    if last.event == "failed":
        return Step("failed", last.reason or "")
    if last.outcome == "scored":
        return Step("publish", digest=last.digest or "")
    reason = last.reason or str(last.outcome)
    failures = sum(event.outcome in REPEATED for event in events)
    if last.outcome in REPEATED:
        if failures <= retries:
            return Step("waiting")
        reason = f"{failures} attempts, the last: {reason}" if failures > 1 else reason
    return Step("failed", reason)
