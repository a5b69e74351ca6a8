"""Works a queue off: some jobs at a time, each in a process of its own.

All is done in one thread: the kernel ends a job's process with the thread that started it, and
that must be the run-queue as a whole.
"""

from __future__ import annotations

import os
import secrets
import select
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from submissions.queue.attempts import attempts_made, is_open, next_step
from submissions.queue.claim import claim
from submissions.queue.environment import job_environment
from submissions.queue.folder import job_name
from submissions.queue.intake import Refused, Taken, name_taken, refuse, take
from submissions.queue.job import read_job
from submissions.queue.job_log import printable
from submissions.queue.job_process import GRACE, Ended, JobProcess, Place, prepare_work
from submissions.queue.journal import Event, append, read
from submissions.queue.process_table import check_machine, kill_all, snapshot
from submissions.queue.staged_entry import check_staged, digest_of, publish, sync
from submissions.queue.status import JobStatus
from submissions.queue.stopping import Stop
from tasks.errors import BabelboardError, EntryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.progress import Reporter
    from submissions.queue.claim import Claim
    from submissions.queue.folder import QueueFolder, State
    from submissions.queue.job import Job
    from submissions.queue.limits import Limits

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_BETWEEN_LISTINGS = 2.0
"""How often ``--watch`` looks for jobs while there are none."""


class Runner(Protocol):
    """Gives the command that scores a job; the program by its whole path."""

    def __call__(self, queue: QueueFolder, name: str, job: Job) -> Sequence[str]:
        """The program and its arguments; it writes ``scratch/<name>/entries/<id>``."""
        ...


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """How a queue is worked off.

    Attributes:
        limits: What an attempt may take.
        workers: How many jobs run at a time.
        retries: How often a job is repeated that crashed or was lost.
        watch: Whether to wait for more jobs when there are none.
        network: Whether jobs may reach the network.
    """

    limits: Limits
    workers: int = 1
    retries: int = 2
    watch: bool = False
    network: bool = False


@dataclass(slots=True)
class _Running:
    taken: Taken
    process: JobProcess
    attempt: int


@dataclass(slots=True)
class _Supervisor:
    queue: QueueFolder
    options: QueueOptions
    runner: Runner
    progress: Reporter
    running: list[_Running] = field(default_factory=list)
    finished: list[JobStatus] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)

    def fill(self) -> None:
        """Starts jobs until all workers have one, or none is left that waits and is free."""
        listed_now = False
        while len(self.running) < self.options.workers:
            if not self.listed and not listed_now:
                listed_now = True
                self.recover()
                self.listed = self.queue.listed("waiting")[::-1]
            if not self.listed:
                return
            found = take(self.queue, self.listed.pop())
            if isinstance(found, Taken):
                self.start(found)
            else:
                self.refused(found)

    def refused(self, found: Refused | None) -> None:
        """Notes a manifest that was refused, if it was."""
        if found is not None:
            self.say(found.job, f"refused: {found.reason}")
            self.finished.append(JobStatus(found.job, "refused", None, 0, found.reason))

    def recover(self) -> None:
        """Takes up what a run-queue left behind that ended without a word."""
        for file in self.queue.listed("running"):
            name = job_name(file)
            if name is None:
                continue
            lock = claim(self.queue, name, "running")  # those that run have another owner, or us
            if lock is None:
                continue
            journal = self.queue.journal(name)
            events = read(journal)
            if is_open(events):
                last = events[-1]
                if last.token and not kill_all(last.token):
                    lock.release()  # the kernel has not let go of it: another time
                    continue
                reason = "its run-queue ended while it ran"
                lost = Event(event="ended", attempt=last.attempt, outcome="lost", reason=reason)
                append(journal, lost)
            try:
                job = read_job(self.queue.manifest("running", name))
            except BabelboardError as error:
                self.close(lock, None, "failed", f"its manifest was altered: {error}")
                continue
            self.settle(Taken(lock, job))

    def start(self, taken: Taken) -> None:
        """Starts an attempt."""
        name, token = taken.claim.job, secrets.token_hex(16)
        journal = self.queue.journal(name)
        attempt = attempts_made(read(journal)) + 1
        append(journal, Event(event="started", attempt=attempt, token=token))
        work = self.queue.work(name)
        environment = job_environment(self.queue, name, token, network=self.options.network)
        try:
            prepare_work(work)
            command = self.runner(self.queue, name, taken.job)
            place = Place(work, self.queue.log(name), environment, token)
            process = JobProcess(command, place, self.options.limits)
        except BabelboardError as error:
            self.end(taken, attempt, Ended("wrong", str(error), None, None, 0.0, 0))
            return
        self.say(name, f"attempt {attempt} of {taken.job.model} on {', '.join(taken.job.tasks)}")
        self.running.append(_Running(taken, process, attempt))

    def look(self) -> None:
        """Looks at all that run, and settles those that have ended."""
        processes = snapshot()
        for one in list(self.running):
            ended = one.process.look(processes)
            if ended is not None:
                self.running.remove(one)
                self.end(one.taken, one.attempt, ended)

    def end(self, taken: Taken, attempt: int, ended: Ended) -> None:
        """Notes how an attempt ended, and does what follows from it."""
        outcome, reason, digest = ended.outcome, ended.reason, None
        if outcome == "scored":
            staged = self.queue.work(taken.claim.job) / "entries" / taken.job.id
            try:
                check_staged(staged, taken.job)
                sync(staged)
                digest = digest_of(staged)
            except BabelboardError as error:
                outcome, reason = "unusable entry", str(error)
            except Exception as error:  # noqa: BLE001  # one bad file must not stop the queue
                outcome, reason = "unusable entry", f"{type(error).__name__}: {error}"
        noted = Event(
            event="ended",
            attempt=attempt,
            outcome=outcome,
            exit=ended.exit,
            signal=ended.signal,
            seconds=ended.seconds,
            peak_memory=ended.peak_memory,
            digest=digest,
            reason=reason or None,
        )
        append(self.queue.journal(taken.claim.job), noted)
        self.settle(taken)

    def settle(self, taken: Taken) -> None:
        """Moves a job to where its journal says that it belongs."""
        name, job = taken.claim.job, taken.job
        step = next_step(read(self.queue.journal(name)), self.options.retries)
        if step.to == "waiting":
            file = self.queue.manifest("waiting", name)
            if os.path.lexists(file):  # somebody used the name while the job ran
                self.refused(refuse(self.queue, file.name, name_taken(name, "running")))
            taken.claim.move("waiting")
            taken.claim.release()
            self.say(name, "waits")
            return
        state: State = "failed" if step.to == "failed" else "done"
        reason = step.reason
        if step.to == "publish":
            staged = self.queue.work(name) / "entries" / job.id
            try:
                publish(staged, self.queue.entries / job.id, step.digest)
            except EntryError as error:
                state, reason = "failed", str(error)
        self.close(taken.claim, job.id, state, reason)

    def close(self, lock: Claim, entry: str | None, state: State, reason: str) -> None:
        """Brings a job to its last state."""
        name = lock.job
        journal = self.queue.journal(name)
        events = read(journal)
        if not events or events[-1].event != state:
            event = Event(event="failed" if state == "failed" else "done", reason=reason or None)
            append(journal, event)
        shutil.rmtree(self.queue.work(name), ignore_errors=True)
        lock.move(state)
        lock.release()
        attempts = attempts_made(events)
        self.finished.append(JobStatus(name, state, entry, attempts, reason))
        self.say(name, f"{state}: {reason}" if reason else state)

    def stop(self, stop: Stop) -> None:
        """Ends all that run, and puts them back among those that wait."""
        asked, until = stop.asked, time.monotonic() + GRACE
        for one in self.running:
            one.process.ask_to_stop()
        while time.monotonic() < until and stop.asked == asked:
            for one in self.running:
                one.process.read()
            if all(one.process.has_ended() for one in self.running):
                break
            time.sleep(SECONDS_BETWEEN_LOOKS / 2)
        while self.running:
            one = self.running.pop()
            self.end(one.taken, one.attempt, one.process.stopped())

    def wait(self, seconds: float) -> None:
        """Waits, and takes what the jobs print meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            poll = select.poll()
            by_output = {
                one.process.output: one.process
                for one in self.running
                if one.process.output is not None
            }
            for output in by_output:
                poll.register(output, select.POLLIN)
            for output, _ in poll.poll(left * 1000):
                by_output[output].read()
                if by_output[output].output is None:  # it has most likely ended
                    return

    def idle(self, stop: Stop) -> None:
        """Waits for jobs to come."""
        until = time.monotonic() + SECONDS_BETWEEN_LISTINGS
        while time.monotonic() < until and not stop.asked:
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def say(self, job: str, what: str) -> None:
        """Says what happened to a job."""
        self.progress.say(printable(f"{job}: {' '.join(what.split())}"))


def run_queue(
    queue: QueueFolder,
    options: QueueOptions,
    runner: Runner,
    progress: Reporter,
    stop: Stop | None = None,
) -> list[JobStatus]:
    """Works a queue off.

    Args:
        queue: From :func:`submissions.queue.folder.open_queue`.
        options: How.
        runner: Gives the command that scores a job.
        progress: Where it says what happens.
        stop: Asked between two looks; when it says so, running jobs wait again.

    Returns:
        The jobs that came to an end, in that order.

    Raises:
        UsageError: If this machine does not tell what memory a process holds.
        OSError: If the folder cannot be written, or the disk is full; running jobs are ended, and
            the next run takes them up.
    """
    check_machine()
    stop = stop or Stop()
    one = _Supervisor(queue, options, runner, progress)
    try:
        while not stop.asked:
            one.fill()
            if not one.running:
                if not options.watch:
                    break
                one.idle(stop)
                continue
            one.wait(SECONDS_BETWEEN_LOOKS)
            one.look()
        one.stop(stop)
    finally:
        for left in one.running:
            left.process.kill()
    return one.finished
