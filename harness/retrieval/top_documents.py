"""The first documents of each query's ranking: exact, whatever the blocks they came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TopDocuments:
    """Ranked documents of some queries.

    Attributes:
        query: Rows of the queries, shape (queries,), ascending.
        document: Rows of the documents, best first, -1 where there are fewer, shape
            (queries, depth).
        score: Their scores; minus infinity where there are fewer.
        order: Their places in the order of ties.
    """

    query: NDArray[np.int64]
    document: NDArray[np.int64]
    score: NDArray[np.float64]
    order: NDArray[np.int64]

    @classmethod
    def empty(cls, query: NDArray[np.int64], depth: int) -> TopDocuments:
        """No documents yet."""
        shape = (len(query), depth)
        return cls(
            query,
            np.full(shape, -1, dtype=np.int64),
            np.full(shape, -np.inf),
            np.full(shape, np.iinfo(np.int64).max),
        )

    def sorted(self) -> TopDocuments:
        """The same documents, best first."""
        by = np.lexsort((self.order, -self.score))
        return TopDocuments(
            self.query,
            np.take_along_axis(self.document, by, axis=1),
            np.take_along_axis(self.score, by, axis=1),
            np.take_along_axis(self.order, by, axis=1),
        )

    def of(self, query: NDArray[np.int64]) -> TopDocuments:
        """Those of some of the queries, ascending."""
        rows = np.searchsorted(self.query, query)
        return TopDocuments(query, self.document[rows], self.score[rows], self.order[rows])

    def among(self, documents: NDArray[np.int64]) -> TopDocuments:
        """The same, where the rows of the documents are indices in ``documents``."""
        document = np.where(self.document < 0, -1, documents[self.document])
        return TopDocuments(self.query, document, self.score, self.order)

    def cut(self, depth: int) -> TopDocuments:
        """Only the first ``depth`` documents."""
        some = slice(0, depth)
        return TopDocuments(
            self.query, self.document[:, some], self.score[:, some], self.order[:, some]
        )

    def followed_by(self, others: TopDocuments) -> TopDocuments:
        """These documents, then those of ``others`` after as many; each query has them all."""
        depth = self.document.shape[1]
        return TopDocuments(
            self.query,
            np.concatenate([self.document, others.document[:, depth:]], axis=1),
            np.concatenate([self.score, others.score[:, depth:]], axis=1),
            np.concatenate([self.order, others.order[:, depth:]], axis=1),
        )

    def replace(self, others: TopDocuments) -> None:
        """Puts others in the place of what was found for their queries, to the same depth."""
        rows = np.searchsorted(self.query, others.query)
        self.document[rows], self.score[rows] = others.document, others.score
        self.order[rows] = others.order

    def positive(self) -> TopDocuments:
        """Only the documents that score above 0."""
        kept = self.score > 0
        return TopDocuments(
            self.query,
            np.where(kept, self.document, -1),
            np.where(kept, self.score, -np.inf),
            self.order,
        )


def merged(tops: Sequence[TopDocuments], depth: int) -> TopDocuments:
    """The first documents over several sets of documents, for the same queries."""
    return (
        TopDocuments(
            tops[0].query,
            np.concatenate([top.document for top in tops], axis=1),
            np.concatenate([top.score for top in tops], axis=1),
            np.concatenate([top.order for top in tops], axis=1),
        )
        .sorted()
        .cut(depth)
    )


def keep_best(
    best: TopDocuments,
    scores: NDArray[np.float64],
    order: NDArray[np.int64],
    corner: tuple[int, int],
) -> None:
    """Takes what is better in a block of scores into ``best``, in place and not sorted.

    Args:
        best: What was found so far, as a heap for each query with the worst document on top.
        scores: Scores, shape (queries, documents).
        order: Each document's place in the order of ties, shape (documents,).
        corner: Rows of the block's first query and first document.
    """
    first, last = np.searchsorted(best.query, (corner[0], corner[0] + len(scores)))
    some = slice(first, last)
    _keep(
        best.score[some],
        best.order[some],
        best.document[some],
        scores,
        order,
        best.query[some] - corner[0],
        corner[1],
    )


@numba.njit(parallel=True, cache=True, nogil=True)
def _keep(  # noqa: PLR0913, PLR0917  # numba takes arrays, not records
    best_score: NDArray[np.float64],
    best_order: NDArray[np.int64],
    best_document: NDArray[np.int64],
    scores: NDArray[np.float64],
    order: NDArray[np.int64],
    rows: NDArray[np.int64],
    first_document: int,
) -> None:
    depth = best_score.shape[1]
    for query in numba.prange(len(rows)):
        row = scores[rows[query]]
        heap, places, documents = best_score[query], best_order[query], best_document[query]
        for column in range(len(row)):
            score, place = row[column], order[column]
            if score < heap[0] or (score == heap[0] and place > places[0]):
                continue
            # It replaces the worst, and sinks until no child is worse than it.
            at = 0
            while True:
                child = 2 * at + 1
                if child >= depth:
                    break
                other = child + 1
                if other < depth and (
                    heap[other] < heap[child]
                    or (heap[other] == heap[child] and places[other] > places[child])
                ):
                    child = other
                if heap[child] > score or (heap[child] == score and places[child] < place):
                    break
                heap[at], places[at] = heap[child], places[child]
                documents[at] = documents[child]
                at = child
            heap[at], places[at], documents[at] = score, place, first_document + column
