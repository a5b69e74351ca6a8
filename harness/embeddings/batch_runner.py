"""Runs a model over batches: on all of its devices, and within their memory.

A device that runs out of memory gets the batch in halves, and from then on no batch with more
padded tokens than went in.
"""

from __future__ import annotations

import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

Found = TypeVar("Found")

_TORCHS_WORDS = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True, slots=True)
class Work(Generic[Found]):
    """What is done with batches of some inputs.

    Attributes:
        run: The model on the inputs of some rows; it is called from several threads where the
            model is on several devices.
        lengths: Tokens of each input, shape (inputs,).
        named: What a message calls an input, and its text.
    """

    run: Callable[[list[int]], Found]
    lengths: NDArray[np.int64]
    named: Callable[[int], tuple[str, str]]


class BatchRunner:
    """Runs batches, and remembers how large they may be.

    Args:
        workers: How many batches are run at the same time.
    """

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self.most_tokens: int | None = None
        """Padded tokens that a batch may have, once memory was too small for one."""

    def run(
        self, work: Work[Found], batches: Iterable[Sequence[int]]
    ) -> Iterator[tuple[list[int], Found]]:
        """Runs batches in order.

        Yields:
            The rows that were run together, and what was found; a batch that memory was too small
            for comes in several parts.

        Raises:
            ModelError: If memory is too small for one input alone; it is named.
        """
        if self._workers == 1:
            for batch in batches:
                yield from self._within_memory(work, batch)
            return
        with ThreadPoolExecutor(self._workers, thread_name_prefix="device") as threads:
            under_way: deque[Future[list[tuple[list[int], Found]]]] = deque()
            try:
                for batch in batches:
                    under_way.append(threads.submit(self._all_within_memory, work, batch))
                    # One batch a device is waiting while one is run.
                    if len(under_way) >= 2 * self._workers:
                        yield from under_way.popleft().result()
                while under_way:
                    yield from under_way.popleft().result()
            finally:
                for future in under_way:
                    future.cancel()

    def _all_within_memory(
        self, work: Work[Found], batch: Sequence[int]
    ) -> list[tuple[list[int], Found]]:
        return list(self._within_memory(work, batch))

    def _within_memory(
        self, work: Work[Found], batch: Sequence[int]
    ) -> Iterator[tuple[list[int], Found]]:
        waiting = deque([list(batch)])
        while waiting:
            rows = waiting.popleft()
            widest = max(1, int(work.lengths[rows].max()))
            if self.most_tokens is not None and len(rows) > (
                fitting := max(1, self.most_tokens // widest)
            ):
                parts = range(0, len(rows), fitting)
                waiting.extendleft(rows[start : start + fitting] for start in reversed(parts))
                continue
            found = _unless_out_of_memory(work, rows)
            if found is not None:
                yield rows, found
            elif len(rows) == 1:
                raise ModelError(_too_long(*work.named(rows[0]), widest))
            else:
                self.most_tokens = len(rows) // 2 * widest
                waiting.appendleft(rows)


def _unless_out_of_memory(work: Work[Found], rows: list[int]) -> Found | None:
    """What was found; None if memory was too small."""
    try:
        return work.run(rows)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    # Only here is what the error's frames held let go.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that a device has no memory left."""
    # torch.OutOfMemoryError is a RuntimeError, and so is what its allocator on the CPU raises.
    return isinstance(error, MemoryError) or any(words in str(error) for words in _TORCHS_WORDS)


def _too_long(name: str, text: str, tokens: int) -> str:
    return (
        f"The device ran out of memory on {name} alone, which has {tokens:,} tokens: "
        f"{text[:80]!r}.\nTry --max-tokens with fewer, --dtype bfloat16, or another --device. "
        "What was encoded before is kept."
    )
