"""Ranks by counting equal ranks by sorting: in one corpus, in joined pools, in whole tasks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hand_made_tasks import (
    IDS,
    VALUES,
    KnownBlock,
    KnownPool,
    KnownVectors,
    Rankings,
    in_order,
    ranks_in,
    rows_of,
    sorted_pools,
    tasks_with_vectors,
    two_languages,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.progress import Silent
from harness.retrieval import scan as ranking
from harness.retrieval.layout import Layout
from harness.retrieval.pool_ranking import rank_pools, rescore_first
from harness.retrieval.scan import JudgedPairs, scan, tie_order
from tasks.arrow_strings import ArrowStrings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.ranks import RankTable
    from harness.retrieval.candidate_ranking import RankedSetting
    from harness.retrieval.top_documents import TopDocuments
    from tasks.settings import Setting
    from tasks.task import Task


@dataclass(frozen=True)
class Case:
    """A corpus, queries, and judged documents inside and outside the corpus."""

    queries: NDArray[np.float64]
    documents: NDArray[np.float64]  # the corpus first, then the documents outside it
    ids: list[str]
    corpus: int
    judged: list[tuple[int, int]]  # (query, document), ascending

    @property
    def pool(self) -> KnownPool:
        return KnownPool(self.queries, self.documents[: self.corpus])

    @property
    def order(self) -> NDArray[np.int64]:
        return tie_order([self.ids])

    @property
    def pairs(self) -> JudgedPairs:
        query, document = np.array(self.judged, dtype=np.int64).reshape(-1, 2).T
        scores = KnownPool(self.queries, self.documents).pairs(query, document)
        return JudgedPairs(query, scores, self.order[document])

    def before_by_sorting(self) -> list[int]:
        """How many of the corpus stand before each judged document, by sorting them."""
        counts = []
        for query, document in self.judged:
            scores = (self.queries[query] @ self.documents.T).tolist()
            keys = list(zip(self.ids, scores, strict=True))
            counts.append(in_order([*{*keys[: self.corpus], keys[document]}]).index(keys[document]))
        return counts

    def before_by_counting(self, memory: int = ranking.MEMORY) -> list[int]:
        order = self.order[: self.corpus]
        return scan(self.pool, order, self.pairs, memory=memory).before.tolist()


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ids = draw(st.lists(IDS, min_size=1, max_size=12, unique=True))
    n_queries = draw(st.integers(1, 5))
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
def blocks_of(documents: int, size: int, gap: int = 0) -> Iterator[None]:
    """Makes blocks so small that a case has several of them, in both directions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "DOCUMENTS_PER_BLOCK", documents)
        patch.setattr(ranking, "SCORE_BYTES", size)
        patch.setattr(ranking, "GAP", gap)
        yield


# The order of ties.


def test_ties_go_by_descending_bytes_of_the_id() -> None:
    ids = ["d10", "d2", "é", "D2", "d", "z", "\U0001f600", "～"]
    order = tie_order([ids])
    # As strcmp does in trec_eval: a longer id stands before its prefix, non-ASCII before ASCII.
    assert sorted(ids, key=lambda name: order[ids.index(name)]) == [
        "\U0001f600", "～", "é", "z", "d2", "d10", "d", "D2",
    ]  # fmt: skip


@given(st.lists(IDS, min_size=1, max_size=12, unique=True), st.data())
def test_the_order_of_ties_is_the_same_however_ids_are_stored(
    ids: list[str], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(ids)), max_size=3)))
    parts = [ids[a:b] for a, b in zip([0, *cuts], [*cuts, len(ids)], strict=True)]
    expected = tie_order([ids]).tolist()
    assert expected == [sorted(ids, key=str.encode, reverse=True).index(name) for name in ids]
    on_disk = [ArrowStrings(pa.chunked_array([part], type=pa.string())) for part in parts]
    joined = ArrowStrings(pa.chunked_array(parts, type=pa.large_string()))
    assert tie_order(parts).tolist() == expected
    assert tie_order(on_disk).tolist() == expected
    assert tie_order([joined]).tolist() == expected


# One pass over a pool.


@given(cases())
@settings(deadline=None)
def test_counting_equals_sorting(case: Case) -> None:
    assert case.before_by_counting() == case.before_by_sorting()


@given(cases(), st.integers(1, 5), st.integers(1, 200), st.integers(0, 2), st.integers(1, 10**5))
@settings(deadline=None)
def test_counts_do_not_depend_on_the_size_of_blocks_or_the_memory(
    case: Case, documents: int, size: int, gap: int, memory: int
) -> None:
    with blocks_of(documents, size, gap):
        assert case.before_by_counting(memory) == case.before_by_sorting()


@given(cases(), st.data())
@settings(deadline=None)
def test_counts_do_not_depend_on_the_order_of_queries(case: Case, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(case.queries))))
    judged = sorted((order.index(query), document) for query, document in case.judged)
    moved = Case(case.queries[order], case.documents, case.ids, case.corpus, judged)
    counts = moved.before_by_counting()
    by_pair = {(order[q], d): n for (q, d), n in zip(judged, counts, strict=True)}
    assert [by_pair[pair] for pair in case.judged] == case.before_by_counting()


@given(cases(), st.data())
@settings(deadline=None)
def test_counts_over_corpora_add_up_to_the_count_in_the_joined_pool(
    case: Case, data: st.DataObject
) -> None:
    documents, order = case.documents[: case.corpus], case.order[: case.corpus]
    in_first = np.array(
        data.draw(st.lists(st.booleans(), min_size=case.corpus, max_size=case.corpus))
    )
    parts = [
        scan(KnownPool(case.queries, documents[rows]), order[rows], case.pairs).before
        for rows in (in_first, ~in_first)
        if rows.any()
    ]
    assert sum(parts).tolist() == case.before_by_counting()


@given(cases(), st.data(), st.integers(1, 5), st.integers(1, 200), st.integers(0, 2))
@settings(deadline=None)
def test_the_first_documents_of_a_scan_are_those_of_sorting(
    case: Case, data: st.DataObject, documents: int, size: int, gap: int
) -> None:
    wanted = data.draw(st.sets(st.integers(0, len(case.queries) - 1), min_size=1))
    depth = data.draw(st.integers(1, case.corpus + 2))
    top = np.array(sorted(wanted)), depth
    with blocks_of(documents, size, gap):
        found = scan(case.pool, case.order[: case.corpus], case.pairs, top)
    assert found.before.tolist() == case.before_by_sorting()
    assert found.top is not None
    assert found.top.query.tolist() == sorted(wanted)
    for query, rows, scores in zip(
        sorted(wanted), found.top.document.tolist(), found.top.score.tolist(), strict=True
    ):
        every = (case.queries[query] @ case.documents[: case.corpus].T).tolist()
        ranked = in_order(list(zip(case.ids[: case.corpus], every, strict=True)))[:depth]
        there = [
            (case.ids[row], score) for row, score in zip(rows, scores, strict=True) if row >= 0
        ]
        assert there == ranked
        assert all(score == -np.inf for score in scores[len(there) :])


def test_scanning_equals_sorting_at_a_size_with_many_blocks() -> None:
    rng = np.random.default_rng(5)
    documents = rng.integers(-3, 4, size=(700, 6)).astype(np.float64)
    names = [f"d{number}" for number in range(700)]
    queries = rng.integers(-3, 4, size=(40, 6)).astype(np.float64)
    judged = [(query, int(d)) for query in range(40) for d in rng.choice(700, 5, replace=False)]
    case = Case(queries, documents, names, 700, sorted(judged))
    with blocks_of(64, 64 * 8 * 7):
        found = scan(case.pool, case.order, case.pairs, (np.arange(40), 50))
    assert found.before.tolist() == case.before_by_sorting()
    for query in range(40):
        every = list(zip(names, (queries[query] @ documents.T).tolist(), strict=True))
        expected = [names.index(name) for name, _ in in_order(every)[:50]]
        assert found.top is not None
        assert found.top.document[query].tolist() == expected


class RecordingPool(KnownPool):
    """A pool that remembers which blocks, and which scores of each, were asked for."""

    def __init__(self, queries: NDArray[np.float64], documents: NDArray[np.float64]) -> None:
        super().__init__(queries, documents)
        self.asked: list[tuple[tuple[int, int], tuple[int, int]]] = []

    def block(self, first: int, last: int) -> RecordingBlock:  # type: ignore[override]
        return RecordingBlock(self, super().block(first, last), (first, last))


@dataclass(frozen=True)
class RecordingBlock:
    """A block of a pool that remembers."""

    pool: RecordingPool
    block: KnownBlock
    documents: tuple[int, int]

    def scores(self, first: int, last: int) -> NDArray[np.float64]:
        self.pool.asked.append((self.documents, (first, last)))
        return self.block.scores(first, last)


@pytest.mark.parametrize("memory", [2_000, 10_000, 33_333, 10**6])
def test_blocks_fit_into_the_memory_that_is_allowed(memory: int) -> None:
    documents, queries = 40, 30
    ids = [f"d{number}" for number in range(documents)]
    judged = [(query, query) for query in range(queries)]
    case = Case(np.ones((queries, 1)), np.ones((documents, 1)), ids, documents, judged)
    pool = RecordingPool(case.queries, case.documents)
    scan(pool, case.order, case.pairs, memory=memory)
    takes = [
        (right - left) * (pool.bytes_per_document + 8 * (last - first))
        for (left, right), (first, last) in pool.asked
    ]
    assert max(takes) <= memory
    # Every document once, and no more blocks than are needed for it.
    blocks = list(dict.fromkeys(block for block, _ in pool.asked))
    assert [row for block in blocks for row in range(*block)] == list(range(documents))
    assert len(blocks) <= -(-documents * pool.bytes_per_document * 2 // memory)


def test_queries_that_nobody_asks_are_not_scored() -> None:
    pool = RecordingPool(np.ones((200, 1)), np.array([[1.0], [3.0], [2.0]]))
    pairs = JudgedPairs(np.array([3, 5, 190]), np.array([1.0, 2.5, 2.0]), np.array([0, 3, 2]))
    done: list[int] = []
    with blocks_of(2, 10**6, gap=10):
        found = scan(pool, np.array([0, 1, 2]), pairs, on_documents=done.append)
    assert found.before.tolist() == [2, 1, 1]
    assert found.top is None
    assert [queries for _, queries in pool.asked] == [(3, 6), (190, 191)] * 2
    assert done == [2, 1]


# Whole tasks.


def rank_task(
    task: Task,
    chosen: Sequence[Setting],
    retriever: KnownVectors,
    keep: Mapping[str, int] | None = None,
) -> tuple[RankTable, dict[str, RankedSetting], Layout]:
    layout = Layout(task, chosen)
    ranked = rank_pools(layout, retriever.asked(chosen), keep or {}, Silent())
    table = layout.rank_table({name: (one.judged, one.rank) for name, one in ranked.items()})
    return table, ranked, layout


def rankings_of(layout: Layout, tops: Mapping[str, TopDocuments | None]) -> Rankings:
    """Kept rankings by the names of their settings, queries and documents."""
    collection = layout.task.collection
    names = [
        (code, collection.questions[question])
        for code in layout.query_languages
        for question in collection.queries[code].question
    ]
    found: Rankings = {}
    for setting, top in tops.items():
        assert top is not None
        for query, rows, scores in zip(top.query, top.document, top.score, strict=True):
            there = rows >= 0
            ids = layout.document_names(rows[there])
            found[setting, *names[query]] = list(zip(ids, scores[there].tolist(), strict=True))
    return found


@given(tasks_with_vectors(), st.integers(1, 5), st.integers(1, 200), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_ranks_of_a_task_equal_those_of_sorting_every_pool(
    case: tuple[Task, KnownVectors], documents: int, size: int, gap: int
) -> None:
    task, retriever = case
    asked = retriever.asked(task.settings)
    with blocks_of(documents, size, gap):
        table, ranked, _ = rank_task(task, task.settings, retriever)
    expected = sorted_pools(task, task.settings, asked)
    assert rows_of(table) == ranks_in(task, task.settings, expected)
    assert all(one.top is None for one in ranked.values())
    assert table.task == "hand-made"
    assert table.measures == ("AP", "RankDistance")
    assert table.pool_sizes == {
        s.id: sum(len(task.collection.corpora[d].ids) for d in s.document_languages)
        for s in task.settings
    }


@given(tasks_with_vectors(), st.data())
@settings(max_examples=60, deadline=None)
def test_kept_documents_are_the_first_of_the_sorted_pools(
    case: tuple[Task, KnownVectors], data: st.DataObject
) -> None:
    task, retriever = case
    depths = st.integers(0, 8)
    keep = {setting.id: data.draw(depths) for setting in task.settings}
    with blocks_of(2, 64):
        table, ranked, layout = rank_task(task, task.settings, retriever, keep)
    expected = sorted_pools(task, task.settings, retriever.asked(task.settings))
    assert rows_of(table) == ranks_in(task, task.settings, expected)
    assert {name for name, one in ranked.items() if one.top} == {n for n, d in keep.items() if d}
    found = rankings_of(layout, {name: ranked[name].top for name, depth in keep.items() if depth})
    assert found == {key: r[: keep[key[0]]] for key, r in expected.items() if keep[key[0]]}


@given(tasks_with_vectors(), st.data())
@settings(max_examples=50, deadline=None)
def test_some_settings_get_the_ranks_that_they_get_in_the_full_run(
    case: tuple[Task, KnownVectors], data: st.DataObject
) -> None:
    task, retriever = case
    kept = data.draw(st.sets(st.sampled_from(task.settings), min_size=1))
    chosen = [setting for setting in task.settings if setting in kept]
    some, _, _ = rank_task(task, chosen, retriever)
    full, _, _ = rank_task(task, task.settings, retriever)
    names = {setting.id for setting in chosen}
    assert rows_of(some) == {key: row for key, row in rows_of(full).items() if key[0] in names}
    assert set(some.pool_sizes) == names


@given(tasks_with_vectors())
@settings(max_examples=25, deadline=None)
def test_rows_are_sorted_by_setting_query_language_question_and_document(
    case: tuple[Task, KnownVectors],
) -> None:
    task, retriever = case
    table, _, _ = rank_task(task, task.settings, retriever)
    place = {setting.id: position for position, setting in enumerate(task.settings)}
    keys = [(place[key[0]], *key[1:]) for key in rows_of(table)]
    assert keys == sorted(keys)


def test_ranks_of_a_small_task_by_hand() -> None:
    task, retriever = two_languages()
    table, _, _ = rank_task(task, task.settings, retriever)
    assert rows_of(table) == {
        ("moir/de-de", "de", "q", "de_a"): (1, 1),
        ("moir/en-en", "en", "q", "en_b"): (1, 2),
        ("clir/de-en", "de", "q", "en_b"): (1, 2),
        ("clir/en-de", "en", "q", "de_a"): (1, 2),
        ("mlir/de-xx", "de", "q", "de_a"): (1, 1),
        ("mlir/de-xx", "de", "q", "en_b"): (1, 4),
        ("mlir/en-xx", "en", "q", "de_a"): (1, 4),
        ("mlir/en-xx", "en", "q", "en_b"): (1, 2),  # tied with de_b, whose id is lower
        ("mlir/xx-xx", "de", "q", "de_a"): (1, 1),
        ("mlir/xx-xx", "de", "q", "en_b"): (1, 4),
        ("mlir/xx-xx", "en", "q", "de_a"): (1, 4),
        ("mlir/xx-xx", "en", "q", "en_b"): (1, 2),
    }
    assert table.pool_sizes["moir/de-de"] == 2
    assert table.pool_sizes["mlir/xx-xx"] == 4


def test_documents_that_score_nothing_are_not_retrieved_by_a_lexical_model() -> None:
    task, dense = two_languages()
    lexical = KnownVectors(dense.queries, dense.documents, retrieves_all=False)
    chosen = [setting for setting in task.settings if setting.id == "mlir/xx-xx"]
    table, ranked, layout = rank_task(task, chosen, lexical, {"mlir/xx-xx": 4})
    assert rows_of(table) == {
        ("mlir/xx-xx", "de", "q", "de_a"): (1, 1),
        ("mlir/xx-xx", "de", "q", "en_b"): (1, 0),  # scores -1
        ("mlir/xx-xx", "en", "q", "de_a"): (1, 0),  # scores 0
        ("mlir/xx-xx", "en", "q", "en_b"): (1, 2),
    }
    assert rankings_of(layout, {"mlir/xx-xx": ranked["mlir/xx-xx"].top}) == {
        ("mlir/xx-xx", "de", "q"): [("de_a", 2.0), ("en_a", 1.0), ("de_b", 1.0)],
        ("mlir/xx-xx", "en", "q"): [("en_a", 3.0), ("en_b", 1.0), ("de_b", 1.0)],
    }


@pytest.mark.parametrize("pool_independent", [True, False])
def test_progress_ends_at_the_total_that_it_began_with(pool_independent: bool) -> None:
    totals: list[int] = []
    done: list[int] = []

    class Counting(Silent):
        @contextmanager
        def track(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
            assert (what, unit) == ("Ranking", "documents")
            totals.append(total)
            yield done.append

    task, retriever = two_languages()
    known = KnownVectors(retriever.queries, retriever.documents, pool_independent)
    rank_pools(Layout(task, task.settings), known, {}, Counting())
    assert [sum(done)] == totals


# Rescoring the first documents.


def test_rescored_documents_stand_before_the_others_by_hand() -> None:
    task, first = two_languages()
    second = KnownVectors({"de": -first.queries["de"], "en": first.queries["en"]}, first.documents)
    chosen = [setting for setting in task.settings if setting.id in ("mlir/de-xx", "moir/en-en")]
    layout = Layout(task, chosen)
    ranked = rank_pools(layout, first, {setting.id: 3 for setting in chosen}, Silent())
    again = rescore_first(layout, second, ranked, 2, Silent())
    # The first pass has de_a, en_a, de_b, en_b; of these the first two change places.
    assert rankings_of(layout, {"mlir/de-xx": again["mlir/de-xx"].top}) == {
        ("mlir/de-xx", "de", "q"): [("en_a", -1.0), ("de_a", -2.0), ("de_b", 1.0)]
    }
    table = layout.rank_table({name: (one.judged, one.rank) for name, one in again.items()})
    assert rows_of(table) == {
        ("moir/en-en", "en", "q", "en_b"): (1, 2),
        ("mlir/de-xx", "de", "q", "de_a"): (1, 2),
        ("mlir/de-xx", "de", "q", "en_b"): (1, 4),
    }


@given(tasks_with_vectors(), tasks_with_vectors(), st.integers(1, 6), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_rescoring_equals_sorting_the_first_documents_anew(
    case: tuple[Task, KnownVectors], other: tuple[Task, KnownVectors], depth: int, more: int
) -> None:
    task, known = case
    first = KnownVectors(known.queries, known.documents)
    # Another model: the same rows, the weights of another case.
    weights = next(iter(other[1].queries.values()))[0]
    second = KnownVectors({code: rows * weights for code, rows in known.queries.items()},
                          known.documents)  # fmt: skip
    layout = Layout(task, task.settings)
    ranked = rank_pools(layout, first, {s.id: depth + more for s in task.settings}, Silent())
    again = rescore_first(layout, second, ranked, depth, Silent())
    anew = sorted_pools(task, task.settings, second)
    expected: Rankings = {}
    for key, ranking_of_first in sorted_pools(task, task.settings, first).items():
        head = {name for name, _ in ranking_of_first[:depth]}
        expected[key] = [one for one in anew[key] if one[0] in head] + ranking_of_first[depth:]
    table = layout.rank_table({name: (one.judged, one.rank) for name, one in again.items()})
    assert rows_of(table) == ranks_in(task, task.settings, expected)
    found = rankings_of(layout, {name: one.top for name, one in again.items()})
    assert found == {key: ranking[: depth + more] for key, ranking in expected.items()}
