"""The documents that can be among the first of a ranking, found with scores in float32.

Each score is known to within a radius. The k-th largest lower bound of a query, its floor, is not
above the exact score of the k-th document: what has an upper bound below it is not among the first
k. The others are kept, and scored exactly when all documents have been seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from harness.retrieval.top_documents import TopDocuments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.retrieval.retrievers import Pool

SPARE = 64
"""Room for documents, beside twice those that are wanted."""
CHUNK = 64
"""Columns that are passed over together where none of them can matter."""
QUERIES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Contenders:
    """What can be among the first documents of some queries.

    Attributes:
        query: Rows of the queries, ascending, shape (queries,).
        floor: The largest lower bounds of each query, as a heap with the lowest on top, shape
            (queries, depth).
        document: Rows of the documents that are kept, shape (queries, room).
        upper: Upper bounds of their scores.
        kept: How many that are, shape (queries,); -1 where there was no room for them all.
    """

    query: NDArray[np.int64]
    floor: NDArray[np.float64]
    document: NDArray[np.int64]
    upper: NDArray[np.float64]
    kept: NDArray[np.int64]

    @classmethod
    def empty(cls, query: NDArray[np.int64], depth: int) -> Contenders:
        """No documents yet."""
        room = (len(query), 2 * depth + SPARE)
        return cls(
            query,
            np.full((len(query), depth), -np.inf),
            np.empty(room, dtype=np.int64),
            np.empty(room),
            np.zeros(len(query), dtype=np.int64),
        )

    def take(
        self, scores: NDArray[np.floating], radius: NDArray[np.float64], corner: tuple[int, int]
    ) -> None:
        """Takes in a block of scores.

        Args:
            scores: Scores, shape (queries, documents).
            radius: How far those of each query can be from the exact ones, shape (queries,).
            corner: Rows of the block's first query and first document.
        """
        first, last = np.searchsorted(self.query, (corner[0], corner[0] + len(scores)))
        some = slice(first, last)
        rows = self.query[some] - corner[0]
        _take(
            scores,
            rows,
            radius[rows],
            self.floor[some],
            self.document[some],
            self.upper[some],
            self.kept[some],
            corner[1],
        )

    @property
    def crowded(self) -> NDArray[np.bool_]:
        """Which queries had no room for all that could be among the first, shape (queries,)."""
        return self.kept < 0

    def settled(self, pool: Pool, order: NDArray[np.int64]) -> TopDocuments:
        """The first documents by exact scores, best first; of crowded queries, none.

        Args:
            pool: The documents.
            order: Each document's place in the order of ties, shape (documents,).
        """
        depth = self.floor.shape[1]
        found = TopDocuments.empty(self.query, depth)
        for start in range(0, len(self.query), QUERIES_AT_ONCE):
            some = slice(start, start + QUERIES_AT_ONCE)
            there = np.arange(self.document.shape[1]) < self.kept[some, None]
            there &= self.upper[some] >= self.floor[some, :1]
            width = max(depth, int(there.sum(axis=1).max(initial=0)))
            row, column = np.nonzero(there)
            place = np.arange(len(row)) - np.searchsorted(row, row)
            document = self.document[some][row, column]
            top = TopDocuments.empty(self.query[some], width)
            top.document[row, place] = document
            top.score[row, place] = pool.pairs(self.query[some][row], document)
            top.order[row, place] = order[document]
            best = top.sorted().cut(depth)
            found.document[some], found.score[some] = best.document, best.score
            found.order[some] = best.order
        return found


@numba.njit(cache=True, nogil=True)
def _take(  # noqa: PLR0913, PLR0917  # numba takes arrays, not records
    scores: NDArray[np.floating],
    rows: NDArray[np.int64],
    radius: NDArray[np.float64],
    floors: NDArray[np.float64],
    documents: NDArray[np.int64],
    uppers: NDArray[np.float64],
    counts: NDArray[np.int64],
    first_document: int,
) -> None:
    for query in range(len(rows)):
        kept = documents[query], uppers[query], counts[query]
        row, heap = scores[rows[query]], floors[query]
        counts[query] = _take_row(row, radius[query], heap, kept, first_document)


@numba.njit(cache=True, nogil=True)
def _take_row(
    row: NDArray[np.floating],
    away: float,
    heap: NDArray[np.float64],
    contenders: tuple[NDArray[np.int64], NDArray[np.float64], int],
    first_document: int,
) -> int:
    """What :meth:`Contenders.take` does for one query; how many documents are kept."""
    document, upper, count = contenders
    for start in range(0, len(row), CHUNK):
        if count < 0:
            break
        end = min(start + CHUNK, len(row))
        if not _any_from(row[start:end], _below(heap[0], away)):
            continue
        for column in range(start, end):
            score = np.float64(row[column])
            if score + away < heap[0]:
                continue
            if count == len(document):
                count = _keep_possible(document, upper, heap[0])
                # With little room left it would be full again at once.
                if count > len(document) - SPARE // 2:
                    return -1
            document[count], upper[count] = first_document + column, score + away
            count += 1
            if score - away > heap[0]:
                _replace_lowest(heap, score - away)
    return count


@numba.njit(cache=True, nogil=True, inline="always")
def _below(floor: float, away: float) -> np.float32:
    """A number that no score falls below whose upper bound reaches the floor."""
    return np.float32(floor - away - (np.abs(floor) + away) * 1e-6)


@numba.njit(cache=True, nogil=True)
def _any_from(row: NDArray[np.floating], least: np.float32) -> bool:
    """Whether a number is not below another; narrow counts go many columns at a time."""
    found = np.int32(0)
    for column in range(len(row)):
        found = np.int32(found + np.int32(row[column] >= least))
    return bool(found > 0)


@numba.njit(cache=True, nogil=True)
def _keep_possible(document: NDArray[np.int64], upper: NDArray[np.float64], floor: float) -> int:
    """Drops the documents whose upper bound is below the floor; how many remain."""
    kept = 0
    for place in range(len(document)):
        if upper[place] >= floor:
            document[kept], upper[kept] = document[place], upper[place]
            kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def _replace_lowest(heap: NDArray[np.float64], value: float) -> None:
    """Puts a higher number in the place of the lowest of a heap."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= len(heap):
            break
        if child + 1 < len(heap) and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value
