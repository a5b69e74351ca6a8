"""Comparisons of systems: what swaps, what stays, what belongs to the family, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.comparison import Comparison, PairedDifference, compare
from harness.question_scores import QuestionScores
from tasks.errors import UsageError

Scores = dict[str, dict[str, dict[str, float]]]
"""By setting, by system: each question's score."""


def random_scores(
    systems: list[str],
    settings: list[str] | None = None,
    questions: int = 40,
    seed: int = 1,
    step: float = 0.1,
) -> Scores:
    """Scores of systems that get better from the first to the last."""
    rng = np.random.default_rng(seed)
    found: Scores = {}
    for setting in settings or ["moir"]:
        difficulty = rng.uniform(0, 0.6, questions)
        found[setting] = {
            system: {
                f"q{number}": float(difficulty[number] + step * position + rng.uniform(0, 0.2))
                for number in range(questions)
            }
            for position, system in enumerate(systems)
        }
    return found


def only_test(result: Comparison) -> PairedDifference:
    (test,) = result.tests
    return test


def test_a_comparison_of_two_systems_by_hand() -> None:
    # Questions pair by id, whatever their order.
    scores: Scores = {
        "clir/de-en": {
            "A": {"q1": 0.5, "q2": 0.75, "q3": 0.25, "q4": 1.0},
            "B": {"q4": 0.5, "q3": 0.25, "q2": 0.25, "q1": 1.0},
        }
    }
    result = compare(scores, "AP")
    assert (result.measure, result.test, result.correction) == ("AP", "paired t", "bonferroni")
    assert (result.alpha, result.family_size) == (0.05, 1)
    test = only_test(result)
    assert (test.a, test.b, test.setting, test.n) == ("A", "B", "clir/de-en", 4)
    assert (test.mean_a, test.mean_b, test.difference) == (0.625, 0.5, 0.125)
    assert (test.wins, test.ties, test.losses) == (2, 1, 1)
    # Differences -1/2, 1/2, 0, 1/2: their standard deviation is sqrt(11/48).
    assert test.effect_size == pytest.approx(0.125 / math.sqrt(11 / 48))
    expected = stats.ttest_rel([0.5, 0.75, 0.25, 1.0], [1.0, 0.25, 0.25, 0.5])
    assert test.p == pytest.approx(expected.pvalue)
    assert test.p_adjusted == test.p
    assert test.ci == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert result.letters == {"clir/de-en": {"A": "a", "B": "a"}}


def test_the_family_is_every_pair_in_every_setting() -> None:
    scores = random_scores(["A", "B", "C", "D"], ["moir", "clir", "mlir"], step=0.02)
    result = compare(scores, "AP")
    assert result.family_size == 6 * 3
    assert len({(test.a, test.b, test.setting) for test in result.tests}) == 18
    for test in result.tests:
        assert test.p_adjusted == pytest.approx(min(1.0, 18 * test.p))
        # Intervals hold together: each at 1 - alpha / 18.
        a, b = (list(scores[test.setting][name].values()) for name in (test.a, test.b))
        wide = stats.ttest_rel(a, b).confidence_interval(1 - 0.05 / 18)
        assert test.ci == pytest.approx((wide.low, wide.high))
        low, high = test.ci
        assert (low > 0 or high < 0) == (test.p_adjusted < 0.05)
        letters = result.letters[test.setting]
        assert (not set(letters[test.a]) & set(letters[test.b])) == (test.p_adjusted < 0.05)
    # Some tests are decided by the correction.
    assert any(test.p_adjusted < 0.05 for test in result.tests)
    assert any(test.p < 0.05 <= test.p_adjusted for test in result.tests)


def test_with_a_baseline_only_it_is_compared_with() -> None:
    scores = random_scores(["A", "B", "C", "D"], ["moir", "clir"])
    result = compare(scores, "AP", baseline="B")
    assert [(test.a, test.b) for test in result.tests] == [("A", "B"), ("C", "B"), ("D", "B")] * 2
    assert result.family_size == 6
    # Letters speak of all pairs, which were not tested.
    assert result.letters == {}


@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
@settings(deadline=None, max_examples=40)
def test_swapping_two_systems_turns_signs_only(seed: int, questions: int) -> None:
    scores = random_scores(["A", "B"], questions=questions, seed=seed)
    swapped = {name: {"B": found["B"], "A": found["A"]} for name, found in scores.items()}
    one, other = only_test(compare(scores, "AP")), only_test(compare(swapped, "AP"))
    assert (other.a, other.b) == ("B", "A")
    assert (other.mean_a, other.mean_b) == (one.mean_b, one.mean_a)
    assert (other.p, other.p_adjusted, other.n) == (one.p, one.p_adjusted, one.n)
    assert (other.difference, other.effect_size) == (-one.difference, -one.effect_size)
    assert other.ci == (-one.ci[1], -one.ci[0])
    assert (other.wins, other.ties, other.losses) == (one.losses, one.ties, one.wins)
    assert compare(swapped, "AP").letters == compare(scores, "AP").letters


def test_a_system_does_not_differ_from_its_copy() -> None:
    scores = random_scores(["A", "B"])
    scores["moir"]["copy of A"] = dict(reversed(scores["moir"]["A"].items()))
    result = compare(scores, "AP")
    (test,) = (t for t in result.tests if (t.a, t.b) == ("A", "copy of A"))
    assert (test.p, test.p_adjusted, test.difference) == (1.0, 1.0, 0.0)
    assert (test.wins, test.ties, test.losses) == (0, 40, 0)
    assert test.ci == (0.0, 0.0)
    letters = result.letters["moir"]
    assert letters["A"] == letters["copy of A"] != letters["B"]


SETTINGS = ("clir/de-en", "clir/de-zh", "clir/en-de")


def clustered(values: np.ndarray, settings_: tuple[str, ...]) -> dict[str, float]:
    """Each question's mean over settings; values have the shape (settings, questions)."""
    count, questions = values.shape
    scores = QuestionScores(
        measure="AP",
        settings=settings_,
        questions=tuple(f"q{number}" for number in range(questions)),
        setting=np.repeat(np.arange(count), questions),
        question=np.tile(np.arange(questions), count),
        value=values.ravel(),
    )
    return scores.by_question(settings_)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_asking_the_same_once_more_in_another_language_is_no_more_evidence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = {name: rng.uniform(0, 1, (3, 20)) for name in ("A", "B")}
    once = {"clir": {name: clustered(v, SETTINGS) for name, v in values.items()}}
    twice = {
        "clir": {
            name: clustered(
                np.vstack([v, v]), (*SETTINGS, "clir/en-zh", "clir/zh-de", "clir/zh-en")
            )
            for name, v in values.items()
        }
    }
    before, after = only_test(compare(once, "AP")), only_test(compare(twice, "AP"))
    assert after.n == before.n == 20
    assert after.p == pytest.approx(before.p, rel=1e-9)
    assert after.ci == pytest.approx(before.ci, rel=1e-9)


def test_a_question_in_three_settings_is_one_observation() -> None:
    rng = np.random.default_rng(3)
    a = rng.uniform(0, 1, 20)
    b = a + rng.normal(0.05, 0.1, 20)
    in_three = {name: clustered(np.tile(v, (3, 1)), SETTINGS) for name, v in (("A", a), ("B", b))}
    test = only_test(compare({"clir": in_three}, "AP"))
    assert (test.n, test.p) == (20, pytest.approx(stats.ttest_rel(a, b).pvalue))
    # As 60 observations they would seem to tell more than they do.
    assert stats.ttest_rel(np.tile(a, 3), np.tile(b, 3)).pvalue < test.p / 2


def test_letters_join_what_is_not_separated_best_first() -> None:
    scores: Scores = {
        "moir": {
            "worst": {"q1": 0.1, "q2": 0.21, "q3": 0.1, "q4": 0.2},
            "best": {"q1": 0.8, "q2": 0.9, "q3": 0.81, "q4": 0.92},
            "second": {"q1": 0.7, "q2": 0.95, "q3": 0.7, "q4": 0.99},
        }
    }
    letters = compare(scores, "AP").letters["moir"]
    assert list(letters.items()) == [("best", "a"), ("second", "a"), ("worst", "b")]
    turned = compare(scores, "RankDistance", higher_is_better=False).letters["moir"]
    assert list(turned.items()) == [("worst", "a"), ("second", "b"), ("best", "b")]


def test_every_setting_has_letters_of_its_own() -> None:
    scores = random_scores(["A", "B"], ["moir", "clir"])
    scores["clir"]["A"] = dict(scores["clir"]["B"])
    letters = compare(scores, "AP").letters
    assert letters == {"moir": {"B": "a", "A": "b"}, "clir": {"A": "a", "B": "a"}}


def test_alpha_decides_what_is_separated() -> None:
    scores = random_scores(["A", "B"], questions=8)
    p = only_test(compare(scores, "AP")).p
    assert set(compare(scores, "AP", alpha=p * 1.01).letters["moir"].values()) == {"a", "b"}
    assert set(compare(scores, "AP", alpha=p * 0.99).letters["moir"].values()) == {"a"}


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.05, 5.0, math.nan])
def test_alpha_must_be_a_probability(alpha: float) -> None:
    with pytest.raises(UsageError, match="alpha must be between 0 and 1"):
        compare(random_scores(["A", "B"]), "AP", alpha=alpha)


def test_systems_with_other_questions_are_refused() -> None:
    scores = random_scores(["A", "B"])
    del scores["moir"]["B"]["q17"]
    message = r"'A' and 'B' do not have the same questions in 'moir': 1 are in one only.*'q17'"
    with pytest.raises(UsageError, match=message):
        compare(scores, "AP")


def test_a_comparison_needs_two_systems_and_a_known_baseline() -> None:
    with pytest.raises(UsageError, match="at least two systems, found 1"):
        compare(random_scores(["A"]), "AP")
    with pytest.raises(UsageError, match="The baseline 'C' is not among A, B"):
        compare(random_scores(["A", "B"]), "AP", baseline="C")


def test_a_test_on_one_question_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 2 questions, found 1"):
        compare(random_scores(["A", "B"], questions=1), "AP")
