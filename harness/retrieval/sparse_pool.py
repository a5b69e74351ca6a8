"""Scores of sparse vectors: inner products over the terms that query and document share.

Products are added in the order of the terms, in float64. A score therefore depends on the two
vectors alone, whatever the block, the number of threads or the rest of the pool, and documents
with equal weights for a query's terms tie exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse


class SparseBlock:
    """Some documents, by term.

    Args:
        queries: Weights of all queries, shape (queries, terms).
        documents: Weights of the block's documents, shape (documents, terms).
    """

    def __init__(self, queries: sparse.csr_array, documents: sparse.csr_array) -> None:
        self._queries = queries
        self._documents = documents.tocsc()

    def scores(self, first: int, last: int) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Block.scores`."""
        found = np.zeros((last - first, self._documents.shape[0]))
        _add_products(_arrays(self._queries[first:last]), _arrays(self._documents), found)
        return found


class SparsePool:
    """Weights of a pool's terms; see :class:`harness.retrieval.retrievers.Pool`.

    Args:
        queries: Weights of all queries, shape (queries, terms), in float32 or float64.
        documents: Weights of the documents, shape (documents, terms).
    """

    def __init__(self, queries: sparse.csr_array, documents: sparse.csr_array) -> None:
        self.queries = int(queries.shape[0])
        self.documents = int(documents.shape[0])
        self._queries = _in_order(queries)
        self._documents = _in_order(documents)
        # A block is cut out of the documents, and turned to go by term.
        per_weight = documents.data.itemsize + documents.indices.itemsize
        self.bytes_per_document = 2 * per_weight * -(-documents.nnz // max(1, self.documents))

    def block(self, first: int, last: int) -> SparseBlock:
        """See :meth:`harness.retrieval.retrievers.Pool.block`."""
        return SparseBlock(self._queries, self._documents[first:last])

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Pool.pairs`."""
        found = np.zeros(len(query))
        _add_pairs(_arrays(self._queries), _arrays(self._documents), query, document, found)
        return found


def _in_order(vectors: sparse.csr_array) -> sparse.csr_array:
    """Each term at most once in a row, in ascending order."""
    if vectors.has_canonical_format:
        return vectors
    ordered = vectors.copy()
    ordered.sum_duplicates()
    return ordered


def _arrays(
    vectors: sparse.csr_array | sparse.csc_array,
) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.floating]]:
    return vectors.indptr, vectors.indices, vectors.data


@numba.njit(parallel=True, cache=True, nogil=True)
def _add_products(
    queries: tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.floating]],
    postings: tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.floating]],
    scores: NDArray[np.float64],
) -> None:
    """Adds to ``scores``, shape (queries, documents), term by term."""
    starts, terms, asked = queries
    begins, documents, weights = postings
    for query in numba.prange(scores.shape[0]):
        row = scores[query]
        for place in range(starts[query], starts[query + 1]):
            weight = np.float64(asked[place])
            for posting in range(begins[terms[place]], begins[terms[place] + 1]):
                row[documents[posting]] += weight * np.float64(weights[posting])


@numba.njit(parallel=True, cache=True, nogil=True)
def _add_pairs(
    queries: tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.floating]],
    documents: tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.floating]],
    query: NDArray[np.int64],
    document: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> None:
    """Adds to ``scores``, shape (pairs,), term by term as :func:`_add_products` does."""
    starts, asked_terms, asked = queries
    begins, terms, weights = documents
    for pair in numba.prange(len(scores)):
        left, right = starts[query[pair]], begins[document[pair]]
        total = 0.0
        while left < starts[query[pair] + 1] and right < begins[document[pair] + 1]:
            if asked_terms[left] == terms[right]:
                total += np.float64(asked[left]) * np.float64(weights[right])
                left += 1
                right += 1
            elif asked_terms[left] < terms[right]:
                left += 1
            else:
                right += 1
        scores[pair] = total
