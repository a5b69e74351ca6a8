"""Equivalence by two one-sided tests, against statsmodels."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.weightstats import ttost_paired

from harness.significance.equivalence import tost
from harness.significance.paired_t import paired_t
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIFFERENCES = arrays(np.float64, st.integers(2, 30), elements=st.integers(-64, 64).map(float))
MARGINS = st.floats(0.01, 100)


@given(DIFFERENCES, MARGINS)
@settings(deadline=None)
def test_it_equals_statsmodels(differences: NDArray[np.float64], margin: float) -> None:
    assume(np.ptp(differences) > 0)
    result = tost(differences, margin)
    p, (_, p_lower, _), (_, p_upper, _) = ttost_paired(
        differences, np.zeros_like(differences), -margin, margin
    )
    assert result.p == pytest.approx(p, rel=1e-9, abs=1e-300)
    assert result.p_lower == pytest.approx(p_lower, rel=1e-9, abs=1e-300)
    assert result.p_upper == pytest.approx(p_upper, rel=1e-9, abs=1e-300)


@given(DIFFERENCES, MARGINS, st.sampled_from([0.01, 0.05, 0.2]))
@settings(deadline=None)
def test_systems_are_equivalent_where_the_interval_is_within_the_margin(
    differences: NDArray[np.float64], margin: float, alpha: float
) -> None:
    assume(np.ptp(differences) > 0)
    result = tost(differences, margin)
    assume(abs(result.p - alpha) > 1e-9)
    low, high = result.interval(alpha)
    assert result.equivalent(alpha) == (-margin < low and high < margin)
    # A wider margin is easier to stay within.
    assert tost(differences, 2 * margin).p <= result.p


@given(DIFFERENCES, MARGINS)
@settings(deadline=None)
def test_swapping_systems_swaps_the_two_tests(
    differences: NDArray[np.float64], margin: float
) -> None:
    assume(np.ptp(differences) > 0)
    result, swapped = tost(differences, margin), tost(-differences, margin)
    assert (swapped.p_lower, swapped.p_upper) == (result.p_upper, result.p_lower)
    assert 0 < result.p <= 1


def test_not_significant_is_not_equivalent() -> None:
    few = np.array([0.3, -0.2, 0.1, -0.1])
    many = np.tile(few, 100)
    assert paired_t(few).p > 0.05
    assert tost(few, 0.05).statement(0.05) == "not shown to be equivalent within 0.05 (p = 0.418)"
    assert tost(many, 0.05).equivalent(0.05)
    assert tost(many, 0.05).statement(0.05).startswith("equivalent within 0.05 (p = 0.00")


def test_p_is_small_but_never_0() -> None:
    result = tost(np.tile([1e-3, -1e-3], 1000), 1.0)
    assert result.p_lower == result.p_upper == sys.float_info.min


@pytest.mark.parametrize("margin", [0.0, -0.1, math.nan, math.inf])
def test_a_margin_that_is_not_above_0_is_refused(margin: float) -> None:
    with pytest.raises(UsageError, match=f"above 0, found {margin:g}"):
        tost(np.array([0.1, 0.2]), margin)


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_without_spread_it_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match="not defined where all 3 differences are the same"):
        tost(np.full(3, value), 0.5)


@pytest.mark.parametrize("differences", [[0.1, math.nan, 0.2], [0.1, math.inf]])
def test_missing_differences_are_refused(differences: list[float]) -> None:
    with pytest.raises(UsageError, match="finite"):
        tost(np.array(differences), 0.5)


def test_one_question_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 2 questions, found 1"):
        tost(np.ones(1), 0.5)
