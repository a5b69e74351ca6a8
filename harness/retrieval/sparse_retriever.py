"""Learned sparse retrieval: a weight for each term of a vocabulary, whatever the pool.

A text's vector is kept as pairs of a term's number and its weight, shape (active terms, 2), in
float32, which holds every number below :data:`MOST_TERMS` exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from harness.retrieval.sparse_pool import SparseBlock, SparsePool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.embeddings.ragged_rows import Ragged, RaggedRows

MOST_TERMS = 2**24
PAIRS_AT_ONCE = 2**15


class LearnedSparsePool:
    """Term weights of a pool; see :class:`harness.retrieval.retrievers.Pool`.

    Args:
        queries: Weights of all queries, shape (queries, terms).
        documents: Pairs of term and weight of the documents.
        cosine: Whether vectors are scaled to length 1.
    """

    def __init__(self, queries: sparse.csr_array, documents: RaggedRows, *, cosine: bool) -> None:
        self.queries = int(queries.shape[0])
        self.documents = len(documents)
        # The pairs as they are stored, by document, and by term.
        per_term = 8 + 12 + 12
        self.bytes_per_document = per_term * -(-documents.rows // max(1, len(documents)))
        self._queries = queries
        self._documents = documents
        self._cosine = cosine

    def block(self, first: int, last: int) -> SparseBlock:
        """See :meth:`harness.retrieval.retrievers.Pool.block`."""
        return SparseBlock(self._queries, self._weights(self._documents.between(first, last)))

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Pool.pairs`."""
        scores = np.empty(len(query))
        for start in range(0, len(query), PAIRS_AT_ONCE):
            some = slice(start, start + PAIRS_AT_ONCE)
            found = self._weights(self._documents.at(document[some]))
            scores[some] = SparsePool(self._queries, found).pairs(
                query[some], np.arange(found.shape[0])
            )
        return scores

    def _weights(self, pairs: Ragged) -> sparse.csr_array:
        return term_weights(pairs, int(self._queries.shape[1]), cosine=self._cosine)


class SparseRetriever:
    """Term weights of a collection.

    Args:
        queries: Pairs of term and weight of all queries.
        documents: Pairs of term and weight of the documents by language.
        terms: Size of the vocabulary.
        cosine: Whether vectors are scaled to length 1.
    """

    pool_independent = True
    retrieves_all = False

    def __init__(
        self, queries: RaggedRows, documents: Mapping[str, RaggedRows], terms: int, *, cosine: bool
    ) -> None:
        self._queries = term_weights(queries.between(0, len(queries)), terms, cosine=cosine)
        self._documents = documents
        self._cosine = cosine

    def pool(self, document_languages: tuple[str, ...]) -> LearnedSparsePool:
        """See :meth:`harness.retrieval.retrievers.Retriever.pool`."""
        first, *others = [self._documents[code] for code in document_languages]
        return LearnedSparsePool(self._queries, first.joined_with(others), cosine=self._cosine)


def term_weights(pairs: Ragged, terms: int, *, cosine: bool) -> sparse.csr_array:
    """Sparse vectors from pairs of term and weight.

    Args:
        pairs: Terms ascending within a text.
        terms: Size of the vocabulary.
        cosine: Whether vectors are scaled to length 1; one without terms stays as it is.

    Returns:
        Weights, shape (texts, terms), in float32, or in float64 where they are scaled.
    """
    weights: NDArray[np.floating] = pairs.values[:, 1]
    if cosine:
        lengths = np.diff(pairs.offsets)
        text = np.repeat(np.arange(len(pairs)), lengths)
        exact = weights.astype(np.float64)
        # bincount adds one after the other: the same sum whatever other texts there are.
        norms = np.sqrt(np.bincount(text, weights=exact * exact))
        weights = exact / norms[text]
    index = np.int32 if len(weights) < 2**31 else np.int64
    return sparse.csr_array(
        (weights, pairs.values[:, 0].astype(index), pairs.offsets.astype(index)),
        shape=(len(pairs), terms),
    )
