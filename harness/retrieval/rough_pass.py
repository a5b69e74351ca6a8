"""Goes over the queries of a block with scores in float32, on several threads.

Each thread multiplies some queries of its own and looks at their scores while they are in its
cache. A product that several threads share would have them wait for each other at every block.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from harness.retrieval.rough_counts import settled_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harness.retrieval.contenders import Contenders
    from harness.retrieval.retrievers import RoughBlock
    from harness.retrieval.scan import JudgedPairs

    Segment = tuple[int, int]

CACHED_SCORES = 2**19
"""So many scores of one thread stay in its cache."""
LEAST_QUERIES = 128
"""Fewer in one product cost more each, as the documents are laid out anew for every product."""


class RoughPass:
    """What float32 says of the judged documents and the first ones, block after block.

    Args:
        pairs: The judged documents.
        order: Each document's place in the order of ties, shape (all documents,).
        contenders: Where documents that can be among the first are kept, if they are asked for.
        scores: How many scores there is memory for.
        width: Documents of a block.
    """

    def __init__(
        self,
        pairs: JudgedPairs,
        order: NDArray[np.int64],
        contenders: Contenders | None,
        scores: int,
        width: int,
    ) -> None:
        self.before = np.zeros(len(pairs.query), dtype=np.int64)
        self._pairs = pairs
        self._order = order
        self._contenders = contenders
        most = max(1, scores // width)
        self._workers = min(numba.get_num_threads(), max(1, most // LEAST_QUERIES))
        self.height = min(most // self._workers, max(LEAST_QUERIES, CACHED_SCORES // width))
        self._size = self.height * width
        self._own = threading.local()

    @contextmanager
    def threads(self) -> Iterator[ThreadPoolExecutor]:
        """The threads, while products have one each."""
        with (
            threadpool_limits(1, user_api="blas"),
            ThreadPoolExecutor(self._workers, thread_name_prefix="scores") as threads,
        ):
            yield threads

    def left_open(
        self,
        threads: ThreadPoolExecutor,
        block: RoughBlock,
        first_document: int,
        segments: Sequence[Segment],
    ) -> list[tuple[Segment, bool]]:
        """Takes in the scores of a block.

        Args:
            threads: Of :meth:`threads`.
            block: The documents.
            first_document: Row of the block's first document.
            segments: Rows of queries, from and to, at most :attr:`height` each.

        Returns:
            Segments for which exact scores are wanted, and whether only for their counts.
        """
        found = threads.map(lambda one: self._take(block, first_document, one), segments)
        return [state for state in found if state]

    def _take(
        self, block: RoughBlock, first_document: int, segment: Segment
    ) -> tuple[Segment, bool] | None:
        first, last = segment
        scores, radius = block.rough(first, last, self._room())
        if not np.isfinite(radius).all():
            return segment, False
        if self._contenders:
            self._contenders.take(scores, radius, (first, first_document))
        a, b = np.searchsorted(self._pairs.query, segment)
        query = self._pairs.query[a:b]
        judged = (query - first, query, self._pairs.score[a:b], self._pairs.order[a:b])
        order = self._order[first_document : first_document + scores.shape[1]]
        counts = settled_counts(block, scores, order, judged, radius)
        if counts is None:
            return segment, True
        self.before[a:b] += counts
        return None

    def _room(self) -> NDArray[np.float32]:
        """Memory for the scores of this thread, taken once."""
        if not hasattr(self._own, "room"):
            self._own.room = np.empty(self._size, dtype=np.float32)
        room: NDArray[np.float32] = self._own.room
        return room
