"""Exact ranks of judged documents, by counting instead of sorting, and exact top documents.

The rank of a document is 1 + the number of documents that score higher + the number of tied
documents that stand before it. Ties go by descending document id, as trec_eval has them. Counts
over the corpora of a pool add up, so one pass over each corpus gives the ranks in every pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.retrieval.top_documents import TopDocuments, keep_best

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.retrieval.retrievers import Pool

MEMORY = 2**30
"""Bytes that the blocks of a scan may take, unless told otherwise."""
SCORE_BYTES = 64 * 2**20
"""Size of a block of scores: large enough for the BLAS, small enough for any cache to help."""
DOCUMENTS_PER_BLOCK = 2**15
GAP = 64
"""Queries that nobody asks are scored along with their neighbours where they are this few."""


@dataclass(frozen=True, slots=True)
class JudgedPairs:
    """Pairs of a query and a document whose rank is wanted.

    Attributes:
        query: Row of the query, shape (pairs,), ascending.
        score: The document's score for the query, shape (pairs,).
        order: The document's place in the order of ties, shape (pairs,).
    """

    query: NDArray[np.int64]
    score: NDArray[np.float64]
    order: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass over the documents of a pool found.

    Attributes:
        before: How many of them stand before each judged document, shape (pairs,).
        top: The first documents of each query's ranking, if they were asked for.
    """

    before: NDArray[np.int64]
    top: TopDocuments | None


def tie_order(ids: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """The place of each id when ids are sorted descending, byte by byte, as trec_eval does.

    Args:
        ids: Ids of the documents, one sequence a corpus; together they are distinct.

    Returns:
        Places from 0, shape (all ids,).
    """
    chunks = [chunk for part in ids for chunk in _chunks(part)]
    joined = pa.chunked_array(chunks, type=pa.large_string())
    places = pc.sort_indices(joined, sort_keys=[("", "descending")]).to_numpy()
    order = np.empty(len(joined), dtype=np.int64)
    order[places] = np.arange(len(joined))
    return order


def scan(
    pool: Pool,
    order: NDArray[np.int64],
    pairs: JudgedPairs,
    top: tuple[NDArray[np.int64], int] | None = None,
    memory: int = MEMORY,
    on_documents: Callable[[int], None] = lambda _: None,
) -> Scan:
    """Scores every document of a pool for the queries that are asked, block by block.

    Args:
        pool: The documents and queries.
        order: Each document's place in the order of ties, shape (documents,).
        pairs: The judged documents; they need not be in the pool.
        top: Rows of queries, ascending, and how many documents to keep for each; None for none.
        memory: Bytes that the blocks may take; what is found does not depend on it.
        on_documents: Called with the number of documents of each block that is done.
    """
    before = np.zeros(len(pairs.query), dtype=np.int64)
    asked = np.unique(pairs.query) if top is None else np.union1d(pairs.query, top[0])
    best = TopDocuments.empty(*top) if top else None
    score_bytes = min(SCORE_BYTES, memory // 4)
    fitting = (memory - score_bytes) // pool.bytes_per_document
    width = max(1, min(pool.documents, DOCUMENTS_PER_BLOCK, fitting))
    height = max(1, score_bytes // (8 * width))
    for left in range(0, pool.documents, width):
        right = min(left + width, pool.documents)
        block = pool.block(left, right)
        for first, last in _segments(asked, height):
            scores = block.scores(first, last)
            a, b = np.searchsorted(pairs.query, (first, last))
            _count(
                scores,
                order[left:right],
                pairs.query[a:b] - first,
                pairs.score[a:b],
                pairs.order[a:b],
                before[a:b],
            )
            if best:
                keep_best(best, scores, order[left:right], (first, left))
        on_documents(right - left)
    return Scan(before, best.sorted() if best else None)


def _chunks(ids: Sequence[str]) -> list[pa.Array]:
    array = getattr(ids, "array", None)
    if array is None:
        return [pa.array(ids, type=pa.large_string())]
    return [chunk.cast(pa.large_string()) for chunk in array.chunks]


def _segments(asked: NDArray[np.int64], height: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows, at most ``height`` each, that together hold every row that is asked."""
    if not len(asked):
        return
    for run in np.split(asked, np.flatnonzero(np.diff(asked) > GAP) + 1):
        for first in range(int(run[0]), int(run[-1]) + 1, height):
            yield first, min(first + height, int(run[-1]) + 1)


@numba.njit(parallel=True, cache=True, nogil=True)
def _count(
    scores: NDArray[np.float64],
    order: NDArray[np.int64],
    query: NDArray[np.int64],
    score: NDArray[np.float64],
    own: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Adds to ``counts`` the columns of ``scores`` that stand before each judged document."""
    for pair in numba.prange(len(query)):
        row, threshold, place = scores[query[pair]], score[pair], own[pair]
        before = 0
        for column in range(len(row)):
            higher = row[column] > threshold
            tied_before = (row[column] == threshold) & (order[column] < place)
            before += higher | tied_before
        counts[pair] += before
