"""Fuzzes the readers of files that come from others, guided by what they reach of the code.

::

    python -m tests.fuzz.run [--reader NAME ...] [--inputs N] [--minutes M] [--work FOLDER] [--keep]

Needs atheris (``pip install atheris``). Each reader runs in a process of its own, with limits of
memory, and of time for one input. A fault is what is no error of :mod:`tasks.errors`: its input is
written into ``FOLDER/faults``, and the exit code is 1. Inputs that reached something new stay in
``FOLDER/corpus``, and the next run goes on from there; with ``--keep`` a few of them go into
``tests/fuzz/corpus``.
"""

# ruff: noqa: T201  # a program, which prints

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.readers import CORPUS, READERS

SECONDS = 10
"""For one input, after which it counts as a hang: usual ones take a millisecond."""
MEGABYTES = 2048
"""Of resident memory."""
LONGEST = 8192
"""Bytes of an input."""
KEPT = 8
"""Inputs that are kept for one reader beside its seeds."""
LARGEST_KEPT = 1_500
"""Bytes of one of them."""
_COUNT = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_LAST = re.compile(r"^#(\d+)\t", re.MULTILINE)
_REACHED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What came of a reader.

    Attributes:
        reader: Its name.
        inputs: How many it was given.
        reached: Places of the code that they reached.
        seconds: How long it took.
        fault: The end of what was printed, if there was one.
    """

    reader: str
    inputs: int
    reached: int
    seconds: float
    fault: str | None


def fuzz(reader: str, inputs: int, minutes: float, work: Path) -> Fuzzed:
    """Gives a reader so many inputs, in so many minutes at most."""
    found, faults = work / "corpus" / reader, work / "faults"
    for folder in (found, faults):
        folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    done = _atheris(
        reader,
        f"-runs={inputs}",
        f"-max_total_time={max(1, int(60 * minutes))}",
        f"-timeout={SECONDS}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-max_len={LONGEST}",
        f"-dict={Path(__file__).with_name('tokens.dict')}",
        f"-artifact_prefix={faults}/{reader}-",
        "-print_final_stats=1",
        found,
        CORPUS / reader,
    )
    (work / f"{reader}.log").write_text(done, encoding="utf-8")
    counted = _COUNT.findall(done) or _LAST.findall(done) or ["0"]
    reached = [int(number) for number in _REACHED.findall(done)] or [0]
    fault = done[-4000:] if not _COUNT.search(done) or "Test unit written to" in done else None
    return Fuzzed(reader, int(counted[-1]), max(reached), time.monotonic() - start, fault)


def keep(reader: str, work: Path) -> None:
    """Puts some of the inputs that reached something new into the corpus, small and large ones."""
    own = {path.read_bytes() for path in (CORPUS / reader).iterdir()}
    found = [path for path in (work / "corpus" / reader).iterdir() if path.read_bytes() not in own]
    small = [path for path in found if path.stat().st_size <= LARGEST_KEPT]
    small.sort(key=lambda path: (path.stat().st_size, path.name))
    for path in small[:: max(1, -(-len(small) // KEPT))]:
        shutil.copyfile(path, CORPUS / reader / path.name)


def _atheris(reader: str, *arguments: str | Path) -> str:
    """What libFuzzer printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.one_reader", reader, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.stdout


def main() -> int:
    """Fuzzes what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reader", action="append", choices=sorted(READERS))
    parser.add_argument("--inputs", type=int, default=50_000, help="for each reader")
    parser.add_argument("--minutes", type=float, default=2, help="for each reader, at most")
    parser.add_argument("--work", type=Path, default=Path("build") / "fuzz")
    parser.add_argument("--keep", action="store_true", help="add to tests/fuzz/corpus")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("The fuzzing needs atheris: pip install atheris", file=sys.stderr)
        return 2
    print(f"{'reader':16} {'inputs':>9} {'reached':>8} {'seconds':>8}")
    results = []
    for reader in options.reader or READERS:
        done = fuzz(reader, options.inputs, options.minutes, options.work)
        results.append(done)
        word = "" if done.fault is None else "  FAULT"
        print(
            f"{reader:16} {done.inputs:9,} {done.reached:8,} {done.seconds:8.0f}{word}", flush=True
        )
        if done.fault is not None:
            print(done.fault, file=sys.stderr)
        elif options.keep:
            keep(reader, options.work)
    faults = [one.reader for one in results if one.fault is not None]
    print(f"{sum(one.inputs for one in results):,} inputs, {len(faults)} readers with a fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
