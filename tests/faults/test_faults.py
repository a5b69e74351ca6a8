"""A few of the faults of ``make faults``, drawn by another seed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_rerun_after_a_fault_gives_what_an_undisturbed_run_gives(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra 'score'")
    words = [sys.executable, "-m", "tests.faults.run", "--seed", "20"]
    done = subprocess.run(
        [*words, "--cases", "10", "--errors", "5", "--damages", "0"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ +14  cases in all, 0 wrong$", done.stdout, re.M), done.stdout
