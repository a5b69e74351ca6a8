"""The processes of this machine, from ``/proc``: which are a job's, and what memory they hold."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.errors import UsageError

PROC = Path("/proc")
TOKEN_VARIABLE = "BABELBOARD_JOB"  # noqa: S105  # a name, not a secret
"""Marks the processes of an attempt, also those that left its session."""
_ZOMBIE = ("Z", "X")
SECONDS_TO_DIE = 10.0


class ProcessId(BaseModel):
    """A process, told apart from later ones that get its number.

    Attributes:
        pid: Its number.
        start: When it began, in clock ticks since the machine was started.
        boot: Which start of the machine.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    start: int
    boot: str


@dataclass(frozen=True, slots=True)
class Process:
    """A line of the table.

    Attributes:
        pid: Its number.
        session: Number of its session's first process.
        start: When it began, in clock ticks since the machine was started.
    """

    pid: int
    session: int
    start: int


def check_machine(proc: Path = PROC) -> None:
    """Refuses a machine that does not tell what memory a process holds.

    Raises:
        UsageError: If there is no ``/proc`` as Linux has it.
    """
    if not (proc / "self" / "stat").is_file():
        raise UsageError(
            "run-queue needs Linux: it reads from /proc what memory a job holds. "
            "Use `babelboard score` here."
        )


def myself() -> ProcessId:
    """This process."""
    found = _read(os.getpid())
    if found is None:
        raise ProcessLookupError(f"/proc has no process {os.getpid()}")
    return ProcessId(pid=found.pid, start=found.start, boot=_boot())


def is_alive(process: ProcessId) -> bool:
    """Whether a process is still there."""
    found = _read(process.pid)
    return process.boot == _boot() and found is not None and found.start == process.start


def snapshot() -> list[Process]:
    """All processes that have not ended."""
    found = [_read(int(name)) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208  # names alone
    return [one for one in found if one is not None]


def in_session(processes: list[Process], session: int) -> list[int]:
    """Those of a session."""
    return [one.pid for one in processes if one.session == session]


def marked(processes: list[Process], token: str) -> list[int]:
    """Those that carry a token in the environment that they were started with."""
    wanted = f"{TOKEN_VARIABLE}={token}".encode()
    found = []
    for one in processes:
        try:
            environment = (PROC / str(one.pid) / "environ").read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
        if wanted in environment.split(b"\0"):
            found.append(one.pid)
    return found


def memory_of(pids: list[int]) -> int:
    """Bytes of anonymous and shared memory; of what is gone, none."""
    return sum(_memory(pid) for pid in pids)


def kill_all(token: str, session: int | None = None, patience: float = SECONDS_TO_DIE) -> bool:
    """Kills the processes of an attempt, and waits until they are gone.

    Args:
        token: What marks them.
        session: The session that they were started in, where it is known to be theirs still.
        patience: Seconds to wait for those that the kernel does not let go at once.

    Returns:
        Whether all are gone.
    """
    until = time.monotonic() + patience
    while True:
        processes = snapshot()
        left = set(marked(processes, token))
        if session is not None:
            left.update(in_session(processes, session))
        if not left:
            return True
        for pid in left:
            send(pid, signal.SIGKILL)
        if time.monotonic() > until:
            return False
        time.sleep(0.01)


def send(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a process that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _read(pid: int) -> Process | None:
    try:
        line = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    # A command's name may hold spaces and brackets: what counts begins behind the last one.
    fields = line[line.rindex(b")") + 2 :].split()
    if fields[0].decode() in _ZOMBIE:
        return None
    return Process(pid, session=int(fields[3]), start=int(fields[19]))


def _memory(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "status").read_bytes().splitlines()
    except OSError:
        return 0
    held = (line.split() for line in lines if line.startswith((b"RssAnon:", b"RssShmem:")))
    return sum(int(fields[1]) * 1024 for fields in held)


@cache
def _boot() -> str:
    return (PROC / "sys" / "kernel" / "random" / "boot_id").read_text("ascii").strip()
