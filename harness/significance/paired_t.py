"""The paired t-test."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr, stdtrit

from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PairedT:
    """Result of a paired t-test on n differences.

    Attributes:
        n: Number of differences.
        mean: Their mean.
        deviation: Their standard deviation, with n - 1.
        t: mean / (deviation / sqrt(n)); 0 where all differences are 0.
        p: Two-sided p-value, never 0.
    """

    n: int
    mean: float
    deviation: float
    t: float
    p: float

    def interval(self, alpha: float) -> tuple[float, float]:
        """The (1 - alpha) confidence interval of the mean difference."""
        half = -float(stdtrit(self.n - 1, alpha / 2)) * self.deviation / math.sqrt(self.n)
        return self.mean - half, self.mean + half

    @property
    def effect_size(self) -> float:
        """Cohen's d_z: the mean difference in standard deviations of the differences."""
        return self.mean / self.deviation if self.deviation else 0.0


def paired_t(differences: NDArray[np.float64]) -> PairedT:
    """Tests whether the mean of paired differences is 0, two-sided (Student 1908).

    Args:
        differences: One a question, shape (n,).

    Raises:
        UsageError: If there are fewer than two differences, one is not finite, or all are the same
            but not 0: the test is not defined then.
    """
    n = len(differences)
    if n < 2:
        raise UsageError(f"A paired t-test needs at least 2 questions, found {n}.")
    if not np.isfinite(differences).all():
        raise UsageError("A paired t-test needs finite differences.")
    mean = float(np.mean(differences))
    deviation = float(np.std(differences, ddof=1))
    if are_the_same(differences):
        deviation = 0.0
    if deviation == 0.0 and mean != 0.0:
        raise UsageError(
            f"A paired t-test is not defined where all {n} differences are the same ({mean:g})."
        )
    t = mean / (deviation / math.sqrt(n)) if deviation else 0.0
    p = 2 * float(stdtr(n - 1, -abs(t)))
    # Far in the tail the probability is below what a float64 can hold, but it is not 0.
    return PairedT(n, mean, deviation, t, min(1.0, max(p, sys.float_info.min)))


def are_the_same(differences: NDArray[np.float64]) -> bool:
    """Whether differences, shape (n,), are equal but for the rounding of float64."""
    return bool(np.ptp(differences) <= 1e-12 * np.abs(differences).max())


def t_interval(differences: NDArray[np.float64], alpha: float) -> tuple[float, float]:
    """The (1 - alpha) confidence interval of a mean difference, by Student's t.

    Args:
        differences: At least two, shape (n,).
        alpha: Level.
    """
    n, mean, deviation = len(differences), float(differences.mean()), float(differences.std(ddof=1))
    return PairedT(n, mean, deviation, 0.0, 1.0).interval(alpha)
