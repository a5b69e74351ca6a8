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

from harness.retrieval.contenders import Contenders
from harness.retrieval.retrievers import RoughPool
from harness.retrieval.rough_pass import RoughPass
from harness.retrieval.top_documents import TopDocuments, keep_best

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.retrieval.retrievers import Pool

    _Top = tuple[NDArray[np.int64], int]

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
    blocks = _Blocks.within(memory, pool)
    if isinstance(pool, RoughPool):
        return _rough_scan(pool, blocks, order, pairs, top, on_documents)
    return _exact_scan(pool, blocks, order, pairs, top, on_documents)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """In which parts a pool is scored: so many documents, and so many queries with them."""

    documents: int
    width: int
    height: int

    @classmethod
    def within(cls, memory: int, pool: Pool) -> _Blocks:
        score_bytes = min(SCORE_BYTES, memory // 4)
        fitting = (memory - score_bytes) // pool.bytes_per_document
        width = max(1, min(pool.documents, DOCUMENTS_PER_BLOCK, fitting))
        return cls(pool.documents, width, max(1, score_bytes // (8 * width)))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for left in range(0, self.documents, self.width):
            yield left, min(left + self.width, self.documents)


def _exact_scan(
    pool: Pool,
    blocks: _Blocks,
    order: NDArray[np.int64],
    pairs: JudgedPairs,
    top: _Top | None,
    on_documents: Callable[[int], None],
) -> Scan:
    """With exact scores of all documents."""
    before = np.zeros(len(pairs.query), dtype=np.int64)
    best = TopDocuments.empty(*top) if top else None
    segments = list(_segments(_asked(pairs, top), blocks.height))
    for left, right in blocks:
        block = pool.block(left, right)
        for first, last in segments:
            scores = block.scores(first, last)
            _count_exactly(scores, order[left:right], pairs, first, before)
            if best:
                keep_best(best, scores, order[left:right], (first, left))
        on_documents(right - left)
    return Scan(before, best.sorted() if best else None)


def _rough_scan(
    pool: RoughPool,
    blocks: _Blocks,
    order: NDArray[np.int64],
    pairs: JudgedPairs,
    top: _Top | None,
    on_documents: Callable[[int], None],
) -> Scan:
    """With scores in float32, and exact ones of what these leave open.

    Half of the memory for scores holds those in float32, the other half exact ones, of fewer
    queries at a time.
    """
    contenders = Contenders.empty(*top) if top else None
    rough = RoughPass(pairs, order, contenders, blocks.height * blocks.width, blocks.width)
    segments = list(_segments(_asked(pairs, top), rough.height))
    few = max(1, blocks.height // 2)
    with rough.threads() as threads:
        for left, right in blocks:
            block, places = pool.rough_block(left, right), order[left:right]
            for (first, last), counts_only in rough.left_open(threads, block, left, segments):
                for start in range(first, last, few):
                    scores = block.scores(start, min(start + few, last))
                    _count_exactly(scores, places, pairs, start, rough.before)
                    if contenders and not counts_only:
                        contenders.take(scores, np.zeros(len(scores)), (start, left))
            on_documents(right - left)
    if not contenders:
        return Scan(rough.before, None)
    found = contenders.settled(pool, order)
    if contenders.crowded.any():  # many documents tie, or nearly so
        again = (found.query[contenders.crowded], found.document.shape[1])
        nothing = JudgedPairs(pairs.query[:0], pairs.score[:0], pairs.order[:0])
        rest = _exact_scan(pool, blocks, order, nothing, again, lambda _: None).top
        if rest:
            found.replace(rest)
    return Scan(rough.before, found)


def _asked(pairs: JudgedPairs, top: _Top | None) -> NDArray[np.int64]:
    """Rows of the queries that are asked, ascending."""
    query = pairs.query  # ascending: faster than to look for what is distinct
    distinct = query[np.flatnonzero(np.diff(query, prepend=-1))]
    return distinct if top is None else np.union1d(distinct, top[0])


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


def _count_exactly(
    scores: NDArray[np.float64],
    order: NDArray[np.int64],
    pairs: JudgedPairs,
    first: int,
    before: NDArray[np.int64],
) -> None:
    a, b = np.searchsorted(pairs.query, (first, first + len(scores)))
    _count(scores, order, pairs.query[a:b] - first, pairs.score[a:b], pairs.order[a:b], before[a:b])


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
