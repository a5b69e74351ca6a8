"""Writes the files of a site: those that changed, and no more."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypedDict

from harness.files import UNFINISHED as PART
from harness.files import remove_left_behind, write_atomically
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

INVENTORY = "files.json"
"""The checksum of every other file of a site."""
UNFINISHED = ".unfinished"
"""Which files a build has begun to write, a line each; it goes when the build is done."""


def check_out(out: Path) -> None:
    """Refuses a folder that holds something else than a site, or a site with a damaged inventory.

    Raises:
        UsageError: If it does, or is a file.
    """
    if out.is_file():
        raise UsageError(f"{out} is a file; name a folder with --out.")
    is_site = (out / INVENTORY).is_file() or (out / UNFINISHED).is_file()
    if out.is_dir() and not is_site and any(not _is_left_behind(one) for one in out.iterdir()):
        raise UsageError(
            f"{out} holds something else than a site of babelboard. Name another folder with --out."
        )
    # Without it, pages of entries that were withdrawn since would stay for ever.
    if (out / INVENTORY).is_file() and not _read(out / INVENTORY):
        raise UsageError(
            f"{out / INVENTORY} is damaged, so that it is not known which files the site has. "
            f"Remove {out} and build it anew, or name another folder with --out."
        )


class SiteWriter:
    """Writes a site over an earlier one, file by file; what is no longer needed goes at the end.

    After a build that was stopped, the inventory does not say what its files hold: they are read.

    Args:
        out: Folder of the site.
        memory: File that remembers which files a part of the site had, and what they were made
            from; None to make every part anew.
    """

    def __init__(self, out: Path, memory: Path | None) -> None:
        self._out = out
        self._memory = memory
        self._was_stopped = (out / UNFINISHED).is_file()
        self._before = _digests(out)
        self._parts_before = _parts(memory) if memory else {}
        self._has_begun = False
        self._now: dict[str, str] = {}
        self._parts: dict[str, _Part] = {}
        self.changed = 0

    def put(self, path: str, content: bytes) -> None:
        """Writes a file, unless it is there with the same content.

        Raises:
            ValueError: If the site has that file already, as two things have one name, or if it
                would lie outside of the site.
        """
        digest = hashlib.sha256(content).hexdigest()
        if path in self._now or not _is_within(path):
            raise ValueError(f"{path} is there already, or is no file within the site")
        self._now[path] = digest
        target = self._out / path
        if self._before.get(path) != digest or not target.is_file():
            self._begin(path)
            # Not durable one by one: the inventory is, and comes last.
            write_atomically(target, content, durable=False)
            self.changed += 1

    def _begin(self, path: str) -> None:
        """Says that a file is not what the inventory has, before it is written or removed."""
        journal = self._out / UNFINISHED
        if not self._has_begun:
            if not journal.is_file():
                write_atomically(journal, b"")  # durable, unlike what follows
            self._has_begun = True
        with journal.open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{path}\n")

    @property
    def pages(self) -> int:
        """Number of pages so far."""
        return sum(path.endswith(".html") for path in self._now)

    def put_all(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Writes some files."""
        for path, content in files:
            self.put(path, content)

    def is_there(self, part: str, key: str) -> bool:
        """Whether the files of a part were made from the same before; they then stay as they are.

        Args:
            part: Name of the part.
            key: Checksum of all that its files are made from.
        """
        found = self._parts_before.get(part)
        if found is None or found["key"] != key:
            return False
        files = found["files"]
        if any(self._before.get(path) != digest for path, digest in files.items()):
            return False
        if not all(os.path.isfile(f"{self._out}/{path}") for path in files):  # noqa: PTH113  # many
            return False
        self._now.update(files)
        self._parts[part] = found
        return True

    def put_part(self, part: str, key: str, files: Iterable[tuple[str, bytes]]) -> None:
        """Writes the files of a part, and remembers what they were made from."""
        of_part = {}
        for path, content in files:
            self.put(path, content)
            of_part[path] = self._now[path]
        self._parts[part] = {"key": key, "files": of_part}

    def finish(self) -> None:
        """Writes the inventory, and removes what an earlier build left and is no longer needed."""
        for name in sorted(set(self._before) - set(self._now)):
            path = (self._out / name).resolve()
            if path.is_relative_to(self._out.resolve()):
                self._begin(name)
                path.unlink(missing_ok=True)
        if self._has_begun and hasattr(os, "sync"):
            os.sync()  # the inventory must not speak of files that a failing power would take
        write_atomically(self._out / INVENTORY, _inventory(self._now))
        if self._memory:
            write_atomically(self._memory, json.dumps(self._parts).encode())
        if self._was_stopped:
            remove_left_behind(self._out, older_than=0)
        for path in filter(_is_left_behind, self._out.iterdir()):
            path.unlink()  # of a build that was stopped before it could say that it had begun
        (self._out / UNFINISHED).unlink(missing_ok=True)


def _is_left_behind(path: Path) -> bool:
    """Whether a file is what a killed build had not finished."""
    return path.name.startswith(".") and path.name.endswith(PART)


def _is_within(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and "\\" not in path


class _Part(TypedDict):
    key: str
    files: dict[str, str]


def _digests(out: Path) -> dict[str, str]:
    """What the files of a site are, by path: from the inventory, if the last build came to its end.

    Otherwise from the files that are there, of those in the inventory or begun since.
    """
    listed = {path: one for path, one in _read(out / INVENTORY).items() if isinstance(one, str)}
    try:
        begun = (out / UNFINISHED).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return listed
    found = {}
    for name in filter(_is_within, {*listed, *begun}):
        with suppress(OSError):
            found[name] = hashlib.sha256((out / name).read_bytes()).hexdigest()
    return found


def _parts(memory: Path) -> dict[str, _Part]:
    return {
        name: {"key": part["key"], "files": part["files"]}
        for name, part in _read(memory).items()
        if isinstance(part, dict) and isinstance(part.get("files"), dict) and "key" in part
    }


def _read(path: Path) -> dict[str, Any]:
    """A file of ours; one that is missing or damaged says nothing, so all is written again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _inventory(digests: Mapping[str, str]) -> bytes:
    """One file a line, as ``json.dumps(..., indent=1)`` writes it, which is slow."""
    lines = (f" {json.dumps(path)}: {json.dumps(digests[path])}" for path in sorted(digests))
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()
