"""The six corrections against published results, statsmodels, scipy and closed testing."""

from __future__ import annotations

import math
from itertools import chain, combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.multitest import multipletests

from harness.significance.corrections import CORRECTIONS, adjust
from tasks.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEART_STUDY = [1, 4, 19, 95, 201, 278, 298, 344, 459, 3240, 4262, 5719, 6528, 7590, 10_000]
BENJAMINI_HOCHBERG = np.array(HEART_STUDY) / 10_000
"""Benjamini & Hochberg 1995, section 4.1: fifteen hypotheses of a heart study."""

NAMES = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "bh": "fdr_bh",
    "by": "fdr_by",
}
"""What statsmodels calls them."""

# A few values often, so that there are ties.
P = st.one_of(st.floats(1e-12, 1.0), st.sampled_from([1e-6, 0.01, 0.05, 0.5, 1.0]))
FAMILIES = arrays(np.float64, st.integers(1, 40), elements=P)


def test_holm_on_the_heart_study() -> None:
    adjusted = adjust(BENJAMINI_HOCHBERG, "holm")
    expected = [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213]
    assert adjusted[:9] == pytest.approx(expected)
    assert (adjusted[9:] == 1).all()


def test_benjamini_hochberg_on_their_heart_study() -> None:
    adjusted = adjust(BENJAMINI_HOCHBERG, "bh")
    expected = [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.447 / 7, 0.447 / 7, 0.0645, 0.0765]
    assert adjusted[:9] == pytest.approx(expected)
    assert adjusted[9:].min() == adjusted[9] == pytest.approx(0.486)
    # As in the paper: their procedure rejects four hypotheses, Bonferroni's three.
    assert (adjusted < 0.05).sum() == 4
    assert (adjust(BENJAMINI_HOCHBERG, "bonferroni") < 0.05).sum() == 3


def test_statsmodels_knows_every_correction() -> None:
    assert set(NAMES) == set(CORRECTIONS)


@pytest.mark.parametrize("method", CORRECTIONS)
@given(p=FAMILIES)
@settings(deadline=None)
def test_corrections_equal_statsmodels(method: str, p: NDArray[np.float64]) -> None:
    # Its Holm collects garbage in each call, which takes longer than all else.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gc.collect", lambda: 0)
        expected = multipletests(p, method=NAMES[method])[1]
    assert adjust(p, method) == pytest.approx(expected, rel=1e-12)


@given(p=FAMILIES)
@settings(deadline=None)
def test_rates_of_false_discovery_equal_scipys(p: NDArray[np.float64]) -> None:
    assert adjust(p, "bh") == pytest.approx(stats.false_discovery_control(p), rel=1e-12)
    expected = stats.false_discovery_control(p, method="by")
    assert adjust(p, "by") == pytest.approx(expected, rel=1e-12)


def simes(p: NDArray[np.float64]) -> float:
    return min(1.0, float((np.sort(p) * len(p) / np.arange(1, len(p) + 1)).min()))


def smallest(p: NDArray[np.float64]) -> float:
    return min(1.0, float(p.min()) * len(p))


@pytest.mark.parametrize(("method", "test"), [("hommel", simes), ("holm", smallest)])
@given(p=arrays(np.float64, st.integers(1, 6), elements=P))
@settings(deadline=None)
def test_hommel_and_holm_close_the_tests_of_all_subsets(
    method: str, test, p: NDArray[np.float64]
) -> None:
    # Closed testing (Marcus, Peritz & Gabriel 1976): the largest p of any subset with the member.
    members = range(len(p))
    subsets = chain.from_iterable(combinations(members, k) for k in range(1, len(p) + 1))
    p_of = {subset: test(p[list(subset)]) for subset in subsets}
    expected = [max(value for s, value in p_of.items() if member in s) for member in members]
    assert adjust(p, method) == pytest.approx(expected, rel=1e-12)


@given(p=FAMILIES, random=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_corrections_keep_the_order_and_their_own_order(p: NDArray[np.float64], random) -> None:
    order = random.sample(range(len(p)), len(p))
    found = {method: adjust(p, method) for method in CORRECTIONS}
    for method, adjusted in found.items():
        assert adjusted[order].tolist() == adjust(p[order], method).tolist()
        assert (adjusted >= p).all()
        assert (adjusted <= 1).all()
        assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    weaker = ["bonferroni", "holm", "hochberg", "hommel", "bh"]
    for strict, loose in pairwise(weaker):
        assert (found[loose] <= found[strict] * (1 + 1e-12)).all(), (strict, loose)
    assert (found["bh"] <= found["by"]).all()


@pytest.mark.parametrize("method", CORRECTIONS)
def test_a_family_of_one_is_not_corrected(method: str) -> None:
    assert adjust(np.array([0.03]), method).tolist() == [0.03]


@pytest.mark.parametrize("method", CORRECTIONS)
def test_a_family_of_none(method: str) -> None:
    assert adjust(np.empty(0), method).tolist() == []


@pytest.mark.parametrize("method", CORRECTIONS)
def test_the_p_values_given_are_left_as_they_are(method: str) -> None:
    p = np.array([0.04, 0.01, 0.04])
    adjust(p, method)
    assert p.tolist() == [0.04, 0.01, 0.04]


@pytest.mark.parametrize("method", CORRECTIONS)
@pytest.mark.parametrize("p", [0.0, -0.1, 1.1, math.nan])
def test_what_is_no_p_value_is_refused(method: str, p: float) -> None:
    with pytest.raises(UsageError, match=f"above 0 and at most 1, found {p:g}"):
        adjust(np.array([0.5, p]), method)


def test_an_unknown_correction_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown correction: 'home'.*\bholm\b"):
        adjust(np.array([0.5]), "home")
