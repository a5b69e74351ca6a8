"""Sign-flip tests: textbook values, exact by two ways, Monte Carlo near them, stable signs."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from harness.significance.score_lattice import on_score_lattice
from harness.significance.sign_flip import sign_flip, sign_flip_convolved, sign_flip_enumerated
from harness.significance.signs import Signs
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=np.float64)
"""Cross- minus self-fertilised maize in eighths of an inch (Fisher 1935, Design of Experiments)."""

small_lattice = arrays(np.float64, st.integers(1, 14), elements=st.integers(-40, 40).map(float))


def ids(count: int) -> list[str]:
    return [f"q{number}" for number in range(count)]


def skewed(count: int, seed: int = 5) -> NDArray[np.float64]:
    """Whole differences, many of them 0, with a mean a little above 0."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(count) < 0.45, 0.0, rng.integers(-20, 26, count))


@pytest.mark.parametrize("test", [sign_flip_enumerated, sign_flip_convolved])
def test_darwins_maize(test: object) -> None:
    # Fisher 1935, section 21: 863 of 32,768 arrangements a side.
    result = test(DARWIN)  # type: ignore[operator]
    assert result.p == pytest.approx(1726 / 32768, rel=1e-14)
    assert result.exact


def test_few_differences_are_enumerated_and_many_sampled() -> None:
    found = sign_flip(DARWIN, ids(15), resamples=10, seed=0)
    assert (found.p, found.method, found.resamples) == (1726 / 32768, "enumeration", 2**15)
    # Zeros do not move: 20 differences other than 0 are enumerated whatever n is.
    padded = np.concatenate([np.ones(20), np.zeros(500)])
    assert sign_flip(padded, ids(520), resamples=10, seed=0).p == 2 / 2**20
    more = sign_flip(np.ones(21), ids(21), resamples=999, seed=0)
    assert (more.method, more.exact, more.resamples) == ("monte-carlo", False, 999)
    assert more.p == 1 / 1000
    with pytest.raises(UsageError, match="too many sign patterns"):
        sign_flip_enumerated(np.ones(21))


@given(small_lattice)
@settings(deadline=None)
def test_convolution_equals_enumeration(differences: NDArray[np.float64]) -> None:
    enumerated, convolved = sign_flip_enumerated(differences), sign_flip_convolved(differences)
    assert convolved.p == pytest.approx(enumerated.p, rel=1e-12)
    assert 0 < enumerated.p <= 1
    assert sign_flip_enumerated(-differences).p == enumerated.p


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=8))
@settings(deadline=None, max_examples=25)
def test_enumeration_equals_scipys_permutation_test(whole: list[int]) -> None:
    differences = np.array(whole, dtype=np.float64)
    expected = stats.permutation_test(
        (differences, np.zeros_like(differences)),
        lambda a, b, axis: np.sum(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    # scipy doubles the smaller tail; the null distribution is symmetric, so that is the same.
    assert sign_flip_enumerated(differences).p == pytest.approx(expected.pvalue)


def test_the_sign_test_is_a_special_case() -> None:
    # 90 gains and 60 losses of one size: the exact binomial test.
    differences = np.concatenate([np.full(90, 7.0), np.full(60, -7.0), np.zeros(40)])
    assert sign_flip_convolved(differences).p == pytest.approx(stats.binomtest(90, 150).pvalue)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
@pytest.mark.parametrize("size", [60, 300])
def test_monte_carlo_is_near_the_exact_p(size: int, seed: int) -> None:
    differences = skewed(size)
    exact = sign_flip_convolved(differences).p
    found = sign_flip(differences, ids(size), resamples=20_000, seed=seed)
    error = math.sqrt(exact * (1 - exact) / 20_000)
    assert abs(found.p - exact) < 4 * error + 1 / 20_001


def test_without_any_difference_p_is_1() -> None:
    zeros = np.zeros(30)
    assert sign_flip(zeros, ids(30), resamples=100, seed=0).p == 1
    assert sign_flip_enumerated(zeros).p == sign_flip_convolved(zeros).p == 1


def test_p_is_never_0() -> None:
    assert sign_flip(np.ones(2000), ids(2000), resamples=64, seed=0).p == 1 / 65
    assert sign_flip_convolved(np.ones(100)).p == pytest.approx(2.0**-99)
    assert sign_flip_convolved(np.ones(2000)).p > 0


def test_what_is_too_fine_to_convolve_is_refused() -> None:
    fine = np.arange(1, 60, dtype=np.float64) * 2**25 + 1
    with pytest.raises(UsageError, match=r"not on a coarse lattice.*Monte Carlo"):
        sign_flip_convolved(fine)


def test_the_order_of_questions_does_not_matter() -> None:
    differences, names = skewed(80), ids(80)
    order = np.random.default_rng(1).permutation(80)
    one = sign_flip(differences, names, resamples=2000, seed=3)
    other = sign_flip(differences[order], [names[i] for i in order], resamples=2000, seed=3)
    assert one == other
    # Questions without a difference change nothing either.
    rows = np.flatnonzero(differences)
    without = sign_flip(differences[rows], [names[i] for i in rows], resamples=2000, seed=3)
    assert without.p == one.p


def test_a_question_has_the_same_signs_whatever_else_is_asked() -> None:
    alone = Signs(["q7"], 3, 1000).block(0, 1000, np.float64)
    among = Signs(["a", "q7", "", "ö"], 3, 500).block(0, 500, np.float32)
    assert np.array_equal(alone[0, :500], among[1])
    assert set(np.unique(alone)) == {-1.0, 1.0}
    assert len({row.tobytes() for row in among}) == 4


@pytest.mark.parametrize("step", [1, 7, 64, 100, 1000])
def test_blocks_are_pieces_of_one_stream(step: int) -> None:
    signs = Signs(ids(3), 0, 1000)
    pieces = [signs.block(b, min(b + step, 1000), np.float32) for b in range(0, 1000, step)]
    assert np.array_equal(np.hstack(pieces), signs.block(0, 1000, np.float32))


def test_other_seeds_and_questions_have_other_signs_that_do_not_correlate() -> None:
    size = 2**14
    rows = np.vstack([Signs(ids(4), seed, size).block(0, size, np.float64) for seed in (0, 1)])
    correlation = rows @ rows.T / size
    assert np.abs(correlation - np.eye(8)).max() < 5 / math.sqrt(size)
    assert np.abs(rows.mean(axis=1)).max() < 5 / math.sqrt(size)


def test_signs_are_the_bits_of_philox() -> None:
    # Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", in plain Python.
    salt = (42).to_bytes(8, "little")
    digest = hashlib.blake2b(b"q1", digest_size=16, salt=salt).digest()
    key = [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")]
    words = [word for counter in (1, 2) for word in philox(counter, key)]
    bits = [word >> bit & 1 for word in words for bit in range(64)]
    signs = Signs(["q1"], 42, 512).block(0, 512, np.float64)[0]
    assert signs.tolist() == [2 * bit - 1 for bit in bits]


def philox(counter: int, key: list[int]) -> list[int]:
    mask = 2**64 - 1
    x, k = [counter, 0, 0, 0], list(key)
    for _ in range(10):
        one, other = x[0] * 0xD2E7470EE14C6C93, x[2] * 0xCA5A826395121157
        x = [other >> 64 ^ x[1] ^ k[0], other & mask, one >> 64 ^ x[3] ^ k[1], one & mask]
        k = [k[0] + 0x9E3779B97F4A7C15 & mask, k[1] + 0xBB67AE8584CAA73B & mask]
    return x


def test_reciprocal_ranks_are_on_the_lattice_of_2520() -> None:
    scores = np.array([1 / rank for rank in range(1, 11)] + [0.0])
    whole, unit = on_score_lattice(scores)
    assert unit == 1 / 2520
    assert whole.tolist() == [2520 // rank for rank in range(1, 11)] + [0]
    # Hits and misses are whole numbers themselves.
    assert on_score_lattice(np.array([0.0, 1.0, 1.0]))[1] == 1


@given(st.integers(2, 133), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_means_over_settings_are_on_a_finer_lattice(over: int, seed: int) -> None:
    drawn = np.random.default_rng(seed).integers(0, 11, (over, 40))
    ranks = np.divide(1.0, drawn, out=np.zeros(drawn.shape), where=drawn > 0)
    whole, unit = on_score_lattice(ranks.mean(axis=0), (1, over))
    assert unit in {1, 1 / 2520, 1 / over, 1 / (2520 * over)}
    assert np.array_equal(whole, np.rint(whole))
    assert np.abs(whole * unit - ranks.mean(axis=0)).max() < 1e-7


@given(arrays(np.float64, (5, 2), elements=st.floats(0, 1)))
@settings(deadline=None)
def test_other_scores_move_by_less_than_they_are_printed_with(
    scores: NDArray[np.float64],
) -> None:
    whole, unit = on_score_lattice(scores)
    assert np.array_equal(whole, np.rint(whole))
    assert np.abs(whole * unit - scores).max() <= 1e-7
    if unit == 2.0**-32:
        assert np.abs(whole * unit - scores).max() <= 2.0**-33


def test_scores_on_no_lattice_are_multiples_of_a_power_of_2() -> None:
    assert on_score_lattice(np.array([math.pi / 4, 1 / math.e]))[1] == 2.0**-32
