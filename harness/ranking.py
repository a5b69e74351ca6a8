"""Exact ranks of judged documents, by counting instead of sorting.

The rank of a document is 1 + the number of documents that score higher + the number of tied
documents that stand before it. Ties go by descending document id, as trec_eval has them. Counts
over the corpora of a pool add up, so one pass over each corpus gives the ranks in every pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy import sparse

BLOCK_BYTES = 64 * 2**20
"""Size of a block of scores: large enough for the BLAS, small enough for any machine."""
DOCUMENTS_PER_BLOCK = 2**15


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


def tie_order(ids: list[str]) -> NDArray[np.int64]:
    """The place of each id when ids are sorted descending, byte by byte, as trec_eval does."""
    by_id = sorted(range(len(ids)), key=lambda i: ids[i].encode(), reverse=True)
    order = np.empty(len(ids), dtype=np.int64)
    order[by_id] = np.arange(len(ids))
    return order


def pair_scores(
    queries: NDArray[np.float64] | sparse.csr_array,
    documents: NDArray[np.float64] | sparse.csr_array,
    query: NDArray[np.int64],
    document: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Inner products of pairs of rows.

    Args:
        queries: Vectors on a lattice, shape (queries, dimension).
        documents: Vectors on a lattice, shape (documents, dimension), of the same type.
        query: Row of each pair's query, shape (pairs,).
        document: Row of each pair's document, shape (pairs,).

    Returns:
        Exact scores, shape (pairs,).
    """
    scores = np.empty(len(query))
    for start in range(0, len(query), DOCUMENTS_PER_BLOCK):
        block = slice(start, start + DOCUMENTS_PER_BLOCK)
        left, right = queries[query[block]], documents[document[block]]
        products = left * right if isinstance(left, np.ndarray) else left.multiply(right)
        scores[block] = products.sum(axis=1)
    return scores


def count_before(
    queries: NDArray[np.float64] | sparse.csr_array,
    documents: NDArray[np.float64] | sparse.csr_array,
    order: NDArray[np.int64],
    pairs: JudgedPairs,
    on_queries: Callable[[int], None] = lambda _: None,
) -> NDArray[np.int64]:
    """How many of ``documents`` stand before each judged document.

    Args:
        queries: Vectors on a lattice, shape (queries, dimension).
        documents: Vectors on a lattice, shape (documents, dimension), of the same type.
        order: Each document's place in the order of ties, shape (documents,).
        pairs: The judged documents; they need not be among ``documents``.
        on_queries: Called with the number of queries of each block that is done.

    Returns:
        Counts, shape (pairs,).
    """
    counts = np.zeros(len(pairs.query), dtype=np.int64)
    total, n_queries = documents.shape[0], queries.shape[0]
    width = max(1, min(total, DOCUMENTS_PER_BLOCK))
    height = max(1, BLOCK_BYTES // (8 * width))
    for top in range(0, n_queries, height):
        bottom = min(top + height, n_queries)
        first, last = np.searchsorted(pairs.query, (top, bottom))
        if first < last:
            block = queries[top:bottom]
            for left in range(0, total, width):
                columns = slice(left, left + width)
                scores = block @ documents[columns].T
                if not isinstance(scores, np.ndarray):
                    scores = scores.toarray()
                _count(
                    scores,
                    order[columns],
                    pairs.query[first:last] - top,
                    pairs.score[first:last],
                    pairs.order[first:last],
                    counts[first:last],
                )
        on_queries(bottom - top)
    return counts


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
