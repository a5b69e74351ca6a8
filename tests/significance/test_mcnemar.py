"""McNemar's exact test against scipy, statsmodels and the sign-flip test."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import contingency_tables

from harness.significance.mcnemar import mcnemar
from harness.significance.sign_flip import sign_flip_enumerated
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hits(both: int, only_a: int, only_b: int, neither: int) -> tuple[NDArray, NDArray]:
    counts = [both, only_a, only_b, neither]
    return np.repeat([1.0, 1, 0, 0], counts), np.repeat([1.0, 0, 1, 0], counts)


def test_eight_against_two() -> None:
    # 2 x (1 + 10 + 45) / 1024
    result = mcnemar(*hits(5, 8, 2, 20))
    assert (result.n, result.only_a, result.only_b) == (35, 8, 2)
    assert result.p == pytest.approx(0.109375, rel=1e-14)


@given(*[st.integers(0, 300)] * 4)
@settings(deadline=None)
def test_it_equals_the_binomial_test(both: int, only_a: int, only_b: int, neither: int) -> None:
    a, b = hits(both + 1, only_a, only_b, neither)
    result, swapped = mcnemar(a, b), mcnemar(b, a)
    discordant = only_a + only_b
    expected = stats.binomtest(only_a, discordant).pvalue if discordant else 1.0
    assert result.p == pytest.approx(expected, rel=1e-9)
    table = [[both + 1, only_a], [only_b, neither]]
    assert result.p == pytest.approx(
        contingency_tables.mcnemar(table, exact=True).pvalue if discordant else 1.0, rel=1e-9
    )
    assert swapped.p == result.p
    assert (swapped.only_a, swapped.only_b) == (result.only_b, result.only_a)
    assert 0 < result.p <= 1


@given(st.integers(0, 10), st.integers(0, 10))
@settings(deadline=None)
def test_it_is_the_sign_flip_test_of_hits(only_a: int, only_b: int) -> None:
    a, b = hits(3, only_a, only_b, 3)
    assert mcnemar(a, b).p == pytest.approx(sign_flip_enumerated(a - b).p, rel=1e-12)


def test_the_order_of_questions_does_not_matter() -> None:
    a, b = hits(5, 8, 2, 20)
    order = np.random.default_rng(0).permutation(len(a))
    assert mcnemar(a[order], b[order]) == mcnemar(a, b)


@pytest.mark.parametrize("counts", [(5, 0, 0, 5), (1, 0, 0, 0), (0, 4, 4, 0)])
def test_systems_that_are_level_have_a_p_of_1(counts: tuple[int, int, int, int]) -> None:
    assert mcnemar(*hits(*counts)).p == 1.0


def test_p_is_small_but_never_0() -> None:
    assert mcnemar(*hits(0, 2000, 0, 0)).p == sys.float_info.min


@pytest.mark.parametrize("value", [0.5, -1.0, 2.0, math.nan])
def test_scores_that_are_no_hits_are_refused(value: float) -> None:
    good, bad = np.array([0.0, 1, 1]), np.array([0.0, 1, value])
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(UsageError, match=f"0 or 1 on each question.*found {value:g}"):
            mcnemar(*pair)


@pytest.mark.parametrize(("a", "b"), [(0, 0), (2, 3)])
def test_other_questions_are_refused(a: int, b: int) -> None:
    with pytest.raises(UsageError, match=f"same questions.*found {a} and {b}"):
        mcnemar(np.ones(a), np.ones(b))
