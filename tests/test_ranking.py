"""Ranks by counting equal ranks by sorting: in one corpus, in joined pools, in whole tasks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from harness import ranking
from harness.progress import Silent
from harness.ranking import JudgedPairs, count_before, pair_scores, tie_order
from harness.retrievers import Vectors
from harness.scoring import languages_asked, rank_judged
from tasks.collection import Collection, Corpus, Judgments, Queries
from tasks.definition import LanguageFile, TaskDefinition
from tasks.settings import Setting, parallel_settings
from tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.ranks import RankTable

# Few distinct values, so that scores tie; all of them on any lattice.
VALUES = (-1.0, 0.0, 0.5, 1.0)
IDS = st.text(alphabet="aAb09-_ÿé中～\U0001f600", min_size=1, max_size=4)


@dataclass(frozen=True)
class Case:
    """A corpus, queries, and judged documents inside and outside the corpus."""

    queries: NDArray[np.float64]
    documents: NDArray[np.float64]  # the corpus first, then the documents outside it
    ids: list[str]
    corpus: int
    judged: list[tuple[int, int]]  # (query, document), ascending

    @property
    def pairs(self) -> JudgedPairs:
        query, document = np.array(self.judged, dtype=np.int64).reshape(-1, 2).T
        scores = pair_scores(self.queries, self.documents, query, document)
        return JudgedPairs(query, scores, tie_order(self.ids)[document])

    def by_sorting(self) -> list[int]:
        """How many of the corpus stand before each judged document, by sorting them."""
        counts = []
        for query, document in self.judged:
            scores = (self.queries[query] @ self.documents.T).tolist()
            keys = [(score, name.encode()) for score, name in zip(scores, self.ids, strict=True)]
            ranked = sorted({*keys[: self.corpus], keys[document]}, reverse=True)
            counts.append(ranked.index(keys[document]))
        return counts

    def by_counting(self, *, as_sparse: bool = False) -> list[int]:
        queries, corpus = self.queries, self.documents[: self.corpus]
        if as_sparse:
            queries, corpus = sparse.csr_array(queries), sparse.csr_array(corpus)
        order = tie_order(self.ids)[: self.corpus]
        return count_before(queries, corpus, order, self.pairs).tolist()


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ids = draw(st.lists(IDS, min_size=1, max_size=12, unique=True))
    n_queries = draw(st.integers(1, 4))
    rows = st.tuples(*[st.sampled_from(VALUES)] * 2)
    pairs = st.tuples(st.integers(0, n_queries - 1), st.integers(0, len(ids) - 1))
    return Case(
        queries=np.array([draw(rows) for _ in range(n_queries)]),
        documents=np.array([draw(rows) for _ in ids]),
        ids=ids,
        corpus=draw(st.integers(1, len(ids))),
        judged=sorted(draw(st.sets(pairs, min_size=1))),
    )


@contextmanager
def blocks_of(documents: int, size: int) -> Iterator[None]:
    """Makes blocks so small that a case has several of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "DOCUMENTS_PER_BLOCK", documents)
        patch.setattr(ranking, "BLOCK_BYTES", size)
        yield


def test_ties_go_by_descending_bytes_of_the_id() -> None:
    ids = ["d10", "d2", "é", "D2", "d", "z", "\U0001f600", "～"]
    order = tie_order(ids)
    # As strcmp does in trec_eval: a longer id stands before its prefix, non-ASCII before ASCII.
    assert sorted(ids, key=lambda name: order[ids.index(name)]) == [
        "\U0001f600", "～", "é", "z", "d2", "d10", "d", "D2",
    ]  # fmt: skip


@given(cases(), st.booleans())
@settings(deadline=None)
def test_counting_equals_sorting(case: Case, as_sparse: bool) -> None:
    assert case.by_counting(as_sparse=as_sparse) == case.by_sorting()


@given(cases(), st.booleans(), st.integers(1, 5), st.integers(1, 200))
@settings(deadline=None)
def test_counts_do_not_depend_on_the_size_of_blocks(
    case: Case, as_sparse: bool, documents: int, size: int
) -> None:
    expected = case.by_sorting()
    with blocks_of(documents, size):
        assert case.by_counting(as_sparse=as_sparse) == expected


@given(cases(), st.data())
@settings(deadline=None)
def test_counts_do_not_depend_on_the_order_of_queries(case: Case, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(case.queries))))
    judged = sorted((order.index(query), document) for query, document in case.judged)
    moved = Case(case.queries[order], case.documents, case.ids, case.corpus, judged)
    counts = {(order[q], d): n for (q, d), n in zip(judged, moved.by_counting(), strict=True)}
    assert [counts[pair] for pair in case.judged] == case.by_counting()


@given(cases(), st.data())
@settings(deadline=None)
def test_counts_over_corpora_add_up_to_the_count_in_the_joined_pool(
    case: Case, data: st.DataObject
) -> None:
    documents, order = case.documents[: case.corpus], tie_order(case.ids)[: case.corpus]
    in_first = np.array(
        data.draw(st.lists(st.booleans(), min_size=case.corpus, max_size=case.corpus))
    )
    parts = [
        count_before(case.queries, documents[rows], order[rows], case.pairs)
        for rows in (in_first, ~in_first)
        if rows.any()
    ]
    assert sum(parts).tolist() == case.by_counting()


def test_counting_equals_sorting_at_a_size_with_many_blocks() -> None:
    rng = np.random.default_rng(5)
    documents = rng.integers(-3, 4, size=(700, 6)).astype(np.float64)
    names = [f"d{number}" for number in range(700)]
    queries = rng.integers(-3, 4, size=(40, 6)).astype(np.float64)
    judged = [(query, int(d)) for query in range(40) for d in rng.choice(700, 5, replace=False)]
    case = Case(queries, documents, names, 700, sorted(judged))
    with blocks_of(64, 64 * 8 * 7):
        assert case.by_counting() == case.by_sorting()


def test_queries_without_judgments_are_passed_over_but_reported_as_done() -> None:
    queries, documents = np.ones((5, 1)), np.array([[1.0], [3.0], [2.0]])
    pairs = JudgedPairs(np.array([3]), np.array([1.0]), np.array([0]))
    done: list[int] = []
    with blocks_of(2, 32):
        counts = count_before(queries, documents, np.array([0, 1, 2]), pairs, done.append)
    assert counts.tolist() == [2]
    assert sum(done) == 5


@given(cases(), st.integers(1, 5), st.booleans())
@settings(deadline=None)
def test_pair_scores_are_entries_of_the_product(case: Case, block: int, as_sparse: bool) -> None:
    query, document = np.array(case.judged).T
    expected = (case.queries @ case.documents.T)[query, document]
    queries, documents = case.queries, case.documents
    if as_sparse:
        queries, documents = sparse.csr_array(queries), sparse.csr_array(documents)
    with blocks_of(block, 64):
        found = pair_scores(queries, documents, query, document)
    np.testing.assert_array_equal(found, expected)


# Whole tasks.


@dataclass(frozen=True)
class KnownVectors:
    """A retriever whose vectors are given, and which weighs pools as it is told to."""

    queries: dict[str, NDArray[np.float64]]
    documents: dict[str, NDArray[np.float64]]
    pool_independent: bool
    retrieves_all: bool
    query_languages: tuple[str, ...] = ()

    def asked(self, chosen: Sequence[Setting]) -> KnownVectors:
        """The same retriever with the queries of some settings, stacked as asked for."""
        languages, _ = languages_asked(chosen)
        return KnownVectors(
            {code: self.queries[code] for code in languages},
            self.documents,
            self.pool_independent,
            self.retrieves_all,
            languages,
        )

    def weights(self, document_languages: tuple[str, ...]) -> NDArray[np.float64]:
        """What a pool makes of each dimension, shape (dimension,)."""
        width = next(iter(self.documents.values())).shape[1]
        if self.pool_independent:
            return np.ones(width)
        return np.where(np.arange(width) % 2 == len(document_languages) % 2, 1.0, -0.5)

    def vectors(self, document_languages: tuple[str, ...]) -> Vectors:
        documents = np.concatenate([self.documents[code] for code in document_languages])
        queries = np.concatenate([self.queries[code] for code in self.query_languages])
        return Vectors(queries, documents * self.weights(document_languages))


Rows = dict[tuple[str, str, str, str], tuple[int, int]]
"""(relevance, rank) by setting, query language, question, document."""


def rows_of(table: RankTable) -> Rows:
    columns = (table.setting, table.query_language, table.question, table.document)
    names = zip(*([c.names[code] for code in c.codes] for c in columns), strict=True)
    found = dict(
        zip(names, zip(table.relevance.tolist(), table.rank.tolist(), strict=True), strict=True)
    )
    assert len(found) == len(table)
    return found


def ranked_by_sorting(task: Task, chosen: Sequence[Setting], retriever: KnownVectors) -> Rows:
    """Sorts the whole pool for every query: what ``rank_judged`` must agree with."""
    collection = task.collection
    rows: Rows = {}
    for setting in chosen:
        pool = [(d, n) for d in setting.document_languages for n in collection.corpora[d].ids]
        weights = retriever.weights(setting.document_languages)
        documents = np.concatenate([retriever.documents[d] for d in setting.document_languages])
        for language in setting.query_languages:
            for row, question in enumerate(collection.queries[language].question):
                scores = (documents * weights @ retriever.queries[language][row]).tolist()
                keyed = [(s, name.encode()) for s, (_, name) in zip(scores, pool, strict=True)]
                ranked = sorted(keyed, reverse=True)
                if not retriever.retrieves_all:
                    ranked = [key for key in ranked if key[0] > 0]
                for d in setting.document_languages:
                    judged = collection.judgments[d]
                    for asked, number, grade in zip(
                        judged.question, judged.document, judged.relevance, strict=True
                    ):
                        if asked == question:
                            name = collection.corpora[d].ids[number]
                            key = keyed[pool.index((d, name))]
                            rank = ranked.index(key) + 1 if key in ranked else 0
                            where = (setting.id, language, collection.questions[question], name)
                            rows[where] = (int(grade), rank)
    return rows


def make_task(collection: Collection) -> Task:
    definition = TaskDefinition(
        schema_version=1,
        name="hand-made",
        title="Hand-made",
        summary="A few words.",
        source="squad-r",
        protocol="full",
        settings="parallel",
        measures=("AP", "RankDistance"),
        primary_measure="AP",
        licence="CC0",
        homepage="https://example.org",
        citation="None.",
        folder="hand-made",
        files={code: LanguageFile(name=f"{code}.json") for code in collection.queries},
    )
    return Task(definition, "sentence", collection, parallel_settings(definition.languages), {})


@st.composite
def tasks_with_vectors(draw: st.DrawFn) -> tuple[Task, KnownVectors]:
    """Two or three languages; not every question is asked and answered in each of them."""
    languages = draw(st.sampled_from([("de", "en"), ("de", "en", "zh")]))
    questions = tuple(f"q{number}" for number in range(draw(st.integers(1, 4))))
    every = range(len(questions))
    queries, corpora, judgments = {}, {}, {}
    for code in languages:
        asked = draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
        queries[code] = Queries(code, np.array(asked), tuple(f"{code} {q}?" for q in asked))
        suffixes = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
        # Ids are unique over all languages, but not grouped by language when they are sorted.
        ids = tuple(f"{suffix}_{code}" for suffix in suffixes)
        corpora[code] = Corpus(code, ids, ids)
        pairs = st.tuples(st.sampled_from(every), st.integers(0, len(ids) - 1))
        judged = np.array(sorted(draw(st.sets(pairs, max_size=5))), dtype=np.int64).reshape(-1, 2)
        grades = draw(st.lists(st.integers(0, 2), min_size=len(judged), max_size=len(judged)))
        judgments[code] = Judgments(code, *judged.T, np.array(grades, dtype=np.int64))
    rows: Callable[[int], NDArray[np.float64]] = lambda n: np.array(  # noqa: E731
        [draw(st.tuples(*[st.sampled_from(VALUES)] * 3)) for _ in range(n)]
    )
    retriever = KnownVectors(
        queries={code: rows(len(found.texts)) for code, found in queries.items()},
        documents={code: rows(len(found.ids)) for code, found in corpora.items()},
        pool_independent=draw(st.booleans()),
        retrieves_all=draw(st.booleans()),
    )
    return make_task(Collection(questions, queries, corpora, judgments)), retriever


@given(tasks_with_vectors(), st.integers(1, 5), st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_ranks_of_a_task_equal_those_of_sorting_every_pool(
    case: tuple[Task, KnownVectors], documents: int, size: int
) -> None:
    task, retriever = case
    asked = retriever.asked(task.settings)
    with blocks_of(documents, size):
        table = rank_judged(task, task.settings, asked, Silent())
    assert rows_of(table) == ranked_by_sorting(task, task.settings, asked)
    assert table.task == "hand-made"
    assert table.measures == ("AP", "RankDistance")
    assert table.pool_sizes == {
        s.id: sum(len(task.collection.corpora[d].ids) for d in s.document_languages)
        for s in task.settings
    }


@given(tasks_with_vectors(), st.data())
@settings(max_examples=50, deadline=None)
def test_some_settings_get_the_ranks_that_they_get_in_the_full_run(
    case: tuple[Task, KnownVectors], data: st.DataObject
) -> None:
    task, retriever = case
    kept = data.draw(st.sets(st.sampled_from(task.settings), min_size=1))
    chosen = [setting for setting in task.settings if setting in kept]
    some = rank_judged(task, chosen, retriever.asked(chosen), Silent())
    full = rank_judged(task, task.settings, retriever.asked(task.settings), Silent())
    names = {setting.id for setting in chosen}
    assert rows_of(some) == {key: row for key, row in rows_of(full).items() if key[0] in names}
    assert set(some.pool_sizes) == names


@given(tasks_with_vectors())
@settings(max_examples=25, deadline=None)
def test_rows_are_sorted_by_setting_query_language_question_and_document(
    case: tuple[Task, KnownVectors],
) -> None:
    task, retriever = case
    table = rank_judged(task, task.settings, retriever.asked(task.settings), Silent())
    place = {setting.id: position for position, setting in enumerate(task.settings)}
    keys = [(place[key[0]], *key[1:]) for key in rows_of(table)]
    assert keys == sorted(keys)


def two_languages(*, pool_independent: bool, retrieves_all: bool) -> tuple[Task, KnownVectors]:
    """One question in German and English, two candidates each: small enough to rank by hand.

    ============  ====  ====  ====  ====
    score         a_de  b_de  a_en  b_en
    ============  ====  ====  ====  ====
    German query     2     1     1    -1
    English query    0     1     3     1
    ============  ====  ====  ====  ====

    Relevant are a_de and b_en; with 1 : 1 : 1 the order is b_en, b_de, a_en.
    """
    corpora = {code: Corpus(code, (f"a_{code}", f"b_{code}"), ("a", "b")) for code in ("de", "en")}
    first, one = np.array([0]), np.array([1])
    task = make_task(
        Collection(
            questions=("q",),
            queries={code: Queries(code, first, ("?",)) for code in corpora},
            corpora=corpora,
            judgments={
                "de": Judgments("de", first, np.array([0]), one),
                "en": Judgments("en", first, np.array([1]), one),
            },
        )
    )
    retriever = KnownVectors(
        queries={"de": np.array([[1.0, 0.0]]), "en": np.array([[0.0, 1.0]])},
        documents={
            "de": np.array([[2.0, 0.0], [1.0, 1.0]]),
            "en": np.array([[1.0, 3.0], [-1.0, 1.0]]),
        },
        pool_independent=pool_independent,
        retrieves_all=retrieves_all,
    )
    return task, retriever


def test_ranks_of_a_small_task_by_hand() -> None:
    task, retriever = two_languages(pool_independent=True, retrieves_all=True)
    table = rank_judged(task, task.settings, retriever.asked(task.settings), Silent())
    assert rows_of(table) == {
        ("moir/de-de", "de", "q", "a_de"): (1, 1),
        ("moir/en-en", "en", "q", "b_en"): (1, 2),
        ("clir/de-en", "de", "q", "b_en"): (1, 2),
        ("clir/en-de", "en", "q", "a_de"): (1, 2),
        ("mlir/de-xx", "de", "q", "a_de"): (1, 1),
        ("mlir/de-xx", "de", "q", "b_en"): (1, 4),
        ("mlir/en-xx", "en", "q", "a_de"): (1, 4),
        ("mlir/en-xx", "en", "q", "b_en"): (1, 2),  # tied with b_de, whose id is lower
        ("mlir/xx-xx", "de", "q", "a_de"): (1, 1),
        ("mlir/xx-xx", "de", "q", "b_en"): (1, 4),
        ("mlir/xx-xx", "en", "q", "a_de"): (1, 4),
        ("mlir/xx-xx", "en", "q", "b_en"): (1, 2),
    }
    assert table.pool_sizes["moir/de-de"] == 2
    assert table.pool_sizes["mlir/xx-xx"] == 4


def test_documents_that_score_nothing_are_not_retrieved_by_a_lexical_model() -> None:
    task, retriever = two_languages(pool_independent=True, retrieves_all=False)
    chosen = [setting for setting in task.settings if setting.id == "mlir/xx-xx"]
    table = rank_judged(task, chosen, retriever.asked(chosen), Silent())
    assert rows_of(table) == {
        ("mlir/xx-xx", "de", "q", "a_de"): (1, 1),
        ("mlir/xx-xx", "de", "q", "b_en"): (1, 0),  # scores -1
        ("mlir/xx-xx", "en", "q", "a_de"): (1, 0),  # scores 0
        ("mlir/xx-xx", "en", "q", "b_en"): (1, 2),
    }


@pytest.mark.parametrize("pool_independent", [True, False])
def test_progress_ends_at_the_total_that_it_began_with(pool_independent: bool) -> None:
    totals: list[int] = []
    done: list[int] = []

    class Counting(Silent):
        @contextmanager
        def track(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
            assert (what, unit) == ("Ranking", "queries")
            totals.append(total)
            yield done.append

    task, retriever = two_languages(pool_independent=pool_independent, retrieves_all=True)
    rank_judged(task, task.settings, retriever.asked(task.settings), Counting())
    assert [sum(done)] == totals
