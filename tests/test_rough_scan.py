"""Scans that look at float32 scores first find, bit by bit, what scans of exact scores find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.embeddings.preparation import Preparation
from harness.embeddings.vector_rows import VectorRows
from harness.retrieval import contenders, dense_retriever, rough_counts, rough_pass
from harness.retrieval import scan as scanning
from harness.retrieval.dense_retriever import DenseBlock, DensePool, DenseQueries
from harness.retrieval.rough_counts import open_interval
from harness.retrieval.scan import JudgedPairs, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("random", "near ties", "ties", "twins", "lengths", "tiny", "huge")


def documents_of(kind: str, rows: int, dimension: int, seed: int) -> NDArray[np.float32]:
    """Vectors that make it hard for float32 in different ways."""
    stream = np.random.default_rng(seed)
    found = stream.standard_normal((rows, dimension))
    if kind == "near ties":  # scores differ by less than float32 can tell
        found = found[:1] + 1e-8 * found
        found[:, 0] += 2.0**-20 * stream.integers(0, 3, rows)
    elif kind == "ties":
        found = found[stream.integers(0, min(3, rows), rows)]
    elif kind == "twins":  # so few ties that they are settled one by one
        found = found[np.arange(rows) // 2]
    elif kind == "lengths":
        found *= 10.0 ** stream.integers(-6, 7, (rows, 1))
    elif kind == "tiny":
        found *= 1e-40
    elif kind == "huge":
        found *= 1e30
    return found.astype(np.float32)


@dataclass
class Case:
    """A dense pool, and what is asked of it."""

    queries: NDArray[np.float32]
    documents: NDArray[np.float32]
    preparation: Preparation
    depth: int
    seed: int

    def pool(self) -> DensePool:
        half = len(self.documents) // 2
        rows = VectorRows([self.documents[:half], self.documents[half:]])
        asked = DenseQueries(self.preparation.exact(self.queries))
        return DensePool(asked, rows, self.preparation)

    def check(self, memory: int = scanning.MEMORY) -> None:
        """Against sorting the exact scores."""
        pool, stream = self.pool(), np.random.default_rng(self.seed)
        count, queries = len(self.documents), len(self.queries)
        order = stream.permutation(count)
        query = np.repeat(np.arange(queries), 3)
        document = stream.integers(0, count, len(query))
        exact = self.preparation.exact(self.queries) @ self.preparation.exact(self.documents).T
        pairs = JudgedPairs(query, pool.pairs(query, document), order[document])
        assert pairs.score.tolist() == exact[query, document].tolist()
        found = scan(pool, order, pairs, (np.arange(queries), self.depth), memory)
        assert found.top is not None
        ranked = np.lexsort((np.broadcast_to(order, exact.shape), -exact))
        rank = np.argsort(ranked, axis=1)
        assert found.before.tolist() == rank[query, document].tolist()
        there = min(self.depth, count)
        assert found.top.document[:, :there].tolist() == ranked[:, :there].tolist()
        assert (found.top.document[:, there:] == -1).all()
        best = np.take_along_axis(exact, ranked, axis=1)[:, :there]
        assert found.top.score[:, :there].tolist() == best.tolist()


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["float32", "int8", "binary"]),
    st.sampled_from(["cosine", "dot"]),
    st.tuples(st.integers(1, 6), st.integers(2, 90), st.integers(1, 20), st.integers(1, 12)),
    st.tuples(st.integers(0, 2**20), st.sampled_from([10**4, 10**5, 10**9])),
)
@settings(deadline=None, max_examples=150)
def test_ranks_and_first_documents_are_those_of_sorting_exact_scores(
    kind: str, form: str, similarity: str, shape: tuple[int, ...], seeds: tuple[int, int]
) -> None:
    queries, documents, dimension, depth = shape
    seed, memory = seeds
    asked = documents_of("random", queries, dimension, seed + 1)
    found = documents_of(kind, documents, dimension, seed)
    Case(asked, found, Preparation(form, similarity), depth, seed).check(memory)


@pytest.mark.parametrize("kind", KINDS)
def test_many_documents_that_cannot_be_told_apart(kind: str) -> None:
    documents = documents_of(kind, 3000, 8, 5)
    queries = documents_of("random", 5, 8, 6)
    Case(queries, documents, Preparation(similarity="dot"), 10, 7).check(2 * 10**5)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_with_a_query_each_find_the_same(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rough_pass, "LEAST_QUERIES", 1)
    monkeypatch.setattr(rough_pass, "CACHED_SCORES", 1)
    documents = documents_of(kind, 900, 16, 8)
    queries = documents_of("random", 60, 16, 9)
    Case(queries, documents, Preparation(similarity="cosine"), 10, 7).check(3 * 10**5)


class CountingBlock(DenseBlock):
    """A block that says how many documents were scored exactly."""

    exact_scores = 0
    exact_pairs = 0

    def scores(self, first: int, last: int) -> NDArray[np.float64]:
        found = super().scores(first, last)
        CountingBlock.exact_scores += found.size
        return found

    def exact(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        CountingBlock.exact_pairs += len(query)
        return super().exact(query, document)


def test_next_to_nothing_is_scored_exactly_where_vectors_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dense_retriever, "DenseBlock", CountingBlock)
    monkeypatch.setattr(CountingBlock, "exact_scores", 0)
    monkeypatch.setattr(CountingBlock, "exact_pairs", 0)
    asked, documents = documents_of("random", 20, 64, 1), documents_of("random", 5000, 64, 2)
    case = Case(asked, documents, Preparation(similarity="cosine"), 10, 3)
    case.check()
    assert CountingBlock.exact_scores == 0
    assert CountingBlock.exact_pairs <= 0.001 * 60 * 5000


def test_exact_scores_take_over_where_float32_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense_retriever, "DenseBlock", CountingBlock)
    monkeypatch.setattr(CountingBlock, "exact_scores", 0)
    monkeypatch.setattr(CountingBlock, "exact_pairs", 0)
    asked, documents = documents_of("random", 20, 64, 1), documents_of("ties", 5000, 64, 2)
    Case(asked, documents, Preparation(similarity="cosine"), 10, 3).check()
    assert CountingBlock.exact_pairs == 0
    assert CountingBlock.exact_scores == 2 * 20 * 5000  # for ranks, and for the first documents


@given(
    st.floats(
        width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**90), max_value=2.0**90
    ),
    st.floats(0, 1e30),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
)
def test_a_score_outside_the_open_interval_is_decided(
    score: float, radius: float, rough: float
) -> None:
    low, high = open_interval(np.array([score]), np.array([radius]))
    if rough > high[0]:
        assert rough - radius > score
    if rough < low[0]:
        assert rough + radius < score
    assert low[0] <= score <= high[0]


def test_room_for_contenders_is_made_again_when_it_is_full() -> None:
    # Ascending scores: every document is among the first when it comes, and nearly all fall out.
    scores = np.linspace(0, 1, 5000, dtype=np.float32)[None]
    found = contenders.Contenders.empty(np.array([0]), 5)
    found.take(scores, np.array([1e-7]), (0, 100))
    assert not found.crowded.any()
    kept = found.document[0, : found.kept[0]]
    assert set(range(5095, 5100)) <= set(kept.tolist())


def test_a_query_without_room_says_so() -> None:
    found = contenders.Contenders.empty(np.array([3, 8]), 5)
    scores = np.zeros((9, 500), dtype=np.float32)
    scores[8] = np.random.default_rng(0).standard_normal(500)
    found.take(scores, np.full(9, 1e-6), (0, 0))
    assert found.crowded.tolist() == [True, False]


def test_half_of_all_pairs_open_are_not_settled_one_by_one() -> None:
    scores = np.zeros((1, 100), dtype=np.float32)
    zero = np.zeros(1, dtype=np.int64)
    judged = (zero, zero, np.zeros(1), zero)
    block: DenseBlock = None  # type: ignore[assignment]  # it is not asked
    order = np.arange(100)
    assert rough_counts.settled_counts(block, scores, order, judged, np.array([1e-6])) is None
