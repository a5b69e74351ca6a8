"""Queues of made-up jobs, which take milliseconds and do what a test needs."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.progress import Silent
from harness.ranks import Column, RankTable, ranks_as_bytes
from harness.run_table import RunTable, runs_as_bytes
from harness.task_summary import summarise
from submissions.manifest import Manifest, ModelPart, RunPart, write_manifest
from submissions.queue.folder import STATES, QueueFolder, open_queue
from submissions.queue.journal import Event, append, read
from submissions.queue.limits import Limits
from submissions.queue.supervisor import QueueOptions, run_queue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from submissions.queue.job import Job
    from submissions.queue.status import JobStatus
    from submissions.queue.stopping import Stop

SCRIPT = Path(__file__).with_name("made_up_job.py")
LIMITS = Limits(seconds=60, memory=2**28, disk=2**26, log=2**16)
MANIFEST = """\
schema_version = 1
id = "{entry}"
model = "bm25"
tasks = ["pocket"]
"""


@dataclass(frozen=True)
class MadeUp:
    """A runner: what a job does is looked up by its name, not said in its manifest."""

    template: Path
    behaviours: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, queue: QueueFolder, name: str, job: Job) -> list[str]:  # noqa: ARG002
        behaviour = self.behaviours.get(name, "good")
        program = [sys.executable, "-I", "-S", str(SCRIPT)]
        return [*program, behaviour, job.id, str(self.template)]


def make_queue(root: Path) -> QueueFolder:
    (root / "waiting").mkdir(parents=True)
    return open_queue(root)


def put(queue: QueueFolder, name: str, entry: str | None = None, more: str = "") -> None:
    """Puts a job among those that wait, for an entry ``entry-NAME``."""
    text = MANIFEST.format(entry=entry or f"entry-{name}") + more
    queue.manifest("waiting", name).write_text(text, encoding="utf-8")


def work_off(
    queue: QueueFolder, runner: MadeUp, stop: Stop | None = None, **options: object
) -> dict[str, JobStatus]:
    """Works a queue off in this process; what came to an end, by job."""
    chosen = QueueOptions(**{"limits": LIMITS, **options})
    return {one.job: one for one in run_queue(queue, chosen, runner, Silent(), stop)}


def write_template(folder: Path) -> Path:
    """An entry with the id ``made-up-id`` and one question of pocket."""
    table = RankTable(
        task="pocket",
        pool_sizes={"moir/de-de": 5},
        setting=_column("moir/de-de"),
        query_language=_column("de"),
        question=_column("q1"),
        document=_column("de_1"),
        relevance=np.array([1]),
        rank=np.array([2]),
        primary_measure="RR",
        measures=("RR",),
    )
    runs = RunTable(
        task="pocket",
        depth=1,
        setting=_column("moir/de-de"),
        query_language=_column("de"),
        question=_column("q1"),
        document=_column("de_2"),
        score=np.array([0.5]),
    )
    scores = json.dumps(summarise(table)[0].as_published(), indent=1) + "\n"
    files = {
        "ranks/pocket.parquet": ranks_as_bytes(table),
        "runs/pocket.parquet": runs_as_bytes(runs),
        "scores/pocket.json": scores.encode(),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    run = RunPart(
        command="babelboard score bm25 --task pocket",
        complete=False,
        settings=1,
        ranks=sums["ranks/pocket.parquet"],
        runs=sums["runs/pocket.parquet"],
        data={},
        versions={"babelboard": "1"},
        hardware={},
    )
    manifest = Manifest(
        schema_version=1,
        id="made-up-id",
        name="Made up",
        model=ModelPart(kind="bm25", name="bm25"),
        runs={"pocket": run},
    )
    write_manifest(folder / "submission.toml", manifest)
    return folder


def states(queue: QueueFolder) -> dict[str, list[str]]:
    found = {
        state: sorted(path.stem for path in (queue.root / state).glob("*.toml")) for state in STATES
    }
    return {state: names for state, names in found.items() if names}


def outcomes(queue: QueueFolder, job: str) -> list[str]:
    return [event.outcome for event in read(queue.journal(job)) if event.outcome]


def last_end(queue: QueueFolder, job: str) -> Event:
    return [event for event in read(queue.journal(job)) if event.event == "ended"][-1]


def leave_running(queue: QueueFolder, job: str, *events: Event) -> None:
    """A job as a run-queue leaves it that was killed."""
    put(queue, job)
    queue.manifest("waiting", job).rename(queue.manifest("running", job))
    for event in events:
        append(queue.journal(job), event)


TAKEN, STARTED = Event(event="taken"), Event(event="started", attempt=1)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _column(name: str) -> Column:
    return Column((name,), np.array([0]))
