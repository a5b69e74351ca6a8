"""What the tests must keep, each as a figure that is simulated and the range it must lie in."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.comparison import compare
from harness.design import Design
from harness.paired_scores import PairedScores, from_question_scores
from harness.question_scores import QuestionScores
from harness.significance.paired_t import paired_t
from harness.significance.score_lattice import LCM_TO_10
from harness.significance.seeds import seed_difference
from harness.significance.sign_flip import sign_flip, sign_flip_convolved
from harness.significance.tukey import randomised_tukey
from harness.significance.wilcoxon import wilcoxon
from tests.calibration.simulate import (
    COMMON,
    draw,
    draw_checkpoints,
    draw_in_languages,
    draw_near_clones,
    mean_score,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.comparison import PairedDifference

ALPHA = 0.05
SEED = 20_250
"""Seed of the suite; each bar has its own stream, from this and its name."""
STANDARD_ERRORS = 3.0
"""By so many standard errors of a share the ranges are wider in the cut-down form."""
RESAMPLES = 999
"""B of the Monte-Carlo tests: (1 + B) x .05 is whole, so that their nominal size is .05."""
FAMILY_RESAMPLES = 499
"""B within families, for the same reason."""

Kind = Literal["bar", "anti-test"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that must lie in a range.

    Attributes:
        name: Short name.
        what: What is simulated and what is counted.
        low: The figure must be at least this; above it, for an anti-test.
        high: The figure must be at most this; below it, for a |z|.
        simulations: Number of simulations, or of pairs for a |z|.
        quick: The same in the cut-down form.
        measure: Gives the figure from a source of chance and a number of simulations.
        kind: An anti-test must show that a wrong method is seen to be wrong.
        share: Whether the figure is a share of the simulations.
    """

    name: str
    what: str
    low: float
    high: float
    simulations: int
    quick: int
    measure: Callable[[np.random.Generator, int], float]
    kind: Kind = "bar"
    share: bool = True

    def run(self, *, quick: bool = False) -> float:
        """The figure."""
        rng = np.random.default_rng([SEED, *self.name.encode()])
        return self.measure(rng, self.quick if quick else self.simulations)

    def allowed(self, *, quick: bool = False) -> tuple[float, float]:
        """The range: with fewer simulations, wider by their standard errors."""
        if not (quick and self.share):
            return self.low, self.high
        low, high = (
            STANDARD_ERRORS * math.sqrt(limit * (1 - limit) / self.quick)
            for limit in (self.low, self.high)
        )
        return max(0.0, self.low - low), min(1.0, self.high + high)

    def met(self, figure: float, *, quick: bool = False) -> bool:
        """Whether the figure is in the range."""
        low, high = self.allowed(quick=quick)
        if self.kind == "anti-test":
            return low < figure
        if not self.share:
            return figure < high
        return low <= figure <= high


SingleTest = "Callable[[NDArray[np.float64], int], float]"


def p_of_t(differences: NDArray[np.float64], _seed: int) -> float:
    return paired_t(differences).p


def p_of_sign_flip(differences: NDArray[np.float64], seed: int) -> float:
    questions = names(len(differences))
    return sign_flip(differences, questions, resamples=RESAMPLES, seed=seed).p


def p_of_exact_sign_flip(differences: NDArray[np.float64], _seed: int) -> float:
    return sign_flip_convolved(differences).p


def p_of_wilcoxon(differences: NDArray[np.float64], _seed: int) -> float:
    return wilcoxon(differences).p


def size(test: SingleTest, n: int, rng: np.random.Generator, simulations: int) -> float:
    """Share of rejections of a test of n questions; two systems of the same quality."""
    rejected = 0
    for seed in range(simulations):
        a, b = draw(rng, (n,), (0.0, 0.0)).T
        rejected += test(a - b, seed) <= ALPHA
    return rejected / simulations


def size_under_asymmetry(
    test: SingleTest, n: int, rng: np.random.Generator, simulations: int
) -> float:
    """Share of rejections where many small gains and few large losses average 0."""
    rejected = 0
    steps = np.array([0, LCM_TO_10 // 10, -LCM_TO_10], dtype=np.float64)
    for seed in range(simulations):
        rejected += test(rng.choice(steps, n, p=[0.45, 0.5, 0.05]), seed) <= ALPHA
    return rejected / simulations


def clustered(
    design: Design, questions: int, languages: int, rng: np.random.Generator, simulations: int
) -> float:
    """Share of rejections of a test that averages a question over its languages first."""
    settings = tuple(f"moir/{chr(97 + i)}x-{chr(97 + i)}x" for i in range(languages))
    rejected = 0
    for seed in range(simulations):
        values = draw_in_languages(rng, questions, languages, 2) / LCM_TO_10
        by_system = {
            system: QuestionScores(
                measure="RR@10",
                settings=settings,
                questions=names(questions),
                setting=np.repeat(np.arange(languages), questions),
                question=np.tile(np.arange(questions), languages),
                value=values[:, :, column].T.ravel(),
            )
            for column, system in enumerate("ab")
        }
        scores = from_question_scores(by_system, ["moir"])
        rejected += compare(scores, replace(design, seed=seed)).tests[0].p <= ALPHA
    return rejected / simulations


def t_of_languages(
    questions: int, languages: int, rng: np.random.Generator, simulations: int
) -> float:
    """Share of rejections of a t-test whose observations are the means of the languages."""
    rejected = 0
    for _ in range(simulations):
        values = draw_in_languages(rng, questions, languages, 2)
        rejected += paired_t((values[..., 0] - values[..., 1]).mean(axis=0)).p <= ALPHA
    return rejected / simulations


def pooled_t(questions: int, languages: int, rng: np.random.Generator, simulations: int) -> float:
    """Share of rejections of a t-test of (question, language) pairs as if independent."""
    rejected = 0
    for _ in range(simulations):
        values = draw_in_languages(rng, questions, languages, 2)
        rejected += paired_t((values[..., 0] - values[..., 1]).ravel()).p <= ALPHA
    return rejected / simulations


@dataclass(frozen=True, slots=True)
class Systems:
    """Systems whose pairs are a family.

    Attributes:
        quality: Of each system.
        questions: Number of questions.
        settings: Number of settings that ask them; their correlation is that of languages if
            all systems have the same quality, else there is one.
        common: Chance of each system to give the common answer.
        baseline: Whether the other systems are compared with the first only.
    """

    quality: tuple[float, ...]
    questions: int
    settings: int = 1
    common: tuple[float, ...] | float = COMMON
    baseline: bool = False

    def scores(self, rng: np.random.Generator) -> PairedScores:
        """One draw."""
        if self.settings > 1 and len(set(self.quality)) == 1:
            values = draw_in_languages(rng, self.questions, self.settings, len(self.quality))
        else:
            values = draw(rng, (self.questions, self.settings), self.quality, self.common)
        return paired_scores(values)

    @property
    def truths(self) -> dict[str, float]:
        """The true mean of each system."""
        shared = np.broadcast_to(self.common, len(self.quality)).tolist()
        means = [mean_score(q, c) / LCM_TO_10 for q, c in zip(self.quality, shared, strict=True)]
        return {f"s{i}": mean for i, mean in enumerate(means)}

    def compared(self, rng: np.random.Generator, seed: int) -> tuple[PairedDifference, ...]:
        """The tests of one draw: the default ones, with few resamples."""
        baseline = "s0" if self.baseline else None
        design = Design(baseline=baseline, resamples=FAMILY_RESAMPLES, seed=seed)
        return compare(self.scores(rng), design).tests


def family_wise_error(systems: Systems, rng: np.random.Generator, simulations: int) -> float:
    """Share of simulations in which step-down max-T rejects a hypothesis that is true."""
    truths = systems.truths
    errors = 0
    for seed in range(simulations):
        errors += any(
            test.p_adjusted <= ALPHA and truths[test.a] == truths[test.b]
            for test in systems.compared(rng, seed)
        )
    return errors / simulations


def coverage(systems: Systems, rng: np.random.Generator, simulations: int) -> float:
    """Share of simulations in which all intervals hold the true differences."""
    truths = systems.truths
    covered = 0
    for seed in range(simulations):
        covered += all(
            test.ci is None or test.ci[0] <= truths[test.a] - truths[test.b] <= test.ci[1]
            for test in systems.compared(rng, seed)
        )
    return covered / simulations


CLONES = {"questions": 300, "others": 18, "gains": 0.2}


def max_t_power(rng: np.random.Generator, simulations: int) -> float:
    """Share of simulations in which step-down max-T separates the near-clones."""
    found = 0
    for seed in range(simulations):
        scores = paired_scores(draw_near_clones(rng, **CLONES)[:, None, :])
        tests = compare(scores, Design(resamples=FAMILY_RESAMPLES, seed=seed)).tests
        clones = set(scores.systems[-2:])
        found += next(t.p_adjusted for t in tests if {t.a, t.b} == clones) <= ALPHA
    return found / simulations


def tukey_power(rng: np.random.Generator, simulations: int) -> float:
    """The same of randomised Tukey HSD."""
    found = 0
    for seed in range(simulations):
        scores = draw_near_clones(rng, **CLONES) / LCM_TO_10
        result = randomised_tukey(scores, names(len(scores)), resamples=FAMILY_RESAMPLES, seed=seed)
        last = scores.shape[1] - 1
        found += result.p[last - 1, last] <= ALPHA
    return found / simulations


def largest_z(rng: np.random.Generator, pairs: int) -> float:
    """How far Monte-Carlo p-values lie from exact ones, in standard errors, at most."""
    systems = (1 + math.isqrt(1 + 8 * pairs)) // 2
    scores = paired_scores(draw(rng, (200, 1), np.linspace(0, 0.1, systems)))
    resamples = 99_999
    simulated, exact = (
        np.array([test.p for test in compare(scores, design).tests])
        for design in (
            Design(resamples=resamples),
            Design(test="sign-flip-exact", correction="none"),
        )
    )
    count = simulated * (1 + resamples) - 1
    z = (count - resamples * exact) / np.sqrt(resamples * exact * (1 - exact))
    return float(np.abs(z).max())


def two_way(seeds: tuple[int, int], rng: np.random.Generator, simulations: int) -> float:
    """Share of rejections of the test over questions and seeds; trainings equally good."""
    rejected = 0
    for _ in range(simulations):
        a, b = draw_checkpoints(rng, 300, seeds)
        rejected += seed_difference(a, b).p <= ALPHA
    return rejected / simulations


def best_seed(seeds: int, rng: np.random.Generator, simulations: int) -> float:
    """Share of rejections of a t-test of the best of several seeds against one of another."""
    rejected = 0
    for _ in range(simulations):
        a, b = draw_checkpoints(rng, 300, (seeds, 1))
        best = a[:, np.argmax(a.mean(axis=0))]
        rejected += paired_t(best - b[:, 0]).p <= ALPHA
    return rejected / simulations


def names(questions: int) -> tuple[str, ...]:
    """Ids of questions, ascending."""
    return tuple(f"q{i:04}" for i in range(questions))


def paired_scores(values: NDArray[np.float64]) -> PairedScores:
    """Scores of shape (questions, settings, systems) in units of 1/2520."""
    return PairedScores(
        measure="RR@10",
        systems=tuple(f"s{i}" for i in range(values.shape[2])),
        settings=tuple(f"setting {i}" for i in range(values.shape[1])),
        questions=names(len(values)),
        values=values / LCM_TO_10,
    )


def size_bars(
    test: SingleTest, label: str, what: str, questions: Sequence[int], quick: int
) -> list[Bar]:
    """The size of a test at several numbers of questions."""
    return [
        Bar(
            f"{label}, n = {n}",
            f"{what}, {n} questions: share of p <= .05",
            0.0435 if n >= 50 else 0.0,
            0.0565,
            10_000,
            quick if n >= 50 else 2_000,
            partial(size, test, n),
        )
        for n in questions
    ]


EQUAL = (0.0,) * 6
ASYMMETRY = "45% zeros, 50% gains of .1, 5% losses of 1, 1,190 questions: share of p <= .05"
LANGUAGES = "200 questions in 11 languages, correlation .55"

BARS: tuple[Bar, ...] = (
    *size_bars(p_of_t, "Size, paired t", "Equal systems", (8, 12, 20, 50, 200, 1190), 2_000),
    *size_bars(p_of_sign_flip, "Size, sign-flip", "Equal systems", (8, 12, 20, 50, 200), 400),
    *size_bars(
        p_of_exact_sign_flip, "Size, exact sign-flip", "Equal systems, convolution", (12, 50), 500
    ),
    Bar(
        "Size, clustered paired t",
        f"{LANGUAGES}, averaged within questions first: share of p <= .05",
        0.035,
        0.065,
        2_000,
        600,
        partial(clustered, Design(test="paired-t", correction="none"), 200, 11),
    ),
    Bar(
        "Size, clustered sign-flip",
        f"{LANGUAGES}, averaged within questions first: share of p <= .05",
        0.035,
        0.065,
        2_000,
        400,
        partial(clustered, Design(correction="none", resamples=RESAMPLES), 200, 11),
    ),
    *(
        Bar(
            f"Size, two-way, {seeds} seeds",
            f"300 questions, {seeds} seeds a side, equal trainings: share of p <= .05",
            0.0,
            0.0646,
            2_000,
            500,
            partial(two_way, (seeds, seeds)),
        )
        for seeds in (2, 3, 5)
    ),
    *(
        Bar(
            f"FWER, {name}",
            f"Step-down max-T, {what}: share with any true hypothesis rejected",
            0.0,
            0.0646,
            2_000,
            300,
            partial(family_wise_error, systems),
        )
        for name, what, systems in (
            ("all equal", "6 equal systems, 15 pairs, n = 100", Systems(EQUAL, 100)),
            (
                "several settings",
                "6 equal systems, 4 correlated settings, 60 pairs, n = 100",
                Systems(EQUAL, 100, settings=4),
            ),
            (
                "two groups",
                "3 weaker and 3 much stronger systems, 15 pairs, 6 of them equal, n = 100",
                Systems((0.0, 0.0, 0.0, 2.0, 2.0, 2.0), 100),
            ),
            (
                "near-clones",
                "3 systems that nearly always agree and 5 noisy ones, 28 pairs, n = 200",
                Systems((0.0,) * 8, 200, common=(0.95,) * 3 + (COMMON,) * 5),
            ),
            (
                "baseline",
                "6 equal systems, 5 against the first, n = 100",
                Systems(EQUAL, 100, baseline=True),
            ),
        )
    ),
    *(
        Bar(
            f"Coverage, {name}",
            f"Simultaneous 95% intervals, {what}: share with every true difference inside",
            0.935,
            1.0,
            2_000,
            300,
            partial(coverage, systems),
        )
        for name, what, systems in (
            (
                "one setting",
                "6 systems of rising quality, 15 pairs, n = 200",
                Systems((0.0, 0.1, 0.2, 0.3, 0.4, 0.5), 200),
            ),
            (
                "several settings",
                "6 systems of rising quality, 4 independent settings, 60 pairs, n = 200",
                Systems((0.0, 0.1, 0.2, 0.3, 0.4, 0.5), 200, settings=4),
            ),
        )
    ),
    Bar(
        "Power, near-clones, max-T",
        "18 noisy systems and two near-clones, one of which ranks a fifth of the answers a place "
        "higher, n = 300: share of adjusted p <= .05",
        0.85,
        1.0,
        1_000,
        100,
        max_t_power,
    ),
    Bar(
        "Power, near-clones, Tukey",
        "The same with randomised Tukey HSD, which misses them and is not the default",
        0.0,
        0.05,
        200,
        10,
        tukey_power,
    ),
    Bar(
        "Monte Carlo against exact",
        "p of 99,999 resamples against convolution, each pair of 20 systems, n = 200: largest |z|",
        0.0,
        4.0,
        190,
        15,
        largest_z,
        share=False,
    ),
    Bar(
        "Pooled t",
        f"{LANGUAGES}, the 2,200 pairs as if independent: share of p <= .05",
        0.2,
        1.0,
        2_000,
        300,
        partial(pooled_t, 200, 11),
        kind="anti-test",
    ),
    Bar(
        "t over languages",
        f"{LANGUAGES}, the 11 means of the languages as observations: share of p <= .05",
        0.2,
        1.0,
        2_000,
        300,
        partial(t_of_languages, 200, 11),
        kind="anti-test",
    ),
    Bar(
        "Wilcoxon under asymmetry",
        f"Mean 0: {ASYMMETRY}",
        0.9,
        1.0,
        2_000,
        100,
        partial(size_under_asymmetry, p_of_wilcoxon, 1190),
        kind="anti-test",
    ),
    Bar(
        "Best of 5 seeds against 1",
        "300 questions, equal trainings, paired t of the best checkpoint: share of p <= .05",
        0.15,
        1.0,
        2_000,
        500,
        partial(best_seed, 5),
        kind="anti-test",
    ),
)
