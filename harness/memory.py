"""How much memory a user lets blocks of documents and scores take."""

from __future__ import annotations

import re

from tasks.errors import UsageError

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
LEAST = 2**24
"""Less than this leaves no room for a block that is worth its while."""


def parse_memory(text: str) -> int:
    """Bytes of a size such as ``512M`` or ``4G``.

    Raises:
        UsageError: If it is not such a size, or less than 16M.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if size < LEAST:
        raise UsageError(f"--memory {text!r}: give a size of at least 16M, such as 512M or 4G.")
    return size
