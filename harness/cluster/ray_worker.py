"""A worker that Ray runs: a process of its own, on whichever machine has room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cluster.work_queue import WorkerDiedError
from harness.cluster.worker import Worker
from tasks.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from harness.cluster.options import ClusterOptions
    from harness.cluster.worker import Failure, Opened

SECONDS_TO_START = 600.0


class RayWorker:
    """A :class:`~harness.cluster.work_queue.Handle`.

    Args:
        ray: Ray, connected.
        options: What a worker gets.
        arguments: For :meth:`harness.cluster.worker.Worker.open`.
        take: Takes what that returns.
    """

    def __init__(
        self,
        ray: ModuleType,
        options: ClusterOptions,
        arguments: tuple[Callable[[], Any], str, str],
        take: Callable[[Opened | Failure], None],
    ) -> None:
        self._ray = ray
        self._arguments = arguments
        self._take = take
        # Retries are counted by the queue: Ray would not say of which shard a worker died.
        self._actor = (
            ray.remote(Worker)
            .options(
                num_cpus=options.cpus,
                num_gpus=options.gpus,
                max_restarts=0,
                max_task_retries=0,
            )
            .remote()
        )

    def open(self) -> None:
        """See :meth:`harness.cluster.work_queue.Handle.open`."""
        try:
            self._take(self._get("open", self._arguments, SECONDS_TO_START))
        except self._ray.exceptions.GetTimeoutError as error:
            raise ClusterError(
                f"The cluster had no room for a worker for {SECONDS_TO_START / 60:.0f} minutes, or "
                "the model took as long to load. What was finished is kept."
            ) from error

    def call(self, method: str, *arguments: Any) -> Any:
        """See :meth:`harness.cluster.work_queue.Handle.call`."""
        return self._get(method, arguments, None)

    def kill(self) -> None:
        """See :meth:`harness.cluster.work_queue.Handle.kill`."""
        if self._ray.is_initialized():
            self._ray.kill(self._actor)

    def _get(self, method: str, arguments: tuple[Any, ...], seconds: float | None) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(getattr(self._actor, method).remote(*arguments), timeout=seconds)
        # A machine that is lost takes answers with it that had not been fetched.
        except (errors.RayActorError, errors.ObjectLostError, errors.OutOfMemoryError) as error:
            raise WorkerDiedError(_reason(str(error))) from error


def _reason(text: str) -> str:
    """What Ray says last, without the numbers of the actor."""
    return " ".join(text.rsplit("\n", maxsplit=1)[-1].split())[:400] or "no reason is known"
