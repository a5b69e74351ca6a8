"""Which pairs of texts a cross-encoder reads together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.packing import pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

MOST_PAIRS_PER_BATCH = 1024


@dataclass(frozen=True, slots=True)
class DistinctPairs:
    """The distinct pairs among some, in an order that only their texts decide.

    Attributes:
        queries: Distinct queries, sorted.
        documents: Distinct documents, sorted.
        query: Row of each distinct pair's query, shape (distinct,).
        document: Row of its document, shape (distinct,).
        times: How often it was given, shape (distinct,).
        place: Distinct pair of each pair that was given, shape (pairs,).
    """

    queries: Sequence[str]
    documents: Sequence[str]
    query: NDArray[np.int64]
    document: NDArray[np.int64]
    times: NDArray[np.int64]
    place: NDArray[np.int64]

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> DistinctPairs:
        """The distinct ones among some pairs."""
        queries, documents = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
        query_row = {text: row for row, text in enumerate(queries)}
        document_row = {text: row for row, text in enumerate(documents)}
        width = max(1, len(documents))
        keys = [query_row[query] * width + document_row[document] for query, document in pairs]
        distinct, place, times = np.unique(
            np.array(keys, np.int64), return_inverse=True, return_counts=True
        )
        query, document = np.divmod(distinct, width)
        return cls(queries, documents, query, document, times, place)

    def texts(self, chosen: Sequence[int]) -> list[tuple[str, str]]:
        """The texts of some distinct pairs."""
        rows = zip(
            self.query[list(chosen)].tolist(), self.document[list(chosen)].tolist(), strict=True
        )
        return [(self.queries[query], self.documents[document]) for query, document in rows]


def pair_batches(lengths: NDArray[np.int64], budget: int) -> Iterator[list[int]]:
    """Indices of the pairs of each batch, longest first; see :func:`~.packing.pack`."""
    longest_first = np.argsort(-lengths, kind="stable")
    for some in pack(lengths[longest_first], budget, MOST_PAIRS_PER_BATCH):
        yield longest_first[some].tolist()
