"""Compares systems on the questions that they all answered.

The unit is the question: where a mean runs over several settings, each question's scores are
averaged first, so that one question asked in eleven languages is one observation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.design import Design
from harness.hypotheses import hypotheses_of
from harness.paired_testing import run_tests
from harness.significance.equivalence import tost
from harness.significance.letters import compact_letters
from harness.significance.paired_t import are_the_same
from harness.significance.rank_intervals import rank_intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.hypotheses import Hypothesis
    from harness.paired_scores import PairedScores
    from harness.paired_testing import Outcomes


TIE = 1e-9
"""Means of the same scores, added in another order, may differ in their last digits."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """System ``a`` minus system ``b`` in one setting or class of settings.

    Attributes:
        a: Name of the first system.
        b: Name of the second.
        setting: Id of the setting, or ``moir``, ``clir``, ``mlir`` for a class average.
        n: Number of questions that both have.
        mean_a: Mean of ``a`` over them.
        mean_b: Mean of ``b`` over them.
        difference: mean_a - mean_b.
        ci: Confidence interval of the difference; None where the data give no bound.
        p: p-value of this test alone, never 0.
        p_setting: p-value corrected for the tests of the same setting.
        p_adjusted: p-value corrected for the family of the design.
        effect_size: Mean difference in standard deviations of the differences (d_z); None where
            all differences are the same but not 0.
        wins: Questions on which ``a`` has the higher score.
        ties: Questions on which neither has.
        losses: Questions on which ``b`` has.
        exact: Whether p is neither estimated by resampling nor an approximation.
        p_equivalence: p-value of the two one-sided tests with the design's margin, if it has one.
    """

    a: str
    b: str
    setting: str
    n: int
    mean_a: float
    mean_b: float
    difference: float
    ci: tuple[float, float] | None
    p: float
    p_setting: float
    p_adjusted: float
    effect_size: float | None
    wins: int
    ties: int
    losses: int
    exact: bool
    p_equivalence: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a system stands in a setting.

    Attributes:
        system: Its name.
        mean: Its mean over its questions.
        letters: Systems that share a letter are not separated; empty against a baseline.
        ranks: The best and worst rank that the tests do not exclude; None against a baseline.
    """

    system: str
    mean: float
    letters: str
    ranks: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A family of paired tests.

    Attributes:
        measure: What is compared.
        design: How it is compared.
        family_size: Number of tests that are corrected for together.
        tests: Every test.
        standings: By setting, the systems, best first.
        notes: What a reader must know besides: missing questions, unusual scores.
        higher_is_better: False for measures of bias.
    """

    measure: str
    design: Design
    family_size: int
    tests: tuple[PairedDifference, ...]
    standings: Mapping[str, tuple[Standing, ...]]
    notes: tuple[str, ...]
    higher_is_better: bool = True

    @property
    def letters(self) -> dict[str, dict[str, str]]:
        """By setting and system, best first; empty against a baseline."""
        return {
            setting: {s.system: s.letters for s in found}
            for setting, found in self.standings.items()
            if found[0].letters
        }


Comparer = Callable[["PairedScores", Design], Comparison]
"""What compares systems as :func:`compare` does, perhaps with a memory of what it has compared."""


def compare(scores: PairedScores, design: Design | None = None) -> Comparison:
    """Tests the differences between systems.

    Args:
        scores: From :mod:`harness.paired_scores`.
        design: The test, the correction, the family; by default studentised sign-flip max-T over
            all pairs and settings.

    Raises:
        UsageError: If systems cannot be compared, or a test is not defined for the scores.
    """
    design = design or Design()
    hypotheses = hypotheses_of(scores, baseline=design.baseline, strict=design.strict)
    outcomes = run_tests(scores, hypotheses, design)
    tests = tuple(
        _difference(scores, hypothesis, outcomes, position, design)
        for position, hypothesis in enumerate(hypotheses)
    )
    per_setting = len(hypotheses) // len(scores.settings)
    return Comparison(
        measure=scores.measure,
        design=design,
        family_size=len(hypotheses) if design.family == "all" else per_setting,
        tests=tests,
        standings={name: _standings(scores, name, tests, design) for name in scores.settings},
        notes=_notes(scores),
        higher_is_better=scores.higher_is_better,
    )


def _difference(
    scores: PairedScores,
    hypothesis: Hypothesis,
    outcomes: Outcomes,
    position: int,
    design: Design,
) -> PairedDifference:
    differences = hypothesis.differences
    p_family = outcomes.p_all if design.family == "all" else outcomes.p_setting
    return PairedDifference(
        a=scores.systems[hypothesis.a],
        b=scores.systems[hypothesis.b],
        setting=scores.settings[hypothesis.setting],
        n=len(differences),
        mean_a=float(hypothesis.values_a.mean()),
        mean_b=float(hypothesis.values_b.mean()),
        difference=float(differences.mean()),
        ci=outcomes.intervals[position],
        p=float(outcomes.p[position]),
        p_setting=float(outcomes.p_setting[position]),
        p_adjusted=float(p_family[position]),
        effect_size=_effect_size(differences),
        wins=int((differences > TIE).sum()),
        ties=int((np.abs(differences) <= TIE).sum()),
        losses=int((differences < -TIE).sum()),
        exact=bool(outcomes.exact[position]),
        p_equivalence=_equivalence(differences, design.margin),
    )


def _effect_size(differences: NDArray[np.float64]) -> float | None:
    """The mean difference in standard deviations; None where only the mean is not 0."""
    if are_the_same(differences):
        return None if np.abs(differences).max() > TIE else 0.0
    return float(differences.mean() / differences.std(ddof=1))


def _equivalence(differences: NDArray[np.float64], margin: float | None) -> float | None:
    """p-value of the test of equivalence; None where none is asked for, or it is not defined."""
    if margin is None or are_the_same(differences):
        return None
    return tost(differences, margin).p


def _standings(
    scores: PairedScores, setting: str, tests: Sequence[PairedDifference], design: Design
) -> tuple[Standing, ...]:
    sign = -1 if scores.higher_is_better else 1
    values = scores.values[:, scores.settings.index(setting), :]
    means = dict(zip(scores.systems, np.nanmean(values, axis=0).tolist(), strict=True))
    best_first = sorted(means, key=lambda name: (sign * means[name], name))
    if design.baseline is not None:
        return tuple(Standing(name, means[name], "", None) for name in best_first)
    here = [t for t in tests if t.setting == setting and t.p_adjusted < design.alpha]
    better = np.zeros((len(best_first), len(best_first)), dtype=np.bool_)
    for test in here:
        pair = best_first.index(test.a), best_first.index(test.b)
        a_is_better = (test.difference > 0) == scores.higher_is_better
        better[pair if a_is_better else pair[::-1]] = True
    letters = compact_letters(best_first, {(t.a, t.b) for t in here})
    intervals = rank_intervals(better)
    return tuple(
        Standing(name, means[name], letters[name], (int(best), int(worst)))
        for name, best, worst in zip(best_first, intervals.best, intervals.worst, strict=True)
    )


def _notes(scores: PairedScores) -> tuple[str, ...]:
    notes = []
    lacking = scores.incomplete()
    if lacking:
        counts = {
            system: sum(found.get(system, 0) for found in lacking.values())
            for system in scores.systems
        }
        listed = ", ".join(f"{name} lacks {count:,}" for name, count in counts.items() if count)
        notes.append(
            f"Some systems lack questions that others have ({listed}): each pair is compared on "
            "the questions that both have."
        )
    known = scores.values[np.isfinite(scores.values)]
    if scores.higher_is_better and (known.min() < 0 or known.max() > 1):
        notes.append(
            f"Scores are not all within 0 and 1 (from {known.min():g} to {known.max():g}); "
            "that is allowed."
        )
    if scores.seeds:
        listed = ", ".join(f"{name} {count}" for name, count in scores.seed_counts().items())
        notes.append(f"Scores are averaged over seeds within each question (seeds: {listed}).")
        if alone := [name for name, count in scores.seed_counts().items() if count == 1]:
            notes.append(
                f"One seed says nothing about others: claims about {', '.join(alone)} are about "
                "this checkpoint, not its training."
            )
    return tuple(notes)
