"""Writes the files of a site: those that changed, and no more."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from harness.files import write_atomically
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INVENTORY = "files.json"
"""The checksum of every other file of a site."""


def check_out(out: Path) -> None:
    """Refuses a folder that holds something else than a site.

    Raises:
        UsageError: If it does, or is a file.
    """
    if out.is_file():
        raise UsageError(f"{out} is a file; name a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / INVENTORY).is_file():
        raise UsageError(
            f"{out} holds something else than a site of babelboard. Name another folder with --out."
        )


def write_files(out: Path, files: Mapping[str, bytes]) -> int:
    """Writes a site over an earlier one; what is no longer needed goes.

    Args:
        out: Folder of the site.
        files: Content by path.

    Returns:
        Number of files that had changed.
    """
    inventory = out / INVENTORY
    before = json.loads(inventory.read_text(encoding="utf-8")) if inventory.is_file() else {}
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    changed = 0
    for name, content in files.items():
        path = out / name
        if before.get(name) != digests[name] or not path.is_file():
            write_atomically(path, content)
            changed += 1
    write_atomically(inventory, (json.dumps(digests, indent=1) + "\n").encode())
    for name in set(before) - set(files):
        path = (out / name).resolve()
        if path.is_relative_to(out.resolve()):
            path.unlink(missing_ok=True)
    return changed
