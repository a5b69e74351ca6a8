"""Locks, stops, and what a run-queue takes up that another left."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from made_up_queue import (
    STARTED,
    TAKEN,
    MadeUp,
    contents,
    last_end,
    leave_running,
    make_queue,
    outcomes,
    put,
    states,
    work_off,
)

from submissions.queue import job_process, process_table, stopping, supervisor
from submissions.queue.claim import claim
from submissions.queue.journal import Event, read
from submissions.queue.stopping import Stop

if TYPE_CHECKING:
    from pathlib import Path


def test_a_manifest_with_the_name_of_a_job_that_waits_again_is_kept(queue, template):
    leave_running(queue, "job", TAKEN, STARTED)
    put(queue, "job", "newcomer")
    newcomer = queue.manifest("waiting", "job").read_bytes()
    work_off(queue, MadeUp(template))
    assert states(queue) == {"done": ["job"], "refused": ["job"]}
    assert queue.manifest("refused", "job").read_bytes() == newcomer
    assert [path.name for path in queue.entries.iterdir()] == ["entry-job"]
    # The next of this name replaces neither.
    queue.manifest("waiting", "job").write_text("nonsense", "utf-8")
    work_off(queue, MadeUp(template))
    kept = [path.read_bytes() for path in queue.manifest("refused", "job").parent.glob("job.toml*")]
    assert sorted(kept) == sorted([newcomer, b"nonsense"])


def test_a_job_that_another_run_queue_holds_is_left_alone(queue, template):
    for state, name in (("waiting", "held"), ("running", "runs")):
        put(queue, name)
        queue.manifest("waiting", name).rename(queue.manifest(state, name))
    held = [queue.manifest(*pair).open("rb") for pair in (("waiting", "held"), ("running", "runs"))]
    for file in held:
        fcntl.flock(file, fcntl.LOCK_EX)
    assert work_off(queue, MadeUp(template)) == {}
    assert states(queue) == {"waiting": ["held"], "running": ["runs"]}
    for file in held:
        file.close()
    assert {name: one.state for name, one in work_off(queue, MadeUp(template)).items()} == {
        "held": "done",
        "runs": "done",
    }


def test_a_job_that_moved_between_looking_and_locking_is_not_claimed(queue, monkeypatch):
    put(queue, "job")
    assert claim(queue, "other", "waiting") is None
    lock = fcntl.flock

    def move_first(handle: int, how: int) -> None:
        queue.manifest("waiting", "job").rename(queue.manifest("done", "job"))
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", move_first)
    assert claim(queue, "job", "waiting") is None

    def replace_first(handle: int, how: int) -> None:
        queue.manifest("waiting", "job").unlink()
        put(queue, "job")
        lock(handle, how)

    put(queue, "job")
    monkeypatch.setattr(fcntl, "flock", replace_first)
    assert claim(queue, "job", "waiting") is None


def test_a_job_that_was_lost_is_taken_up_and_the_attempt_counts(queue, template):
    leave_running(queue, "job", TAKEN, STARTED)
    found = work_off(queue, MadeUp(template))["job"]
    assert (found.state, found.attempts) == ("done", 2)
    assert outcomes(queue, "job") == ["lost", "scored"]
    leave_running(queue, "again", TAKEN, STARTED)
    found = work_off(queue, MadeUp(template), retries=0)["again"]
    assert (found.state, found.reason) == ("failed", "its run-queue ended while it ran")


def test_processes_of_a_lost_attempt_are_ended_before_the_next(queue, template):
    mark = "0123456789abcdef"
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env={process_table.TOKEN_VARIABLE: mark},
        start_new_session=True,
    )
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={})
    leave_running(queue, "job", TAKEN, Event(event="started", attempt=1, token=mark))
    assert work_off(queue, MadeUp(template))["job"].state == "done"
    assert orphan.wait(timeout=60) == -signal.SIGKILL
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_lost_attempt_that_the_kernel_holds_is_left_for_later(queue, template, monkeypatch):
    mark = "of a process that the kernel does not let go"
    leave_running(queue, "job", TAKEN, Event(event="started", attempt=1, token=mark))
    with monkeypatch.context() as patch:
        patch.setattr(supervisor, "kill_all", lambda token: False)  # noqa: ARG005
        assert work_off(queue, MadeUp(template)) == {}
    assert states(queue) == {"running": ["job"]}
    assert work_off(queue, MadeUp(template))["job"].state == "done"


def test_an_entry_that_was_checked_is_published_by_the_next_run(queue, template):
    """A kill between check and move, and one between the moves of entry and manifest."""
    put(queue, "first")
    work_off(queue, MadeUp(template))
    scored = last_end(queue, "first")
    for name, place in (("staged", queue.work("staged") / "entries"), ("moved", queue.entries)):
        entry = place / "entry-first"
        entry.parent.mkdir(parents=True, exist_ok=True)
        if name == "staged":
            (queue.entries / "entry-first").rename(entry)
        leave_running(queue, name, TAKEN, STARTED, scored)
        manifest = queue.manifest("running", name)
        manifest.write_text(manifest.read_text("utf-8").replace(f"entry-{name}", "entry-first"))
        found = work_off(queue, MadeUp(template, {name: "crash"}))[name]
        assert (found.state, found.attempts) == ("done", 1)
        assert contents(queue.entries).keys() == {f"entry-first/{n}" for n in contents(template)}


def test_a_checked_entry_that_was_altered_or_lost_is_not_published(queue, template):
    scored = Event(event="ended", attempt=1, outcome="scored", digest="0" * 64)
    leave_running(queue, "lost", TAKEN, STARTED, scored)
    leave_running(queue, "altered", TAKEN, STARTED, scored)
    staged = queue.work("altered") / "entries" / "entry-altered"
    staged.mkdir(parents=True)
    (staged / "submission.toml").write_text("", "utf-8")
    found = work_off(queue, MadeUp(template))
    assert "is gone" in found["lost"].reason
    assert "was altered" in found["altered"].reason
    assert list(queue.entries.iterdir()) == []


def test_a_job_that_had_ended_is_only_moved(queue, template):
    leave_running(queue, "done", TAKEN, STARTED, Event(event="done"))
    leave_running(queue, "failed", TAKEN, STARTED, Event(event="failed", reason="why"))
    found = work_off(queue, MadeUp(template))
    assert (found["done"].state, found["failed"].state) == ("done", "failed")
    assert found["failed"].reason == "why"
    assert [event.event for event in read(queue.journal("failed"))][-2:] == ["started", "failed"]


def test_a_manifest_that_was_altered_while_its_job_ran_fails(queue, template):
    leave_running(queue, "job", TAKEN, STARTED)
    queue.manifest("running", "job").write_text("nonsense", "utf-8")
    (queue.root / "running" / "Not a job.toml").write_text("", "utf-8")
    assert "was altered" in work_off(queue, MadeUp(template))["job"].reason


class StopOnceRunning(Stop):
    """Asks to stop when jobs have printed something."""

    def __init__(self, logs: list[Path], times: int = 1) -> None:
        self._logs, self._times, self._asked = logs, times, 0

    @property
    def asked(self) -> int:
        ready = all(log.is_file() and log.stat().st_size for log in self._logs)
        self._asked = self._times if ready else 0
        return self._asked


def test_a_stop_puts_jobs_back_without_counting_an_attempt(queue, template, monkeypatch):
    monkeypatch.setattr(job_process, "GRACE", 0.5)
    monkeypatch.setattr(supervisor, "GRACE", 0.5)
    for name in ("deaf", "asked", "later"):
        put(queue, name)
        os.utime(queue.manifest("waiting", name), (len(name), len(name)))
    runner = MadeUp(template, {"deaf": "deaf", "asked": "finish-when-asked"})
    stop = StopOnceRunning([queue.log("deaf"), queue.log("asked")])
    found = work_off(queue, runner, stop, workers=2, retries=0)
    assert {name: one.state for name, one in found.items()} == {"asked": "done"}
    assert states(queue) == {"done": ["asked"], "waiting": ["deaf", "later"]}
    assert outcomes(queue, "deaf") == ["stopped"]
    assert {n: o.state for n, o in work_off(queue, MadeUp(template), retries=0).items()} == {
        "deaf": "done",
        "later": "done",
    }


def test_a_queue_that_is_watched_waits_for_more(queue, template, monkeypatch):
    monkeypatch.setattr(supervisor, "SECONDS_BETWEEN_LISTINGS", 0.05)
    stop = Stop()
    later = threading.Timer(0.3, put, (queue, "later"))
    later.start()

    class Watched(MadeUp):
        def __call__(self, *arguments):
            stop.ask()  # which lets the job end, if it is quick
            return super().__call__(*arguments)

    work_off(queue, Watched(template), stop, watch=True)
    later.join()
    assert outcomes(queue, "later") in (["stopped"], ["scored"])


def test_an_error_of_the_machine_ends_the_jobs_and_loses_none(queue, template, monkeypatch):
    put(queue, "job")

    def disk_is_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(supervisor._Supervisor, "wait", disk_is_full)
        with pytest.raises(OSError, match="No space"):
            work_off(queue, MadeUp(template, {"job": "hang"}))
    assert states(queue) == {"running": ["job"]}
    assert "lost" not in outcomes(queue, "job")


def test_two_run_queues_share_the_work(tmp_path, template):
    queue = make_queue(tmp_path / "queue")
    for number in range(12):
        put(queue, f"job-{number:02}")
    found: list[dict[str, object]] = []
    # Threads stand for processes: locks are those of open files, not of processes.
    both = [
        threading.Thread(target=lambda: found.append(work_off(queue, MadeUp(template))))
        for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(found) == 2
    assert sorted([*found[0], *found[1]]) == [f"job-{number:02}" for number in range(12)]
    assert len(list(queue.entries.iterdir())) == 12
    for number in range(12):
        assert outcomes(queue, f"job-{number:02}") == ["scored"]


def test_signals_ask_and_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopping.on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        until = time.monotonic() + 10
        while stop.asked < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert stop.asked == 2
    assert signal.getsignal(signal.SIGTERM) is before

    def elsewhere() -> None:
        with stopping.on_signals() as stop:
            assert stop.asked == 0

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
