"""The paired t-test against scipy and textbooks, its correction, and compact letters."""

from __future__ import annotations

import re
import sys
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from harness.significance.corrections import adjust
from harness.significance.letters import compact_letters
from harness.significance.paired_t import paired_t
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=np.float64)
"""Cross- minus self-fertilised maize in eighths of an inch (Fisher 1935, Design of Experiments)."""


def test_darwins_maize() -> None:
    # R: t.test(c(49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48))
    result = paired_t(DARWIN)
    assert (result.n, result.mean) == (15, pytest.approx(20.93333333))
    assert result.t == pytest.approx(2.1479875, abs=1e-7)
    assert result.p == pytest.approx(0.0497029, abs=1e-7)
    assert result.deviation == pytest.approx(37.744369)
    assert result.effect_size == pytest.approx(20.93333333 / 37.744369)
    assert result.interval(0.05) == pytest.approx((0.03119, 41.83548), abs=1e-4)


@given(
    arrays(np.float64, st.integers(2, 30), elements=st.floats(-1, 1, width=32)),
    st.sampled_from([0.001, 0.01, 0.05, 0.5]),
)
@settings(deadline=None)
def test_the_t_test_equals_scipys(differences: NDArray[np.float64], alpha: float) -> None:
    # With less spread than this scipy warns that its result is not exact.
    assume(np.std(differences) > 1e-6 * np.abs(differences).max())
    result = paired_t(differences)
    expected = stats.ttest_rel(differences, np.zeros_like(differences))
    assert result.t == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert result.p == pytest.approx(expected.pvalue, rel=1e-9)
    interval = expected.confidence_interval(1 - alpha)
    assert result.interval(alpha) == pytest.approx((interval.low, interval.high), rel=1e-7)
    assert result.effect_size == pytest.approx(result.mean / np.std(differences, ddof=1))


@given(arrays(np.float64, st.integers(2, 12), elements=st.floats(-1, 1, width=16)))
@settings(deadline=None)
def test_turning_the_differences_round_turns_the_result_round(
    differences: NDArray[np.float64],
) -> None:
    assume(np.ptp(differences) > 0)
    result, turned = paired_t(differences), paired_t(-differences)
    assert turned.p == result.p
    assert (turned.t, turned.mean, turned.effect_size) == (
        -result.t,
        -result.mean,
        -result.effect_size,
    )
    low, high = result.interval(0.05)
    assert turned.interval(0.05) == (-high, -low)


@given(
    arrays(np.float64, st.integers(2, 12), elements=st.floats(-1, 1, width=16)),
    st.floats(1e-6, 0.999),
)
@settings(deadline=None)
def test_the_interval_excludes_0_where_p_is_below_alpha(
    differences: NDArray[np.float64], alpha: float
) -> None:
    assume(np.ptp(differences) > 0)
    result = paired_t(differences)
    assume(abs(result.p - alpha) > 1e-9)
    low, high = result.interval(alpha)
    assert (low > 0 or high < 0) == (result.p < alpha)


@pytest.mark.parametrize("n", [2, 3, 1000])
def test_without_any_difference_p_is_1(n: int) -> None:
    result = paired_t(np.zeros(n))
    assert (result.p, result.t, result.mean, result.effect_size) == (1.0, 0.0, 0.0, 0.0)
    assert result.interval(0.05) == (0.0, 0.0)


def test_p_is_small_but_never_0() -> None:
    result = paired_t(1 + 1e-4 * np.random.default_rng(0).normal(size=1190))
    assert result.p == sys.float_info.min


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_differences_are_refused(n: int) -> None:
    with pytest.raises(UsageError, match=f"needs at least 2 questions, found {n}"):
        paired_t(np.ones(n))


@pytest.mark.parametrize("value", [0.25, -0.5])
def test_differences_that_are_all_the_same_but_not_0_are_refused(value: float) -> None:
    with pytest.raises(
        UsageError, match=f"not defined where all 4 differences are the same.*{value}"
    ):
        paired_t(np.full(4, value))


@pytest.mark.parametrize(
    "differences",
    [[0.1] * 3, [0.3 - 0.2, 0.4 - 0.3, 0.5 - 0.4], [1 / 3 - 1 / 5, 0.4 - 4 / 15]],
    ids=["mean rounded", "differences rounded", "fractions rounded"],
)
def test_differences_that_are_the_same_but_for_rounding_are_refused(
    differences: list[float],
) -> None:
    with pytest.raises(UsageError, match="are the same"):
        paired_t(np.array(differences))


@pytest.mark.parametrize(
    ("p", "size", "adjusted"), [(0.01, 3, 0.03), (0.5, 3, 1.0), (0.2, 1, 0.2), (1.0, 10, 1.0)]
)
def test_bonferroni_multiplies_by_the_size_of_the_family(
    p: float, size: int, adjusted: float
) -> None:
    family = np.array([p, *[1.0] * (size - 1)])
    assert adjust(family, "bonferroni")[0] == pytest.approx(adjusted)


# Letters.


def letters_of(text: str) -> set[str]:
    return set(re.findall(r"[a-z]\d*", text))


@pytest.mark.parametrize(
    ("separated", "expected"),
    [
        ([], {"A": "a", "B": "a", "C": "a"}),
        (["BC"], {"A": "ab", "B": "a", "C": "b"}),
        (["CB"], {"A": "ab", "B": "a", "C": "b"}),
        (["AC"], {"A": "a", "B": "ab", "C": "b"}),
        (["AB", "AC"], {"A": "a", "B": "b", "C": "b"}),
        (["AC", "BC"], {"A": "a", "B": "a", "C": "b"}),
        (["AB", "AC", "BC"], {"A": "a", "B": "b", "C": "c"}),
    ],
)
def test_letters_of_three_systems(separated: list[str], expected: dict[str, str]) -> None:
    assert compact_letters("ABC", {(pair[0], pair[1]) for pair in separated}) == expected


def test_letters_of_a_chain_overlap() -> None:
    # A chain: each is alike with its neighbours and the next but one.
    systems = list("ABCDE")
    separated = {(a, b) for a, b in combinations(systems, 2) if ord(b) - ord(a) > 2}
    assert compact_letters(systems, separated) == {
        "A": "a",
        "B": "ab",
        "C": "abc",
        "D": "bc",
        "E": "c",
    }


@given(st.integers(1, 7), st.data())
@settings(deadline=None)
def test_two_systems_share_a_letter_unless_they_are_separated(n: int, data: st.DataObject) -> None:
    systems = data.draw(st.permutations([f"system {number}" for number in range(n)]))
    pairs = list(combinations(systems, 2))
    chosen = data.draw(st.sets(st.sampled_from(pairs))) if pairs else set()
    separated = {pair if data.draw(st.booleans()) else pair[::-1] for pair in sorted(chosen)}
    letters = compact_letters(systems, separated)
    assert list(letters) == systems
    for a, b in pairs:
        shared = letters_of(letters[a]) & letters_of(letters[b])
        assert bool(shared) == ((a, b) not in chosen), (a, b)
    # The best system has the first letter, and no group lies within another.
    assert letters[systems[0]].startswith("a")
    names = sorted({name for text in letters.values() for name in letters_of(text)})
    groups = [{s for s in systems if name in letters_of(letters[s])} for name in names]
    assert not any(one <= other for one in groups for other in groups if one is not other)


def test_letters_go_on_after_z() -> None:
    # Three groups of three, separated within: one letter for each way to take one of each.
    systems = [f"{group}{member}" for group in "ABC" for member in "123"]
    separated = {(a, b) for a, b in combinations(systems, 2) if a[0] == b[0]}
    letters = compact_letters(systems, separated)
    assert len({name for text in letters.values() for name in letters_of(text)}) == 27
    for a, b in combinations(systems, 2):
        shared = letters_of(letters[a]) & letters_of(letters[b])
        assert bool(shared) == ((a, b) not in separated)
