"""The first documents of rankings: kept block by block, merged, cut, as sorting has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.retrieval.top_documents import TopDocuments, keep_best, merged

Scores = NDArray[np.float64]
SCORES = st.sampled_from([-2.5, -1.0, 0.0, 0.5, 1.0])


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Scores, NDArray[np.int64]]:
    """Scores full of ties, shape (queries, documents), and the order of ties."""
    queries, documents = draw(st.integers(1, 5)), draw(st.integers(1, 14))
    rows = st.lists(SCORES, min_size=documents, max_size=documents)
    scores = draw(st.lists(rows, min_size=queries, max_size=queries))
    return np.array(scores), np.array(draw(st.permutations(range(documents))))


def first_by_sorting(row: Scores, order: NDArray[np.int64], depth: int) -> list[int]:
    documents = sorted(range(len(row)), key=lambda d: (-row[d], order[d]))[:depth]
    return documents + [-1] * (depth - len(documents))


def kept(
    scores: Scores, order: NDArray[np.int64], wanted: list[int], depth: int, width: int = 100
) -> TopDocuments:
    """The first documents, fed in blocks of so many documents."""
    best = TopDocuments.empty(np.array(wanted, dtype=np.int64), depth)
    for left in range(0, scores.shape[1], width):
        columns = slice(left, left + width)
        keep_best(best, np.ascontiguousarray(scores[:, columns]), order[columns], (0, left))
    return best.sorted()


@given(matrices(), st.integers(1, 16), st.integers(1, 14), st.data())
@settings(deadline=None)
def test_the_first_documents_are_those_of_sorting_whatever_the_blocks(
    case: tuple[Scores, NDArray[np.int64]], depth: int, width: int, data: st.DataObject
) -> None:
    scores, order = case
    wanted = sorted(data.draw(st.sets(st.integers(0, len(scores) - 1))))
    top = kept(scores, order, wanted, depth, width)
    assert top.document.shape == (len(wanted), depth)
    for query, documents, values, places in zip(
        wanted, top.document.tolist(), top.score.tolist(), top.order.tolist(), strict=True
    ):
        assert documents == first_by_sorting(scores[query], order, depth)
        there = [document for document in documents if document >= 0]
        missing = depth - len(there)
        assert values == [*scores[query][there], *[-np.inf] * missing]
        assert places == [*order[there], *[np.iinfo(np.int64).max] * missing]


def test_blocks_of_queries_are_placed_by_their_first_row() -> None:
    best = TopDocuments.empty(np.array([1, 4]), 2)
    order = np.array([0, 1, 2])
    rows = np.arange(6)[:, None] * 10.0 + np.array([1.0, 3.0, 2.0])
    for first in (0, 3):
        keep_best(best, rows[first : first + 3], order, (first, 100))
    top = best.sorted()
    assert top.document.tolist() == [[101, 102], [101, 102]]
    assert top.score.tolist() == [[13.0, 12.0], [43.0, 42.0]]


@given(matrices(), st.integers(1, 16), st.data())
@settings(deadline=None)
def test_merged_parts_are_the_first_of_the_whole(
    case: tuple[Scores, NDArray[np.int64]], depth: int, data: st.DataObject
) -> None:
    scores, order = case
    queries = list(range(len(scores)))
    side = np.array(
        data.draw(st.lists(st.integers(0, 2), min_size=len(order), max_size=len(order)))
    )
    tops = []
    for part in range(3):
        rows = np.flatnonzero(side == part)
        if len(rows):
            found = kept(np.ascontiguousarray(scores[:, rows]), order[rows], queries, depth)
            tops.append(found.among(rows))
    whole = kept(scores, order, queries, depth)
    together = merged(tops, depth)
    np.testing.assert_array_equal(together.document, whole.document)
    np.testing.assert_array_equal(together.score, whole.score)


def three() -> TopDocuments:
    """Two queries, depth 3; the second has two documents."""
    return TopDocuments(
        query=np.array([2, 7]),
        document=np.array([[0, 1, 2], [2, 0, -1]]),
        score=np.array([[3.0, 0.0, -1.0], [5.0, 0.5, -np.inf]]),
        order=np.array([[1, 0, 2], [2, 1, np.iinfo(np.int64).max]]),
    )


def test_some_queries() -> None:
    some = three().of(np.array([7]))
    assert some.query.tolist() == [7]
    assert some.document.tolist() == [[2, 0, -1]]
    assert some.score.tolist() == [[5.0, 0.5, -np.inf]]


def test_rows_among_others_leave_what_is_not_there() -> None:
    assert three().among(np.array([40, 50, 60])).document.tolist() == [[40, 50, 60], [60, 40, -1]]


@pytest.mark.parametrize("depth", [1, 2, 3, 9])
def test_a_cut_keeps_the_first(depth: int) -> None:
    cut = three().cut(depth)
    assert cut.document.tolist() == [row[:depth] for row in [[0, 1, 2], [2, 0, -1]]]
    assert cut.score.shape == cut.order.shape == cut.document.shape


def test_what_scores_0_or_less_is_not_retrieved() -> None:
    top = three().positive()
    assert top.document.tolist() == [[0, -1, -1], [2, 0, -1]]
    assert top.score.tolist() == [[3.0, -np.inf, -np.inf], [5.0, 0.5, -np.inf]]


def test_others_follow_after_as_many() -> None:
    head = three().cut(1)
    other = TopDocuments(
        query=np.array([2, 7]),
        document=np.array([[9, 8, 7], [6, 5, 4]]),
        score=np.zeros((2, 3)),
        order=np.zeros((2, 3), dtype=np.int64),
    )
    assert head.followed_by(other).document.tolist() == [[0, 8, 7], [2, 5, 4]]
    assert head.followed_by(other).score.tolist() == [[3.0, 0.0, 0.0], [5.0, 0.0, 0.0]]
