"""Step-down max-T: equal to a plain implementation, the same whatever the blocks and kernels."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.significance import max_t as module
from harness.significance.max_t import Pairs, count_with_numpy, max_t
from harness.significance.max_t_numba import count_with_numba
from harness.significance.sign_flip import sign_flip
from harness.significance.signs import Signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.significance.max_t import MaxT


def ids(count: int) -> list[str]:
    return [f"q{number}" for number in range(count)]


def all_pairs(columns: int) -> Pairs:
    a, b = zip(*combinations(range(columns), 2), strict=True)
    return Pairs(np.array(a), np.array(b))


def scores_of(
    questions: int, columns: int, seed: int = 0, largest: int = 20
) -> NDArray[np.float64]:
    """Whole scores; later columns are better, and columns tie on many questions."""
    rng = np.random.default_rng(seed)
    common = rng.integers(0, largest, (questions, 1))
    own = rng.integers(0, largest, (questions, columns)) + np.arange(columns) * largest // 12
    chosen = rng.random((questions, columns)) < 0.5
    return np.where(chosen, common, own).astype(np.float64)


def all_against_all(scores: NDArray[np.float64], resamples: int = 2000, seed: int = 0) -> MaxT:
    pairs = all_pairs(scores.shape[1])
    family = [np.arange(len(pairs.a))]
    return max_t(scores, ids(len(scores)), pairs, family, resamples=resamples, seed=seed)


def plain_step_down(
    scores: NDArray[np.float64], pairs: Pairs, family: list[int], resamples: int, seed: int
) -> dict[int, float]:
    """Westfall & Young 1993, algorithm 2.8: each step takes its own maximum."""
    signs = Signs(ids(len(scores)), seed, resamples).block(0, resamples, np.float64)
    drawn, observed = {}, {}
    for pair in family:
        d = scores[:, pairs.a[pair]] - scores[:, pairs.b[pair]]
        factor = 1 / math.sqrt((d**2).sum()) if d.any() else 0.0
        observed[pair] = abs(d.sum()) * factor
        drawn[pair] = np.abs(d @ signs) * factor
    remaining = sorted(family, key=lambda pair: -observed[pair])
    p: dict[int, float] = {}
    so_far = 0.0
    while remaining:
        pair = remaining[0]
        largest = np.max([drawn[other] for other in remaining], axis=0)
        so_far = max(so_far, (1 + int((largest >= observed[pair]).sum())) / (1 + resamples))
        p[pair] = so_far
        del remaining[0]
    return p


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 30))
@settings(deadline=None, max_examples=25)
def test_a_plain_implementation_agrees(seed: int, columns: int, questions: int) -> None:
    scores, pairs = scores_of(questions, columns, seed), all_pairs(columns)
    every = list(range(len(pairs.a)))
    families = [every, every[::2], every[-1:]]
    found = max_t(
        scores, ids(questions), pairs, [np.array(f) for f in families], resamples=300, seed=seed
    )
    for family, result in zip(families, found.families, strict=True):
        expected = plain_step_down(scores, pairs, family, 300, seed)
        assert dict(zip(result.members.tolist(), result.p.tolist(), strict=True)) == expected


def test_one_pair_is_the_sign_flip_test() -> None:
    scores = scores_of(100, 2)
    found = all_against_all(scores)
    single = sign_flip(scores[:, 0] - scores[:, 1], ids(100), resamples=2000, seed=0)
    assert found.p.tolist() == found.families[0].p.tolist() == [single.p]
    assert single.method == "monte-carlo"
    assert 0.0005 < single.p < 1


def test_the_statistic_is_the_t_of_a_pair() -> None:
    scores = scores_of(50, 4)
    found = all_against_all(scores, resamples=10)
    pairs = all_pairs(4)
    for u, a, b in zip(found.statistic, pairs.a, pairs.b, strict=True):
        d = scores[:, a] - scores[:, b]
        t = d.mean() / (d.std(ddof=1) / math.sqrt(50))
        assert math.sqrt(49 * u**2 / (50 - u**2)) == pytest.approx(abs(t))


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_adjusting_makes_no_p_smaller_and_keeps_their_order(seed: int) -> None:
    found = all_against_all(scores_of(40, 5, seed), resamples=500, seed=1)
    adjusted = found.families[0].p
    assert (adjusted >= found.p).all()
    order = np.argsort(-found.statistic)
    assert (np.diff(adjusted[order]) >= 0).all()
    assert (found.p >= 1 / 501).all()
    assert (adjusted <= 1).all()


def test_a_larger_family_makes_no_p_smaller() -> None:
    scores, pairs = scores_of(60, 6), all_pairs(6)
    families = [np.arange(5), np.arange(10), np.arange(15)]
    found = max_t(scores, ids(60), pairs, families, resamples=1000, seed=0)
    small, middle, large = (family.p for family in found.families)
    assert (small <= middle[:5]).all()
    assert (middle <= large[:10]).all()
    assert (small < large[:5]).any()
    # The largest statistic of a resample grows with the family, too.
    largest = [family.largest for family in found.families]
    assert (largest[0] <= largest[1]).all()
    assert (largest[1] <= largest[2]).all()


def test_a_system_and_its_copy() -> None:
    scores = scores_of(80, 3)
    found = all_against_all(np.column_stack([scores, scores[:, 0]]))
    pairs = list(combinations(range(4), 2))
    copy = pairs.index((0, 3))
    assert (found.p[copy], found.families[0].p[copy], found.statistic[copy]) == (1.0, 1.0, 0.0)
    for other in (1, 2):
        assert found.p[pairs.index((0, other))] == found.p[pairs.index((other, 3))]


def blocks(seed: int) -> list[tuple[object, ...]]:
    """Arguments of a kernel: float32 and float64, several families, an odd number of resamples."""
    found: list[tuple[object, ...]] = []
    for dtype, resamples, columns in ((np.float32, 1024, 5), (np.float64, 333, 24)):
        scores, pairs = scores_of(50, columns, seed), all_pairs(columns)
        signs = Signs(ids(50), seed, resamples).block(0, resamples, dtype)
        d = scores[:, pairs.a] - scores[:, pairs.b]
        norms = np.sqrt((d**2).sum(axis=0))
        scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        observed = np.abs(d.sum(axis=0)) * scale
        order = np.argsort(observed, kind="stable")
        orders = [order[order % 3 == 0], order[order % 3 == 1], order]
        columns_first = np.ascontiguousarray(scores.T, dtype=dtype)
        found.append((columns_first @ signs, pairs, observed, scale, orders))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_both_kernels_count_the_same(seed: int) -> None:
    for arguments in blocks(seed):
        one, other = count_with_numpy(*arguments), count_with_numba(*arguments)
        assert np.array_equal(one.alone, other.alone)
        for field in ("together", "largest"):
            mine, yours = getattr(one, field), getattr(other, field)
            assert len(mine) == len(yours) == 3
            assert all(np.array_equal(x, y) for x, y in zip(mine, yours, strict=True))
        assert one.alone.any()


@pytest.mark.parametrize("size", [64, 100, 1000, 5000])
def test_the_size_of_blocks_does_not_matter(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = scores_of(60, 5)
    before = all_against_all(scores, resamples=2500)
    monkeypatch.setattr(module, "RESAMPLES_PER_BLOCK", size)
    assert_same(all_against_all(scores, resamples=2500), before)


def assert_same(one: MaxT, other: MaxT) -> None:
    assert np.array_equal(one.p, other.p)
    assert np.array_equal(one.statistic, other.statistic)
    for mine, yours in zip(one.families, other.families, strict=True):
        assert np.array_equal(mine.p, yours.p)
        assert np.array_equal(mine.largest, yours.largest)


def test_what_else_is_compared_does_not_matter() -> None:
    scores = scores_of(60, 3)
    alone = all_against_all(scores)
    # Two more systems, a setting that asks other questions, and other questions altogether.
    wide = np.zeros((90, 9))
    wide[:60, 2:5] = scores
    wide[:60, :2] = scores_of(60, 2, seed=8)
    wide[30:, 5:] = scores_of(60, 4, seed=9)
    pairs = all_pairs(9)
    mine = [
        i
        for i, (a, b) in enumerate(zip(pairs.a, pairs.b, strict=True))
        if {int(a), int(b)} <= {2, 3, 4}
    ]
    families = [np.arange(len(pairs.a)), np.array(mine)]
    among = max_t(wide, ids(90), pairs, families, resamples=2000, seed=0)
    assert among.p[mine].tolist() == alone.p.tolist()
    assert among.families[1].p.tolist() == alone.families[0].p.tolist()
    order = np.random.default_rng(0).permutation(60)
    turned = max_t(
        scores[order],
        [ids(60)[i] for i in order],
        all_pairs(3),
        [np.arange(3)],
        resamples=2000,
        seed=0,
    )
    assert_same(turned, alone)


def test_float32_and_float64_agree() -> None:
    # A factor changes no p, but leaves the exact whole numbers of float32.
    scores, factor = scores_of(60, 4, largest=4), 2**22 + 1
    small, large = all_against_all(scores), all_against_all(scores * factor)
    assert 2 * scores.max() * 60 <= 2**24 < 2 * scores.max() * factor
    assert small.p.tolist() == large.p.tolist()


def test_another_seed_gives_another_p_close_by() -> None:
    scores = scores_of(60, 4)
    one, other = all_against_all(scores, seed=0), all_against_all(scores, seed=1)
    assert not np.array_equal(one.p, other.p)
    assert np.abs(one.p - other.p).max() < 6 * math.sqrt(0.25 / 2000)
