"""Writing files so that a stop at any moment leaves the old file or the new one, never half."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


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
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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
