"""From texts to vectors in the pools that are ranked, for each kind of model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.encoding import Encoded, Encoder, Source, encode_sources
from harness.lattice import dense_on_lattice
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy import sparse

    from harness.models.description import ModelDescription, Role
    from harness.progress import Reporter
    from tasks.collection import Collection


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors on a lattice, whose inner products are the scores.

    Attributes:
        queries: All queries that are asked, shape (queries, dimension).
        documents: The documents, shape (documents, dimension), of the same type.
    """

    queries: NDArray[np.float64] | sparse.csr_array
    documents: NDArray[np.float64] | sparse.csr_array


class Retriever(Protocol):
    """A model that has seen the texts of a collection.

    Attributes:
        pool_independent: Whether a score depends on the query and the document alone. If so, the
            corpora of a pool can be counted one by one.
        retrieves_all: Whether every document is retrieved, or only those that score above 0.
    """

    pool_independent: bool
    retrieves_all: bool

    def vectors(self, document_languages: tuple[str, ...]) -> Vectors:
        """Vectors of all queries, and of the corpora of these languages as one pool."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model that is ready to be ranked, and what that took.

    Attributes:
        retriever: The model with its texts.
        description: What the model says of itself.
        device: What it ran on, such as ``cpu`` or ``cuda:0``.
        texts: Queries and documents that it was given.
        distinct_texts: Distinct inputs among them, as the model sees them.
        encoded_texts: Those that a neural model encoded now; the others were in the cache.
        padding: Share of padding among the tokens that were encoded.
    """

    retriever: Retriever
    description: ModelDescription
    device: str
    texts: int
    distinct_texts: int
    encoded_texts: int = 0
    padding: float = 0.0


class Model(Protocol):
    """What scoring needs of a model, whatever its kind."""

    def describe(self) -> ModelDescription:
        """What the model says of itself."""

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,
        progress: Reporter,
    ) -> Prepared:
        """Shows the model the texts of a collection.

        Args:
            collection: The texts.
            languages: Languages of the queries, and of the documents.
            cache: Folder of the embeddings cache, or None for none.
            progress: Where progress goes.
        """


class DenseRetriever:
    """Embeddings of a collection."""

    pool_independent = True
    retrieves_all = True

    def __init__(
        self, encoded: Encoded, query_languages: Sequence[str], *, similarity: str
    ) -> None:
        cosine = similarity == "cosine"
        self._queries = dense_on_lattice(
            np.concatenate(
                [_prepared(encoded.vectors["query", code], cosine) for code in query_languages]
            )
        )
        documents = {
            code: _prepared(v, cosine)
            for (role, code), v in encoded.vectors.items()
            if role != "query"
        }
        # One lattice for all corpora, so that scores compare across them.
        joined = dense_on_lattice(np.concatenate(list(documents.values())))
        ends = np.cumsum([len(v) for v in documents.values()])[:-1]
        self._documents = dict(zip(documents, np.split(joined, ends), strict=True))

    def vectors(self, document_languages: tuple[str, ...]) -> Vectors:
        """See :meth:`Retriever.vectors`."""
        parts = [self._documents[code] for code in document_languages]
        return Vectors(self._queries, parts[0] if len(parts) == 1 else np.concatenate(parts))


def encode_collection(
    encoder: Encoder,
    collection: Collection,
    languages: tuple[Sequence[str], Sequence[str]],
    cache: Path | None,
    progress: Reporter,
) -> Encoded:
    """Encodes the queries and documents of some languages of a collection.

    Args:
        encoder: The model.
        collection: The texts.
        languages: Languages of the queries, and of the documents.
        cache: Folder of the embeddings cache, or None for none.
        progress: Where progress goes.
    """
    sources: dict[tuple[Role, str], Source] = {}
    for code in languages[0]:
        queries = collection.queries[code]
        names = [f"query {collection.questions[q]} ({code})" for q in queries.question]
        sources["query", code] = Source("query", names, queries.texts)
    for code in languages[1]:
        corpus = collection.corpora[code]
        names = [f"document {name}" for name in corpus.ids]
        sources["document", code] = Source("document", names, corpus.texts)
    return encode_sources(encoder, sources, cache, progress)


def _prepared(vectors: NDArray[np.float32], cosine: bool) -> NDArray[np.float64]:
    exact = vectors.astype(np.float64)
    if not cosine:
        return exact
    lengths: NDArray[np.float64] = np.linalg.norm(exact, axis=1, keepdims=True)
    if not lengths.all():
        raise ModelError(
            "The model gives some texts an embedding of length 0, which has no cosine. "
            "Try --similarity dot."
        )
    return exact / lengths
