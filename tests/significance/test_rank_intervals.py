"""Rank intervals from significant differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.significance.rank_intervals import rank_intervals
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def intervals(systems: str, better: list[str]) -> dict[str, tuple[int, int]]:
    matrix = np.zeros((len(systems), len(systems)), dtype=np.bool_)
    for one, other in better:
        matrix[systems.index(one), systems.index(other)] = True
    found = rank_intervals(matrix)
    ends = zip(found.best.tolist(), found.worst.tolist(), strict=True)
    return dict(zip(systems, ends, strict=True))


@pytest.mark.parametrize(
    ("better", "expected"),
    [
        ([], {"A": (1, 3), "B": (1, 3), "C": (1, 3)}),
        (["AB", "AC", "BC"], {"A": (1, 1), "B": (2, 2), "C": (3, 3)}),
        (["AC"], {"A": (1, 2), "B": (1, 3), "C": (2, 3)}),
        (["CA", "CB"], {"A": (2, 3), "B": (2, 3), "C": (1, 1)}),
    ],
)
def test_three_systems(better: list[str], expected: dict[str, tuple[int, int]]) -> None:
    assert intervals("ABC", better) == expected


def test_one_system() -> None:
    assert intervals("A", []) == {"A": (1, 1)}


@given(
    arrays(np.float64, st.integers(1, 8), elements=st.floats(0, 1)),
    st.floats(0, 0.5),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_the_observed_rank_is_within_the_interval(
    means: NDArray[np.float64], least: float, random
) -> None:
    better = means[:, None] - means[None, :] > least
    found = rank_intervals(better)
    rank = 1 + (means[:, None] > means[None, :]).sum(axis=0)
    assert (found.best >= 1).all()
    assert (found.best <= rank).all()
    assert (rank <= found.worst).all()
    assert (found.worst <= len(means)).all()
    order = random.sample(range(len(means)), len(means))
    shuffled = rank_intervals(better[np.ix_(order, order)])
    assert shuffled.best.tolist() == found.best[order].tolist()
    assert shuffled.worst.tolist() == found.worst[order].tolist()


def test_contrary_differences_are_refused() -> None:
    with pytest.raises(UsageError, match="Systems 0 and 1 cannot each be better"):
        intervals("AB", ["AB", "BA"])
    with pytest.raises(UsageError, match="Systems 1 and 1 cannot each be better"):
        intervals("AB", ["BB"])


def test_a_matrix_that_is_not_square_is_refused() -> None:
    with pytest.raises(UsageError, match=r"square, found \(2, 3\)"):
        rank_intervals(np.zeros((2, 3), dtype=np.bool_))
