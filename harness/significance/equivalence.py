"""Equivalence: that two systems differ by less than a margin is a claim that needs its own test.

A difference that is not significant is no such claim: it may just be that questions are few.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr

from harness.significance.paired_t import PairedT, paired_t
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Result of two one-sided tests.

    Attributes:
        differences: The paired t-test of the same differences.
        margin: The mean difference from which systems would not be equivalent.
        p_lower: p-value of the hypothesis that the mean difference is -margin or lower.
        p_upper: p-value of the hypothesis that it is +margin or higher.
    """

    differences: PairedT
    margin: float
    p_lower: float
    p_upper: float

    @property
    def p(self) -> float:
        """p-value of the hypothesis that systems are not equivalent, never 0."""
        return max(self.p_lower, self.p_upper)

    def interval(self, alpha: float) -> tuple[float, float]:
        """The (1 - 2 alpha) interval of the mean difference, within the margin where p < alpha."""
        return self.differences.interval(2 * alpha)

    def equivalent(self, alpha: float) -> bool:
        """Whether the mean difference is shown to be within the margin, at level alpha."""
        return self.p < alpha

    def statement(self, alpha: float) -> str:
        """What the test says, in words."""
        if self.equivalent(alpha):
            return f"equivalent within {self.margin:g} (p = {self.p:.3g})"
        return f"not shown to be equivalent within {self.margin:g} (p = {self.p:.3g})"


def tost(differences: NDArray[np.float64], margin: float) -> Equivalence:
    """Two one-sided paired t-tests (Schuirmann 1987).

    Args:
        differences: One a question, shape (n,).
        margin: In the unit of the differences, above 0; it is chosen before the scores are seen.

    Raises:
        UsageError: If the margin is not above 0, there are fewer than two differences, one is not
            finite, or all are the same: without spread, there is nothing to judge the mean by.
    """
    if not 0 < margin < math.inf:
        raise UsageError(f"The margin of equivalence must be above 0, found {margin:g}.")
    if not np.isfinite(differences).all():
        raise UsageError("A test of equivalence needs finite differences.")
    tested = paired_t(differences)
    if tested.deviation == 0.0:
        raise UsageError(
            f"A test of equivalence is not defined where all {tested.n} differences are the same "
            f"({tested.mean:g})."
        )
    error = tested.deviation / math.sqrt(tested.n)
    p_lower = float(stdtr(tested.n - 1, -(tested.mean + margin) / error))
    p_upper = float(stdtr(tested.n - 1, (tested.mean - margin) / error))
    return Equivalence(
        tested, margin, max(p_lower, sys.float_info.min), max(p_upper, sys.float_info.min)
    )
