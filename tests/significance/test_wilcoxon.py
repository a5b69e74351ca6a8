"""The signed-rank test against scipy, R and enumeration."""

from __future__ import annotations

import math
import sys
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from harness.significance.wilcoxon import wilcoxon
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

COARSE = st.integers(-6, 6).map(float)
"""Many ties and zeros."""


def test_the_depression_scores_of_r() -> None:
    # R, example of ?wilcox.test (Hollander & Wolfe 1973, p. 29), two-sided:
    # wilcox.test(x, y, paired = TRUE): V = 40, p-value = 0.03906
    x = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    y = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    result = wilcoxon(x - y)
    assert (result.n, result.positive, result.negative) == (9, 40.0, 5.0)
    assert result.exact
    assert result.p == pytest.approx(0.0390625, rel=1e-12)


def test_zeros_are_ranked_and_then_left_out() -> None:
    # Sizes 0, 0, 1, 2, 2 have the ranks 1.5, 1.5, 3, 4.5, 4.5.
    result = wilcoxon(np.array([0.0, 2, -1, 0, 2]))
    assert (result.positive, result.negative) == (9.0, 3.0)
    assert result.z == pytest.approx((9 - 3) / math.sqrt(3**2 + 2 * 4.5**2))
    # Of the 8 signed sums of 3, 4.5 and 4.5, four are at least 6 in size.
    assert result.p == 4 / 8


@given(arrays(np.float64, st.integers(60, 150), elements=COARSE))
@settings(deadline=None)
def test_with_ties_and_zeros_it_equals_scipys_normal_approximation(
    differences: NDArray[np.float64],
) -> None:
    assume(np.count_nonzero(differences) > 50)
    result = wilcoxon(differences)
    expected = stats.wilcoxon(
        differences, zero_method="pratt", correction=False, method="asymptotic"
    )
    assert not result.exact
    assert min(result.positive, result.negative) == expected.statistic
    assert abs(result.z) == pytest.approx(abs(expected.zstatistic), rel=1e-9, abs=1e-12)
    assert result.p == pytest.approx(expected.pvalue, rel=1e-9)


@given(st.integers(1, 40), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_without_ties_and_zeros_it_equals_scipys_exact_test(n: int, random) -> None:
    sizes = random.sample(range(1, 1000), n)
    differences = np.array([random.choice((-1.0, 1.0)) * size for size in sizes])
    result = wilcoxon(differences)
    expected = stats.wilcoxon(differences, method="exact")
    assert result.exact
    assert min(result.positive, result.negative) == expected.statistic
    assert result.p == pytest.approx(expected.pvalue, rel=1e-9)


@given(arrays(np.float64, st.integers(1, 9), elements=COARSE))
@settings(deadline=None)
def test_with_ties_and_zeros_small_samples_are_enumerated(
    differences: NDArray[np.float64],
) -> None:
    ranks = stats.rankdata(np.abs(differences))[differences != 0]
    observed = abs((np.sign(differences[differences != 0]) * ranks).sum())
    patterns = [abs(np.dot(s, ranks)) for s in product((-1, 1), repeat=len(ranks))]
    result = wilcoxon(differences)
    assert result.exact
    assert result.p == pytest.approx(np.mean([sum_ >= observed for sum_ in patterns]))


@pytest.mark.parametrize(("moving", "exact"), [(50, True), (51, False)])
def test_the_normal_distribution_takes_over_where_it_is_close(moving: int, exact: bool) -> None:
    rng = np.random.default_rng(3)
    differences = np.append(rng.permutation(np.arange(1.0, moving + 1)) - 15.25, np.zeros(9))
    differences = np.where(np.arange(len(differences)) % 2, differences, -differences)
    result = wilcoxon(differences)
    expected = stats.wilcoxon(
        differences, zero_method="pratt", correction=False, method="asymptotic"
    )
    assert result.exact is exact
    assert result.p == pytest.approx(expected.pvalue, abs=0.01)


@given(arrays(np.float64, st.integers(1, 80), elements=COARSE), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_swapping_systems_or_shuffling_questions_changes_nothing_else(
    differences: NDArray[np.float64], random
) -> None:
    result, swapped = wilcoxon(differences), wilcoxon(-differences)
    assert (swapped.positive, swapped.negative) == (result.negative, result.positive)
    assert (swapped.z, swapped.p) == (-result.z, result.p)
    assert 0 < result.p <= 1
    order = random.sample(range(len(differences)), len(differences))
    assert wilcoxon(differences[order]) == result


def test_differences_that_only_rounding_tells_apart_are_ties() -> None:
    rounded = np.array([0.3 - 0.2, 0.1, 0.7 - 0.8, 0.9, -0.5])
    assert len(set(np.abs(rounded[:3]))) == 3
    assert wilcoxon(rounded) == wilcoxon(np.array([1.0, 1, -1, 9, -5]))


@pytest.mark.parametrize("n", [1, 7, 1190])
def test_without_any_difference_p_is_1(n: int) -> None:
    result = wilcoxon(np.zeros(n))
    assert (result.p, result.z, result.positive, result.negative) == (1.0, 0.0, 0.0, 0.0)


def test_p_is_small_but_never_0() -> None:
    assert wilcoxon(np.arange(1.0, 3000)).p == sys.float_info.min


def test_it_does_not_test_means() -> None:
    # Nine small losses for each gain nine times as large.
    differences = np.tile([9.0] + [-1.0] * 9, 20)
    assert differences.mean() == 0
    assert wilcoxon(differences).p < 1e-6


@pytest.mark.parametrize("differences", [[], [0.5, math.nan], [math.inf, 0.5]])
def test_no_differences_or_missing_ones_are_refused(differences: list[float]) -> None:
    with pytest.raises(UsageError, match="at least 1 difference, and all of them finite"):
        wilcoxon(np.array(differences))
