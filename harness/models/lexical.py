"""Models that compare the strings of a text: BM25, and TF-IDF of character n-grams.

Both weigh a term by how rare it is in the pool, so each pool has an index of its own. A document
that shares no term with the query is not retrieved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import bm25s
import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from harness.embeddings.lattice import sparse_on_lattice
from harness.models.analysis import WITHOUT_SPACES, Analyser
from harness.models.description import ModelDescription
from harness.models.term_ids import TermIds
from harness.retrieval.retrievers import Prepared
from harness.retrieval.sparse_pool import SparsePool
from tasks.languages import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.progress import Reporter
    from tasks.collection import Collection


class _Lexical(ABC):
    """What BM25 and character n-grams share: an index for each pool."""

    @abstractmethod
    def describe(self) -> ModelDescription:
        """What the entry says of the model."""

    @abstractmethod
    def index(
        self, queries: Mapping[str, Sequence[str]], documents: Mapping[str, Sequence[str]]
    ) -> SparsePool:
        """Weighs the terms of a pool.

        Args:
            queries: Texts of the queries by language.
            documents: Texts of the pool's documents by language.

        Returns:
            Term weights in the order of the languages given, and of the texts in each.
        """

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,  # noqa: ARG002  # the protocol's: an index is made faster than read
        progress: Reporter,  # noqa: ARG002  # the protocol's
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`."""
        queries = {code: collection.queries[code].texts for code in languages[0]}
        documents = {code: collection.corpora[code].texts for code in languages[1]}
        parts = [*queries.values(), *documents.values()]
        return Prepared(
            scorer=_PoolIndexes(self, queries, documents),
            description=self.describe(),
            device="cpu",
            texts=sum(map(len, parts)),
            distinct_texts=_distinct(parts),
        )


class _PoolIndexes:
    """Term weights of a collection, weighed anew for each pool."""

    pool_independent = False
    retrieves_all = False

    def __init__(
        self,
        model: _Lexical,
        queries: Mapping[str, Sequence[str]],
        documents: Mapping[str, Sequence[str]],
    ) -> None:
        self._model = model
        self._queries = queries
        self._documents = documents

    def pool(self, document_languages: tuple[str, ...]) -> SparsePool:
        """See :meth:`harness.retrieval.retrievers.Retriever.pool`."""
        pool = {code: self._documents[code] for code in document_languages}
        return self._model.index(self._queries, pool)


class BM25(_Lexical):
    """BM25 as Lucene computes it (Kamphuis et al. 2020), through bm25s."""

    K1 = 0.9
    B = 0.4

    def __init__(self, languages: Mapping[str, str] | None = None) -> None:
        self._languages = dict(languages or {})
        self._vocabulary: dict[str, int] = {}
        self._terms: dict[str, tuple[Sequence[str], TermIds]] = {}

    def for_texts_in(self, languages: Mapping[str, str]) -> BM25:
        """The same model for texts that are in other languages than the codes they go under.

        Args:
            languages: The language of the texts, by code, where the two differ.
        """
        return BM25(languages)

    def describe(self) -> ModelDescription:
        """What the entry says of the model, with the analyser of each language."""
        analysers = {f"analyser_{code}": self._analyser(code).describe() for code in NAMES}
        return ModelDescription(
            kind="bm25",
            name="bm25",
            settings={
                "k1": self.K1,
                "b": self.B,
                "variant": "lucene",
                "scripts_without_spaces": WITHOUT_SPACES,
                **analysers,
            },
        )

    def index(
        self, queries: Mapping[str, Sequence[str]], documents: Mapping[str, Sequence[str]]
    ) -> SparsePool:
        """See :meth:`_Lexical.index`."""
        corpus = TermIds.stacked([self._analysed(*one) for one in documents.items()])
        asked = [
            [
                self._vocabulary[term]
                for term in self._analyser(code).terms(text)
                if term in self._vocabulary
            ]
            for code, texts in queries.items()
            for text in texts
        ]
        # Terms of other pools have numbers too: here they have no documents.
        width = len(self._vocabulary)
        if not corpus.terms:  # punctuation only: nothing is retrieved
            return SparsePool(_counts(asked, width), sparse.csr_array((len(corpus), width)))
        retriever = bm25s.BM25(method="lucene", k1=self.K1, b=self.B, dtype="float64")
        scores = retriever.build_index_from_ids(range(width), corpus, show_progress=False)
        weights = sparse.csc_array(
            (scores["data"], scores["indices"], scores["indptr"]), shape=(len(corpus), width)
        )
        return SparsePool(
            queries=sparse_on_lattice(_counts(asked, width)),
            documents=sparse_on_lattice(weights.tocsr()),
        )

    def _analysed(self, language: str, texts: Sequence[str]) -> TermIds:
        """Terms of a corpus, which is analysed once, whatever the number of pools."""
        known = self._terms.get(language)
        if known is None or known[0] is not texts:
            terms = TermIds.of(map(self._analyser(language).terms, texts), self._vocabulary)
            self._terms[language] = known = (texts, terms)
        return known[1]

    def _analyser(self, code: str) -> Analyser:
        return Analyser(self._languages.get(code, code))


class CharNgram(_Lexical):
    """TF-IDF of hashed character n-grams within words, compared by cosine."""

    SHORTEST = 2
    LONGEST = 4
    FEATURES = 2**20

    def __init__(self) -> None:
        self._hasher = HashingVectorizer(
            analyzer="char_wb",
            ngram_range=(self.SHORTEST, self.LONGEST),
            n_features=self.FEATURES,
            alternate_sign=False,
            norm=None,
            lowercase=True,
        )
        self._counts: dict[str, tuple[Sequence[str], sparse.csr_array]] = {}

    def describe(self) -> ModelDescription:
        """What the entry says of the model."""
        return ModelDescription(
            kind="char-ngram",
            name="char-ngram",
            settings={
                "shortest": self.SHORTEST,
                "longest": self.LONGEST,
                "hashed_features": self.FEATURES,
                "weights": "sublinear TF-IDF, smoothed, unit length",
            },
        )

    def index(
        self, queries: Mapping[str, Sequence[str]], documents: Mapping[str, Sequence[str]]
    ) -> SparsePool:
        """See :meth:`_Lexical.index`."""
        pool = sparse.vstack([self._hashed(*one) for one in documents.items()], format="csr")
        asked = sparse.csr_array(
            self._hasher.transform([text for texts in queries.values() for text in texts])
        )
        weigh = TfidfTransformer(sublinear_tf=True).fit(pool)
        return SparsePool(
            queries=sparse_on_lattice(sparse.csr_array(weigh.transform(asked))),
            documents=sparse_on_lattice(sparse.csr_array(weigh.transform(pool))),
        )

    def _hashed(self, language: str, texts: Sequence[str]) -> sparse.csr_array:
        """Counts of n-grams of a corpus, hashed once, whatever the number of pools."""
        known = self._counts.get(language)
        if known is None or known[0] is not texts:
            hashed = sparse.csr_array(self._hasher.transform(iter(texts)))
            self._counts[language] = known = (texts, hashed)
        return known[1]


def _distinct(parts: Sequence[Sequence[str]]) -> int:
    """Distinct texts; those of a corpus that lies on disk are not compared."""
    held = [part for part in parts if isinstance(part, tuple)]
    others = sum(len(part) for part in parts if not isinstance(part, tuple))
    return len({text for part in held for text in part}) + others


def _counts(rows: Sequence[Sequence[int]], width: int) -> sparse.csr_array:
    """How often each term occurs in each row, shape (rows, width)."""
    lengths = [len(row) for row in rows]
    columns = np.array([c for row in rows for c in row], dtype=np.int64)
    row_of = np.repeat(np.arange(len(rows)), lengths)
    counts = sparse.coo_array((np.ones(len(columns)), (row_of, columns)), shape=(len(rows), width))
    return counts.tocsr()
