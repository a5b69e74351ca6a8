"""The lock of a job: whoever holds it may move the job's manifest.

It is ``flock`` on the manifest itself, which goes with it through renames, and which the kernel
takes from a process that ends in whatever way. The folder must be on a local disk: network file
systems do not keep this promise.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from submissions.queue.folder import move

if TYPE_CHECKING:
    from submissions.queue.folder import QueueFolder, State


class Claim:
    """A job that this process holds.

    Attributes:
        job: Its name.
        state: Where its manifest lies.
    """

    def __init__(self, queue: QueueFolder, job: str, state: State, handle: int) -> None:
        self.job = job
        self.state = state
        self._queue = queue
        self._handle = handle

    def move(self, state: State) -> None:
        """Moves the manifest to another state."""
        move(self._queue.manifest(self.state, self.job), self._queue.manifest(state, self.job))
        self.state = state

    def release(self) -> None:
        """Lets others claim the job."""
        os.close(self._handle)


def claim(queue: QueueFolder, job: str, state: State) -> Claim | None:
    """Locks a job; None if another process holds it, or it is no longer in that state.

    Args:
        queue: The queue.
        job: The job's name; its manifest must be a regular file.
        state: Where its manifest lies.

    Raises:
        OSError: If the manifest cannot be opened.
    """
    path = queue.manifest(state, job)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking, another process may have done the job or moved it.
        if os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=False)):
            return Claim(queue, job, state, handle)
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None
