"""Locks against two writers of one folder: an entry, a site, a trained model, a search.

The lock of ``folder`` is ``flock`` on the file ``.<name>.lock`` beside it, which holds the number
of the process that has it, and which goes when the lock is given back. The kernel takes the lock
from a process that ends in whatever way, so that what a killed process leaves blocks nobody. The
folder must be on a local disk: some network file systems do not keep this promise. Where no file
may be made beside the folder, the folder itself is locked.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tasks.errors import InUseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_held: dict[Path, int] = {}
"""How often this process has taken each lock that it holds."""


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Makes this process the only one that writes a folder, until the block ends.

    A process may take a lock that it has. It does not keep its own threads apart.

    Args:
        folder: What is written; it need not exist.

    Raises:
        InUseError: If another process has the lock.
        OSError: If the folder is not there, and cannot be made.
    """
    path = lock_path(folder)
    if path in _held:
        _held[path] += 1
        try:
            yield
        finally:
            _held[path] -= 1
        return
    missing = [parent for parent in path.parents if not parent.exists()]
    locked, handle = _lock(folder, path)
    _held[path] = 1
    try:
        yield
    finally:
        del _held[path]
        if locked == path:
            # While the lock is held: whoever opened this file before finds that it is gone.
            path.unlink(missing_ok=True)
        os.close(handle)
        with suppress(OSError):
            for parent in missing:  # made for the lock alone, unless something lies in them now
                parent.rmdir()


def lock_path(folder: Path) -> Path:
    """The lock file of a folder; it is beside the folder, whatever links lead there."""
    there = folder.resolve()
    return there.with_name(f".{there.name}.lock")


def _lock(folder: Path, path: Path) -> tuple[Path, int]:
    """Opens and locks the lock file, or the folder; gives which it was and its handle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        locked, handle = _opened(folder, path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if locked == folder:
                return locked, handle
            if _is_file(path, handle):
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
                return locked, handle
        except BlockingIOError:
            holder = "another process" if locked == folder else _holder(handle)
            os.close(handle)
            raise InUseError(
                f"{folder} is being written by {holder}. Wait until it has ended, stop it, or "
                "name another folder."
            ) from None
        except OSError as error:
            os.close(handle)
            raise OSError(error.errno, error.strerror, str(path)) from error
        os.close(handle)  # its holder has given it back, and removed the file, just now


def _opened(folder: Path, path: Path) -> tuple[Path, int]:
    try:
        # A lock file that is a link would have a file elsewhere written.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return path, os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS) or not folder.is_dir():
            raise
    return folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _is_file(path: Path, handle: int) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _holder(handle: int) -> str:
    """Who has the lock, as the file says; it says nothing yet where it was taken just now."""
    said = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
    return f"the process {said}" if said.isdigit() else "another process"
