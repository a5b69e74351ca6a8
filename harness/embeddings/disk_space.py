"""Whether embeddings have room on the disk, before hours go into making them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tasks.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def check_room(folder: Path, needed: int) -> None:
    """Refuses a folder whose disk is too full.

    Args:
        folder: Where embeddings are to be written; it need not be there yet.
        needed: Bytes that they take.

    Raises:
        UsageError: If less is free; folder and amounts are named.
    """
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise UsageError(
            f"The embeddings take {_readable(needed)} in {folder}, where {_readable(free)} are "
            "free. Name a folder with more room by --cache, or make room."
        )


def _readable(size: int) -> str:
    amount, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
