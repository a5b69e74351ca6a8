"""What a paired t-test can see: power, the smallest effect it detects, the questions it needs.

With mean difference e and standard deviation s of the differences, t of n questions has the
noncentral t distribution with noncentrality sqrt(n) e / s (Cohen 1988, "Statistical power analysis
for the behavioral sciences", chapter 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv, ndtr, stdtrit

from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_POWER = 0.9999
MOST_QUESTIONS = 10**9
NODES = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """How differences are going to be tested.

    Attributes:
        alpha: Two-sided level of the family.
        power: Wanted chance that a difference, if there is one, is significant.
        family_size: Number of tests that Bonferroni corrects for.
    """

    alpha: float = 0.05
    power: float = 0.8
    family_size: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha must be between 0 and 1, found {self.alpha:g}.")
        if self.family_size < 1:
            raise UsageError(f"A family has at least 1 test, found {self.family_size}.")
        if not self.level < self.power <= MOST_POWER:
            raise UsageError(
                f"Power must be above the level of a test ({self.level:g}) and at most "
                f"{MOST_POWER:g}, found {self.power:g}."
            )

    @property
    def level(self) -> float:
        """Level of each test."""
        return self.alpha / self.family_size


def power_of_paired_t(effect: float, deviation: float, n: int, plan: Plan) -> float:
    """The chance that the test of n questions is significant.

    Args:
        effect: True mean difference.
        deviation: Standard deviation of the differences, in the same unit.
        n: Number of questions.
        plan: Level and family; the plan's own power is not used.

    Raises:
        UsageError: If there are fewer than two questions, the effect is not finite, or the
            deviation is not above 0.
    """
    _check(deviation, n)
    if not math.isfinite(effect):
        raise UsageError(f"An effect is a finite number, found {effect:g}.")
    return _power(abs(effect) / deviation * math.sqrt(n), n, plan.level)


def minimum_detectable_effect(deviation: float, n: int, plan: Plan) -> float:
    """The smallest mean difference that is significant with the power wanted.

    Args:
        deviation: Standard deviation of the differences.
        n: Number of questions.
        plan: Level, family and power.

    Returns:
        In the unit of the deviation, above 0.

    Raises:
        UsageError: If there are fewer than two questions, or the deviation is not above 0.
    """
    _check(deviation, n)
    low, high = 0.0, 1.0
    while _power(high, n, plan.level) < plan.power:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if _power(middle, n, plan.level) < plan.power:
            low = middle
        else:
            high = middle
    return high * deviation / math.sqrt(n)


def questions_needed(effect: float, deviation: float, plan: Plan) -> int:
    """The fewest questions on which a mean difference is significant with the power wanted.

    Args:
        effect: True mean difference, not 0.
        deviation: Standard deviation of the differences, in the same unit.
        plan: Level, family and power.

    Raises:
        UsageError: If the effect is 0, the deviation is not above 0, or a thousand million
            questions are not enough.
    """
    if not 0 < abs(effect) < math.inf:
        raise UsageError(f"No number of questions shows an effect of {effect:g}.")
    low, high = 1, 2
    while power_of_paired_t(effect, deviation, high, plan) < plan.power:
        if high == MOST_QUESTIONS:
            raise UsageError(
                f"More than {MOST_QUESTIONS:,} questions are needed to show an effect of "
                f"{effect:g} where differences have a standard deviation of {deviation:g}."
            )
        low, high = high, min(2 * high, MOST_QUESTIONS)
    while high - low > 1:
        middle = (low + high) // 2
        if power_of_paired_t(effect, deviation, middle, plan) < plan.power:
            low = middle
        else:
            high = middle
    return high


def _power(noncentrality: float, n: int, level: float) -> float:
    """P(|t| > the critical value), to within 1e-8 from five questions on.

    t is (z + noncentrality) / r, with z normal and r^2 chi-square over its degrees of freedom. For
    each r the normal distribution gives the chance; the mean over r is a sum over its quantiles.
    The noncentral t of scipy is nan in parts of the range that is needed here.
    """
    critical = -float(stdtrit(n - 1, level / 2))
    places, weights = _quadrature()
    limit = critical * np.sqrt(2 * gammaincinv((n - 1) / 2, places) / (n - 1))
    beyond = ndtr(noncentrality - limit) + ndtr(-noncentrality - limit)
    return min(1.0, float(weights @ beyond))


@cache
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places in (0, 1), closer together at both ends, and weights that sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    even = (nodes + 1) / 2
    return even**2 * (3 - 2 * even), 3 * weights * even * (1 - even)


def _check(deviation: float, n: int) -> None:
    if n < 2:
        raise UsageError(f"A paired t-test needs at least 2 questions, found {n}.")
    if not 0 < deviation < math.inf:
        raise UsageError(
            f"The standard deviation of differences must be above 0, found {deviation:g}."
        )
