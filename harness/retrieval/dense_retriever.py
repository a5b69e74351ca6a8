"""Dense retrieval: the score is the inner product of two embeddings, or its cosine."""

from __future__ import annotations

import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.embeddings.corpus_embeddings import encode_corpus
from harness.embeddings.encoding import Encoder, Source, encode_sources
from harness.embeddings.error_bound import SLACK, Rounded, radius, rounded, row_lengths
from harness.embeddings.lattice import lattice_products
from harness.embeddings.preparation import Preparation
from harness.embeddings.vector_rows import VectorRows
from harness.retrieval.retrievers import Prepared
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.models.description import ModelDescription, Role
    from harness.progress import Reporter
    from tasks.collection import Collection

ROWS_AT_ONCE = 2**12
FEW = 4
"""Where a block is asked for an exact score for every so many documents, all are prepared once."""


class DenseModel(Encoder, Protocol):
    """An encoder that says of itself how its embeddings are compared."""

    description: ModelDescription

    @property
    def device(self) -> str:
        """What it runs on, such as ``cpu`` or ``cuda:0``."""


class DenseQueries:
    """Embeddings of all queries, exact and in float32.

    Args:
        exact: Shape (queries, dimension), as :meth:`Preparation.exact` gives them.
    """

    def __init__(self, exact: NDArray[np.float64]) -> None:
        self.exact = exact
        near = rounded(exact)
        self._near = near.vectors
        self._length = row_lengths(near.vectors) * SLACK
        self._moved = row_lengths(near.vectors - exact) * SLACK

    def __len__(self) -> int:
        return len(self.exact)

    def products(
        self, some: slice, documents: Rounded, room: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """See :meth:`harness.retrieval.retrievers.RoughBlock.rough`."""
        asked = self._near[some]
        shape = (len(asked), len(documents.vectors))
        scores = room[: shape[0] * shape[1]].reshape(shape)
        away = radius(self._length[some], self._moved[some], documents)
        if np.isfinite(away).all():  # else the products may overflow, and serve for nothing
            np.matmul(asked, documents.vectors.T, out=scores)
        return scores, away


class DenseBlock:
    """Vectors of some documents, and of all queries.

    Args:
        queries: Embeddings of all queries.
        rows: Embeddings of the documents as they are stored, shape (documents, dimension).
        preparation: What is done to them.
    """

    def __init__(
        self, queries: DenseQueries, rows: NDArray[np.float32], preparation: Preparation
    ) -> None:
        self._queries = queries
        self._rows = rows
        self._preparation = preparation
        self._preparing = threading.Lock()
        self._exact_rows: NDArray[np.float64] | None = None
        self._rough_rows: Rounded | None = None
        self._settled = 0  # about: threads may add to it at the same time

    def scores(self, first: int, last: int) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Block.scores`."""
        found: NDArray[np.float64] = self._queries.exact[first:last] @ self._exact().T
        return found

    def rough(
        self, first: int, last: int, room: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """See :meth:`harness.retrieval.retrievers.RoughBlock.rough`."""
        return self._queries.products(slice(first, last), self._rough(), room)

    def exact(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.RoughBlock.exact`."""
        self._settled += len(query)
        if self._settled * FEW < len(self._rows):
            rows_at = self._rows.__getitem__
            return _exact_pairs(self._queries, rows_at, self._preparation, (query, document))
        return lattice_products(self._queries.exact, self._exact(), query, document)

    def _exact(self) -> NDArray[np.float64]:
        """All rows prepared, once for all threads."""
        with self._preparing:
            if self._exact_rows is None:
                self._exact_rows = self._preparation.exact(self._rows)
            return self._exact_rows

    def _rough(self) -> Rounded:
        with self._preparing:
            if self._rough_rows is None:
                self._rough_rows = self._preparation.rough(self._rows)
            return self._rough_rows


class DensePool:
    """Embeddings of a pool; see :class:`harness.retrieval.retrievers.Pool`."""

    def __init__(
        self, queries: DenseQueries, documents: VectorRows, preparation: Preparation
    ) -> None:
        self.queries = len(queries)
        self.documents = len(documents)
        # The rows as they are stored, in float32, prepared, and once more while they are being
        # prepared.
        self.bytes_per_document = documents.dimension * (4 + 4 + 8 + 8)
        self._queries = queries
        self._rows = documents
        self._preparation = preparation

    def block(self, first: int, last: int) -> DenseBlock:
        """See :meth:`harness.retrieval.retrievers.Pool.block`."""
        return self.rough_block(first, last)

    def rough_block(self, first: int, last: int) -> DenseBlock:
        """See :meth:`harness.retrieval.retrievers.RoughPool.rough_block`."""
        return DenseBlock(self._queries, self._rows.between(first, last), self._preparation)

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Pool.pairs`."""
        scores = np.empty(len(query))
        for start in range(0, len(query), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            pairs = query[some], document[some]
            scores[some] = _exact_pairs(self._queries, self._rows.at, self._preparation, pairs)
        return scores


class DenseRetriever:
    """Embeddings of a collection.

    Args:
        queries: Embeddings of all queries, ready to be multiplied.
        documents: Embeddings of the documents by language, as the model gave them.
        preparation: What makes stored rows ready to be multiplied.
    """

    pool_independent = True
    retrieves_all = True

    def __init__(
        self,
        queries: DenseQueries,
        documents: Mapping[str, VectorRows],
        preparation: Preparation,
    ) -> None:
        self._queries = queries
        self._documents = documents
        self._preparation = preparation

    def pool(self, document_languages: tuple[str, ...]) -> DensePool:
        """See :meth:`harness.retrieval.retrievers.Retriever.pool`."""
        first, *others = [self._documents[code] for code in document_languages]
        return DensePool(self._queries, first.joined_with(others), self._preparation)


def prepare_dense(
    model: DenseModel,
    collection: Collection,
    languages: tuple[Sequence[str], Sequence[str]],
    cache: Path | None,
    progress: Reporter,
) -> Prepared:
    """Encodes the texts of a collection; see :meth:`harness.retrieval.retrievers.Model.prepare`."""
    settings = model.description.settings
    similarity, form = str(settings["similarity"]), str(settings.get("embeddings", "float32"))
    encoded = _encode(model, collection, languages, cache, progress)
    if similarity == "cosine":
        _refuse_zeros(encoded)

    documents, held = encoded.documents, Preparation(form, similarity)
    first = DenseRetriever(DenseQueries(held.exact(encoded.queries)), documents, held)
    depth = int(settings.get("rescore", 0)) if form != "float32" else 0
    return Prepared(
        scorer=first,
        description=model.description,
        device=model.device,
        texts=encoded.texts,
        distinct_texts=encoded.distinct,
        encoded_texts=encoded.encoded,
        padding=encoded.padding,
        second=_with_unquantised_queries(encoded, held) if depth else None,
        second_depth=depth,
    )


@dataclass(frozen=True, slots=True)
class _Encoded:
    queries: NDArray[np.float32]
    documents: Mapping[str, VectorRows]
    texts: int
    distinct: int
    encoded: int
    padding: float


def _encode(
    encoder: Encoder,
    collection: Collection,
    languages: tuple[Sequence[str], Sequence[str]],
    cache: Path | None,
    progress: Reporter,
) -> _Encoded:
    """Small corpora in memory, each distinct text once; large ones piece by piece on disk."""
    large = [code for code in languages[1] if not isinstance(collection.corpora[code].texts, tuple)]
    sources: dict[tuple[Role, str], Source] = {}
    for code in languages[0]:
        queries = collection.queries[code]
        names = [f"query {collection.questions[q]} ({code})" for q in queries.question]
        sources["query", code] = Source("query", names, queries.texts)
    for code in set(languages[1]) - set(large):
        corpus = collection.corpora[code]
        names = [f"document {name}" for name in corpus.ids]
        sources["document", code] = Source("document", names, corpus.texts)
    encoded = encode_sources(encoder, dict(sorted(sources.items())), cache, progress)
    documents = {
        code: VectorRows([vectors])
        for (role, code), vectors in encoded.vectors.items()
        if role == "document"
    }
    texts, now, tokens, padded = 0, 0, encoded.tokens, encoded.padded
    for code in large:
        corpus = collection.corpora[code]
        with _folder(cache) as root:  # what is mapped outlives a folder that is removed
            folder = root / encoder.fingerprint("document")[:32] / "corpora"
            found = encode_corpus(encoder, corpus, folder, progress)
        documents[code] = found.rows
        texts += len(corpus.ids)
        now, tokens, padded = now + found.encoded, tokens + found.tokens, padded + found.padded
    return _Encoded(
        queries=np.concatenate([encoded.vectors["query", code] for code in languages[0]]),
        documents=documents,
        texts=encoded.texts + texts,
        distinct=encoded.distinct + texts,
        encoded=encoded.encoded + now,
        padding=1 - tokens / padded if padded else 0.0,
    )


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    """The folder of the cache, or one for the time being."""
    if cache:
        yield cache
        return
    with tempfile.TemporaryDirectory(prefix="babelboard-embeddings-") as folder:
        yield Path(folder)


def _with_unquantised_queries(encoded: _Encoded, held: Preparation) -> DenseRetriever:
    plain = Preparation("float32", held.similarity)
    return DenseRetriever(DenseQueries(plain.exact(encoded.queries)), encoded.documents, held)


def _exact_pairs(
    queries: DenseQueries,
    rows_at: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    preparation: Preparation,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Scores of pairs of rows, each document prepared once."""
    distinct, place = np.unique(pairs[1], return_inverse=True)
    documents = preparation.exact(rows_at(distinct))
    return lattice_products(queries.exact, documents, pairs[0], place)


def _refuse_zeros(encoded: _Encoded) -> None:
    rows = (block for rows in encoded.documents.values() for block in rows.blocks(ROWS_AT_ONCE))
    if not all(block.any(axis=1).all() for block in (encoded.queries, *rows)):
        raise ModelError(
            "The model gives some texts an embedding of length 0, which has no cosine. "
            "Try --similarity dot."
        )
