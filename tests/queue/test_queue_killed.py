"""A run-queue that is killed with kill -9 at random moments: the next one finishes the work."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_up_queue import MadeUp, contents, make_queue, put, work_off

from submissions.queue.journal import read
from submissions.queue.process_table import TOKEN_VARIABLE
from submissions.queue.status import counts, status_of

if TYPE_CHECKING:
    from submissions.queue.folder import QueueFolder

JOBS = 6
PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from made_up_queue import MadeUp, open_queue, work_off
print("ready", flush=True)
work_off(open_queue(Path(sys.argv[2])), MadeUp(Path(sys.argv[3])), workers=2, retries=9)
"""
LONGEST = 1.0
"""Seconds until the kill; the whole work takes less, so that some kills come too late."""


def fill(queue: QueueFolder) -> None:
    for number in range(JOBS):
        put(queue, f"job-{number}")
        os.utime(queue.manifest("waiting", f"job-{number}"), (number, number))


def kill_one(queue: QueueFolder, template: Path, after: float) -> None:
    here = str(Path(__file__).parent)
    one = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, here, str(queue.root), str(template)],
        stdout=subprocess.PIPE,
    )
    assert one.stdout is not None
    assert one.stdout.readline() == b"ready\n"
    time.sleep(after)
    one.send_signal(signal.SIGKILL)
    one.wait()
    one.stdout.close()


def still_running(queue: QueueFolder) -> list[str]:
    """Processes of jobs of this queue."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = path.read_bytes()
        except OSError:
            continue
        if TOKEN_VARIABLE.encode() in variables and str(queue.root).encode() in variables:
            found.append(path.parent.name)
    return found


def check_after_a_kill(tmp_path: Path, template: Path, seed: int) -> None:
    expected = make_queue(tmp_path / "expected")
    fill(expected)
    work_off(expected, MadeUp(template))
    queue = make_queue(tmp_path / "queue")
    fill(queue)
    draws = random.Random(seed)  # noqa: S311  # moments, not secrets
    for _ in range(draws.randint(1, 3)):
        kill_one(queue, template, draws.uniform(0, LONGEST))
        states = counts(status_of(queue))
        assert sum(states.values()) == JOBS
        assert states["refused"] == states["failed"] == 0
    work_off(queue, MadeUp(template), workers=2, retries=9)
    assert counts(status_of(queue))["done"] == JOBS
    assert contents(queue.entries) == contents(expected.entries)
    assert list((queue.root / "scratch").iterdir()) == []
    assert still_running(queue) == []
    for number in range(JOBS):
        events = read(queue.journal(f"job-{number}"))
        started = [event.attempt for event in events if event.event == "started"]
        assert started == list(range(1, len(started) + 1))
        ends = [event.outcome for event in events if event.event == "ended"]
        assert ends == ["lost"] * (len(started) - 1) + ["scored"]
        assert [event.event for event in events].count("done") == 1


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_by_a_kill(tmp_path, template, seed):
    check_after_a_kill(tmp_path, template, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 53))
def test_nothing_is_lost_by_many_kills(tmp_path, template, seed):
    check_after_a_kill(tmp_path, template, seed)


def test_a_killed_run_queue_takes_its_jobs_with_it(tmp_path, template):
    queue = make_queue(tmp_path / "queue")
    put(queue, "job")
    program = PROGRAM.replace("MadeUp(Path(sys.argv[3]))", "MadeUp(sys.argv[3], {'job': 'hang'})")
    here = str(Path(__file__).parent)
    one = subprocess.Popen(
        [sys.executable, "-c", program, here, str(queue.root), str(template)],
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not still_running(queue) and time.monotonic() < until:
        time.sleep(0.05)
    assert len(still_running(queue)) == 1
    one.send_signal(signal.SIGKILL)
    one.wait()
    while still_running(queue) and time.monotonic() < until:
        time.sleep(0.05)
    assert still_running(queue) == []
