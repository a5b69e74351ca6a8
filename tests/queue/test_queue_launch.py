"""The program that a job's process begins as."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from submissions.queue.job_process import LAUNCH

SHOW = """
import ctypes, resource, signal
death = ctypes.c_int()
ctypes.CDLL(None).prctl(2, ctypes.byref(death))
print(death.value == signal.SIGKILL, resource.getrlimit(resource.RLIMIT_CORE)[0],
      resource.getrlimit(resource.RLIMIT_FSIZE)[0], open("/proc/self/oom_score_adj").read())
"""


def launch(parent: int, *command: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-I", "-S", str(LAUNCH), str(parent), str(2**20)]
    return subprocess.run([*program, *command], capture_output=True, check=False, encoding="utf-8")


def test_the_kernel_keeps_the_limits_of_a_job():
    done = launch(os.getpid(), sys.executable, "-c", SHOW)
    assert done.stdout.split() == ["True", "0", str(2**20), "1000"], done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 2**20


@pytest.mark.parametrize("parent", [1, 2**22 + 1])
def test_a_job_whose_run_queue_has_ended_does_not_begin(parent):
    done = launch(parent, sys.executable, "-c", "print('began')")
    assert done.returncode == 1
    assert "has ended" in done.stderr
    assert done.stdout == ""
