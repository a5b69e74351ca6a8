"""How much time, memory and disk a job may take."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass

from harness.memory import parse_memory
from tasks.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SHARE = 0.9
"""Of the machine's memory, for all jobs together, unless told otherwise."""
LOG = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one attempt of a job may take.

    Attributes:
        seconds: Wall time.
        memory: Bytes of memory that cannot be dropped, over all its processes: anonymous and
            shared pages. Pages of files, such as embeddings that are mapped from the disk, are
            the kernel's to drop and do not count.
        disk: Bytes in its working folder: entry, embeddings and temporary files.
        log: Bytes of its output that are kept.
    """

    seconds: float
    memory: int
    disk: int
    log: int = LOG


def parse_duration(option: str, text: str) -> float:
    """Seconds of a time such as ``90s``, ``30m``, ``6h`` or ``2d``.

    Args:
        option: The option that gives it, for the message.
        text: What was given.

    Raises:
        UsageError: If it is no such time, or zero.
    """
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd])", text.strip(), re.ASCII)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not math.isfinite(seconds) or seconds <= 0:
        raise UsageError(f"{option} {text!r}: give a time such as 90s, 30m, 6h or 2d.")
    return seconds


def parse_size(option: str, text: str) -> int:
    """Bytes of a size such as ``512M`` or ``16G``.

    Args:
        option: The option that gives it, for the message.
        text: What was given.

    Raises:
        UsageError: If it is no such size, or less than 16M.
    """
    try:
        return parse_memory(text)
    except UsageError:
        raise UsageError(
            f"{option} {text!r}: give a size of at least 16M, such as 512M or 16G."
        ) from None


def share_of_memory(workers: int) -> int:
    """Bytes of memory for each of some jobs that run at the same time."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(total * SHARE / workers)
