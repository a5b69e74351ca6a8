"""Checksums of large files, computed once for each content and remembered."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tasks.data_files import cache_folder

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Digests:
    """What identifies a file's content.

    Attributes:
        md5: 32 hexadecimal digits, as ir_datasets publishes them.
        sha256: 64 hexadecimal digits, as entries store them.
    """

    md5: str
    sha256: str


def digests(path: Path) -> Digests:
    """Both checksums of a file, in one pass.

    They are remembered in the user's cache by path, size and time of change to the nanosecond, so
    that gigabytes are not read at each start. What cannot be remembered is computed again.

    Raises:
        OSError: If the file cannot be read.
    """
    path = path.resolve()
    stat = path.stat()
    seen = {"size": stat.st_size, "changed": stat.st_mtime_ns}
    known = _remembered().get(str(path), {})
    if all(known.get(name) == value for name, value in seen.items()):
        return Digests(known["md5"], known["sha256"])
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            md5.update(block)
            sha256.update(block)
    found = Digests(md5.hexdigest(), sha256.hexdigest())
    _remember(str(path), seen | asdict(found))
    return found


def _memory() -> Path:
    return cache_folder() / "checksums.json"


def _remembered() -> dict[str, dict[str, Any]]:
    """What is remembered; a damaged file is as good as none."""
    try:
        content = json.loads(_memory().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    entries = content.get("files") if isinstance(content, dict) else None
    wanted = {"size", "changed", "md5", "sha256"}
    if not isinstance(entries, dict) or content.get("schema_version") != 1:
        return {}
    return {k: v for k, v in entries.items() if isinstance(v, dict) and set(v) == wanted}


def _remember(path: str, entry: dict[str, Any]) -> None:
    content = {"schema_version": 1, "files": _remembered() | {path: entry}}
    folder = _memory().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix="checksums-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)
        Path(temporary).replace(_memory())
    except OSError:
        return  # a cache that cannot be written costs time only
