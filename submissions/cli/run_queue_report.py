"""What ``babelboard run-queue`` prints of the jobs of a queue."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from submissions.queue.job_log import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from submissions.queue.folder import State
    from submissions.queue.status import JobStatus


def as_json_content(jobs: Sequence[JobStatus], counts: Mapping[State, int]) -> dict[str, Any]:
    """The jobs for programs."""
    return {
        "schema_version": 1,
        "counts": dict(counts),
        "jobs": [asdict(job) for job in jobs],
    }


def print_jobs(jobs: Sequence[JobStatus], counts: Mapping[State, int]) -> None:
    """Prints a line a job, and how many jobs of the queue are in each state."""
    console = Console(highlight=False)
    if jobs:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for heading in ("job", "state", "entry"):
            table.add_column(heading, overflow="fold")
        table.add_column("attempts", justify="right", no_wrap=True)
        table.add_column("reason", overflow="fold")
        for job in jobs:
            reason = printable(" ".join(job.reason.split()))
            words = (job.job, job.state, job.entry or "", str(job.attempts), reason)
            table.add_row(*(Text(printable(word)) for word in words))
        console.print(table)
    console.print(", ".join(f"{number:,} {state}" for state, number in counts.items()))
