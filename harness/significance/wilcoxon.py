"""Wilcoxon's signed-rank test.

It does not test means: it rejects where positive and negative differences are spread differently,
even if they average 0. It is offered because papers report it; it is not the default.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from harness.significance.score_lattice import on_score_lattice
from harness.significance.sign_flip import sign_flip_convolved
from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EXACT = 50
"""Up to so many differences that are not 0, the distribution of the ranks' sum is computed."""


@dataclass(frozen=True, slots=True)
class Wilcoxon:
    """Result of a signed-rank test on n differences.

    Attributes:
        n: Number of differences, with those that are 0.
        positive: Sum of the ranks of the positive differences, often called W+.
        negative: Sum of the ranks of the negative differences.
        z: (positive - negative) / its standard deviation; 0 where all differences are 0.
        p: Two-sided p-value, never 0.
        exact: Whether p is of the exact distribution, not of the normal one.
    """

    n: int
    positive: float
    negative: float
    z: float
    p: float
    exact: bool


def wilcoxon(differences: NDArray[np.float64]) -> Wilcoxon:
    """Tests whether paired differences are symmetric about 0, two-sided (Wilcoxon 1945).

    Differences of 0 are ranked with the others and their ranks then left out (Pratt 1959). Equal
    sizes share the mean of their ranks. Given the ranks, the test is a sign-flip test of them: p
    is exact, with ties and zeros, for up to 50 differences that are not 0. Above, it is of the
    normal approximation without continuity correction; the variance is the sum of the squared
    ranks, which is the textbook's n (n + 1) (2n + 1) / 6 corrected for ties and zeros.

    Args:
        differences: One a question, shape (n,). They are put on the lattice of
            :mod:`harness.significance.score_lattice` first: those that only rounding tells apart
            are ties.

    Raises:
        UsageError: If there is no difference, or one is not finite.
    """
    n = len(differences)
    if n == 0 or not np.isfinite(differences).all():
        raise UsageError("Wilcoxon's test needs at least 1 difference, and all of them finite.")
    whole, _ = on_score_lattice(differences)
    signed = _doubled_ranks(np.abs(whole)) * np.sign(whole).astype(np.int64)
    total = int(signed.sum())
    sizes = int(np.abs(signed).sum())
    spread = math.sqrt(float((signed.astype(np.float64) ** 2).sum()))
    z = total / spread if spread else 0.0
    exact = int(np.count_nonzero(signed)) <= MOST_EXACT
    if exact:
        p = sign_flip_convolved(signed.astype(np.float64)).p
    else:
        p = min(1.0, max(2 * float(ndtr(-abs(z))), sys.float_info.min))
    return Wilcoxon(n, (sizes + total) / 4, (sizes - total) / 4, z, p, exact)


def _doubled_ranks(sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Twice the ascending ranks; ties share the mean of theirs, so that twice it is whole."""
    _, place, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    doubled = 2 * np.cumsum(counts) - counts + 1
    return np.asarray(doubled[place], dtype=np.int64)
