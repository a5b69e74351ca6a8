"""Runs of several sides in turn, and the ratios of neighbouring runs."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took.

    Attributes:
        seconds: Wall time.
        cpu_seconds: Processor time of all threads, which other work on the machine changes less.
    """

    seconds: float
    cpu_seconds: float


def timed(work: Callable[[], object]) -> Taken:
    """Runs something once."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - wall, time.process_time() - processor)


def in_turn(sides: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[Taken]]:
    """Runs of all sides, one after the other, so many times."""
    found: dict[str, list[Taken]] = {name: [] for name in sides}
    for number in range(repeats):
        for name, work in sides.items():
            taken = timed(work)
            found[name].append(taken)
            say(
                f"run {number + 1}, {name}: {taken.seconds:.2f} s, "
                f"{taken.cpu_seconds:.2f} s of processors"
            )
    return found


def ratios(numerator: Sequence[Taken], denominator: Sequence[Taken]) -> dict[str, float]:
    """Medians of the ratios of neighbouring runs, and of the seconds of both."""
    pairs = list(zip(numerator, denominator, strict=True))
    return {
        "wall": round(median(a.seconds / b.seconds for a, b in pairs), 3),
        "cpu": round(median(a.cpu_seconds / b.cpu_seconds for a, b in pairs), 3),
        "seconds": round(median(a.seconds for a, _ in pairs), 3),
        "seconds_of_other": round(median(b.seconds for _, b in pairs), 3),
        "cpu_seconds": round(median(a.cpu_seconds for a, _ in pairs), 3),
        "cpu_seconds_of_other": round(median(b.cpu_seconds for _, b in pairs), 3),
    }


def say(line: str) -> None:
    """Progress, on stderr."""
    sys.stderr.write(f"{line}\n")
