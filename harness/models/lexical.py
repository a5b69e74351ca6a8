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

from harness.lattice import sparse_on_lattice
from harness.models.analysis import WITHOUT_SPACES, Analyser
from harness.models.description import ModelDescription
from harness.retrievers import Prepared, Vectors
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
    ) -> Vectors:
        """Weighs the terms of a pool.

        Args:
            queries: Texts of the queries by language.
            documents: Texts of the pool's documents by language.

        Returns:
            Vectors in the order of the languages given, and of the texts in each.
        """

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,  # noqa: ARG002  # the protocol's: an index is made faster than read
        progress: Reporter,  # noqa: ARG002
    ) -> Prepared:
        """See :meth:`harness.retrievers.Model.prepare`."""
        queries = {code: collection.queries[code].texts for code in languages[0]}
        documents = {code: collection.corpora[code].texts for code in languages[1]}
        texts = [text for part in (queries, documents) for found in part.values() for text in found]
        return Prepared(
            retriever=_PoolIndexes(self, queries, documents),
            description=self.describe(),
            device="cpu",
            texts=len(texts),
            distinct_texts=len(set(texts)),
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

    def vectors(self, document_languages: tuple[str, ...]) -> Vectors:
        """See :meth:`harness.retrievers.Retriever.vectors`."""
        pool = {code: self._documents[code] for code in document_languages}
        return self._model.index(self._queries, pool)


class BM25(_Lexical):
    """BM25 as Lucene computes it (Kamphuis et al. 2020), through bm25s."""

    K1 = 0.9
    B = 0.4

    def __init__(self) -> None:
        self._terms: dict[tuple[str, str], list[str]] = {}

    def describe(self) -> ModelDescription:
        """What the entry says of the model, with the analyser of each language."""
        analysers = {f"analyser_{code}": Analyser(code).describe() for code in NAMES}
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
    ) -> Vectors:
        """See :meth:`_Lexical.index`."""
        corpus = [self._analyse(code, text) for code, texts in documents.items() for text in texts]
        if not any(corpus):  # punctuation only: nothing is retrieved
            count = sum(len(texts) for texts in queries.values())
            return Vectors(sparse.csr_array((count, 1)), sparse.csr_array((len(corpus), 1)))
        retriever = bm25s.BM25(method="lucene", k1=self.K1, b=self.B, dtype="float64")
        retriever.index(corpus, show_progress=False)
        vocabulary: dict[str, int] = retriever.vocab_dict
        scores = retriever.scores
        weights = sparse.csc_array(
            (scores["data"], scores["indices"], scores["indptr"]),
            shape=(len(corpus), len(scores["indptr"]) - 1),
        )
        rows = [
            [vocabulary[t] for t in self._analyse(code, text) if t in vocabulary]
            for code, texts in queries.items()
            for text in texts
        ]
        return Vectors(
            queries=sparse_on_lattice(_counts(rows, weights.shape[1])),
            documents=sparse_on_lattice(weights.tocsr()),
        )

    def _analyse(self, language: str, text: str) -> list[str]:
        """Terms of a text; each text is analysed once, whatever the number of pools."""
        key = (language, text)
        if key not in self._terms:
            self._terms[key] = Analyser(language).terms(text)
        return self._terms[key]


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
        self._counts: dict[tuple[str, ...], sparse.csr_array] = {}

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
    ) -> Vectors:
        """See :meth:`_Lexical.index`."""
        pool = sparse.vstack([self._hash(texts) for texts in documents.values()], format="csr")
        asked = sparse.vstack([self._hash(texts) for texts in queries.values()], format="csr")
        weigh = TfidfTransformer(sublinear_tf=True).fit(pool)
        return Vectors(
            queries=sparse_on_lattice(sparse.csr_array(weigh.transform(asked))),
            documents=sparse_on_lattice(sparse.csr_array(weigh.transform(pool))),
        )

    def _hash(self, texts: Sequence[str]) -> sparse.csr_array:
        """Counts of n-grams; each list of texts is hashed once, whatever the number of pools."""
        key = tuple(texts)
        if key not in self._counts:
            self._counts[key] = sparse.csr_array(self._hasher.transform(texts))
        return self._counts[key]


def _counts(rows: Sequence[Sequence[int]], width: int) -> sparse.csr_array:
    """How often each term occurs in each row, shape (rows, width)."""
    lengths = [len(row) for row in rows]
    columns = np.array([c for row in rows for c in row], dtype=np.int64)
    row_of = np.repeat(np.arange(len(rows)), lengths)
    counts = sparse.coo_array((np.ones(len(columns)), (row_of, columns)), shape=(len(rows), width))
    return counts.tocsr()
