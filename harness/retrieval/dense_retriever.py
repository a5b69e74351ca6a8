"""Dense retrieval: the score is the inner product of two embeddings, or its cosine."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.embeddings.corpus_embeddings import encode_corpus
from harness.embeddings.encoding import Encoder, Source, encode_sources
from harness.embeddings.lattice import dense_on_lattice
from harness.embeddings.quantisation import quantised
from harness.embeddings.vector_rows import VectorRows
from harness.retrieval.retrievers import Prepared
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.models.description import ModelDescription, Role
    from harness.progress import Reporter
    from tasks.collection import Collection

    Prepare = Callable[[NDArray[np.float32]], NDArray[np.float64]]

ROWS_AT_ONCE = 2**14


class DenseModel(Encoder, Protocol):
    """An encoder that says of itself how its embeddings are compared."""

    description: ModelDescription

    @property
    def device(self) -> str:
        """What it runs on, such as ``cpu`` or ``cuda:0``."""


@dataclass(frozen=True, slots=True)
class DenseBlock:
    """Vectors of some documents, shape (documents, dimension), and of all queries."""

    queries: NDArray[np.float64]
    documents: NDArray[np.float64]

    def scores(self, first: int, last: int) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Block.scores`."""
        found: NDArray[np.float64] = self.queries[first:last] @ self.documents.T
        return found


class DensePool:
    """Embeddings of a pool; see :class:`harness.retrieval.retrievers.Pool`."""

    def __init__(
        self, queries: NDArray[np.float64], documents: VectorRows, prepare: Prepare
    ) -> None:
        self.queries = len(queries)
        self.documents = len(documents)
        # The rows as they are stored, prepared, and once more while they are being prepared.
        self.bytes_per_document = documents.dimension * (4 + 8 + 8)
        self._queries = queries
        self._rows = documents
        self._prepare = prepare

    def block(self, first: int, last: int) -> DenseBlock:
        """See :meth:`harness.retrieval.retrievers.Pool.block`."""
        return DenseBlock(self._queries, self._prepare(self._rows.between(first, last)))

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.Pool.pairs`."""
        scores = np.empty(len(query))
        for start in range(0, len(query), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            documents = self._prepare(self._rows.at(document[some]))
            scores[some] = np.einsum("ij,ij->i", self._queries[query[some]], documents)
        return scores


class DenseRetriever:
    """Embeddings of a collection.

    Args:
        queries: Embeddings of all queries, ready to be multiplied, shape (queries, dimension).
        documents: Embeddings of the documents by language, as the model gave them.
        prepare: Makes stored rows ready to be multiplied.
    """

    pool_independent = True
    retrieves_all = True

    def __init__(
        self,
        queries: NDArray[np.float64],
        documents: Mapping[str, VectorRows],
        prepare: Prepare,
    ) -> None:
        self._queries = queries
        self._documents = documents
        self._prepare = prepare

    def pool(self, document_languages: tuple[str, ...]) -> DensePool:
        """See :meth:`harness.retrieval.retrievers.Retriever.pool`."""
        first, *others = [self._documents[code] for code in document_languages]
        return DensePool(self._queries, first.joined_with(others), self._prepare)


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

    def prepare(form: str) -> Prepare:
        return lambda rows: dense_on_lattice(_scaled(quantised(rows, form), similarity))

    documents, plain = encoded.documents, prepare("float32")
    first = DenseRetriever(prepare(form)(encoded.queries), documents, prepare(form))
    depth = int(settings.get("rescore", 0)) if form != "float32" else 0
    return Prepared(
        scorer=first,
        description=model.description,
        device=model.device,
        texts=encoded.texts,
        distinct_texts=encoded.distinct,
        encoded_texts=encoded.encoded,
        padding=encoded.padding,
        second=DenseRetriever(plain(encoded.queries), documents, prepare(form)) if depth else None,
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
    texts, now = 0, 0
    for code in large:
        corpus = collection.corpora[code]
        with _folder(cache) as root:  # what is mapped outlives a folder that is removed
            folder = root / encoder.fingerprint("document")[:32] / "corpora"
            documents[code], fresh = encode_corpus(encoder, corpus, folder, progress)
        texts += len(corpus.ids)
        now += fresh
    return _Encoded(
        queries=np.concatenate([encoded.vectors["query", code] for code in languages[0]]),
        documents=documents,
        texts=encoded.texts + texts,
        distinct=encoded.distinct + texts,
        encoded=encoded.encoded + now,
        padding=encoded.padding,
    )


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    """The folder of the cache, or one for the time being."""
    if cache:
        yield cache
        return
    with tempfile.TemporaryDirectory(prefix="babelboard-embeddings-") as folder:
        yield Path(folder)


def _scaled(vectors: NDArray[np.float64], similarity: str) -> NDArray[np.float64]:
    if similarity != "cosine":
        return vectors
    lengths: NDArray[np.float64] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1.0, lengths)


def _refuse_zeros(encoded: _Encoded) -> None:
    rows = (block for rows in encoded.documents.values() for block in rows.blocks(ROWS_AT_ONCE))
    if not all(block.any(axis=1).all() for block in (encoded.queries, *rows)):
        raise ModelError(
            "The model gives some texts an embedding of length 0, which has no cosine. "
            "Try --similarity dot."
        )
