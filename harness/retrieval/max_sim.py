"""Late interaction: every token of a query looks for its best match among a document's tokens.

MaxSim (Khattab & Zaharia 2020, "ColBERT", equation 3): for a query with token vectors q_1 ... q_m
and a document with token vectors d_1 ... d_n,

    score = sum over i of max over j of <q_i, d_j>

MeanMaxSim divides it by m. A query without tokens scores 0; a document without tokens, as a
skip-list may leave one, scores :data:`EMPTY_DOCUMENT`, as in sentence-transformers.

Token vectors are rounded to a lattice each, so that their inner products are exact, whatever the
order of summation (:mod:`harness.embeddings.lattice`). A maximum is exact, and the sum over the
query's tokens goes in their order. A score therefore depends on the two texts alone: not on the
size of the blocks, the number of threads, the BLAS or the device, and equal texts tie exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from harness.embeddings.lattice import dense_on_lattice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from harness.embeddings.ragged_rows import Ragged, RaggedRows

EMPTY_DOCUMENT = -1e9
"""Score of a document without tokens: below all others whose vectors have about unit length."""
QUERY_TOKENS = 512
DOCUMENT_TOKENS = 2**11
DOCUMENT_TOKENS_ON_A_GPU = 2**17
"""Tokens of a tile of inner products: on a CPU it should stay in the cache."""
PAIRS_AT_ONCE = 4096


class MaxSimBlock:
    """Token vectors of some documents on the device, and of all queries.

    Args:
        queries: Token vectors of all queries.
        documents: Token vectors of the block's documents.
        device: Such as ``cpu`` or ``cuda:0``.
        mean: Whether scores are divided by the number of the query's tokens.
    """

    def __init__(self, queries: RaggedRows, documents: Ragged, device: str, *, mean: bool) -> None:
        self._queries = queries
        self._values = _on(device, documents)
        self._offsets = documents.offsets
        self._mean = mean

    def scores(self, first: int, last: int) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Block.scores`."""
        return _all_pairs(
            self._queries.between(first, last), self._values, self._offsets, self._mean
        )


class MaxSimPool:
    """Token vectors of a pool; see :class:`harness.retrieval.retrievers.Pool`.

    Args:
        queries: Token vectors of all queries.
        documents: Token vectors of the documents.
        device: What multiplies them, such as ``cpu`` or ``cuda:0``.
        mean: Whether scores are divided by the number of the query's tokens.
    """

    def __init__(
        self, queries: RaggedRows, documents: RaggedRows, device: str, *, mean: bool
    ) -> None:
        self.queries = len(queries)
        self.documents = len(documents)
        # As they are stored, on the lattice, and once more while they are rounded.
        per_token = documents.width * (4 + 8 + 8)
        self.bytes_per_document = per_token * -(-documents.rows // max(1, len(documents)))
        self._queries = queries
        self._documents = documents
        self._device = device
        self._mean = mean

    def block(self, first: int, last: int) -> MaxSimBlock:
        """See :meth:`harness.retrieval.retrievers.Pool.block`."""
        documents = self._documents.between(first, last)
        return MaxSimBlock(self._queries, documents, self._device, mean=self._mean)

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Pool.pairs`."""
        scores = np.empty(len(query))
        by_query = np.argsort(query, kind="stable")
        for start in range(0, len(query), PAIRS_AT_ONCE):
            some = by_query[start : start + PAIRS_AT_ONCE]
            asked, left = np.unique(query[some], return_inverse=True)
            found, right = np.unique(document[some], return_inverse=True)
            queries, documents = self._queries.at(asked), self._documents.at(found)
            sums = np.empty(len(some))
            _pair_sums(_rounded(queries), _rounded(documents), left, right, sums)
            if self._mean:
                sums /= np.maximum(np.diff(queries.offsets), 1)[left]
            sums[np.diff(documents.offsets)[right] == 0] = EMPTY_DOCUMENT
            scores[some] = sums
        return scores


class MaxSimRetriever:
    """Token vectors of a collection.

    Args:
        queries: Token vectors of all queries.
        documents: Token vectors of the documents by language.
        device: What multiplies them, such as ``cpu`` or ``cuda:0``.
        mean: Whether scores are divided by the number of the query's tokens.
    """

    pool_independent = True
    retrieves_all = True

    def __init__(
        self,
        queries: RaggedRows,
        documents: Mapping[str, RaggedRows],
        device: str,
        *,
        mean: bool = False,
    ) -> None:
        self._queries = queries
        self._documents = documents
        self._device = device
        self._mean = mean

    def pool(self, document_languages: tuple[str, ...]) -> MaxSimPool:
        """See :meth:`harness.retrieval.retrievers.Retriever.pool`."""
        first, *others = [self._documents[code] for code in document_languages]
        return MaxSimPool(self._queries, first.joined_with(others), self._device, mean=self._mean)


def token_sums(
    products: torch.Tensor, query_offsets: NDArray[np.int64], document_offsets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sums over the tokens of each query of the maximum over the tokens of each document.

    On any device, and bit-equal to what the compiled loops of a CPU give.

    Args:
        products: Inner products, shape (tokens of documents, tokens of queries).
        query_offsets: Token at which each query begins, and at last their number.
        document_offsets: Likewise for the documents.

    Returns:
        Shape (queries, documents); -inf or 0 for a document without tokens.
    """
    lengths = torch.from_numpy(np.diff(document_offsets)).to(products.device)
    best = torch.segment_reduce(products, "max", lengths=lengths, axis=0)
    of_query = np.diff(query_offsets)
    sums = best.new_zeros(len(document_offsets) - 1, len(of_query))
    # One token of every query at a time keeps the order of the sum.
    for place in range(int(of_query.max(initial=0))):
        longer = np.flatnonzero(of_query > place)
        rows = torch.from_numpy(longer).to(products.device)
        tokens = torch.from_numpy(query_offsets[longer] + place).to(products.device)
        sums[:, rows] += best[:, tokens]
    found: NDArray[np.float64] = sums.T.cpu().numpy()
    return found


def _all_pairs(
    queries: Ragged, values: torch.Tensor, offsets: NDArray[np.int64], mean: bool
) -> NDArray[np.float64]:
    """Scores of queries and documents, tile by tile, shape (queries, documents)."""
    scores = np.empty((len(queries), len(offsets) - 1))
    asked = _on(values.device, queries)
    on_cpu = values.device.type == "cpu"
    width = DOCUMENT_TOKENS if on_cpu else DOCUMENT_TOKENS_ON_A_GPU
    room = values.new_empty(0)  # one tile's, reused: fresh memory costs more than the products
    for top, bottom in _tiles(queries.offsets, QUERY_TOKENS):
        query_tokens = queries.offsets[top : bottom + 1]
        right = asked[query_tokens[0] : query_tokens[-1]].T
        for left, end in _tiles(offsets, width):
            tokens = offsets[left : end + 1]
            size = (int(tokens[-1] - tokens[0]), right.shape[1])
            if room.numel() < size[0] * size[1]:
                room = values.new_empty(size[0] * size[1])
            products = room[: size[0] * size[1]].view(size)
            torch.mm(values[tokens[0] : tokens[-1]], right, out=products)
            ends = (query_tokens - query_tokens[0], tokens - tokens[0])
            tile = scores[top:bottom, left:end]
            if on_cpu:
                _sum_of_maxima(products.numpy(), *ends, tile)
            else:
                tile[:] = token_sums(products, *ends)
    if mean:
        scores /= np.maximum(np.diff(queries.offsets), 1)[:, None]  # an empty query scores 0
    scores[:, np.diff(offsets) == 0] = EMPTY_DOCUMENT
    return scores


def _tiles(offsets: NDArray[np.int64], tokens: int) -> Iterator[tuple[int, int]]:
    """Ranges of texts, at least one each, that have at most so many tokens."""
    first, texts = 0, len(offsets) - 1
    while first < texts:
        within = int(np.searchsorted(offsets, offsets[first] + tokens, side="right")) - 1
        last = min(max(within, first + 1), texts)
        yield first, last
        first = last


def _on(device: str | torch.device, tokens: Ragged) -> torch.Tensor:
    return torch.from_numpy(dense_on_lattice(tokens.values)).to(device)


def _rounded(tokens: Ragged) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return dense_on_lattice(tokens.values), tokens.offsets


@numba.njit(parallel=True, cache=True, nogil=True)
def _sum_of_maxima(
    products: NDArray[np.float64],
    query_offsets: NDArray[np.int64],
    document_offsets: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> None:
    """What :func:`token_sums` gives, into ``scores``, shape (queries, documents)."""
    for document in numba.prange(len(document_offsets) - 1):
        best = np.full(products.shape[1], -np.inf)
        for row in range(document_offsets[document], document_offsets[document + 1]):
            for token in range(len(best)):
                product = products[row, token]
                best[token] = product if product > best[token] else best[token]
        for query in range(len(query_offsets) - 1):
            total = 0.0
            for token in range(query_offsets[query], query_offsets[query + 1]):
                total += best[token]
            scores[query, document] = total


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _product(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """An inner product on the lattice, which is exact in any order."""
    total = 0.0
    for number in range(len(left)):
        total += left[number] * right[number]
    return total


@numba.njit(parallel=True, cache=True, nogil=True)
def _pair_sums(
    queries: tuple[NDArray[np.float64], NDArray[np.int64]],
    documents: tuple[NDArray[np.float64], NDArray[np.int64]],
    query: NDArray[np.int64],
    document: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """What :func:`_sum_of_maxima` gives for pairs of texts, shape (pairs,)."""
    asked, starts = queries
    found, begins = documents
    for pair in numba.prange(len(sums)):
        total = 0.0
        for token in range(starts[query[pair]], starts[query[pair] + 1]):
            best = -np.inf
            for row in range(begins[document[pair]], begins[document[pair] + 1]):
                product = _product(asked[token], found[row])
                best = product if product > best else best
            total += best
        sums[pair] = total
