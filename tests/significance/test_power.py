"""Power, detectable effects and sample sizes, against statsmodels, scipy and G*Power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestPower

from harness.significance.paired_t import paired_t
from harness.significance.power import (
    Plan,
    minimum_detectable_effect,
    power_of_paired_t,
    questions_needed,
)
from tasks.errors import UsageError


@given(
    st.floats(0.01, 1.0),
    st.floats(0.05, 0.5),
    st.integers(5, 300),
    st.sampled_from([0.01, 0.05, 0.2]),
    st.sampled_from([1, 10, 190]),
)
@settings(deadline=None)
def test_power_equals_statsmodels(
    effect: float, deviation: float, n: int, alpha: float, family_size: int
) -> None:
    expected = TTestPower().power(effect / deviation, n, alpha / family_size)
    # scipy's noncentral t is not finite everywhere.
    if np.isfinite(expected):
        found = power_of_paired_t(effect, deviation, n, Plan(alpha, 0.9, family_size))
        assert found == pytest.approx(expected, abs=1e-7)
        assert power_of_paired_t(-effect, deviation, n, Plan(alpha, 0.9, family_size)) == found


@pytest.mark.parametrize("n", [10, 50, 1190])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("family_size", [1, 20])
def test_the_detectable_effect_has_its_power_by_statsmodels(
    n: int, power: float, family_size: int
) -> None:
    # Its solve_power stops early, so the effect is put into its power.
    found = minimum_detectable_effect(0.3, n, Plan(0.05, power, family_size))
    assert TTestPower().power(found / 0.3, n, 0.05 / family_size) == pytest.approx(power, abs=1e-6)


@pytest.mark.parametrize(("power", "n"), [(0.8, 34), (0.95, 54)])
def test_sample_sizes_of_g_power(power: float, n: int) -> None:
    # G*Power 3.1, t test, means: difference between two dependent means, two tails, dz = 0.5.
    assert questions_needed(0.5, 1.0, Plan(0.05, power)) == n


@given(
    st.floats(0.05, 3), st.floats(0.1, 1), st.sampled_from([0.5, 0.8, 0.99]), st.integers(1, 500)
)
@settings(deadline=None, max_examples=50)
def test_one_question_fewer_would_not_do(
    effect: float, deviation: float, power: float, family_size: int
) -> None:
    plan = Plan(0.05, power, family_size)
    n = questions_needed(effect, deviation, plan)
    assert questions_needed(-effect, deviation, plan) == n
    assert power_of_paired_t(effect, deviation, n, plan) >= power
    if n > 2:
        assert power_of_paired_t(effect, deviation, n - 1, plan) < power
    assert minimum_detectable_effect(deviation, n, plan) <= effect * (1 + 1e-9)


@given(
    st.integers(2, 10**6),
    st.floats(1e-3, 1e3),
    st.sampled_from([0.5, 0.8, 0.9999]),
    st.sampled_from([1, 190, 27_170]),
)
@settings(deadline=None, max_examples=50)
def test_the_detectable_effect_has_the_power_that_was_asked_for(
    n: int, deviation: float, power: float, family_size: int
) -> None:
    plan = Plan(0.05, power, family_size)
    effect = minimum_detectable_effect(deviation, n, plan)
    assert effect > 0
    assert power_of_paired_t(effect, deviation, n, plan) == pytest.approx(power, abs=1e-6)
    assert minimum_detectable_effect(10 * deviation, n, plan) == pytest.approx(10 * effect)


def test_without_an_effect_the_power_is_the_level() -> None:
    assert power_of_paired_t(0.0, 1.0, 50, Plan(0.05)) == pytest.approx(0.05)
    assert power_of_paired_t(0.0, 1.0, 50, Plan(0.05, 0.8, 10)) == pytest.approx(0.005)


def test_simulated_tests_are_significant_as_often_as_predicted() -> None:
    rng = np.random.default_rng(5)
    trials = rng.normal(0.4, 1.0, size=(2000, 30))
    share = np.mean([paired_t(trial).p < 0.05 for trial in trials])
    predicted = power_of_paired_t(0.4, 1.0, 30, Plan())
    assert share == pytest.approx(predicted, abs=4 * math.sqrt(0.25 / 2000))


def test_two_questions() -> None:
    expected = stats.nct.sf(stats.t.isf(0.025, 1), 1, 5 * math.sqrt(2))
    assert power_of_paired_t(5.0, 1.0, 2, Plan()) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "alpha must be between 0 and 1, found 0"),
        ((1.0,), "alpha must be between 0 and 1, found 1"),
        ((math.nan,), "alpha must be between 0 and 1"),
        ((0.05, 0.8, 0), "at least 1 test, found 0"),
        ((0.05, 1.0), "at most 0.9999, found 1"),
        ((0.05, 0.05), r"above the level of a test \(0.05\)"),
        ((0.05, math.nan), "Power must be above"),
    ],
)
def test_plans_without_sense_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Plan(*arguments)


@pytest.mark.parametrize("deviation", [0.0, -1.0, math.nan, math.inf])
def test_a_deviation_that_is_not_above_0_is_refused(deviation: float) -> None:
    with pytest.raises(UsageError, match=f"above 0, found {deviation:g}"):
        minimum_detectable_effect(deviation, 10, Plan())
    with pytest.raises(UsageError, match=f"above 0, found {deviation:g}"):
        power_of_paired_t(0.1, deviation, 10, Plan())


def test_one_question_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 2 questions, found 1"):
        minimum_detectable_effect(0.3, 1, Plan())


@pytest.mark.parametrize("effect", [0.0, math.nan, math.inf])
def test_no_number_of_questions_shows_no_effect(effect: float) -> None:
    with pytest.raises(UsageError, match="No number of questions"):
        questions_needed(effect, 0.3, Plan())


def test_an_effect_too_small_for_any_collection_is_refused() -> None:
    with pytest.raises(UsageError, match="More than 1,000,000,000 questions"):
        questions_needed(1e-6, 0.3, Plan())


def test_the_power_of_an_effect_that_is_no_number_is_refused() -> None:
    with pytest.raises(UsageError, match="finite number, found nan"):
        power_of_paired_t(math.nan, 0.3, 10, Plan())
