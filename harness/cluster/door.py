"""Opens a model on the workers of a cluster, and gives what stands for it here."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cluster.connection import connected
from harness.cluster.cross_encoder import ClusterCrossEncoder
from harness.cluster.dense import ClusterEncoder, elsewhere
from harness.cluster.shard_storage import ShardStorage
from harness.cluster.work_queue import WorkQueue
from harness.cluster.worker import Failure, Opened
from harness.models.door import BUILT_IN, MTEB, open_model
from tasks.errors import ClusterError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.cluster.options import ClusterOptions
    from harness.models.encoder_options import EncoderOptions
    from harness.retrieval.retrievers import Model


def opener_of(name: str, options: EncoderOptions) -> Callable[[], Model]:
    """What opens a model on a worker.

    Args:
        name: Of a checkpoint: a folder, or the id of a hub repository.
        options: What replaces its own declarations.

    Raises:
        UsageError: If it is no checkpoint, or several devices are named.
    """
    if name in BUILT_IN or name.startswith((MTEB, "run:")):
        raise UsageError(
            f"--ray is for checkpoints of dense encoders and cross-encoders, not for {name!r}. "
            "Leave --ray out."
        )
    if options.device is not None and "," in options.device:
        raise UsageError(
            "--device names one device of each worker with --ray: start more --ray-workers, and "
            "give each its own by --ray-gpus 1."
        )
    # Workers have another working folder.
    there = str(Path(name).absolute()) if Path(name).is_dir() else name
    return partial(open_model, there, options)


@contextmanager
def opened_on_cluster(
    opener: Callable[[], Model], options: ClusterOptions
) -> Iterator[ClusterEncoder | ClusterCrossEncoder]:
    """A model on the workers of a cluster, which end with the block.

    Args:
        opener: Opens the model on a worker.
        options: The cluster.

    Raises:
        ClusterError: If the cluster does not answer, or workers cannot be started.
        ModelError: If the model cannot be opened there.
        UsageError: If the model is of a kind that --ray does not take.
    """
    storage = ShardStorage(_reachable(options.storage))
    with connected(options) as ray, _mark(storage) as mark:
        from harness.cluster.ray_worker import RayWorker

        first = _First()

        def take(answer: Opened | Failure) -> None:
            if isinstance(answer, Failure):
                raise answer.error or elsewhere(storage)
            first.agrees_with(answer)

        def start() -> RayWorker:
            return RayWorker(ray, options, (opener, storage.url, mark), take)

        queue = WorkQueue(start, options.workers)
        try:
            opened = first.wait(queue)
            kind = ClusterEncoder if opened.kind == "dense" else ClusterCrossEncoder
            yield kind(queue, opened, storage)
        finally:
            queue.close()


class _First:
    """What the first worker said of the model; the others must say the same."""

    def __init__(self) -> None:
        self._opened: Opened | None = None
        self._lock = threading.Lock()

    def agrees_with(self, opened: Opened) -> None:
        """Takes what a worker says.

        Raises:
            ClusterError: If another said otherwise: results would depend on who did what.
        """
        with self._lock:
            if self._opened is None:
                self._opened = opened
            elif differing := [
                name
                for name in ("kind", "description", "tokens_per_batch", "fingerprints", "versions")
                if getattr(self._opened, name) != getattr(opened, name)
            ]:
                values = [getattr(one, differing[0]) for one in (self._opened, opened)]
                raise ClusterError(
                    f"Two workers differ in {', '.join(differing)}: {values[0]} and {values[1]}. "
                    "Results would depend on who did what: give all machines the same packages, "
                    "model and kind of device (see --device and --ray-gpus)."
                )

    def wait(self, queue: WorkQueue) -> Opened:
        """What the first worker said, once it has."""
        queue.wait_for(1)
        if self._opened is None:
            raise ValueError("a worker is there that has not said what it opened")
        return self._opened


@contextmanager
def _mark(storage: ShardStorage) -> Iterator[str]:
    """A file by which workers see that they mean the same place."""
    name = f"mark-{secrets.token_hex(8)}"
    storage.write_bytes(name, b"babelboard\n")
    try:
        yield name
    finally:
        with suppress(OSError):  # what matters has been said or done by now
            storage.remove([name])


def _reachable(storage: str) -> str:
    """A storage as workers in another working folder understand it."""
    return storage if "://" in storage else str(Path(storage).absolute())
