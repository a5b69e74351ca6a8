"""Fuzzes one reader with atheris, in a process of its own: ``run.py`` starts it.

::

    python -m tests.fuzz.one_reader READER [OPTION OF LIBFUZZER ...] [FOLDER OF INPUTS ...]
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

import atheris

MEMORY = 4 * 2**30
"""Bytes of address space: Python, numpy, scipy and Arrow take a good half of it."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it

with atheris.instrument_imports(include=["harness", "submissions", "tasks", "tomllib"]):
    from tests.fuzz.readers import READERS, is_taken


def main() -> None:
    """Runs until libFuzzer ends it: at the number of inputs, or at the first fault."""
    reader = READERS[sys.argv.pop(1)]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    place = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)

        def one_input(content: bytes) -> None:
            is_taken(reader, content, folder)

        atheris.Setup(sys.argv, one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
