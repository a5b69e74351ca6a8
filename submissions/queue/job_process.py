"""One attempt of a job: its processes, what they print, and the limits that they keep to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from submissions.queue.job_log import JobLog, last_message
from submissions.queue.process_table import in_session, kill_all, memory_of, send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from submissions.queue.journal import Outcome
    from submissions.queue.limits import Limits
    from submissions.queue.process_table import Process

LAUNCH = Path(__file__).with_name("launch.py")
GRACE = 5.0
"""Seconds that a job has to end by itself when the run-queue stops."""
SECONDS_BETWEEN_SIZES = 2.0
"""Seconds between two looks at what the working folder holds: counting files takes time."""
_CHUNK = 2**16
_MOST_CHUNKS_LEFT = 17
"""What a pipe can hold when its last writer has ended: a megabyte, as the kernel has it."""
_WRONG_INPUT = 2
_NAMES = {number.value: number.name for number in signal.Signals}


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended.

    Attributes:
        outcome: In a word; ``scored`` says only that the command says so.
        reason: In words.
        exit: Exit code, where it ended by itself.
        signal: The signal that ended it, where one did.
        seconds: How long it took.
        peak_memory: Most bytes of memory that it was seen to hold.
    """

    outcome: Outcome
    reason: str
    exit: int | None
    signal: int | None
    seconds: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt runs.

    Attributes:
        work: Its working folder.
        log: The file of what it prints.
        environment: Its variables.
        token: What marks its processes, which is one of the variables.
    """

    work: Path
    log: Path
    environment: Mapping[str, str]
    token: str


class JobProcess:
    """A running attempt.

    Args:
        command: The program, by its whole path, and its arguments.
        place: Where it runs.
        limits: What it may take.

    Raises:
        OSError: If no process can be started.
    """

    def __init__(self, command: Sequence[str], place: Place, limits: Limits) -> None:
        self._place = place
        self._limits = limits
        self._began = time.monotonic()
        self._sized = self._began
        self._peak = 0
        self._log = JobLog(place.log, limits.log)
        launcher = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), str(limits.disk)]
        self._pipe, printed = os.pipe()
        self.output: int | None = self._pipe
        os.set_blocking(self._pipe, False)
        try:
            self._process = subprocess.Popen(  # noqa: S603  # words, no shell
                [*launcher, *command],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=place.work,
                env=dict(place.environment),
                start_new_session=True,
            )
        finally:
            os.close(printed)

    def read(self) -> None:
        """Takes what it has printed; a bounded part, so that a flood holds up nobody else."""
        if self.output is None:
            return
        try:
            printed = os.read(self.output, _CHUNK)
        except BlockingIOError:
            return
        self._log.write(printed)
        if not printed:  # it has closed its output, which would count as readable for ever
            self.output = None

    def look(self, processes: list[Process]) -> Ended | None:
        """Whether it has ended, or must be ended; all its processes are gone then.

        Args:
            processes: All of the machine, as of now.
        """
        if self._exit_code() is not None:
            return self._finish(None)
        seconds = time.monotonic() - self._began
        self._peak = max(self._peak, memory_of(in_session(processes, self._process.pid)))
        if self._peak > self._limits.memory:
            return self._finish("over memory")
        if seconds > self._limits.seconds:
            return self._finish("over time")
        if time.monotonic() - self._sized > SECONDS_BETWEEN_SIZES:
            self._sized = time.monotonic()
            if size_of(self._place.work) > self._limits.disk:
                return self._finish("over disk")
        return None

    def ask_to_stop(self) -> None:
        """Sends SIGTERM; see :meth:`stopped` for those that do not listen."""
        send(self._process.pid, signal.SIGTERM)

    def has_ended(self) -> bool:
        """Whether its first process has ended."""
        return self._exit_code() is not None

    def stopped(self) -> Ended:
        """Ends it, because the run-queue stops; what it had finished by then counts."""
        return self._finish(None if self._exit_code() == 0 else "stopped")

    def kill(self) -> None:
        """Ends it without a word, for a run-queue that cannot go on."""
        self._finish("stopped")

    def _exit_code(self) -> int | None:
        """Exit code, or the number of a signal below zero; None while it runs.

        The process is not waited for: its number stays its own, and its session's, until all
        processes of the session are gone.
        """
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        found = os.waitid(os.P_PID, self._process.pid, flags)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def _finish(self, outcome: Outcome | None) -> Ended:
        """Ends all its processes, and says how it ended: by itself, where ``outcome`` is None."""
        seconds = time.monotonic() - self._began
        gone = kill_all(self._place.token, self._process.pid)
        code = self._process.wait()
        for _ in range(_MOST_CHUNKS_LEFT):
            self.read()
        os.close(self._pipe)
        self._log.close()
        by_itself = outcome is None
        if outcome is None:
            outcome, reason = self._by_itself(code)
        else:
            reason = self._reason(outcome)
        if not gone:
            reason += "; the kernel has not let go of one of its processes yet"
        return Ended(
            outcome=outcome,
            reason=reason,
            exit=code if by_itself and code >= 0 else None,
            signal=-code if code < 0 else None,
            seconds=round(seconds, 3),
            peak_memory=self._peak,
        )

    def _by_itself(self, code: int) -> tuple[Outcome, str]:
        # The kernel refuses to let a single file grow beyond the limit: then the size is reached.
        if code != 0 and size_of(self._place.work) >= self._limits.disk:
            return "over disk", self._reason("over disk")
        if code == 0:
            return "scored", ""
        if code < 0:
            return "crashed", f"ended by {_NAMES.get(-code, f'signal {-code}')}"
        said = last_message(self._place.log)
        if code == _WRONG_INPUT:
            return "wrong", said
        return "crashed", f"exit code {code}: {said}" if said else f"exit code {code}"

    def _reason(self, outcome: Outcome) -> str:
        limits = self._limits
        reasons: dict[Outcome, str] = {
            "over time": f"ran longer than {limits.seconds:g} s (--time-limit)",
            "over memory": f"held more than {limits.memory / 2**20:,.0f} MB (--memory-limit)",
            "over disk": f"wrote more than {limits.disk / 2**20:,.0f} MB (--disk-limit)",
            "stopped": "run-queue was stopped",
        }
        return reasons[outcome]


def prepare_work(work: Path) -> None:
    """Makes the working folder of an attempt; only embeddings are left of earlier ones."""
    for name in ("entries", "home", "models", "tmp"):
        shutil.rmtree(work / name, ignore_errors=True)
        (work / name).mkdir(parents=True, exist_ok=True)


def size_of(folder: Path) -> int:
    """Bytes that a folder takes on the disk; what vanishes meanwhile takes none."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(path, name)).st_blocks * 512  # noqa: PTH118  # many
            except FileNotFoundError:
                continue
    return total
