"""Comparisons of systems: what swaps, what stays, what belongs to the family, what is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness import Design, compare, from_arrays
from harness.design import Correction, Scope, Test
from harness.paired_scores import PairedScores, from_question_scores
from harness.question_scores import QuestionScores
from harness.reports.data import as_json
from harness.significance.bootstrap import bootstrap
from harness.significance.corrections import adjust
from harness.significance.equivalence import tost
from harness.significance.mcnemar import mcnemar
from harness.significance.paired_t import paired_t
from harness.significance.seeds import seed_difference
from harness.significance.tukey import randomised_tukey
from harness.significance.wilcoxon import wilcoxon
from tasks.errors import BabelboardError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.comparison import Comparison, PairedDifference

PAIRED_T = Design(test="paired-t", correction="bonferroni")
QUICK = Design(resamples=2000)
TESTS: tuple[Test, ...] = get_args(Test)
CORRECTIONS: tuple[Correction, ...] = get_args(Correction)


def paired(
    values: NDArray[np.float64], systems: str = "ABCDEFGH", settings_: tuple[str, ...] = ()
) -> PairedScores:
    """Scores of the shape (questions, settings, systems)."""
    return PairedScores(
        measure="AP",
        systems=tuple(systems[: values.shape[2]]),
        settings=settings_ or tuple(f"s{i}" for i in range(values.shape[1])),
        questions=tuple(f"q{i:03}" for i in range(len(values))),
        values=values,
    )


def random_scores(
    systems: int = 2, *, questions: int = 40, settings_: int = 1, seed: int = 1, step: float = 0.1
) -> PairedScores:
    """Scores of systems that get better from the first to the last."""
    rng = np.random.default_rng(seed)
    difficulty = rng.uniform(0, 0.6, (questions, settings_, 1))
    noise = rng.uniform(0, 0.2, (questions, settings_, systems))
    return paired(difficulty + step * np.arange(systems) + noise)


def reciprocal_ranks(
    systems: int = 2, *, questions: int = 60, settings_: int = 1, seed: int = 1
) -> PairedScores:
    """RR@10 of systems that tie on many questions."""
    rng = np.random.default_rng(seed)
    shape = (questions, settings_, systems)
    ranks = np.where(rng.random(shape) < 0.45, 2, rng.integers(1, 11, shape))
    return paired(1.0 / ranks)


def only_test(result: Comparison) -> PairedDifference:
    (test,) = result.tests
    return test


def without(scores: PairedScores, system: int, questions: list[int]) -> PairedScores:
    values = scores.values.copy()
    values[questions, :, system] = np.nan
    return replace(scores, values=values)


def test_a_comparison_of_two_systems_by_hand() -> None:
    scores = from_arrays({"A": [0.5, 0.75, 0.25, 1.0], "B": [1.0, 0.25, 0.25, 0.5]}, measure="AP")
    result = compare(scores, PAIRED_T)
    assert (result.measure, result.design.alpha, result.family_size) == ("AP", 0.05, 1)
    test = only_test(result)
    assert (test.a, test.b, test.setting, test.n) == ("A", "B", "all", 4)
    assert (test.mean_a, test.mean_b, test.difference) == (0.625, 0.5, 0.125)
    assert (test.wins, test.ties, test.losses) == (2, 1, 1)
    # Differences -1/2, 1/2, 0, 1/2: their standard deviation is sqrt(11/48).
    assert test.effect_size == pytest.approx(0.125 / math.sqrt(11 / 48))
    expected = stats.ttest_rel([0.5, 0.75, 0.25, 1.0], [1.0, 0.25, 0.25, 0.5])
    assert test.p == pytest.approx(expected.pvalue)
    assert test.p_adjusted == test.p_setting == test.p
    assert test.ci == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert result.letters == {"all": {"A": "a", "B": "a"}}


def test_darwins_maize_by_default() -> None:
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    zeros = [0.0] * len(differences)
    result = compare(from_arrays({"cross": [float(d) for d in differences], "self": zeros}))
    assert (result.design.test, result.design.correction) == ("sign-flip", "max-t")
    assert (result.design.resamples, result.design.seed) == (100_000, 0)
    test = only_test(result)
    assert (test.p, test.exact) == (1726 / 32768, True)
    # In the same order as the t interval, which is 0.03 to 41.84.
    assert test.ci == pytest.approx((0, 42), abs=1.5)


def test_a_family_of_one_test_is_not_adjusted() -> None:
    # An estimate beside the exact p would be another number for the same test.
    scores = from_arrays({"A": [4.0, 3.0, 2.0, 5.0, -1.0], "B": [0.0] * 5})
    test = only_test(compare(scores))
    assert test.p == 2 * 2 / 32
    assert test.p_setting == test.p_adjusted == test.p


def test_the_family_is_every_pair_in_every_setting() -> None:
    scores = random_scores(4, settings_=3, step=0.02)
    result = compare(scores, PAIRED_T)
    assert result.family_size == 6 * 3
    assert len({(test.a, test.b, test.setting) for test in result.tests}) == 18
    for test in result.tests:
        assert test.p_adjusted == pytest.approx(min(1.0, 18 * test.p))
        assert test.p_setting == pytest.approx(min(1.0, 6 * test.p))
        # Intervals hold together: each at 1 - alpha / 18.
        setting = scores.settings.index(test.setting)
        a, b = (scores.values[:, setting, "ABCD".index(name)] for name in (test.a, test.b))
        wide = stats.ttest_rel(a, b).confidence_interval(1 - 0.05 / 18)
        assert test.ci == pytest.approx((wide.low, wide.high))
        low, high = test.ci
        assert (low > 0 or high < 0) == (test.p_adjusted < 0.05)
        letters = result.letters[test.setting]
        assert (not set(letters[test.a]) & set(letters[test.b])) == (test.p_adjusted < 0.05)
    # Some tests are decided by the correction.
    assert any(test.p_adjusted < 0.05 for test in result.tests)
    assert any(test.p < 0.05 <= test.p_adjusted for test in result.tests)


@pytest.mark.parametrize("design", [QUICK, PAIRED_T, replace(PAIRED_T, correction="holm")])
def test_a_family_may_be_a_setting(design: Design) -> None:
    scores = random_scores(3, settings_=3, step=0.03)
    every = compare(scores, design)
    each = compare(scores, replace(design, family="setting"))
    assert (every.family_size, each.family_size) == (9, 3)
    for one, other in zip(every.tests, each.tests, strict=True):
        assert (one.p, one.p_setting) == (other.p, other.p_setting)
        assert other.p_adjusted == other.p_setting <= one.p_adjusted
        width, narrower = (test.ci[1] - test.ci[0] for test in (one, other))
        assert narrower < width
    # A setting by itself gives the same.
    for position, name in enumerate(scores.settings):
        single = replace(scores, settings=(name,), values=scores.values[:, position, None])
        found = compare(single, design).tests
        here = [t for t in each.tests if t.setting == name]
        assert [(t.p, t.p_adjusted, t.ci) for t in found] == [
            (t.p, t.p_adjusted, t.ci) for t in here
        ]


def test_with_a_baseline_only_it_is_compared_with() -> None:
    result = compare(random_scores(4, settings_=2), replace(QUICK, baseline="B"))
    assert [(test.a, test.b) for test in result.tests] == [("A", "B"), ("C", "B"), ("D", "B")] * 2
    assert result.family_size == 6
    # Letters and ranks speak of all pairs, which were not tested.
    assert result.letters == {}
    assert all(s.ranks is None for found in result.standings.values() for s in found)


@pytest.mark.parametrize("design", [QUICK, PAIRED_T, replace(QUICK, test="tukey")])
@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
@settings(deadline=None, max_examples=15)
def test_swapping_two_systems_turns_signs_only(design: Design, seed: int, questions: int) -> None:
    scores = random_scores(questions=questions, seed=seed)
    swapped = replace(scores, systems=("B", "A"), values=scores.values[:, :, ::-1])
    first, second = compare(scores, design), compare(swapped, design)
    one, other = only_test(first), only_test(second)
    assert (other.a, other.b) == ("B", "A")
    assert (other.mean_a, other.mean_b) == (one.mean_b, one.mean_a)
    assert (other.p, other.p_adjusted, other.n) == (one.p, one.p_adjusted, one.n)
    assert (other.difference, other.effect_size) == (-one.difference, -one.effect_size)
    assert (other.ci is None) == (one.ci is None)
    if one.ci is not None:
        assert other.ci == (-one.ci[1], -one.ci[0])
    assert (other.wins, other.ties, other.losses) == (one.losses, one.ties, one.wins)
    assert second.letters == first.letters


@pytest.mark.parametrize("test", TESTS)
def test_a_system_does_not_differ_from_its_copy(test: Test) -> None:
    scores = reciprocal_ranks(2)
    hits = scores.values == 1 if test == "mcnemar" else scores.values
    values = np.concatenate([hits, hits[:, :, :1]], axis=2).astype(np.float64)
    correction: Correction = "max-t" if test in ("sign-flip", "tukey") else "holm"
    result = compare(paired(values), Design(test=test, correction=correction, resamples=2000))
    (found,) = (t for t in result.tests if (t.a, t.b) == ("A", "C"))
    assert (found.p, found.p_adjusted, found.difference) == (1.0, 1.0, 0.0)
    assert (found.wins, found.ties, found.losses, found.effect_size) == (0, 60, 0, 0.0)
    assert found.ci is not None
    assert found.ci[0] <= 0 <= found.ci[1]
    letters = result.letters["s0"]
    assert letters["A"] == letters["C"]
    to_b = {t.p for t in result.tests if "B" in (t.a, t.b)}
    assert len(to_b) == 1


def question_scores(values: NDArray[np.float64]) -> QuestionScores:
    """Values of the shape (settings, questions), of six settings at most."""
    names = ("clir/de-en", "clir/de-zh", "clir/en-de", "clir/en-zh", "clir/zh-de", "clir/zh-en")
    count, questions = values.shape
    return QuestionScores(
        measure="RR@10",
        settings=names[:count],
        questions=tuple(f"q{number}" for number in range(questions)),
        setting=np.repeat(np.arange(count), questions),
        question=np.tile(np.arange(questions), count),
        value=values.ravel(),
    )


@pytest.mark.parametrize("questions", [12, 50])
@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_asking_the_same_once_more_in_another_language_is_no_more_evidence(
    questions: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = {name: 1.0 / rng.integers(1, 11, (3, questions)) for name in ("A", "B", "C")}
    once = {name: question_scores(v) for name, v in values.items()}
    twice = {name: question_scores(np.vstack([v, v])) for name, v in values.items()}
    design = Design(resamples=500)
    before = compare(from_question_scores(once), design)
    after = compare(from_question_scores(twice), design)
    for one, other in zip(before.tests, after.tests, strict=True):
        assert other.n == one.n == questions
        assert (other.p, other.p_setting, other.p_adjusted) == (
            one.p,
            one.p_setting,
            one.p_adjusted,
        )
        assert other.ci == pytest.approx(one.ci, rel=1e-9)


def test_a_question_in_three_settings_is_one_observation() -> None:
    rng = np.random.default_rng(3)
    a = rng.uniform(0, 1, 20)
    b = a + rng.normal(0.05, 0.1, 20)
    in_three = {name: question_scores(np.tile(v, (3, 1))) for name, v in (("A", a), ("B", b))}
    test = only_test(compare(from_question_scores(in_three), PAIRED_T))
    assert (test.n, test.p) == (20, pytest.approx(stats.ttest_rel(a, b).pvalue))
    # As 60 observations they would seem to tell more than they do.
    assert stats.ttest_rel(np.tile(a, 3), np.tile(b, 3)).pvalue < test.p / 2


def test_letters_join_what_is_not_separated_best_first() -> None:
    values = {
        "worst": [0.1, 0.21, 0.1, 0.2],
        "best": [0.8, 0.9, 0.81, 0.92],
        "second": [0.7, 0.95, 0.7, 0.99],
    }
    scores = from_arrays(values)
    result = compare(scores, PAIRED_T)
    assert list(result.letters["all"].items()) == [("best", "a"), ("second", "a"), ("worst", "b")]
    assert [s.ranks for s in result.standings["all"]] == [(1, 2), (1, 2), (3, 3)]
    turned = compare(replace(scores, measure="RankDistance", higher_is_better=False), PAIRED_T)
    assert list(turned.letters["all"].items()) == [("worst", "a"), ("second", "b"), ("best", "b")]
    assert [s.ranks for s in turned.standings["all"]] == [(1, 1), (2, 3), (2, 3)]


def test_every_setting_has_letters_of_its_own() -> None:
    scores = random_scores(settings_=2)
    scores.values[:, 1, 0] = scores.values[:, 1, 1]
    assert compare(scores, QUICK).letters == {
        "s0": {"B": "a", "A": "b"},
        "s1": {"A": "a", "B": "a"},
    }


def test_alpha_decides_what_is_separated() -> None:
    scores = random_scores(questions=8)
    p = only_test(compare(scores, PAIRED_T)).p
    for alpha, letters in ((p * 1.01, {"a", "b"}), (p * 0.99, {"a"})):
        found = compare(scores, replace(PAIRED_T, alpha=alpha))
        assert set(found.letters["s0"].values()) == letters


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        *(
            ({"alpha": alpha}, "alpha must be between 0 and 1")
            for alpha in (0.0, 1.0, -0.05, 5.0, math.nan)
        ),
        ({"resamples": 0}, "At least 1 resample is needed, found 0"),
        ({"seed": -1}, "seed must be from 0"),
        ({"seed": 2**64}, "seed must be from 0"),
        ({"margin": 0.0}, "margin must be above 0, found 0"),
        ({"margin": -0.1}, "margin must be above 0, found -0.1"),
        ({"margin": math.nan}, "margin must be above 0"),
        ({"test": "tukey", "baseline": "A"}, "Tukey's test compares all pairs"),
        *(
            ({"test": test}, f"max-t goes with the test sign-flip, not with {test}; choose bonf")
            for test in TESTS
            if test not in ("sign-flip", "tukey")
        ),
    ],
)
def test_a_design_refuses_what_does_not_go_together(
    choices: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Design(**choices)  # type: ignore[arg-type]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UsageError, match="at least two systems, found 1: A"):
        compare(random_scores(1))
    with pytest.raises(UnknownNameError, match=r"Unknown baseline: 'AB'. Did you mean B or A"):
        compare(random_scores(2), Design(baseline="AB"))
    one = "'A' and 'B' share 1 questions in 's0'; a paired test needs at least 2"
    with pytest.raises(UsageError, match=one):
        compare(random_scores(questions=1))
    apart = without(without(random_scores(questions=6), 0, [0, 1, 2]), 1, [3, 4, 5])
    with pytest.raises(UsageError, match=r"share 0 questions .*Check that their question ids"):
        compare(apart)
    with pytest.raises(UsageError, match=r"McNemar's test needs a measure that is 0 or 1"):
        compare(random_scores(), Design(test="mcnemar", correction="holm"))


def test_missing_questions_are_left_out_pair_by_pair_and_noted() -> None:
    scores = without(random_scores(3, settings_=2), 1, [3, 17])
    result = compare(scores, QUICK)
    assert {(t.a + t.b, t.n) for t in result.tests} == {("AB", 38), ("AC", 40), ("BC", 38)}
    (note,) = result.notes
    assert "B lacks 4" in note
    assert "on the questions that both have" in note
    kept = np.delete(np.arange(40), [3, 17])
    for test in result.tests:
        a, b = (scores.values[:, int(test.setting[1]), "ABC".index(n)] for n in (test.a, test.b))
        rows = kept if "B" in (test.a, test.b) else slice(None)
        assert test.difference == pytest.approx((a[rows] - b[rows]).mean())
    # The pair without B is tested as if B were not there.
    pair = replace(scores, systems=("A", "C"), values=scores.values[:, :, [0, 2]])
    alone = [t.p for t in compare(pair, QUICK).tests]
    assert [t.p for t in result.tests if (t.a, t.b) == ("A", "C")] == alone
    with pytest.raises(UsageError, match=r"'B' lacks 2 questions of 's0'.*--strict"):
        compare(scores, replace(QUICK, strict=True))
    assert compare(random_scores(), replace(QUICK, strict=True)).notes == ()


def test_questions_that_a_setting_does_not_ask_are_no_gap() -> None:
    scores = random_scores(2, settings_=2)
    scores.values[30:, 1, :] = np.nan
    result = compare(scores, replace(QUICK, strict=True))
    assert [(t.setting, t.n) for t in result.tests] == [("s0", 40), ("s1", 30)]
    assert result.notes == ()


def test_scores_beyond_0_and_1_are_allowed_and_noted() -> None:
    scores = from_arrays({"A": [-3.0, 2.5, 40.0], "B": [0.0, 1.0, 2.0]})
    (note,) = compare(scores).notes
    assert "not all within 0 and 1 (from -3 to 40)" in note
    assert compare(replace(scores, higher_is_better=False)).notes == ()


@pytest.mark.parametrize("design", [Design(), Design(correction="holm"), Design(interval="bca")])
def test_systems_without_any_difference(design: Design) -> None:
    test = only_test(compare(from_arrays({"A": [0.1] * 9, "B": [0.1] * 9}), design))
    assert (test.p, test.p_adjusted, test.ci, test.effect_size) == (1.0, 1.0, (0.0, 0.0), 0.0)


@pytest.mark.parametrize("correction", ["max-t", "holm"])
def test_differences_that_are_all_the_same_have_no_effect_size(correction: Correction) -> None:
    scores = from_arrays({"A": [0.3, 0.4, 0.9, 0.7], "B": [0.2, 0.3, 0.8, 0.6]})
    result = compare(scores, Design(correction=correction, margin=0.2))
    test = only_test(result)
    assert (test.p, test.effect_size, test.p_equivalence) == (2 / 16, None, None)
    assert test.ci == pytest.approx((0.1, 0.1))
    json.dumps(as_json(result), allow_nan=False)
    with pytest.raises(UsageError, match="not defined where all 4 differences are the same"):
        compare(scores, PAIRED_T)


def exact_by_scipy(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    found = stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    return float(found.pvalue)


@pytest.mark.parametrize("seed", range(6))
def test_few_questions_give_the_exact_p_of_scipy(seed: int) -> None:
    scores = reciprocal_ranks(questions=10, seed=seed)
    test = only_test(compare(scores, QUICK))
    assert test.exact
    assert test.p == pytest.approx(exact_by_scipy(*scores.values[:, 0].T))


def test_scores_with_two_decimals_tie_as_they_do_on_paper() -> None:
    # Gains of 10, 10, 10, 20 and 20 points and a loss of 10: 10 of 64 patterns are as far from 0.
    a = np.array([99, 83, 46, 28, 62, 46, 32]) / 100
    b = np.array([89, 73, 46, 18, 42, 26, 42]) / 100
    assert exact_by_scipy(a, b) == 10 / 64
    assert only_test(compare(from_arrays({"A": a, "B": b}))).p == 10 / 64


@pytest.mark.parametrize("seed", range(4))
def test_means_over_settings_tie_as_they_do_on_paper(seed: int) -> None:
    # Hits in eleven settings: their mean is a multiple of 1/11.
    hits = np.random.default_rng(seed).integers(0, 12, (11, 1, 2)).astype(np.float64)
    scores = replace(paired(hits / 11), averaged_over={"s0": 11})
    assert only_test(compare(scores)).p == pytest.approx(exact_by_scipy(*hits[:, 0].T))


def test_p_is_exact_up_to_20_differences_that_are_not_0() -> None:
    for moving, exact in ((20, True), (21, False)):
        a = np.zeros(50)
        a[:moving] = 1 / np.arange(1, moving + 1)
        for design in (QUICK, replace(QUICK, correction="none")):
            test = only_test(compare(from_arrays({"A": a, "B": np.zeros(50)}), design))
            assert test.exact == exact
            assert test.p == (2 / 2**20 if exact else 1 / 2001)
    always = Design(test="sign-flip-exact", correction="holm")
    test = only_test(compare(reciprocal_ranks(), always))
    assert test.exact
    near = only_test(compare(reciprocal_ranks(), Design(resamples=20_000)))
    assert not near.exact
    error = math.sqrt(test.p * (1 - test.p) / 20_000)
    assert abs(near.p - test.p) < 4 * error + 1e-4


@pytest.mark.parametrize("test", ["paired-t", "seed-t", "wilcoxon", "mcnemar"])
def test_a_test_gives_what_its_own_function_gives(test: Test) -> None:
    scores = reciprocal_ranks(3, settings_=2)
    if test == "mcnemar":
        scores = replace(scores, values=(scores.values >= 0.5).astype(np.float64))
    found = compare(scores, Design(test=test, correction="none"))
    for t in found.tests:
        a, b = (scores.values[:, int(t.setting[1]), "ABC".index(name)] for name in (t.a, t.b))
        expected = {
            "paired-t": lambda a, b: paired_t(a - b).p,
            "seed-t": lambda a, b: paired_t(a - b).p,
            "wilcoxon": lambda a, b: wilcoxon(a - b).p,
            "mcnemar": lambda a, b: mcnemar(a, b).p,
        }[test](a, b)
        assert t.p == t.p_setting == t.p_adjusted == pytest.approx(expected)


@pytest.mark.parametrize("correction", CORRECTIONS[1:-1])
def test_corrections_are_over_the_family(correction: Correction) -> None:
    found = compare(
        random_scores(3, settings_=2, step=0.02), replace(PAIRED_T, correction=correction)
    )
    p = np.array([t.p for t in found.tests])
    assert [t.p_adjusted for t in found.tests] == pytest.approx(adjust(p, correction))
    assert [t.p_setting for t in found.tests][:3] == pytest.approx(adjust(p[:3], correction))


def test_seeds_carry_their_variance() -> None:
    rng = np.random.default_rng(2)
    seeds = rng.uniform(0, 1, (40, 1, 3)) / 2
    scores = random_scores()
    values = scores.values.copy()
    values[:, :, 0] = seeds.mean(axis=2)
    scores = replace(scores, values=values, seeds={"A": seeds})
    result = compare(scores, Design(test="seed-t", correction="holm"))
    expected = seed_difference(seeds[:, 0], values[:, 0, 1, None])
    test = only_test(result)
    assert (test.p, test.ci) == (expected.p, expected.interval(0.05))
    averaged, single = result.notes
    assert averaged == "Scores are averaged over seeds within each question (seeds: A 3, B 1)."
    assert "B" in single
    assert "this checkpoint, not its training" in single
    assert test.p > only_test(compare(scores, PAIRED_T)).p


def test_equivalence_is_tested_with_the_margin() -> None:
    scores = random_scores(step=0.01)
    for design in (QUICK, PAIRED_T):
        test = only_test(compare(scores, replace(design, margin=0.05)))
        a, b = scores.values[:, 0].T
        assert test.p_equivalence == tost(a - b, 0.05).p
        assert only_test(compare(scores, design)).p_equivalence is None


def test_bootstrap_intervals_hold_together_too() -> None:
    scores = random_scores(3)
    test = compare(scores, Design(interval="bca", resamples=5000, seed=3)).tests[0]
    d = scores.values[:, 0, 0] - scores.values[:, 0, 1]
    drawn = bootstrap(d, scores.questions, resamples=5000, seed=3)
    assert test.ci == drawn.interval(0.05 / 3)
    alone = Design(interval="bca", resamples=5000, seed=3, correction="none")
    assert compare(scores, alone).tests[0].ci == drawn.interval(0.05)


def test_tukey_is_that_of_its_function() -> None:
    scores = reciprocal_ranks(4)
    design = Design(test="tukey", resamples=1000, seed=2)
    expected = randomised_tukey(scores.values[:, 0], scores.questions, resamples=1000, seed=2)
    found = compare(scores, design)
    assert [t.p_adjusted for t in found.tests] == list(expected.p.values())
    half = {round((t.ci[1] - t.ci[0]) / 2, 12) for t in found.tests}
    assert len(half) == 1
    with pytest.raises(UsageError, match="some systems lack questions of 's0'; use sign-flip"):
        compare(without(scores, 1, [3]), design)


def test_tukeys_intervals_hold_together_over_all_settings_as_its_p_does() -> None:
    scores = reciprocal_ranks(3, settings_=4, questions=30)
    design = Design(test="tukey", resamples=2000)
    every, each = compare(scores, design), compare(scores, replace(design, family="setting"))
    for one, other in zip(every.tests, each.tests, strict=True):
        assert one.p_adjusted == pytest.approx(min(1, 4 * other.p_adjusted))
        assert one.ci[1] - one.ci[0] > other.ci[1] - other.ci[0]


def test_too_few_resamples_are_refused_with_the_number_that_is_needed() -> None:
    with pytest.raises(UsageError, match=r"With 19 resamples .* at least 20 are needed"):
        compare(random_scores(), Design(resamples=19))
    assert only_test(compare(random_scores(), Design(resamples=20))).p_adjusted == 1 / 21
    scores = random_scores(4, settings_=3)
    with pytest.raises(UsageError, match=r"359 resamples .* 18 tests .* at least 360 are needed"):
        compare(scores, Design(correction="holm", resamples=359))
    found = compare(scores, Design(correction="holm", resamples=360))
    assert min(t.p_adjusted for t in found.tests) == 18 / 361 < 0.05
    # Max-T needs no more for more tests.
    assert min(t.p_adjusted for t in compare(scores, Design(resamples=20)).tests) < 0.05


def test_resamples_suffice_for_the_family_of_a_setting() -> None:
    scores = random_scores(4, settings_=3)
    few = Design(correction="holm", family="setting", resamples=119)
    with pytest.raises(UsageError, match=r"119 resamples .* 6 tests .* at least 120 are needed"):
        compare(scores, few)
    found = compare(scores, replace(few, resamples=120))
    assert min(t.p_adjusted for t in found.tests) == 6 / 121


@pytest.mark.parametrize("test", TESTS)
def test_every_design_gives_numbers_or_one_clear_refusal(test: Test) -> None:
    plain = reciprocal_ranks(3, settings_=2, questions=25)
    if test == "mcnemar":
        plain = replace(plain, values=(plain.values >= 0.5).astype(np.float64))
    copied = plain.values.copy()
    copied[:, :, 2] = copied[:, :, 0]
    cases = (plain, replace(plain, values=copied), without(plain, 1, [2, 3]))
    refused, messages = 0, set()
    for scores, correction, family, baseline in product(
        cases, CORRECTIONS, get_args(Scope), (None, "B")
    ):
        try:
            design = Design(
                test=test,
                correction=correction,
                family=family,
                baseline=baseline,
                resamples=200,
                margin=0.1,
            )
            result = compare(scores, design)
        except BabelboardError as error:
            refused += 1
            messages.add(str(error))
            continue
        assert len(result.tests) == (6 if baseline is None else 4)
        json.dumps(as_json(result), allow_nan=False)
        for t in result.tests:
            assert 0 < t.p <= t.p_setting <= 1
            assert 0 < t.p_adjusted <= 1
            assert t.p_equivalence is None or 0 < t.p_equivalence <= 1
            assert t.wins + t.ties + t.losses == t.n
            assert t.ci is None or t.ci[0] <= t.difference <= t.ci[1]
    assert all(len(message.split()) > 5 for message in messages)
    # max-t goes with sign flips; Tukey's takes neither baselines nor gaps, and corrects by itself.
    every = 3 * 8 * 2 * 2
    assert refused == {"sign-flip": 0, "tukey": every - 2 * 2}.get(test, every // 8)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 4))
@settings(deadline=None, max_examples=30)
def test_few_questions_give_no_nan(seed: int, questions: int, systems: int) -> None:
    rng = np.random.default_rng(seed)
    scores = paired(rng.integers(0, 3, (questions, 2, systems)) / 2)
    result = compare(scores, Design(resamples=99))
    json.dumps(as_json(result), allow_nan=False)
    for t in result.tests:
        assert 0 < t.p <= t.p_setting <= t.p_adjusted <= 1
        assert t.ci is None or (t.ci[0] <= t.difference <= t.ci[1])


def test_p_does_not_depend_on_what_else_is_compared() -> None:
    scores = reciprocal_ranks(4, settings_=3, questions=50)
    every = {(t.a, t.b, t.setting): t for t in compare(scores, QUICK).tests}
    for position, name in enumerate(scores.settings):
        single = replace(scores, settings=(name,), values=scores.values[:, position, None])
        for t in compare(single, QUICK).tests:
            among = every[t.a, t.b, name]
            assert (t.p, t.p_setting) == (among.p, among.p_setting)
    pair = replace(scores, systems=("B", "D"), values=scores.values[:, :, [1, 3]])
    for t in compare(pair, QUICK).tests:
        assert t.p == every["B", "D", t.setting].p


def test_max_t_finds_what_tukey_misses() -> None:
    # A near-clone that is a little but always better, among systems that are noise.
    rng = np.random.default_rng(4)
    noise = rng.uniform(0, 1, (100, 1, 8))
    noise[:, 0, 1] = noise[:, 0, 0] + rng.uniform(0, 0.02, 100)
    p = {}
    for test in ("sign-flip", "tukey"):
        p[test] = compare(paired(noise), Design(test=test, resamples=999)).tests[0].p_adjusted
    assert p["sign-flip"] == 0.001
    assert p["tukey"] > 0.5


def test_measures_of_large_numbers_stay_exact() -> None:
    # Rank distances: thousands, and no multiples of 1/2520.
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 12_000, (60, 1, 2))
    scores = replace(paired(values), measure="RankDistance", higher_is_better=False)
    order = rng.permutation(60)
    turned = replace(
        scores, questions=tuple(scores.questions[i] for i in order), values=values[order]
    )
    assert only_test(compare(turned, QUICK)).p == only_test(compare(scores, QUICK)).p


def test_the_harness_names_its_comparison_without_loading_numpy() -> None:
    program = (
        "import sys, harness; print('numpy' in sys.modules); "
        "from harness import Comparison, Design, PairedScores, compare, from_arrays, from_frame; "
        "print(compare(from_arrays({'A': [1, 0, 1], 'B': [0, 0, 1]})).tests[0].p)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (finished.stdout, finished.stderr) == ("False\n1.0\n", "")
