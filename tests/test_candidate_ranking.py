"""Ranks among candidates equal those of sorting them; what is missing has no rank."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hand_made_tasks import (
    Rankings,
    drawn_task,
    in_order,
    ranks_in,
    rows_of,
    tasks_with_vectors,
    two_languages,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.progress import Silent
from harness.retrieval import candidate_ranking
from harness.retrieval.candidate_ranking import (
    ScoredCandidates,
    candidates_of,
    rank_among,
    score_candidates,
    score_with_retriever,
)
from harness.retrieval.layout import Layout
from tasks.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hand_made_tasks import KnownVectors
    from numpy.typing import NDArray

    from harness.retrieval.candidate_ranking import RankedSetting
    from tasks.task import Task

SCORES = st.sampled_from([-1.5, -0.0, 0.0, 1.0, 2.0])


class WordsInCommon:
    """A model that reads pairs: its score is made of both texts, and it notes what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, str]]] = []

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        self.batches.append(list(pairs))
        on_pairs(len(pairs))
        return np.array([score(query, document) for query, document in pairs])


def score(query: str, document: str) -> float:
    return float(sum(map(ord, query)) * 31 + sum(map(ord, document)) * 7 % 11)


class Counting(Silent):
    """Progress that is added up."""

    def __init__(self) -> None:
        self.total = self.done = 0

    @contextmanager
    def track(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        assert (what, unit) == ("Reranking", "pairs")
        self.total += total
        yield self.advance

    def advance(self, more: int) -> None:
        self.done += more


def found(layout: Layout, rows: Sequence[tuple[int, int, float]]) -> ScoredCandidates:
    query, document, value = zip(*sorted(rows), strict=True) if rows else ((), (), ())
    assert max(document, default=0) < len(layout.order)
    return ScoredCandidates(
        np.array(query, dtype=np.int64), np.array(document, dtype=np.int64), np.array(value)
    )


def as_rankings(layout: Layout, setting: Setting, ranked: RankedSetting) -> Rankings:
    assert ranked.top is not None
    collection = layout.task.collection
    queries = [
        (setting.id, code, collection.questions[question])
        for code in layout.query_languages
        for question in collection.queries[code].question
    ]
    rankings: Rankings = {}
    for query, rows, values in zip(
        ranked.top.query, ranked.top.document, ranked.top.score, strict=True
    ):
        there = rows >= 0
        ids = layout.document_names(rows[there])
        rankings[queries[query]] = list(zip(ids, values[there].tolist(), strict=True))
    return rankings


@given(tasks_with_vectors(), st.integers(0, 6), st.data())
@settings(max_examples=100, deadline=None)
def test_ranks_among_candidates_equal_sorting_them(
    case: tuple[Task, KnownVectors], keep: int, data: st.DataObject
) -> None:
    task, _ = case
    layout = Layout(task, task.settings)
    ranked, expected = {}, {}
    for setting in task.settings:
        judged = layout.judged_in(setting)
        rows = []
        for query in np.unique(layout.judged.query[judged]).tolist():
            pool = layout.document_rows(setting.document_languages).tolist()
            chosen = data.draw(st.sets(st.sampled_from(pool)))
            mine = [(query, document, data.draw(SCORES)) for document in chosen]
            language = next(
                code
                for code in reversed(layout.query_languages)
                if layout.query_start[code] <= query
            )
            row = query - layout.query_start[language]
            question = task.collection.queries[language].question[row]
            named = zip(
                layout.document_names(np.array([d for _, d, _ in mine], dtype=np.int64)),
                [value for _, _, value in mine],
                strict=True,
            )
            expected[setting.id, language, task.collection.questions[question]] = in_order(
                list(named)
            )
            rows += mine
        ranked[setting.id] = rank_among(layout, setting, found(layout, rows), keep)
    table = layout.rank_table({name: (one.judged, one.rank) for name, one in ranked.items()})
    assert rows_of(table) == ranks_in(task, task.settings, expected)
    for setting in task.settings:
        if not keep:
            assert ranked[setting.id].top is None
            continue
        there = {
            key: ranking[:keep]
            for key, ranking in expected.items()
            if key[0] == setting.id and ranking
        }
        assert as_rankings(layout, setting, ranked[setting.id]) == there


def test_ranks_by_hand_with_judged_documents_that_are_no_candidates() -> None:
    task, _ = two_languages()
    setting = Setting("mlir", ("de", "en"), ("de", "en"))
    layout = Layout(task, [setting])
    # Documents 0 to 3 are de_a, de_b, en_a, en_b; judged are de_a and en_b.
    candidates = found(layout, [(0, 0, 1.0), (0, 1, 1.0), (0, 2, 3.0), (1, 3, -5.0)])
    ranked = rank_among(layout, setting, candidates, 2)
    table = layout.rank_table({setting.id: (ranked.judged, ranked.rank)})
    assert rows_of(table) == {
        (setting.id, "de", "q", "de_a"): (1, 3),  # behind en_a, and tied behind de_b
        (setting.id, "de", "q", "en_b"): (1, 0),
        (setting.id, "en", "q", "de_a"): (1, 0),
        (setting.id, "en", "q", "en_b"): (1, 1),
    }
    assert as_rankings(layout, setting, ranked) == {
        (setting.id, "de", "q"): [("en_a", 3.0), ("de_b", 1.0)],
        (setting.id, "en", "q"): [("en_b", -5.0)],
    }
    assert ranked.top is not None
    query, document = candidates_of(ranked.top)
    assert list(zip(query, document, strict=True)) == [(0, 2), (0, 1), (1, 3)]


def test_no_candidates_at_all_give_no_ranks() -> None:
    task, _ = two_languages()
    setting = Setting("moir", ("de",), ("de",))
    layout = Layout(task, [setting])
    ranked = rank_among(layout, setting, found(layout, []), 3)
    assert ranked.rank.tolist() == [0]
    assert ranked.top is not None
    assert ranked.top.query.tolist() == []


@pytest.mark.parametrize(("together", "at_once"), [(2**25, 2**16), (1, 1), (6, 2), (5, 100)])
def test_pairs_are_read_once_within_a_group_of_settings(
    monkeypatch: pytest.MonkeyPatch, together: int, at_once: int
) -> None:
    monkeypatch.setattr(candidate_ranking, "PAIRS_TOGETHER", together)
    monkeypatch.setattr(candidate_ranking, "PAIRS_AT_ONCE", at_once)
    task = drawn_task()
    chosen = [
        Setting("moir", ("en",), ("en",)),
        Setting("mlir", ("en",), ("de", "en")),
        Setting("mlir", ("de", "en"), ("de", "en")),
    ]
    layout = Layout(task, chosen)
    pairs = {setting.id: layout.candidates_in(setting) for setting in chosen}
    model, progress = WordsInCommon(), Counting()
    texts = layout.task.collection
    scored = score_candidates(layout, model, texts, pairs, progress)
    assert list(scored) == [setting.id for setting in chosen]
    for name, one in scored.items():
        assert (one.query.tolist(), one.document.tolist()) == tuple(x.tolist() for x in pairs[name])
        texts = candidate_texts(layout, one)
        assert one.score.tolist() == [score(*pair) for pair in texts]
    assert (progress.total, progress.done) == (15, 15)
    assert max(map(len, model.batches)) <= at_once
    read = [pair for batch in model.batches for pair in batch]
    # English questions with English passages 0 and 1 and, in the pool, German passage 2.
    assert len(set(read)) == 10
    if together >= 15:
        assert len(read) == 10


def candidate_texts(layout: Layout, scored: ScoredCandidates) -> list[tuple[str, str]]:
    collection = layout.task.collection
    queries = [text for code in layout.query_languages for text in collection.queries[code].texts]
    documents = [
        text for code in layout.document_languages for text in collection.corpora[code].texts
    ]
    rows = zip(scored.query.tolist(), scored.document.tolist(), strict=True)
    return [(queries[query], documents[document]) for query, document in rows]


def test_a_drawn_rerank_task_by_hand() -> None:
    task = drawn_task()
    setting = Setting("mlir", ("de", "en"), ("de", "en"))
    layout = Layout(task, [setting])
    # English asks question 0: candidates en_0 and de_2. German asks 1: en_0, en_1, de_2.
    query, document = layout.candidates_in(setting)
    scores = {(1, 3): 0.2, (1, 4): 0.9, (1, 2): 0.2, (2, 3): 0.5, (2, 2): 0.5}
    value = np.array([scores[q, d] for q, d in zip(query.tolist(), document.tolist(), strict=True)])
    ranked = rank_among(layout, setting, ScoredCandidates(query, document, value), 0)
    table = layout.rank_table({setting.id: (ranked.judged, ranked.rank)})
    assert rows_of(table) == {
        (setting.id, "de", "q1", "en_0"): (1, 2),  # tied with de_2, whose id is lower
        (setting.id, "en", "q0", "de_2"): (1, 2),  # tied with en_0, whose id is higher
    }
    assert table.pool_sizes == {setting.id: 3}


@given(tasks_with_vectors(), st.data())
@settings(max_examples=40, deadline=None)
def test_a_retriever_gives_candidates_the_scores_of_its_pools(
    case: tuple[Task, KnownVectors], data: st.DataObject
) -> None:
    task, retriever = case
    layout = Layout(task, task.settings)
    pairs = {}
    for setting in task.settings:
        queries = sorted({int(q) for q in layout.judged.query[layout.judged_in(setting)]})
        rows = layout.document_rows(setting.document_languages).tolist()
        every = [(query, row) for query in queries for row in rows]
        chosen = sorted(data.draw(st.sets(st.sampled_from(every)))) if every else []
        array = np.array(chosen, dtype=np.int64).reshape(-1, 2)
        pairs[setting.id] = (array[:, 0], array[:, 1])
    progress = Counting()
    scored = score_with_retriever(layout, retriever, pairs, progress)
    for setting in task.settings:
        one = scored[setting.id]
        documents = layout.document_rows(setting.document_languages).tolist()
        pool = retriever.pool(setting.document_languages)
        whole = pool.block(0, pool.documents).scores(0, pool.queries)
        local = [documents.index(row) for row in one.document]
        assert one.score.tolist() == whole[one.query, local].tolist()
    assert progress.total == progress.done == sum(len(query) for query, _ in pairs.values())
