"""Writing files so that a stop at any moment leaves the old file or the new one, never half.

What is not finished is called ``.<name>.<random>.part``, beside its place; a process that is killed
leaves it behind.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

UNFINISHED = ".part"
SECONDS_UNTIL_LEFT_BEHIND = 24 * 60 * 60
"""Age from which an unfinished file is nobody's, where several processes may write at once."""


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Writes a file beside its place and moves it there.

    Args:
        path: The file; its folder is made.
        content: All of it.
        durable: Whether it is on the disk when this returns, also if the power fails. Without,
            writing is quicker, for what can be made again and is checked when it is read.

    Raises:
        OSError: If the disk is full or the folder cannot be written; ``path`` is then as before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Has the disk hold what was created, moved and removed in a folder.

    Raises:
        OSError: If the folder cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_left_behind(folder: Path, older_than: float = SECONDS_UNTIL_LEFT_BEHIND) -> None:
    """Removes what killed processes left unfinished in a folder and below it.

    Args:
        folder: Where to look; it need not exist.
        older_than: Seconds. Who has the lock of a folder may take 0: nobody else is writing there.
    """
    oldest = time.time() - older_than
    for inside, _, files in os.walk(folder):
        for name in files:
            if name.startswith(".") and name.endswith(UNFINISHED):
                path = Path(inside, name)
                if older_than == 0 or path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)
