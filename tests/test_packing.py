"""Which inputs go into a batch: within the budget, without much padding, and all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.embeddings.packing import LEAST_PADDING, SHARE_OF_PADDING, pack


def sizes(lengths: list[int], budget: int, most: int = 1024) -> list[int]:
    found = pack(np.array(lengths, dtype=np.int64), budget, most)
    return [some.stop - some.start for some in found]


def test_a_batch_is_full_at_its_budget() -> None:
    assert sizes([10] * 7, 30) == [3, 3, 1]
    assert sizes([10] * 7, 29) == [2, 2, 2, 1]
    assert sizes([10] * 7, 10**6, most=4) == [4, 3]


def test_what_is_longer_than_the_budget_goes_alone() -> None:
    assert sizes([50, 40, 5, 5], 20) == [1, 1, 2]


def test_a_batch_ends_where_padding_costs_more_than_a_start() -> None:
    # A sixteenth of 3,200 tokens is 200: 100 + 100 is allowed, 100 + 100 + 1 is not.
    assert sizes([200, 100, 100, 99], 3200) == [3, 1]
    assert sizes([200, 100, 99, 99], 3200) == [2, 2]


def test_small_budgets_allow_some_padding() -> None:
    assert LEAST_PADDING == 64
    assert sizes([65, 1, 1], 1000) == [2, 1]


def test_nothing() -> None:
    assert sizes([], 100) == []


@given(
    st.lists(st.integers(0, 600), min_size=1, max_size=80),
    st.integers(1, 5000),
    st.integers(1, 20),
)
def test_all_are_packed_within_the_limits(lengths: list[int], budget: int, most: int) -> None:
    ordered = np.array(sorted(lengths, reverse=True), dtype=np.int64)
    found = list(pack(ordered, budget, most))
    assert [row for some in found for row in range(some.start, some.stop)] == [*range(len(ordered))]
    for some in found:
        batch = ordered[some]
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or len(batch) * batch[0] <= budget
        assert (batch[0] - batch).sum() <= max(LEAST_PADDING, budget // SHARE_OF_PADDING)
