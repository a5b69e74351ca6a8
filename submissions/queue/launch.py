"""Runs a job's command in a process that cannot outlive its run-queue.

A program of its own, which imports nothing of babelboard's: ``python -I -S launch.py PARENT BYTES
COMMAND...``. It becomes the command.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Sets limits that the kernel keeps, then becomes the command.

    Args:
        arguments: Number of the parent process, bytes that a file may have, and the command.
    """
    parent, largest_file, *command = arguments
    # The kernel kills this process when the one that started it dies, even by kill -9.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit("the run-queue that started this job has ended")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), int(largest_file)))
    # If memory runs out between two looks at it, the kernel ends this job and nothing else.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    os.execv(command[0], command)  # noqa: S606  # words, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
