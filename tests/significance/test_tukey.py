"""Randomised Tukey HSD against enumeration, and what it must not depend on."""

from __future__ import annotations

import math
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.significance import tukey as module
from harness.significance.sign_flip import sign_flip_convolved
from harness.significance.tukey import randomised_tukey
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATTICE = np.array([0, 0, 0, 1, 1 / 2, 1 / 3, 1 / 7])
"""Reciprocal ranks."""


def ids(n: int) -> list[str]:
    return [f"q{number}" for number in range(n)]


def reciprocal_ranks(questions: int, systems: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).choice(LATTICE, size=(questions, systems))


def within(p: float, expected: float, resamples: int) -> bool:
    return abs(p - expected) < 4 * math.sqrt(expected * (1 - expected) / resamples) + 1 / resamples


def test_it_is_the_exact_test_within_monte_carlo_error() -> None:
    # Three systems, five questions: 6^5 ways to permute.
    scores = np.array([[12, 4, 0], [6, 6, 1], [12, 3, 2], [0, 0, 12], [4, 1, 0]], dtype=np.float64)
    ways = [list(permutations(row)) for row in scores]
    ranges = [np.ptp(np.sum(way, axis=0)) for way in product(*ways)]
    result = randomised_tukey(scores, ids(5), resamples=20_000, seed=0)
    for (a, b), p in result.p.items():
        observed = abs(scores[:, a].sum() - scores[:, b].sum())
        assert within(p, float(np.mean(ranges >= observed)), 20_000)
    assert result.ranges.mean() == pytest.approx(np.mean(ranges) / 5, rel=0.01)


def test_two_systems_are_a_sign_flip_test() -> None:
    scores = reciprocal_ranks(60, 2, 1)
    scores[:12, 0] += 0.5
    expected = sign_flip_convolved(np.rint((scores[:, 0] - scores[:, 1]) * 2520 / 60)).p
    result = randomised_tukey(scores, ids(60), resamples=20_000, seed=0)
    assert 0.01 < expected < 0.99
    assert within(result.p[0, 1], expected, 20_000)


def test_every_order_of_a_question_is_equally_likely() -> None:
    # Two questions with these scores: ranges of the sums tell permutations apart.
    scores = np.array([[1.0, 10, 100]])
    result = randomised_tukey(np.tile(scores, (2, 1)), ids(2), resamples=36_000, seed=0)
    ways = [np.ptp(np.add(one, other)) for one, other in product(permutations(scores[0]), repeat=2)]
    values, counts = np.unique(ways, return_counts=True)
    found = np.rint(result.ranges * 2)
    assert set(found) == set(values)
    for value, count in zip(values, counts, strict=True):
        assert within(float((found == value).mean()), count / 36, 36_000)


def test_neither_the_order_of_questions_nor_of_systems_matters() -> None:
    scores = reciprocal_ranks(25, 5, 2)
    result = randomised_tukey(scores, ids(25), resamples=500, seed=0)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(25), rng.permutation(5)
    shuffled = randomised_tukey(
        scores[np.ix_(rows, columns)], [ids(25)[row] for row in rows], resamples=500, seed=0
    )
    assert shuffled.ranges.tolist() == result.ranges.tolist()
    for a, b in combinations(range(5), 2):
        one, other = sorted((int(columns[a]), int(columns[b])))
        assert shuffled.p[a, b] == result.p[one, other]


def test_neither_the_size_of_blocks_nor_questions_without_a_difference_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = reciprocal_ranks(25, 5, 2)
    result = randomised_tukey(scores, ids(25), resamples=500, seed=0)
    monkeypatch.setattr(module, "RESAMPLES_PER_BLOCK", 64)
    padded = np.vstack([scores, np.full((3, 5), 0.5)])
    blocks = randomised_tukey(padded, ids(28), resamples=500, seed=0)
    assert blocks.p == result.p
    assert blocks.ranges * 28 == pytest.approx(result.ranges * 25, rel=1e-12)


def test_the_seed_matters() -> None:
    scores = reciprocal_ranks(25, 5, 2)
    ranges = [
        randomised_tukey(scores, ids(25), resamples=99, seed=seed).ranges.tolist()
        for seed in (0, 1, 2**64 - 1)
    ]
    assert ranges[0] != ranges[1] != ranges[2] != ranges[0]


def test_draws_are_the_same_everywhere() -> None:
    scores = np.arange(12.0).reshape(4, 3) ** 2
    result = randomised_tukey(scores, ids(4), resamples=8, seed=0)
    assert np.rint(result.ranges * 4).tolist() == [6, 20, 36, 38, 48, 60, 63, 63]


def test_a_duplicated_system_has_a_p_of_1() -> None:
    scores = reciprocal_ranks(30, 3, 4)
    scores[:, 0] += 1
    result = randomised_tukey(
        np.column_stack([scores, scores[:, 0]]), ids(30), resamples=99, seed=0
    )
    assert result.p[0, 3] == 1.0
    assert result.p[0, 1] == result.p[1, 3] == 1 / 100


def test_without_any_difference_p_is_1() -> None:
    result = randomised_tukey(np.full((10, 4), 0.5), ids(10), resamples=99, seed=0)
    assert set(result.p.values()) == {1.0}
    assert len(result.p) == 6
    assert result.ranges.tolist() == [0.0] * 99


def test_larger_differences_have_smaller_p() -> None:
    scores = reciprocal_ranks(40, 6, 6) + np.linspace(0, 0.3, 6)
    result = randomised_tukey(scores, ids(40), resamples=999, seed=0)
    means = scores.mean(axis=0)
    ordered = sorted(result.p, key=lambda pair: abs(means[pair[0]] - means[pair[1]]))
    p = [result.p[pair] for pair in ordered]
    assert p == sorted(p, reverse=True)
    assert len(set(p)) > 3
    assert 1 / 1000 <= p[-1] < 0.05


def test_false_alarms_of_the_family_are_as_rare_as_promised() -> None:
    alarms = 0
    for trial in range(400):
        scores = reciprocal_ranks(15, 5, trial)
        result = randomised_tukey(scores, ids(15), resamples=199, seed=trial)
        alarms += min(result.p.values()) <= 0.05
    assert 0.02 < alarms / 400 < 0.09


@pytest.mark.parametrize(
    "scores", [np.empty((0, 3)), np.ones((3, 1)), [[0.5, math.nan]], [[0.5, math.inf]]]
)
def test_missing_scores_are_refused(scores: NDArray[np.float64]) -> None:
    scores = np.asarray(scores)
    with pytest.raises(
        UsageError, match="at least 2 systems and a score of each on every question"
    ):
        randomised_tukey(scores, ids(len(scores)), resamples=9, seed=0)
