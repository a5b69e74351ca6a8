"""The BCa interval against scipy, and what it must not depend on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from harness.significance import bootstrap as module
from harness.significance.bootstrap import bootstrap
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ids(n: int) -> list[str]:
    return [f"q{number}" for number in range(n)]


SKEWED = np.random.default_rng(1).exponential(size=40) - 0.8
RESAMPLES = 20_000


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_the_interval_equals_scipys_within_monte_carlo_error(sign: int, alpha: float) -> None:
    differences = sign * SKEWED
    result = bootstrap(differences, ids(40), resamples=RESAMPLES, seed=0)
    reference = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=1 - alpha,
        method="BCa",
        rng=np.random.default_rng(2),
    )
    expected = tuple(reference.confidence_interval)
    error = float(differences.std(ddof=1)) / math.sqrt(40)
    assert result.interval(alpha) == pytest.approx(expected, abs=0.1 * error)
    if alpha == 0.05:
        # The tolerance tells this interval from that without correction.
        plain = np.quantile(result.means, [alpha / 2, 1 - alpha / 2])
        assert np.abs(plain - expected).max() > 0.2 * error


@given(arrays(np.float64, st.integers(3, 30), elements=st.integers(-9, 9).map(float)))
@settings(deadline=None, max_examples=50)
def test_the_acceleration_is_that_of_the_jackknife(differences: NDArray[np.float64]) -> None:
    if np.ptp(differences) == 0:
        return
    result = bootstrap(differences, ids(len(differences)), resamples=499, seed=0)
    left_out = np.array([np.delete(differences, i).mean() for i in range(len(differences))])
    moved = left_out.mean() - left_out
    expected = (moved**3).sum() / (6 * (moved**2).sum() ** 1.5)
    assert result.acceleration == pytest.approx(expected, abs=1e-12)
    assert result.mean == pytest.approx(differences.mean())


def test_the_bias_counts_half_of_the_means_that_equal_the_observed_one() -> None:
    result = bootstrap(np.array([0.0, 0, 0, 1]), ids(4), resamples=9999, seed=3)
    # Ones in a resample: binomial with n = 4 and p = 1/4.
    share = 0.75**4 + 4 * 0.25 * 0.75**3 / 2
    assert stats.norm.cdf(result.bias) == pytest.approx(share, abs=0.02)


def test_every_question_is_drawn_equally_often() -> None:
    n, resamples = 7, 20_000
    for question in range(n):
        differences = np.where(np.arange(n) == question, 1.0, 0.0)
        means = bootstrap(differences, ids(n), resamples=resamples, seed=5).means
        deviation = math.sqrt((n - 1) / n**2 / n / resamples)
        assert means.mean() == pytest.approx(1 / n, abs=4 * deviation)
        assert means.var() == pytest.approx((n - 1) / n**3, rel=0.05)


def test_the_order_of_questions_does_not_matter() -> None:
    result = bootstrap(SKEWED, ids(40), resamples=999, seed=0)
    order = np.random.default_rng(0).permutation(40)
    names = [ids(40)[place] for place in order]
    shuffled = bootstrap(SKEWED[order], names, resamples=999, seed=0)
    assert shuffled.means.tolist() == result.means.tolist()
    assert shuffled.interval(0.05) == result.interval(0.05)


def test_the_size_of_blocks_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    result = bootstrap(SKEWED[:39], ids(39), resamples=999, seed=0)
    monkeypatch.setattr(module, "DRAWS_PER_BLOCK", 1000)
    blocks = bootstrap(SKEWED[:39], ids(39), resamples=999, seed=0)
    assert blocks.means.tolist() == result.means.tolist()


def test_the_seed_matters() -> None:
    means = [
        bootstrap(SKEWED, ids(40), resamples=99, seed=s).means.tolist() for s in (0, 1, 2**64 - 1)
    ]
    assert means[0] != means[1] != means[2] != means[0]


def test_draws_are_the_same_everywhere() -> None:
    result = bootstrap(np.arange(1.0, 6), ids(5), resamples=8, seed=0)
    assert (result.means * 5).tolist() == [11, 14, 15, 15, 16, 19, 19, 21]


def test_swapping_systems_turns_the_interval_round() -> None:
    low, high = bootstrap(SKEWED, ids(40), resamples=4999, seed=0).interval(0.05)
    swapped = bootstrap(-SKEWED, ids(40), resamples=4999, seed=0)
    assert swapped.interval(0.05) == pytest.approx((-high, -low), rel=1e-9)


def test_the_mean_is_covered_as_often_as_promised() -> None:
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(400):
        differences = rng.exponential(size=60) - 1
        low, high = bootstrap(differences, ids(60), resamples=999, seed=0).interval(0.1)
        covered += low <= 0 <= high
    assert 0.84 < covered / 400 < 0.95


@pytest.mark.parametrize("n", [2, 1190])
def test_without_any_difference_the_interval_is_0(n: int) -> None:
    result = bootstrap(np.zeros(n), ids(n), resamples=99, seed=0)
    assert result.interval(0.05) == (0.0, 0.0)
    assert (result.bias, result.acceleration) == (0.0, 0.0)


@given(
    arrays(np.float64, st.integers(2, 12), elements=st.sampled_from([-1.0, 0.0, 0.1, 0.5, 1.0])),
    st.floats(1e-4, 0.999),
)
@settings(deadline=None)
def test_an_interval_is_finite_and_in_order_or_refused(
    differences: NDArray[np.float64], alpha: float
) -> None:
    try:
        result = bootstrap(differences, ids(len(differences)), resamples=499, seed=0)
        low, high = result.interval(alpha)
    except UsageError:
        return
    assert differences.min() - 1e-12 <= low <= high <= differences.max() + 1e-12


def test_resamples_that_do_not_reach_the_ends_are_refused() -> None:
    result = bootstrap(SKEWED, ids(40), resamples=999, seed=0)
    with pytest.raises(UsageError, match=r"999 resamples do not reach .* 0\.9999 interval"):
        result.interval(0.0001)


@pytest.mark.parametrize("alpha", [0.0, 1.0, math.nan])
def test_a_level_outside_0_and_1_is_refused(alpha: float) -> None:
    with pytest.raises(UsageError, match="alpha must be between 0 and 1"):
        bootstrap(SKEWED, ids(40), resamples=99, seed=0).interval(alpha)


def test_one_resample_is_refused() -> None:
    with pytest.raises(UsageError, match="1 resamples are too few"):
        bootstrap(SKEWED, ids(40), resamples=1, seed=0)


@pytest.mark.parametrize("differences", [[0.25] * 4, [0.3 - 0.2, 0.4 - 0.3, 0.5 - 0.4, 0.1]])
def test_differences_that_are_all_the_same_but_not_0_are_refused(differences: list[float]) -> None:
    with pytest.raises(UsageError, match="not defined where all 4 differences are the same"):
        bootstrap(np.array(differences), ids(4), resamples=99, seed=0)


@pytest.mark.parametrize("differences", [[], [0.5], [0.5, math.nan], [0.5, math.inf]])
def test_fewer_than_two_differences_or_missing_ones_are_refused(differences: list[float]) -> None:
    with pytest.raises(UsageError, match=f"2 finite differences, found {len(differences)} in all"):
        bootstrap(np.array(differences), ids(len(differences)), resamples=99, seed=0)
