"""Systems with several seeds: the variance between seeds, and what is claimed."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from harness.significance.paired_t import paired_t
from harness.significance.seeds import average_seeds, seed_difference
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORES = st.integers(0, 64).map(lambda value: value / 64)


def seeds_of(questions: int, most: int = 5) -> st.SearchStrategy[NDArray[np.float64]]:
    shape = st.integers(1, most).map(lambda seeds: (questions, seeds))
    return shape.flatmap(lambda s: arrays(np.float64, s, elements=SCORES))


def test_scores_are_averaged_within_the_question() -> None:
    scores = np.array([[1.0, 0.5, 0.0], [0.25, 0.25, 1.0]])
    assert average_seeds(scores).tolist() == [0.5, 0.5]
    assert average_seeds(scores[:, :1]).tolist() == [1.0, 0.25]


def test_by_hand() -> None:
    a = np.array([[0.6, 1.0], [0.2, 0.6], [0.4, 0.8]])
    b = np.array([[0.1, 0.3, 0.2], [0.1, 0.3, 0.2], [0.3, 0.5, 0.4]])
    # Averages of a: .8, .4, .6; of b: .2, .2, .4; differences .6, .2, .2, variance .16 / 3.
    # Seeds of a have the means .4, .8, variance .08; those of b .5 / 3, 1.1 / 3, .8 / 3: .01.
    result = seed_difference(a, b)
    parts = (0.16 / 9, 0.08 / 2, 0.01 / 3)
    assert (result.n, result.seeds_a, result.seeds_b) == (3, 2, 3)
    assert result.mean == pytest.approx(1 / 3)
    assert (result.question_variance, result.seed_variance_a, result.seed_variance_b) == (
        pytest.approx(parts)
    )
    assert result.standard_error == pytest.approx(math.sqrt(sum(parts)))
    assert result.df == pytest.approx(
        sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 1 + parts[2] ** 2 / 2)
    )
    assert result.t == pytest.approx(result.mean / math.sqrt(sum(parts)))
    assert result.p == pytest.approx(2 * stats.t.sf(result.t, result.df))
    half = stats.t.isf(0.05, result.df) * result.standard_error
    assert result.interval(0.1) == pytest.approx((1 / 3 - half, 1 / 3 + half))
    assert not result.checkpoints_only


@given(arrays(np.float64, st.integers(2, 20), elements=st.integers(-64, 64).map(lambda v: v / 64)))
@settings(deadline=None)
def test_with_one_seed_each_it_is_the_paired_t_test(differences: NDArray[np.float64]) -> None:
    assume(np.ptp(differences) > 0)
    b = np.full((len(differences), 1), 0.5)
    result = seed_difference(differences[:, None] + b, b)
    expected = paired_t(differences)
    assert result.checkpoints_only
    assert (result.seed_variance_a, result.seed_variance_b) == (0.0, 0.0)
    assert result.df == len(differences) - 1
    assert result.p == pytest.approx(expected.p, rel=1e-9)
    assert result.t == pytest.approx(expected.t, rel=1e-9, abs=1e-12)
    assert result.interval(0.05) == pytest.approx(expected.interval(0.05), rel=1e-9)


@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 1000))
@settings(deadline=None)
def test_where_only_seeds_vary_it_is_welchs_t_test(seeds_a: int, seeds_b: int, state: int) -> None:
    rng = np.random.default_rng(state)
    means_a, means_b = rng.normal(size=seeds_a), rng.normal(size=seeds_b)
    result = seed_difference(np.tile(means_a, (6, 1)), np.tile(means_b, (6, 1)))
    expected = stats.ttest_ind(means_a, means_b, equal_var=False)
    assert result.t == pytest.approx(expected.statistic, rel=1e-9)
    assert result.df == pytest.approx(expected.df, rel=1e-9)
    assert result.p == pytest.approx(expected.pvalue, rel=1e-9)


@given(st.data(), st.integers(2, 8))
@settings(deadline=None)
def test_swaps_and_orders(data: st.DataObject, questions: int) -> None:
    a, b = data.draw(seeds_of(questions)), data.draw(seeds_of(questions))
    try:
        result = seed_difference(a, b)
    except UsageError:
        # Only where nothing varies.
        assert np.ptp(average_seeds(a) - average_seeds(b)) < 1e-12
        return
    swapped = seed_difference(b, a)
    assert (swapped.mean, swapped.t, swapped.p) == (-result.mean, -result.t, result.p)
    assert swapped.seed_variance_a == result.seed_variance_b
    assert 0 < result.p <= 1
    fewest = [s - 1 for s in (questions, a.shape[1], b.shape[1]) if s > 1]
    assert min(fewest) * (1 - 1e-9) <= result.df <= sum(fewest) * (1 + 1e-9)
    rows = data.draw(st.permutations(range(questions)))
    columns = data.draw(st.permutations(range(a.shape[1])))
    shuffled = seed_difference(a[np.ix_(rows, columns)], b[rows])
    assert shuffled.p == pytest.approx(result.p, rel=1e-6)


def test_one_side_with_one_seed_is_about_that_checkpoint() -> None:
    rng = np.random.default_rng(0)
    result = seed_difference(rng.random((30, 3)), rng.random((30, 1)))
    assert result.checkpoints_only
    assert result.seed_variance_a > 0
    assert result.seed_variance_b == 0.0


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_duplicated_system_has_a_p_of_1(seeds: int) -> None:
    scores = np.random.default_rng(0).random((20, seeds))
    result = seed_difference(scores, scores)
    assert (result.mean, result.t, result.p) == (0.0, 0.0, 1.0)


def test_without_any_variance_or_difference_p_is_1() -> None:
    result = seed_difference(np.full((5, 2), 0.3), np.full((5, 3), 0.3))
    assert (result.p, result.t) == (1.0, 0.0)
    assert result.interval(0.05) == pytest.approx((0.0, 0.0), abs=1e-15)


def test_p_is_small_but_never_0() -> None:
    rng = np.random.default_rng(0)
    result = seed_difference(1 + 1e-5 * rng.random((1190, 1)), 1e-5 * rng.random((1190, 1)))
    assert result.p == sys.float_info.min


def test_training_that_varies_makes_false_alarms_unless_seeds_are_counted() -> None:
    rng = np.random.default_rng(7)
    with_seeds, without, trials = 0, 0, 1000
    for _ in range(trials):
        question = rng.normal(size=(40, 1))
        a = question + rng.normal(size=(40, 3)) + 0.3 * rng.normal(size=3)
        b = rng.normal(size=(40, 3)) + 0.3 * rng.normal(size=3)
        with_seeds += seed_difference(a, b).p < 0.05
        without += paired_t(average_seeds(a) - average_seeds(b)).p < 0.05
    assert 0.01 < with_seeds / trials < 0.07
    assert without / trials > 0.12


@pytest.mark.parametrize(("a", "b"), [(0.75, 0.5), (0.1 + 0.2, 0.1)])
def test_differences_that_are_all_the_same_but_not_0_are_refused(a: float, b: float) -> None:
    with pytest.raises(UsageError, match="not defined where all differences are the same"):
        seed_difference(np.full((4, 2), a), np.full((4, 1), b))


@pytest.mark.parametrize(("a", "b"), [(1, 1), (0, 0), (3, 4)])
def test_other_questions_or_too_few_are_refused(a: int, b: int) -> None:
    with pytest.raises(UsageError, match=f"at least 2; found {a} and {b}"):
        seed_difference(np.ones((a, 2)), np.ones((b, 2)))


@pytest.mark.parametrize("scores", [np.empty((3, 0)), np.ones(3), [[1.0], [math.nan], [1.0]]])
def test_seeds_that_lack_questions_are_refused(scores: NDArray[np.float64]) -> None:
    with pytest.raises(UsageError, match="a score of every seed on every question"):
        average_seeds(np.asarray(scores))
    with pytest.raises(UsageError, match="a score of every seed on every question"):
        seed_difference(np.ones((3, 2)), np.asarray(scores))
