"""The range of means against plain loops over pairs, and what it must not depend on."""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.significance.range_of_means import Extremes, RangeOfMeans, extremes, range_of_means
from harness.significance.score_lattice import LCM_TO_10
from tests.calibration.simulate import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ALPHA = 0.05
RECIPROCAL_RANKS = np.array([0, 0, 1, 1 / 2, 1 / 3, 1 / 7, 1 / 9])
SIMULATIONS = 300


def signs(questions: int, resamples: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng([20_250, seed]).choice([-1.0, 1.0], (questions, resamples))


def ranges_of(scores: NDArray[np.float64], drawn: NDArray[np.float64]) -> RangeOfMeans:
    return range_of_means(extremes(scores, drawn), scores.shape[1])


def reciprocal_ranks(systems: int, questions: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).choice(RECIPROCAL_RANKS, (systems, questions))


def is_same(one: Extremes, other: Extremes) -> bool:
    highest = one.highest.tolist() == other.highest.tolist()
    return highest and one.lowest.tolist() == other.lowest.tolist()


SCORES = st.tuples(st.integers(2, 7), st.integers(1, 12)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0, 1))
)


def test_three_systems_and_two_questions_by_hand() -> None:
    scores = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    every_sign = np.array(list(product([1.0, -1.0], repeat=2))).T
    # Less their means: (1/2, -1/2), (0, 0), (-1/2, 1/2). Signs that agree add them up to 0; with
    # (+, -) the sums are 1, 0 and -1, which as means are half of that.
    assert ranges_of(scores, every_sign).ranges.tolist() == [0, 0, 1, 1]
    two = ranges_of(scores[:2], every_sign)
    assert two.ranges.tolist() == [0, 0, 0.5, 0.5]
    assert two.p(np.array([0.0, 0.25, -0.5, 0.51])).tolist() == [1, 3 / 5, 3 / 5, 1 / 5]
    # There is no p of 1/5 up to .5, of 3/5 up to 0, and none below 1/5.
    found = [two.critical(alpha) for alpha in (0.2, 0.21, 0.6, 0.61, 0.99)]
    assert found == [math.inf, 0.5, 0.5, 0.0, 0.0]


@given(SCORES, st.integers(0, 99))
@settings(deadline=None)
def test_a_range_is_the_largest_flipped_difference_of_any_pair(
    scores: NDArray[np.float64], seed: int
) -> None:
    drawn = signs(scores.shape[1], 40, seed)
    found = []
    for resample in drawn.T:
        largest = 0.0
        for a, b in combinations(scores, 2):
            difference = a - b
            flipped = resample * (difference - difference.mean())
            largest = max(largest, abs(float(flipped.mean())))
        found.append(largest)
    if scores.shape[1] > 1:
        assert ranges_of(scores, drawn).ranges == pytest.approx(sorted(found), abs=1e-9)


@given(SCORES, st.data())
@settings(deadline=None)
def test_extremes_of_groups_merge_to_those_of_all(
    scores: NDArray[np.float64], data: st.DataObject
) -> None:
    drawn = signs(scores.shape[1], 40)
    order = data.draw(st.permutations(range(len(scores))))
    cut = data.draw(st.integers(1, len(scores) - 1))
    one, other = (extremes(scores[part], drawn) for part in (order[:cut], order[cut:]))
    assert is_same(one.with_others(other), extremes(scores, drawn))
    assert is_same(other.with_others(one), extremes(scores, drawn))


@pytest.mark.parametrize("questions", [3, 250, 7_000])
def test_neither_the_order_of_questions_nor_of_systems_matters(questions: int) -> None:
    scores = reciprocal_ranks(9, questions)
    drawn = signs(questions, 64)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(9), rng.permutation(questions)
    shuffled = extremes(scores[np.ix_(rows, columns)], drawn[columns])
    assert is_same(shuffled, extremes(scores, drawn))


@pytest.mark.parametrize("questions", [2, 100, 1_023, 1_024, 7_000])
def test_sums_are_those_of_whole_numbers(questions: int) -> None:
    scores = reciprocal_ranks(4, questions)
    drawn = signs(questions, 10)
    # Far apart, all in the direction of one resample, and with a digit in every place.
    drawn[:, 0] = np.where(np.arange(questions) % 2, 1.0, -1.0)
    scores[0] = drawn[:, 0] * np.random.default_rng(2).uniform(0.8, 1, questions)
    unit = float(range_of_means(Extremes(np.ones(1), np.zeros(1)), questions).ranges[0])
    per_score = 1 / (unit * questions**2)
    whole = [[round(value * per_score) for value in row] for row in scores.tolist()]
    totals = [sum(row) for row in whole]
    centred = [[one * questions - t for one in row] for row, t in zip(whole, totals, strict=True)]
    sums = np.array(centred, dtype=np.int64) @ drawn.astype(np.int64)
    found = extremes(scores, drawn)
    assert found.highest.astype(np.int64).tolist() == sums.max(axis=0).tolist()
    assert found.lowest.astype(np.int64).tolist() == sums.min(axis=0).tolist()
    assert per_score >= 2**25, "finer than differences that anyone publishes"


def test_scores_that_are_scaled_scale_the_ranges() -> None:
    scores = np.rint(reciprocal_ranks(8, 60) * 1024) / 1024
    drawn = signs(60, 99)
    ranges = ranges_of(scores, drawn).ranges
    assert ranges[-1] > 0.1
    assert ranges_of(scores / 8, drawn).ranges.tolist() == (ranges / 8).tolist()
    assert ranges_of(1 - scores, drawn).ranges.tolist() == ranges.tolist()
    assert ranges_of(scores / 2 + np.linspace(0, 0.5, 8)[:, None], drawn).ranges == pytest.approx(
        ranges / 2, abs=1e-9
    )


def test_systems_with_the_same_scores_are_the_same() -> None:
    found = ranges_of(np.tile(reciprocal_ranks(1, 40), (5, 1)), signs(40, 99))
    assert found.ranges.tolist() == [0.0] * 99
    assert found.p(np.zeros(3)).tolist() == [1.0] * 3


def test_one_question_separates_nothing() -> None:
    found = ranges_of(np.array([[0.0], [0.5], [1.0]]), signs(1, 999))
    assert found.p(np.array([0.0, 0.5, -1.0])).tolist() == [1.0] * 3
    assert found.critical(ALPHA) == math.inf


RANGES = st.lists(
    st.one_of(st.floats(0, 2), st.sampled_from([0.0, 0.25, 0.5])), min_size=1, max_size=60
).map(lambda values: RangeOfMeans(np.sort(np.array(values))))
DIFFERENCES = arrays(
    np.float64,
    st.integers(1, 20),
    elements=st.one_of(st.floats(-2, 2), st.sampled_from([-0.5, 0.0, 0.25, 0.5])),
)


@given(RANGES, DIFFERENCES)
@settings(deadline=None)
def test_p_is_the_share_of_ranges_that_are_as_large(
    found: RangeOfMeans, differences: NDArray[np.float64]
) -> None:
    p = found.p(differences)
    for value, difference in zip(p.tolist(), differences.tolist(), strict=True):
        as_large = sum(one >= abs(difference) for one in found.ranges.tolist())
        assert value == (1 + as_large) / (1 + len(found.ranges))
    assert (p > 0).all()
    assert (p <= 1).all()
    by_size = p[np.argsort(np.abs(differences), kind="stable")]
    assert (np.diff(by_size) <= 0).all()
    assert found.p(-differences).tolist() == p.tolist()


@given(RANGES, DIFFERENCES, st.floats(0.001, 0.999))
@example(RangeOfMeans(np.arange(24.0)), np.zeros(1), 0.28)  # .28 x 25 is above 7 in float64
@settings(deadline=None)
def test_what_is_beyond_the_critical_difference_is_significant(
    found: RangeOfMeans, differences: NDArray[np.float64], alpha: float
) -> None:
    everything = np.concatenate([differences, found.ranges])
    is_beyond = np.abs(everything) > found.critical(alpha)
    assert is_beyond.tolist() == (found.p(everything) < alpha).tolist()


@pytest.mark.parametrize(("resamples", "is_bounded"), [(18, False), (19, False), (20, True)])
def test_too_few_resamples_separate_nothing(resamples: int, is_bounded: bool) -> None:
    # 1 / (1 + 19) is not below .05.
    found = ranges_of(reciprocal_ranks(4, 50), signs(50, resamples))
    assert math.isfinite(found.critical(ALPHA)) == is_bounded
    assert (float(found.p(np.array([9.0]))[0]) < ALPHA) == is_bounded


def same_spread(rng: np.random.Generator) -> NDArray[np.float64]:
    return draw(rng, (100,), np.zeros(60)).T / LCM_TO_10


def other_spreads(rng: np.random.Generator) -> NDArray[np.float64]:
    spread = np.linspace(0.02, 0.16, 60)[:, None]
    shared = 0.05 * rng.standard_normal(100)
    return np.asarray(0.5 + shared + spread * rng.standard_normal((60, 100)))


@pytest.mark.parametrize("null", [same_spread, other_spreads])
def test_false_alarms_among_sixty_systems_are_as_rare_as_promised(
    null: Callable[[np.random.Generator], NDArray[np.float64]],
) -> None:
    alarms = 0
    for trial in range(SIMULATIONS):
        scores = null(np.random.default_rng([20_251, trial]))
        found = ranges_of(scores, signs(100, 199, trial))
        alarms += float(found.p(np.ptp(scores.mean(axis=1)))) <= ALPHA
    # Three standard errors of a share of 5% in so many.
    assert alarms / SIMULATIONS == pytest.approx(
        ALPHA, abs=3 * math.sqrt(ALPHA * (1 - ALPHA) / SIMULATIONS)
    )


def test_what_is_clearly_better_is_found() -> None:
    found = 0
    for trial in range(20):
        scores = other_spreads(np.random.default_rng([20_252, trial]))
        scores[7] += 0.15
        means = scores.mean(axis=1)
        p = ranges_of(scores, signs(100, 199, trial)).p(means[7] - means)
        assert p[7] == 1
        found += int((np.delete(p, 7) <= ALPHA).all())
    assert found >= 18
