"""Compares systems on the questions that they all answered.

The unit is the question: where a mean runs over several settings, each question's scores are
averaged first, so that one question asked in eleven languages is one observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from harness.significance.corrections import bonferroni
from harness.significance.letters import compact_letters
from harness.significance.paired_t import paired_t
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Scores = "Mapping[str, Mapping[str, float]]"


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """System ``a`` minus system ``b`` in one setting or class of settings.

    Attributes:
        a: Name of the first system.
        b: Name of the second.
        setting: Id of the setting, or ``moir``, ``clir``, ``mlir`` for a class average.
        n: Number of questions.
        mean_a: Mean of ``a`` over the questions.
        mean_b: Mean of ``b`` over the questions.
        difference: mean_a - mean_b.
        ci: Confidence interval of the difference, simultaneous over the family.
        p: p-value of this test alone.
        p_adjusted: p-value corrected for the family.
        effect_size: Mean difference in standard deviations of the differences (d_z).
        wins: Questions on which ``a`` is ahead.
        ties: Questions on which neither is.
        losses: Questions on which ``b`` is ahead.
    """

    a: str
    b: str
    setting: str
    n: int
    mean_a: float
    mean_b: float
    difference: float
    ci: tuple[float, float]
    p: float
    p_adjusted: float
    effect_size: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A family of paired tests.

    Attributes:
        measure: What is compared.
        test: Name of the test.
        correction: Name of the correction.
        alpha: Level at which the family is tested.
        tests: Every test of the family.
        letters: By setting, the letters of each system, best first.
    """

    measure: str
    test: str
    correction: str
    alpha: float
    tests: tuple[PairedDifference, ...]
    letters: Mapping[str, Mapping[str, str]]

    @property
    def family_size(self) -> int:
        """Number of hypotheses that are corrected for together."""
        return len(self.tests)


def compare(
    scores: Mapping[str, Mapping[str, Mapping[str, float]]],
    measure: str,
    *,
    alpha: float = 0.05,
    baseline: str | None = None,
    higher_is_better: bool = True,
) -> Comparison:
    """Tests every pair of systems in every setting: paired t, Bonferroni over all the tests.

    Args:
        scores: By setting (or class of settings), by system: each question's score.
        measure: Name of what is compared.
        alpha: Level at which the family is tested.
        baseline: Compare each other system with this one only.
        higher_is_better: Which way the systems are ordered, best first.

    Raises:
        UsageError: If there are fewer than two systems, or two of them do not have the same
            questions, or a test is not defined.
    """
    if not 0 < alpha < 1:
        raise UsageError(f"alpha must be between 0 and 1, found {alpha:g}.")
    family = [
        (setting, a, b)
        for setting, systems in scores.items()
        for a, b in _pairs(list(systems), baseline)
    ]
    tests = []
    for setting, a, b in family:
        values_a, values_b = _aligned(setting, a, b, scores[setting])
        differences = values_a - values_b
        result = paired_t(differences)
        tests.append(
            PairedDifference(
                a=a,
                b=b,
                setting=setting,
                n=result.n,
                mean_a=float(values_a.mean()),
                mean_b=float(values_b.mean()),
                difference=result.mean,
                ci=result.interval(alpha / len(family)),
                p=result.p,
                p_adjusted=bonferroni(result.p, len(family)),
                effect_size=result.effect_size,
                wins=int((differences > 0).sum()),
                ties=int((differences == 0).sum()),
                losses=int((differences < 0).sum()),
            )
        )
    letters = {
        setting: _letters(setting, systems, tests, alpha, higher_is_better=higher_is_better)
        for setting, systems in scores.items()
        if baseline is None
    }
    return Comparison(measure, "paired t", "bonferroni", alpha, tuple(tests), letters)


def _pairs(systems: Sequence[str], baseline: str | None) -> list[tuple[str, str]]:
    if len(systems) < 2:
        raise UsageError(f"A comparison needs at least two systems, found {len(systems)}.")
    if baseline is None:
        return list(combinations(systems, 2))
    if baseline not in systems:
        raise UsageError(f"The baseline {baseline!r} is not among {', '.join(systems)}.")
    return [(system, baseline) for system in systems if system != baseline]


def _aligned(
    setting: str, a: str, b: str, systems: Mapping[str, Mapping[str, float]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    questions = sorted(systems[a])
    if questions != sorted(systems[b]):
        alone = set(systems[a]) ^ set(systems[b])
        raise UsageError(
            f"{a!r} and {b!r} do not have the same questions in {setting!r}: "
            f"{len(alone)} are in one only, such as {min(alone)!r}."
        )
    return (
        np.array([systems[a][q] for q in questions]),
        np.array([systems[b][q] for q in questions]),
    )


def _letters(
    setting: str,
    systems: Mapping[str, Mapping[str, float]],
    tests: Sequence[PairedDifference],
    alpha: float,
    *,
    higher_is_better: bool,
) -> dict[str, str]:
    sign = -1 if higher_is_better else 1
    means = {name: sign * float(np.mean(list(scores.values()))) for name, scores in systems.items()}
    separated = {(t.a, t.b) for t in tests if t.setting == setting and t.p_adjusted < alpha}
    return compact_letters(sorted(means, key=lambda name: (means[name], name)), separated)
