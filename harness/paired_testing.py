"""Runs a test over a family of hypotheses: p-values, adjusted p-values and intervals."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.significance.corrections import adjust
from harness.significance.max_t import Pairs, max_t
from harness.significance.paired_t import are_the_same, paired_t, t_interval
from harness.significance.score_lattice import on_score_lattice
from harness.significance.seeds import SeedDifference, seed_difference
from harness.significance.sign_flip import (
    MOST_ENUMERATED,
    sign_flip,
    sign_flip_convolved,
    sign_flip_enumerated,
)
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.design import Design
    from harness.hypotheses import Hypothesis
    from harness.paired_scores import PairedScores

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes of a family, one a hypothesis.

    Attributes:
        p: p-value of each hypothesis alone.
        p_setting: Adjusted within its setting.
        p_all: Adjusted over all hypotheses.
        intervals: Confidence interval of each mean difference; None where there is no bound.
        exact: Whether p is neither estimated by resampling nor an approximation.
        resamples: Number of sign patterns or permutations, or None for a test without.
    """

    p: NDArray[np.float64]
    p_setting: NDArray[np.float64]
    p_all: NDArray[np.float64]
    intervals: list[Interval | None]
    exact: NDArray[np.bool_]
    resamples: int | None


def run_tests(scores: PairedScores, hypotheses: Sequence[Hypothesis], design: Design) -> Outcomes:
    """Tests every hypothesis.

    Raises:
        UsageError: If the test is not defined for the scores, or B is too small for the family.
    """
    outcomes = _outcomes(scores, hypotheses, design)
    if design.interval == "bca":
        return replace(outcomes, intervals=_bca_intervals(scores, hypotheses, design))
    return outcomes


def _outcomes(scores: PairedScores, hypotheses: Sequence[Hypothesis], design: Design) -> Outcomes:
    if design.test == "sign-flip" and design.correction == "max-t":
        return _max_t(scores, hypotheses, design)
    if design.test == "tukey":
        return _tukey(scores, hypotheses, design)
    single = _single_test(scores, design)
    found = [single(hypothesis) for hypothesis in hypotheses]
    p = np.array([value for value, _ in found])
    exact = np.array([is_exact for _, is_exact in found])
    monte_carlo = design.test == "sign-flip"
    if monte_carlo and design.correction in ("bonferroni", "holm") and not exact.all():
        _check_resamples(round(design.alpha / min(_levels(hypotheses, design))), design)
    settings = np.array([hypothesis.setting for hypothesis in hypotheses])
    within = np.empty_like(p)
    for setting in np.unique(settings):
        members = settings == setting
        within[members] = _adjusted(p[members], design)
    intervals: list[Interval | None] = [
        _over_seeds(scores, hypothesis).interval(level)
        if design.test == "seed-t"
        else t_interval(hypothesis.differences, level)
        for hypothesis, level in zip(hypotheses, _levels(hypotheses, design), strict=True)
    ]
    return Outcomes(
        p, within, _adjusted(p, design), intervals, exact, design.resamples if monte_carlo else None
    )


def _levels(hypotheses: Sequence[Hypothesis], design: Design) -> list[float]:
    """The level of each interval: alpha over the size of its family where they hold together."""
    if not design.intervals_hold_together:
        return [design.alpha] * len(hypotheses)
    sizes = Counter(hypothesis.setting for hypothesis in hypotheses)
    return [
        design.alpha / (len(hypotheses) if design.family == "all" else sizes[h.setting])
        for h in hypotheses
    ]


def _bca_intervals(
    scores: PairedScores, hypotheses: Sequence[Hypothesis], design: Design
) -> list[Interval | None]:
    from harness.significance.bootstrap import bootstrap

    intervals: list[Interval | None] = []
    for hypothesis, level in zip(hypotheses, _levels(hypotheses, design), strict=True):
        questions = [scores.questions[row] for row in hypothesis.rows]
        drawn = bootstrap(
            hypothesis.differences, questions, resamples=design.resamples, seed=design.seed
        )
        intervals.append(drawn.interval(level))
    return intervals


def _max_t(scores: PairedScores, hypotheses: Sequence[Hypothesis], design: Design) -> Outcomes:
    if 1 / (1 + design.resamples) >= design.alpha:
        _check_resamples(1, design)
    columns = _Columns(scores)
    pairs = Pairs(
        np.array([columns.of(h, h.a) for h in hypotheses]),
        np.array([columns.of(h, h.b) for h in hypotheses]),
    )
    settings = np.array([hypothesis.setting for hypothesis in hypotheses])
    families = [np.flatnonzero(settings == setting) for setting in np.unique(settings)]
    families.append(np.arange(len(hypotheses)))
    result = max_t(
        columns.matrix(),
        scores.questions,
        pairs,
        families,
        resamples=design.resamples,
        seed=design.seed,
    )
    p, exact = result.p.copy(), np.zeros(len(hypotheses), dtype=np.bool_)
    for position, hypothesis in enumerate(hypotheses):
        differences = columns.differences(hypothesis)
        if np.count_nonzero(differences) <= MOST_ENUMERATED:
            p[position] = sign_flip_enumerated(differences).p
            exact[position] = True
    within = np.empty_like(p)
    critical = np.empty_like(p)
    for family in result.families[:-1]:
        within[family.members] = family.p if len(family.members) > 1 else p[family.members]
        critical[family.members] = _quantile(family.largest, design.alpha)
    if design.family == "all":
        critical[:] = _quantile(result.families[-1].largest, design.alpha)
    intervals = [
        _max_t_interval(hypothesis.differences, float(limit))
        for hypothesis, limit in zip(hypotheses, critical, strict=True)
    ]
    # An exact p may be larger than its Monte-Carlo estimate, but adjusting never makes one smaller.
    return Outcomes(
        p,
        np.maximum(within, p),
        np.maximum(result.families[-1].p, p) if len(p) > 1 else p,
        intervals,
        exact,
        design.resamples,
    )


class _Columns:
    """Scores on lattices as columns of a matrix: a system in a setting, on the same questions.

    Systems that lack questions are compared on those that both have, so a system may have a
    column for each other system.
    """

    def __init__(self, scores: PairedScores) -> None:
        self._lattices = [
            on_score_lattice(
                np.nan_to_num(scores.values[:, position, :]),
                (1, scores.averaged_over.get(setting, 1)),
            )[0]
            for position, setting in enumerate(scores.settings)
        ]
        self._rows = len(scores.questions)
        self._index: dict[tuple[int, int, bytes], int] = {}
        self._columns: list[NDArray[np.float64]] = []

    def of(self, hypothesis: Hypothesis, system: int) -> int:
        """The column of a system on the questions of a hypothesis."""
        key = (hypothesis.setting, system, hypothesis.rows.tobytes())
        if key not in self._index:
            column = np.zeros(self._rows)
            column[hypothesis.rows] = self._lattices[hypothesis.setting][hypothesis.rows, system]
            self._index[key] = len(self._columns)
            self._columns.append(column)
        return self._index[key]

    def differences(self, hypothesis: Hypothesis) -> NDArray[np.float64]:
        """The differences of a hypothesis in whole units, shape (n,)."""
        lattice = self._lattices[hypothesis.setting]
        a, b = lattice[hypothesis.rows, hypothesis.a], lattice[hypothesis.rows, hypothesis.b]
        return np.asarray(a - b)

    def matrix(self) -> NDArray[np.float64]:
        """All columns, shape (questions, columns)."""
        return np.stack(self._columns, axis=1)


def _single_test(
    scores: PairedScores, design: Design
) -> Callable[[Hypothesis], tuple[float, bool]]:
    """The function that tests one hypothesis: its p-value, and whether that is exact."""
    if design.test == "paired-t":
        return lambda h: (paired_t(h.differences).p, False)
    if design.test == "seed-t":
        return lambda h: (_over_seeds(scores, h).p, False)
    if design.test == "wilcoxon":
        from harness.significance.wilcoxon import wilcoxon

        def signed_rank(hypothesis: Hypothesis) -> tuple[float, bool]:
            found = wilcoxon(hypothesis.differences)
            return found.p, found.exact

        return signed_rank
    if design.test == "mcnemar":
        from harness.significance.mcnemar import mcnemar

        return lambda h: (mcnemar(h.values_a, h.values_b).p, True)
    columns = _Columns(scores)
    if design.test == "sign-flip-exact":
        return lambda h: (_exact(columns.differences(h)), True)

    def flip(hypothesis: Hypothesis) -> tuple[float, bool]:
        questions = [scores.questions[row] for row in hypothesis.rows]
        found = sign_flip(
            columns.differences(hypothesis),
            questions,
            resamples=design.resamples,
            seed=design.seed,
        )
        return found.p, found.exact

    return flip


def _over_seeds(scores: PairedScores, hypothesis: Hypothesis) -> SeedDifference:
    sides = [
        scores.of_seeds(system, hypothesis.setting)[hypothesis.rows]
        for system in (hypothesis.a, hypothesis.b)
    ]
    return seed_difference(sides[0], sides[1])


def _exact(differences: NDArray[np.float64]) -> float:
    if np.count_nonzero(differences) <= MOST_ENUMERATED:
        return sign_flip_enumerated(differences).p
    return sign_flip_convolved(differences).p


def _tukey(scores: PairedScores, hypotheses: Sequence[Hypothesis], design: Design) -> Outcomes:
    from harness.significance.tukey import randomised_tukey

    p = np.empty(len(hypotheses))
    half = np.empty(len(hypotheses))
    settings = np.array([hypothesis.setting for hypothesis in hypotheses])
    size = len(np.unique(settings))
    _check_resamples(size if design.family == "all" else 1, design)
    place = {(h.setting, h.a, h.b): position for position, h in enumerate(hypotheses)}
    for setting in np.unique(settings):
        values = scores.values[:, setting, :]
        known = np.isfinite(values)
        rows = np.flatnonzero(known.all(axis=1))
        if len(rows) < int(known.any(axis=1).sum()):
            raise UsageError(
                "Randomised Tukey HSD permutes each question's scores among all systems, but some "
                f"systems lack questions of {scores.settings[setting]!r}; use sign-flip."
            )
        result = randomised_tukey(
            values[rows],
            [scores.questions[row] for row in rows],
            resamples=design.resamples,
            seed=design.seed,
        )
        limit = _quantile(result.ranges, design.alpha / (size if design.family == "all" else 1))
        for (a, b), value in result.p.items():
            p[place[setting, a, b]] = value
            half[place[setting, a, b]] = limit
    # Each setting is a family of Tukey's; over all of them, Bonferroni.
    over_all = np.minimum(1.0, p * size)
    intervals: list[Interval | None] = [
        (float(h.differences.mean() - width), float(h.differences.mean() + width))
        for h, width in zip(hypotheses, half, strict=True)
    ]
    return Outcomes(p, p, over_all, intervals, np.zeros(len(p), dtype=np.bool_), design.resamples)


def _adjusted(p: NDArray[np.float64], design: Design) -> NDArray[np.float64]:
    if design.correction == "none":
        return p
    if design.correction == "max-t":
        raise UsageError("The correction max-t goes with the test sign-flip; choose holm, say.")
    return adjust(p, design.correction)


def _check_resamples(family_size: int, design: Design) -> None:
    """The smallest p-value is 1 / (1 + B): corrected, it must be able to fall below alpha."""
    needed = math.floor(family_size / design.alpha)
    if design.resamples < needed:
        raise UsageError(
            f"With {design.resamples:,} resamples no corrected p-value of {family_size:,} tests "
            f"can fall below {design.alpha:g}: at least {needed:,} are needed (--resamples)"
            + (
                "."
                if design.correction == "max-t"
                else ", or the correction max-t, which needs no more for a larger family."
            )
        )


def _quantile(values: NDArray[np.float64], alpha: float) -> float:
    """The smallest value that at most a share alpha of the resamples and the data exceed."""
    place = math.ceil((1 - alpha) * (len(values) + 1)) - 1
    return float(np.partition(values, min(place, len(values) - 1))[min(place, len(values) - 1)])


def _max_t_interval(differences: NDArray[np.float64], critical: float) -> Interval | None:
    """Mean +- t s / sqrt(n), with t from the critical value of u = |sum d| / ||d||.

    t and u of the same differences are tied by t^2 = (n - 1) u^2 / (n - u^2).
    """
    n = len(differences)
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if are_the_same(differences):
        return (mean, mean)
    if critical**2 >= n:
        return None  # too few questions: some resample's statistic is the largest there can be
    t = math.sqrt((n - 1) * critical**2 / (n - critical**2))
    half = t * deviation / math.sqrt(n)
    return (mean - half, mean + half)
