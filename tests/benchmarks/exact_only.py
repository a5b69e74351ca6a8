"""A dense pool without its scores in float32, to see what these bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.retrieval.dense_retriever import DensePool
    from harness.retrieval.retrievers import Block


@dataclass(frozen=True, slots=True)
class ExactOnly:
    """A pool of which only exact scores are to be had."""

    pool: DensePool
    queries: int
    documents: int
    bytes_per_document: int

    @classmethod
    def of(cls, pool: DensePool) -> ExactOnly:
        """All of a pool but its scores in float32."""
        return cls(pool, pool.queries, pool.documents, pool.bytes_per_document)

    def block(self, first: int, last: int) -> Block:
        """See :meth:`harness.retrieval.retrievers.Pool.block`."""
        return self.pool.block(first, last)

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Pool.pairs`."""
        return self.pool.pairs(query, document)
