"""Runs ``babelboard`` as a user does: in this process, or in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cli.app import main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Done = subprocess.CompletedProcess[str]

SCRIPT = Path(sys.executable).with_name("babelboard")


def run_here(arguments: Sequence[str | Path], env: Mapping[str, str | None], cwd: Path) -> Done:
    """Runs a command in this process, which has loaded the heavy libraries once.

    Warnings are errors here, as in every test, and a fault of ours is raised instead of printed.

    Args:
        arguments: Those of the command line.
        env: Variables that are set, or removed where they are None.
        cwd: The working folder.
    """
    words = ["babelboard", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", words)
        for name, value in env.items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code
    number = code if isinstance(code, int) else int(code is not None)
    for stream in (out, err):
        stream.seek(0)
    return subprocess.CompletedProcess(words, number, out.read(), err.read())


def run_apart(arguments: Sequence[str | Path], env: Mapping[str, str | None], cwd: Path) -> Done:
    """Runs a command in a process of its own; see :func:`run_here`."""
    surroundings = {**os.environ, **env}
    return subprocess.run(
        [SCRIPT, *map(str, arguments)],
        cwd=cwd,
        env={name: value for name, value in surroundings.items() if value is not None},
        capture_output=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )
