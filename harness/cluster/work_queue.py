"""Gives shards to workers, and a shard whose worker died to another one.

A worker has one shard at a time, so that it is known which one it died of. The queue is a place
where threads wait for a free worker: each thread has a shard, and takes it to worker after worker.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, Protocol

from tasks.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ATTEMPTS = 3
"""Workers that may die of one shard, and starts that may fail one after the other."""
STOPPED = "The workers were stopped."
_NAMED = 3


class WorkerDiedError(Exception):
    """A worker is gone, with its process or its machine."""


class Handle(Protocol):
    """A worker somewhere."""

    def open(self) -> None:
        """Waits until it is ready.

        Raises:
            BabelboardError: If another start would be in vain.
            WorkerDiedError: If it died.
        """

    def call(self, method: str, *arguments: Any) -> Any:
        """What a method of the worker returns.

        Raises:
            WorkerDiedError: If it died before it returned.
        """

    def kill(self) -> None:
        """Ends the worker."""


class WorkQueue:
    """Workers that take shards.

    Args:
        start: Starts a worker, without waiting for it.
        workers: How many.
    """

    def __init__(self, start: Callable[[], Handle], workers: int) -> None:
        self.workers = workers
        self._start = start
        self._free: queue.SimpleQueue[Handle | Exception] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._alive: list[Handle] = []
        self._starting: list[threading.Thread] = []
        self._expected = workers
        self._closed = False
        for _ in range(workers):
            self._begin()

    def run(self, method: str, *arguments: Any, named: Callable[[], Sequence[str]]) -> Any:
        """Has a worker do something; waits for a free one.

        Args:
            method: Of the worker.
            arguments: For it.
            named: What the shard is, then its texts, for a message.

        Raises:
            ClusterError: If workers keep dying of it, or there are none left.
        """
        reason = ""
        for _ in range(ATTEMPTS):
            worker = self._next()
            try:
                found = worker.call(method, *arguments)
            except WorkerDiedError as error:
                reason = str(error)
                self._replace(worker)
            except BaseException:
                self._free.put(worker)
                raise
            else:
                self._free.put(worker)
                return found
        raise ClusterError(_poisoned(named(), reason))

    def dies(self, method: str, *arguments: Any) -> bool:
        """Whether a worker dies of something; what it returns is left aside."""
        worker = self._next()
        try:
            worker.call(method, *arguments)
        except WorkerDiedError:
            self._replace(worker)
            return True
        except BaseException:
            self._free.put(worker)
            raise
        self._free.put(worker)
        return False

    def wait_for(self, workers: int) -> None:
        """Waits until so many workers are free.

        Raises:
            BabelboardError: Why none could be started.
        """
        for worker in [self._next() for _ in range(workers)]:
            self._free.put(worker)

    def close(self) -> None:
        """Ends all workers; what waits for one is given up."""
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, []
        for worker in alive:
            worker.kill()
        self._free.put(ClusterError(STOPPED))
        for thread in self._starting:
            thread.join()

    def _next(self) -> Handle:
        while True:
            found = self._free.get()
            if not isinstance(found, Exception):
                return found
            with self._lock:
                none_left = self._closed or self._expected == 0
            # For all who wait: nobody will be free any more.
            if none_left:
                self._free.put(found)
                raise found

    def _replace(self, worker: Handle) -> None:
        self._drop(worker)
        self._begin()

    def _drop(self, worker: Handle) -> None:
        with self._lock:
            if worker in self._alive:
                self._alive.remove(worker)
        worker.kill()

    def _begin(self) -> None:
        with self._lock:
            if self._closed:
                return
            thread = threading.Thread(target=self._started, name="worker-start", daemon=True)
            self._starting = [one for one in self._starting if one.is_alive()] + [thread]
            thread.start()

    def _started(self) -> None:
        """Starts a worker, and lets it wait for work."""
        try:
            self._free.put(self._opened())
        except Exception as error:  # noqa: BLE001  # a thread's last chance to be heard
            with self._lock:
                self._expected -= 1
            self._free.put(error)

    def _opened(self) -> Handle:
        reason = ""
        for _ in range(ATTEMPTS):
            with self._lock:
                if self._closed:
                    raise ClusterError(STOPPED)
                worker = self._start()
                self._alive.append(worker)
            try:
                worker.open()
            except WorkerDiedError as died:
                self._drop(worker)
                reason = str(died)
            except BaseException:
                self._drop(worker)
                raise
            else:
                return worker
        raise ClusterError(
            f"A worker died each of {ATTEMPTS} times while the model was loaded: {reason}\n"
            "What was finished is kept. Often the memory is too small: try fewer --ray-workers."
        )


def _poisoned(names: Sequence[str], reason: str) -> str:
    shard, *texts = names
    others = f" and {len(texts) - _NAMED:,} others" if len(texts) > _NAMED else ""
    return (
        f"{ATTEMPTS} workers died of {shard}: {', '.join(texts[:_NAMED])}{others}. The last one: "
        f"{reason}\nWhat was finished is kept; the same command goes on from there. Try "
        "--max-tokens with fewer, or fewer --ray-workers where memory is short, or look at these "
        "texts."
    )
