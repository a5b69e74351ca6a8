"""Replaces a folder as a whole: a stop at any moment leaves all of the old one or all of the new.

The new folder is made beside its place, as ``.<name>.new/<name>``: one level deeper, where whoever
lists the folders there does not take it for one of them. Linux and macOS exchange two folders in
one step. Where they cannot (other systems, some network disks), the old folder is moved away to
``.<name>.old/<name>`` first; a stop between the two steps leaves the place empty until
:func:`recover_folder` has been called, which whoever writes the folder next does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = -100 if sys.platform == "linux" else -2  # AT_FDCWD: paths begin at the working folder
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder that takes the place of another when the block ends without an error.

    It begins with the files of the old one, which are shared with it as hard links: replace or
    remove them, but do not write into them. The caller has the folder's lock.

    Args:
        folder: The place; it need not exist.

    Raises:
        OSError: If the disk is full or the folder cannot be written; it is then as before.
    """
    place = folder.resolve()
    recover_folder(place)
    fresh = _beside(place, "new") / place.name
    try:
        if place.is_dir():
            fresh.parent.mkdir()
            shutil.copytree(place, fresh, copy_function=_link, symlinks=True)
        else:
            fresh.mkdir(parents=True)
        yield fresh
        _sync_all(fresh)
        _take_place(fresh, place)
    finally:
        shutil.rmtree(fresh.parent, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """Puts right what a process left that was killed while it replaced a folder.

    The caller has the folder's lock.

    Raises:
        OSError: If the folder's parent cannot be written.
    """
    place = folder.resolve()
    old = _beside(place, "old")
    if not place.exists() and (old / place.name).exists():
        (old / place.name).rename(place)
        sync_folder(place.parent)
    for left in (old, _beside(place, "new")):
        if left.exists():
            shutil.rmtree(left)


def _beside(place: Path, what: str) -> Path:
    return place.with_name(f".{place.name}.{what}")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EMLINK, *_CANNOT):
            raise
        shutil.copy2(source, target)  # a disk that knows no links
        with open(target, "rb") as file:  # noqa: PTH123  # copytree gives names
            os.fsync(file.fileno())


def _sync_all(folder: Path) -> None:
    """Has the disk hold the names in a folder; the files themselves were written durably."""
    for inside, _, _ in os.walk(folder):
        sync_folder(Path(inside))


def _take_place(fresh: Path, place: Path) -> None:
    if not place.exists():
        fresh.rename(place)
    elif not _exchange(fresh, place):
        old = _beside(place, "old")
        old.mkdir()
        place.rename(old / place.name)
        fresh.rename(place)
        shutil.rmtree(old)
    sync_folder(place.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Gives each of two folders the other's name, in one step; False where that is not possible."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    try:
        name = "renameat2" if sys.platform == "linux" else "renameatx_np"
        function = getattr(library, name)
    except AttributeError:
        return False
    if function(_HERE, names[0], _HERE, names[1], ctypes.c_uint(_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(other))
