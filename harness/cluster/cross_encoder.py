"""A cross-encoder on a cluster: to the harness it is a model that reads pairs, as any other.

Batches are packed here, as for one machine, from lengths that workers have counted; each batch is
a shard.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from harness.cluster.dense import finished
from harness.cluster.narrowing import narrowed
from harness.cluster.shard_names import pairs_name
from harness.embeddings.batch_runner import BatchRunner, Work
from harness.models.pair_batches import DistinctPairs, pair_batches
from harness.retrieval.retrievers import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.cluster.shard_storage import ShardStorage
    from harness.cluster.work_queue import WorkQueue
    from harness.cluster.worker import Opened
    from harness.models.description import ModelDescription
    from harness.progress import Reporter
    from tasks.collection import Collection

PAIRS_COUNTED_AT_ONCE = 2048


class ClusterCrossEncoder:
    """A :class:`~harness.retrieval.retrievers.PairModel` whose work is done by workers.

    Args:
        queue: The workers.
        opened: What they say of the model.
        storage: Where they put shards.
    """

    def __init__(self, queue: WorkQueue, opened: Opened, storage: ShardStorage) -> None:
        self._queue = queue
        self._storage = storage
        self._opened = opened
        self._runner = BatchRunner(queue.workers)
        self._tokens = self._padded = 0

    def describe(self) -> ModelDescription:
        """See :meth:`harness.retrieval.retrievers.Model.describe`."""
        return self._opened.description

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,  # noqa: ARG002  # the protocol's: shards keep scores
        progress: Reporter,  # noqa: ARG002  # the protocol's
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`; nothing is done before pairs."""
        self._tokens = self._padded = 0
        texts = sum(len(collection.queries[code].texts) for code in languages[0])
        texts += sum(len(collection.corpora[code].texts) for code in languages[1])
        return Prepared(
            scorer=self,
            description=self._opened.description,
            device=self._opened.device,
            texts=texts,
            distinct_texts=texts,
        )

    @property
    def padding(self) -> float:
        """Share of padding among the tokens of the batches that were scored."""
        return 1 - self._tokens / self._padded if self._padded else 0.0

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.PairModel.scores_of`; equal pairs once.

        Raises:
            ClusterError: If workers keep dying of a batch, or the storage is not the workers' own.
            ModelError: If a score is no finite number, or memory is too small for one pair.
        """
        distinct = DistinctPairs.of(pairs)
        lengths = self._lengths(distinct)

        def run(rows: list[int]) -> NDArray[np.float64]:
            return self._scores(distinct.texts(rows))

        def named(row: int) -> tuple[str, str]:
            ((query, document),) = distinct.texts([row])
            return f"the query {query[:80]!r} and the document", document

        scores = np.empty(len(distinct.query))
        batches = pair_batches(lengths, self._opened.tokens_per_batch)
        for batch, found in self._runner.run(Work(run, lengths, named), batches):
            scores[batch] = found
            self._tokens += int(lengths[batch].sum())
            self._padded += int(lengths[batch].max()) * len(batch)
            on_pairs(int(distinct.times[batch].sum()))
        return scores[distinct.place]

    def _scores(self, pairs: list[tuple[str, str]]) -> NDArray[np.float64]:
        """Scores of one batch, made by a worker or found in the storage."""
        name = pairs_name(self._opened.description, pairs)
        if (known := self._storage.read(name)) is not None:
            return np.asarray(known, dtype=np.float64)

        def dies(some: Sequence[tuple[str, str]]) -> bool:
            part = pairs_name(self._opened.description, some)
            return self._queue.dies("score_pairs", part, list(some))

        def named() -> list[str]:
            what = f"the batch {name} of {len(pairs):,} pairs"
            return [what, *_named(narrowed(pairs, dies))]

        outcome = self._queue.run("score_pairs", name, pairs, named=named)
        return np.asarray(finished(outcome, self._storage, name), dtype=np.float64)

    def _lengths(self, distinct: DistinctPairs) -> NDArray[np.int64]:
        """Tokens of each distinct pair, shape (distinct,); workers count at the same time."""

        def count(start: int) -> NDArray[np.int64]:
            last = min(start + PAIRS_COUNTED_AT_ONCE, len(distinct.query))
            some = distinct.texts(range(start, last))
            found: NDArray[np.int64] = self._queue.run(
                "pair_lengths", some, named=lambda: ["pairs to be counted", *_named(some)]
            )
            return found

        starts = range(0, len(distinct.query), PAIRS_COUNTED_AT_ONCE)
        with ThreadPoolExecutor(self._queue.workers, thread_name_prefix="lengths") as threads:
            return np.concatenate([np.empty(0, np.int64), *threads.map(count, starts)])


def _named(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [f"query {query[:80]!r} with document {document[:80]!r}" for query, document in pairs]
