"""BM25 and character n-grams against their definitions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("bm25s", reason="needs the extra 'score'")

from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from harness.models.analysis import Analyser
from harness.models.lexical import BM25, CharNgram
from harness.progress import Silent
from harness.ranks import ranks_as_bytes
from harness.score import Plan, score
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.retrieval.sparse_pool import SparsePool

DOCUMENTS = {
    "de": (
        "Der Fluss fließt durch die Stadt.",
        "Die Stadt liegt am Fluss, und der Fluss ist lang.",
        "Im Winter fällt viel Schnee.",
        "?!",
    ),
    "en": (
        "The river crosses the city.",
        "Foxes run; a fox ran. The foxes were running near the river.",
        "Snow falls in winter, snow melts in spring, and the river rises.",
        "Anna lives in Berlin.",
    ),
}
QUERIES = {
    "de": ("Wo liegt die Stadt am Fluss?", "Wann fällt Schnee?"),
    "en": ("Which river crosses the city?", "Do foxes run in winter winter?", "Berlin", "¿?"),
}
WORDS = st.sampled_from(["river", "fox", "snow", "city", "the", "in", "winter", "zebra"])


def scores_of(pool: SparsePool) -> NDArray[np.float64]:
    return pool.block(0, pool.documents).scores(0, pool.queries)


def textbook_bm25(
    queries: Mapping[str, Sequence[str]], documents: Mapping[str, Sequence[str]]
) -> NDArray[np.float64]:
    """BM25 as Lucene has it since version 8 (Kamphuis et al. 2020, table 1), term by term."""
    k1, b = 0.9, 0.4
    pool = [Analyser(code).terms(text) for code, texts in documents.items() for text in texts]
    asked = [Analyser(code).terms(text) for code, texts in queries.items() for text in texts]
    average = sum(map(len, pool)) / len(pool)
    scores = np.zeros((len(asked), len(pool)))
    for row, terms in enumerate(asked):
        for column, document in enumerate(pool):
            for term in terms:
                df = sum(term in other for other in pool)
                idf = math.log(1 + (len(pool) - df + 0.5) / (df + 0.5))
                tf = document.count(term)
                length = 1 - b + b * len(document) / average
                scores[row, column] += idf * tf / (tf + k1 * length)
    return scores


@pytest.mark.parametrize("languages", [("en",), ("de",), ("de", "en")])
def test_bm25_is_the_textbooks(languages: tuple[str, ...]) -> None:
    pool = {code: DOCUMENTS[code] for code in languages}
    found = scores_of(BM25().index(QUERIES, pool))
    np.testing.assert_allclose(found, textbook_bm25(QUERIES, pool), rtol=0, atol=1e-6)
    assert found.max() > 0.5


@given(
    st.lists(st.lists(WORDS, max_size=8), min_size=1, max_size=6),
    st.lists(st.lists(WORDS, max_size=5), min_size=1, max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_bm25_is_the_textbooks_on_any_corpus(
    documents: list[list[str]], queries: list[list[str]]
) -> None:
    pool = {"en": [" ".join(words) for words in documents]}
    asked = {"en": [" ".join(words) for words in queries]}
    if not any(documents):
        return  # a pool without a single term has no average length to divide by
    np.testing.assert_allclose(
        scores_of(BM25().index(asked, pool)), textbook_bm25(asked, pool), rtol=0, atol=1e-6
    )


def test_a_pool_without_terms_retrieves_nothing() -> None:
    found = scores_of(BM25().index({"en": ["river"]}, {"en": ["?!", "…"]}))
    np.testing.assert_array_equal(found, [[0, 0]])


def test_idf_is_the_pools() -> None:
    model = BM25()
    alone = scores_of(model.index(QUERIES, {"en": DOCUMENTS["en"]}))
    together = scores_of(model.index(QUERIES, DOCUMENTS))[:, len(DOCUMENTS["de"]) :]
    # "Berlin" is in one document of either pool, so it is the rarer, the larger the pool.
    query = len(QUERIES["de"]) + QUERIES["en"].index("Berlin")
    document = DOCUMENTS["en"].index("Anna lives in Berlin.")
    assert 0 < alone[query, document] < together[query, document]


def test_char_ngrams_are_those_of_scikit_learn() -> None:
    # Few enough n-grams that no two of them share one of the 2**20 hashed features.
    texts = [text for texts in DOCUMENTS.values() for text in texts]
    asked = [text for texts in QUERIES.values() for text in texts]
    options = {"analyzer": "char_wb", "ngram_range": (2, 4), "sublinear_tf": True}
    found = scores_of(CharNgram().index(QUERIES, DOCUMENTS))

    # A query's n-grams that are not in the pool count in the query's length.
    everything = TfidfVectorizer(**options).fit([*texts, *asked]).vocabulary_
    same = TfidfVectorizer(**options, vocabulary=everything)
    pool = same.fit_transform(texts)
    expected = (same.transform(asked) @ pool.T).toarray()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)

    # Left out, they change a query's scores by one factor, and so no rank.
    usual = TfidfVectorizer(**options)
    pool = usual.fit_transform(texts)
    expected = (usual.transform(asked) @ pool.T).toarray()
    highest = np.max(found, axis=1, keepdims=True)
    factor = np.max(expected, axis=1, keepdims=True) / np.where(highest == 0, 1, highest)
    np.testing.assert_allclose(found * factor, expected, rtol=0, atol=1e-5)


def test_a_document_asked_as_a_query_has_cosine_1() -> None:
    own = scores_of(CharNgram().index(DOCUMENTS, DOCUMENTS))
    np.testing.assert_allclose(np.diag(own), 1, atol=1e-6)
    assert (own <= 1 + 1e-6).all()


def test_char_ngram_weights_are_the_pools() -> None:
    alone = scores_of(CharNgram().index(QUERIES, {"en": DOCUMENTS["en"]}))
    together = scores_of(CharNgram().index(QUERIES, DOCUMENTS))[:, len(DOCUMENTS["de"]) :]
    assert not np.allclose(alone, together, atol=1e-3)


@pytest.mark.parametrize("kind", [BM25, CharNgram])
def test_the_order_of_languages_is_the_order_of_rows(kind: type[BM25 | CharNgram]) -> None:
    forth = scores_of(kind().index(QUERIES, DOCUMENTS))
    back = scores_of(
        kind().index(dict(reversed(QUERIES.items())), dict(reversed(DOCUMENTS.items())))
    )
    rows = [*range(4, 6), *range(4)]
    columns = [*range(4, 8), *range(4)]
    np.testing.assert_allclose(forth, back[np.ix_(rows, columns)], rtol=0, atol=1e-9)


def test_documents_that_share_no_term_are_not_retrieved() -> None:
    task = load_task("pocket")
    wanted = [s for s in task.settings if s.id in ("moir/en-en", "clir/en-ru", "clir/de-en")]
    table = score(BM25(), task, wanted, Plan(), Silent()).table
    corpora, queries = task.collection.corpora, task.collection.queries
    terms = {
        name: set(Analyser(code).terms(text))
        for code in ("en", "ru")
        for name, text in zip(corpora[code].ids, corpora[code].texts, strict=True)
    }
    asked = {
        (code, task.collection.questions[question]): set(Analyser(code).terms(text))
        for code in ("de", "en")
        for question, text in zip(queries[code].question, queries[code].texts, strict=True)
    }
    missed = 0
    for row in range(len(table)):
        language = table.query_language.names[table.query_language.codes[row]]
        query = asked[language, table.question.names[table.question.codes[row]]]
        document = terms[table.document.names[table.document.codes[row]]]
        assert (table.rank[row] > 0) == bool(query & document)
        missed += table.rank[row] == 0
    assert 0 < missed < len(table)


def test_ranks_are_deterministic() -> None:
    task = load_task("pocket")
    wanted = [s for s in task.settings if s.id in ("clir/de-en", "mlir/es-xx")]
    for kind in (BM25, CharNgram):
        first, second = (score(kind(), task, wanted, Plan(), Silent()) for _ in range(2))
        assert ranks_as_bytes(first.table) == ranks_as_bytes(second.table)


def test_descriptions_say_what_decides_the_scores() -> None:
    bm25 = BM25().describe()
    assert (bm25.kind, bm25.name, bm25.parameters) == ("bm25", "bm25", None)
    assert (bm25.settings["k1"], bm25.settings["b"]) == (0.9, 0.4)
    assert "Snowball turkish" in str(bm25.settings["analyser_tr"])
    ngrams = CharNgram().describe().settings
    assert (ngrams["shortest"], ngrams["longest"], ngrams["hashed_features"]) == (2, 4, 2**20)
