"""What scoring needs of a model, whatever its kind.

::

    Model ──prepare──> Prepared ──> Retriever ──pool──> Pool ──block──> Block ──> scores
                                ├─> PairModel ─────────────────scores_of────────> scores
                                └─> GivenRankings ─────────────candidates───────> scores

A *retriever* can score a query against every document, so that whole pools are ranked. A *pair
model* reads query and document together, and needs candidates to choose among. *Given rankings*
were made elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from harness.models.description import ModelDescription
    from harness.progress import Reporter
    from harness.retrieval.candidate_ranking import ScoredCandidates
    from harness.retrieval.layout import Layout
    from tasks.collection import Collection


class Block(Protocol):
    """Some documents of a pool, loaded."""

    def scores(self, first: int, last: int) -> NDArray[np.float64]:
        """Scores of the queries [first, last), shape (last - first, documents of the block)."""


class RoughBlock(Block, Protocol):
    """A block whose scores are also to be had in float32, within a proven distance."""

    def rough(
        self, first: int, last: int, room: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Scores of the queries [first, last) in float32.

        Args:
            first: Row of the first query.
            last: Row after the last one.
            room: Where the scores go, of one dimension and large enough.

        Returns:
            Scores, shape (last - first, documents of the block), and how far those of each query
            can be from the exact ones, shape (last - first,): infinite where no bound is known.
        """

    def exact(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """Exact scores of rows of queries and of documents of the block, shape (pairs,)."""


class Pool(Protocol):
    """The documents of some languages, one corpus after the other, and all queries.

    Attributes:
        queries: Number of queries, stacked by language.
        documents: Number of documents.
        bytes_per_document: Memory that one document of a block takes, beside its scores.
    """

    queries: int
    documents: int
    bytes_per_document: int

    def block(self, first: int, last: int) -> Block:
        """Loads the documents [first, last)."""

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores of pairs of rows, shape (pairs,); bit-equal to those of the blocks."""


@runtime_checkable
class RoughPool(Pool, Protocol):
    """A pool that also has scores in float32."""

    def rough_block(self, first: int, last: int) -> RoughBlock:
        """Loads the documents [first, last)."""


@runtime_checkable
class Retriever(Protocol):
    """A model that has seen the texts of a collection, and can rank them all.

    Attributes:
        pool_independent: Whether a score depends on the query and the document alone. If so, the
            corpora of a pool can be counted one by one.
        retrieves_all: Whether every document is retrieved, or only those that score above 0.
    """

    pool_independent: bool
    retrieves_all: bool

    def pool(self, document_languages: tuple[str, ...]) -> Pool:
        """The corpora of these languages as one pool."""


@runtime_checkable
class PairModel(Protocol):
    """A model that scores a query and a document read together."""

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """Scores of (query, document) texts.

        Args:
            pairs: The texts.
            on_pairs: Called with the number of pairs of each batch that is done.

        Returns:
            Scores, shape (pairs,); higher is better.
        """


@runtime_checkable
class GivenRankings(Protocol):
    """Rankings that were made elsewhere."""

    def candidates(self, layout: Layout) -> Mapping[str, ScoredCandidates]:
        """The ranked documents with their scores, by setting id."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model that is ready to score, and what that took.

    Attributes:
        scorer: The model with its texts.
        description: What the model says of itself.
        device: What it ran on, such as ``cpu`` or ``cuda:0``.
        texts: Queries and documents that it was given.
        distinct_texts: Distinct inputs among them, as the model sees them.
        encoded_texts: Those that a neural model encoded now; the others were in the cache.
        padding: Share of padding among the tokens that were encoded.
        second: Where the first documents of a ranking are scored anew, what does so: quantised
            embeddings are rescored with the query's own.
        second_depth: How many documents of each ranking that is.
        collection: The texts as the model sees them, where they are not those of the task.
        data: sha256 of files that decided them, by name.
    """

    scorer: Retriever | PairModel | GivenRankings
    description: ModelDescription
    device: str
    texts: int
    distinct_texts: int
    encoded_texts: int = 0
    padding: float = 0.0
    second: Retriever | None = None
    second_depth: int = 0
    collection: Collection | None = None
    data: Mapping[str, str] = field(default_factory=dict)


class Model(Protocol):
    """A model, loaded."""

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
