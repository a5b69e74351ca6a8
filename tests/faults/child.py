"""Runs work in a forked child that can be killed with kill -9: by the clock, or by itself.

The parent has imported all that is heavy, so that a child begins at once. It must not have computed
anything with threads, which a fork does not copy.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CRASHED = 70
"""Exit code of a child that ended with an exception that nobody caught."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_REMOVALS = ("os.remove", "os.rmdir")
_STEPS = ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod")


@dataclass(frozen=True)
class Kill:
    """When a child is killed: one of both.

    Attributes:
        after: Seconds after its start.
        step: The step that it does not come to: steps that change the file system, from 1.
        error: Number of the error that this step and all that follow end with, in place of a kill.
            What only removes is let through, as a full disk does.
    """

    after: float | None = None
    step: int | None = None
    error: int | None = None

    def __str__(self) -> str:
        what = errno.errorcode[self.error] if self.error is not None else "killed"
        when = f"after {self.after:.3f} s" if self.after is not None else f"at step {self.step}"
        return f"{what} {when}"


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        code: Exit code, or the number of a signal below zero.
        said: What it printed.
        seconds: How long it took.
        steps: Steps that changed the file system; None if it was killed.
    """

    code: int
    said: str
    seconds: float
    steps: int | None

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL


def run(work: Callable[[], None], folder: Path, kill: Kill | None = None) -> Ended:
    """Runs work in a child, in a folder; steps are counted below it.

    Args:
        work: What to do; SystemExit gives its exit code.
        folder: Its working folder.
        kill: When to kill it, if it has not ended by then.
    """
    printed = folder.parent / f"{folder.name}.out"
    counted = folder.parent / f"{folder.name}.steps"
    counted.unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_child(work, folder, (printed, counted), kill or Kill())
    if kill is not None and kill.after is not None:
        time.sleep(kill.after)
        os.kill(child, signal.SIGKILL)  # it is not waited for yet: the number is still its own
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - began
    steps = int(counted.read_text()) if counted.exists() else None
    said = printed.read_text("utf-8", "replace")
    return Ended(os.waitstatus_to_exitcode(status), said, seconds, steps)


def _be_child(work: Callable[[], None], folder: Path, files: tuple[Path, Path], kill: Kill) -> None:
    code = CRASHED
    steps = _Steps(folder, kill)
    try:
        handle = os.open(files[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.chdir(folder)
        sys.addaudithook(steps)
        try:
            work()
            code = 0
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else int(done.code is not None)
        except BaseException:  # noqa: BLE001  # a child must not go on as a second parent
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        files[1].write_text(str(steps.count))
    finally:
        os._exit(code)


class _Steps:
    """An audit hook: counts what changes files below a folder, and has a step go wrong."""

    def __init__(self, folder: Path, kill: Kill) -> None:
        self._folder = os.fsencode(folder) + b"/"
        self._last = kill.step
        self._error = kill.error
        self._here = os.getpid()
        self.count = 0

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" and event not in _STEPS:
            return
        name = arguments[0]
        if event == "open":
            flags = arguments[2]
            if not isinstance(flags, int) or not flags & _WRITES:
                return
        if not isinstance(name, str | bytes | os.PathLike) or os.getpid() != self._here:
            return
        path = os.path.abspath(os.fsencode(name))  # noqa: PTH100  # Path would call this anew
        if not path.startswith(self._folder):
            return
        self.count += 1
        if self._last is None or self.count < self._last:
            return
        if self._error is None:
            os.kill(os.getpid(), signal.SIGKILL)
        elif event not in _REMOVALS:
            raise OSError(self._error, os.strerror(self._error), os.fsdecode(path))


def command(*words: str | Path) -> Callable[[], None]:
    """The work of a command line."""

    def work() -> None:
        from harness.cli.app import main

        sys.argv = ["babelboard", *map(str, words)]
        main()

    return work
