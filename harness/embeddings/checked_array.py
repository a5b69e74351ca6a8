"""Arrays in files that know whether they are whole.

A file is what numpy writes as .npy, and behind it the 16 bytes of its BLAKE2b digest. It is
written beside its place and moved there, so that a file that is there was finished.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

DIGEST = 16
_UNFINISHED = ".part"
_SECONDS_UNTIL_LEFT_BEHIND = 24 * 60 * 60


@contextmanager
def created(path: Path, shape: tuple[int, int]) -> Iterator[NDArray[np.float32]]:
    """A file to be filled through a memory map; it is in its place once the block ends.

    Args:
        path: The file; its folder is made.
        shape: Of the float32 array, at least one row and one column.

    Raises:
        OSError: If the disk is full or the folder cannot be written; ``path`` is then as before.
    """
    with _beside(path) as temporary:
        # A map of its own, so that nothing is written after the digest.
        filled = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
        yield filled
        filled.flush()
        _seal(temporary)


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Writes an array.

    Raises:
        OSError: If the disk is full or the folder cannot be written; ``path`` is then as before.
    """
    with _beside(path) as temporary:
        with temporary.open("wb") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)
        _seal(temporary)


def read_array(path: Path) -> NDArray[Any] | None:
    """An array, memory-mapped; None where its file is missing or not as it was written."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size - DIGEST
            if size < 0 or _digest(file, size) != file.read():
                return None
            file.seek(0)
            if np.lib.format.read_magic(file) == (1, 0):
                shape, *_ = np.lib.format.read_array_header_1_0(file)
                # What is empty cannot be mapped.
                found: NDArray[Any] = np.load(path, mmap_mode="r" if np.prod(shape) else None)
                return found
    except (EOFError, OSError, ValueError):
        pass
    return None


def remove_left_behind(folder: Path) -> None:
    """Removes what runs that were killed have left unfinished in a folder."""
    oldest = time.time() - _SECONDS_UNTIL_LEFT_BEHIND
    for path in folder.glob(f".*{_UNFINISHED}"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _seal(path: Path) -> None:
    with path.open("rb+") as file:
        found = _digest(file, path.stat().st_size)
        file.write(found)
        file.flush()
        os.fsync(file.fileno())


def _digest(file: BinaryIO, size: int) -> bytes:
    """Digest of the first bytes of a file, which is left behind them."""
    digest = hashlib.blake2b(digest_size=DIGEST)
    read: Callable[[int], bytes] = file.read
    while size > 0 and (block := read(min(size, 2**20))):
        digest.update(block)
        size -= len(block)
    return digest.digest()
