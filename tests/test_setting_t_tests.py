"""Paired t-tests in every setting against scipy, and where there is no t."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scored_systems import QUESTIONS, ROWS, SETTINGS, by_question, drawn, of_scores, of_values

from harness.question_scores import QuestionScores
from leaderboard.setting_t_tests import setting_t_tests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaderboard.families import Difference
    from leaderboard.score_store import Scored


def scored(values: Mapping[str, Sequence[float]]) -> Scored:
    """One score a question in each setting, from its first question on."""
    longest = max(len(found) for found in values.values())
    counts = [len(found) for found in values.values()]
    return of_scores(
        QuestionScores(
            "AP",
            tuple(values),
            tuple(f"q{number}" for number in range(longest)),
            np.repeat(np.arange(len(values)), counts),
            np.concatenate([np.arange(count) for count in counts]),
            np.concatenate([np.array(found, dtype=np.float64) for found in values.values()]),
        )
    )


def against_zero(differences: Mapping[str, Sequence[float]]) -> dict[str, Difference]:
    zeros = {name: [0.0] * len(found) for name, found in differences.items()}
    return setting_t_tests([scored(differences)], [scored(zeros)])


def holm(p: Mapping[str, float]) -> dict[str, float]:
    adjusted: dict[str, float] = {}
    largest = 0.0
    for position, name in enumerate(sorted(p, key=lambda name: p[name])):
        largest = max(largest, p[name] * (len(p) - position))
        adjusted[name] = min(1.0, largest)
    return adjusted


def test_every_setting_is_a_t_test_and_all_are_one_family() -> None:
    a, b = [drawn(0.5, 1), drawn(0.45, 2)], [drawn(0.45, 3), drawn(0.4, 4), drawn(0.4, 5)]
    # A question that is asked in two languages, or of several seeds, is one observation.
    means = {name: by_question({"a": tuple(a), "b": tuple(b)}, [name]) for name in SETTINGS}
    tests = {name: stats.ttest_rel(*found) for name, found in means.items()}
    expected = holm({name: float(one.pvalue) for name, one in tests.items()})
    found = setting_t_tests(a, b)
    assert list(found) == list(SETTINGS)
    for name, one in found.items():
        assert one.difference == pytest.approx(float(np.diff(means[name][::-1].mean(axis=1))[0]))
        assert one.p == pytest.approx(expected[name], rel=1e-9)
        assert (one.n, one.ci) == (QUESTIONS, None)
        assert one.significant == (expected[name] < 0.05)
    assert {one.significant for one in found.values()} == {True, False}
    for name, one in setting_t_tests(b, a).items():
        assert (one.difference, one.p) == (-found[name].difference, found[name].p)


def test_languages_of_a_question_are_averaged_and_not_counted_apart() -> None:
    # In the last setting, the second language takes away what the first gives, and a little more.
    steps = np.zeros(len(ROWS))
    asked = np.flatnonzero(ROWS == 5)
    steps[asked[:QUESTIONS]] = 32
    steps[asked[QUESTIONS:]] = -32 - np.arange(QUESTIONS) % 3
    found = setting_t_tests([of_values(steps)], [of_values(np.zeros(len(ROWS)))])["mlir/xx-xx"]
    by_hand = -(np.arange(QUESTIONS) % 3) / 2 / 64
    assert found.n == QUESTIONS
    assert found.difference == pytest.approx(by_hand.mean())
    assert found.p == pytest.approx(6 * float(stats.ttest_1samp(by_hand, 0).pvalue), rel=1e-9)


def test_settings_of_other_sizes_by_hand() -> None:
    found = against_zero({"moir/de-de": [0.1, 0.2, 0.3], "clir/de-en": [0.5, -0.1]})
    # t = .2 / (.1 / sqrt 3) with 2 degrees of freedom, where p = 1 - t / sqrt(t^2 + 2);
    # t = .2 / (.3 sqrt 2 / sqrt 2) with 1, where p = 1 - 2 / pi x atan t.
    t = 0.2 / (0.1 / math.sqrt(3))
    p = 1 - t / math.sqrt(t * t + 2), 1 - 2 / math.pi * math.atan(2 / 3)
    assert [one.n for one in found.values()] == [3, 2]
    assert [one.difference for one in found.values()] == pytest.approx([0.2, 0.2])
    assert [one.p for one in found.values()] == pytest.approx([2 * p[0], p[1]])


@pytest.mark.parametrize("amount", [1.0, -0.1, 1e-3])
@pytest.mark.parametrize("count", [1, 2, 5, 40, 2_000])
def test_the_same_difference_everywhere_is_a_sign_test(amount: float, count: int) -> None:
    (found,) = against_zero({"moir/de-de": [amount] * count}).values()
    assert found.difference == pytest.approx(amount)
    # Both tails of a coin that always falls on one side; 0 is no p-value.
    assert found.p == max(math.ldexp(1, 1 - count), sys.float_info.min)
    assert found.significant == (count > 5)


def test_rounding_makes_no_spread() -> None:
    third = 1 / 3
    shifted = [value + third for value in (0.0, 0.1, 0.2, 0.3, 0.6, 0.65)]
    base = [0.0, 0.1, 0.2, 0.3, 0.6, 0.65]
    found = setting_t_tests([scored({"moir/de-de": shifted})], [scored({"moir/de-de": base})])
    assert found["moir/de-de"].p == 2 / 2**6


@pytest.mark.parametrize("count", [1, 2, 40])
def test_without_any_difference_p_is_1(count: int) -> None:
    same = scored({"moir/de-de": [0.3] * count, "moir/en-en": np.linspace(0, 1, count).tolist()})
    for found in setting_t_tests([same], [same]).values():
        assert (found.difference, found.p, found.n, found.significant) == (0.0, 1.0, count, False)


def test_one_question_is_no_evidence() -> None:
    (found,) = against_zero({"moir/de-de": [1.0]}).values()
    assert (found.difference, found.p, found.n, found.significant) == (1.0, 1.0, 1, False)


def test_settings_without_a_t_count_in_the_family() -> None:
    alone = against_zero({"moir/de-de": [0.1, 0.2, 0.3, 0.25]})["moir/de-de"].p
    found = against_zero(
        {"moir/de-de": [0.1, 0.2, 0.3, 0.25], "moir/en-en": [0.0] * 4, "clir/de-en": [0.5]}
    )
    assert found["moir/de-de"].p == pytest.approx(3 * alone)
    assert [found[name].p for name in ("moir/en-en", "clir/de-en")] == [1.0, 1.0]


@given(st.lists(st.lists(st.integers(-8, 8), min_size=2, max_size=12), min_size=1, max_size=6))
@settings(deadline=None)
def test_it_is_scipys_test_wherever_differences_vary(differences: list[list[int]]) -> None:
    given_ = {f"moir/{n}x-{n}x": [v / 8 for v in one] for n, one in enumerate(differences)}
    p = {}
    for name, values in given_.items():
        if len(set(values)) > 1:
            p[name] = float(stats.ttest_1samp(values, 0).pvalue)
        else:
            p[name] = 2 / 2 ** len(values) if values[0] else 1.0
    expected = holm(p)
    for name, found in against_zero(given_).items():
        assert found.p == pytest.approx(expected[name], rel=1e-9)
        assert 0 < found.p <= 1
