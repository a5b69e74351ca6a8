"""All pairs of very many systems at once, by the range of their means.

A thousand systems make half a million pairs: a statistic for each pair in each resample is out of
reach, the largest difference of a resample is not, as it is the highest minus the lowest mean. The
range is resampled by the multiplier bootstrap: the scores of each system, less their mean, are
multiplied by one random sign a question, the same for all systems (Chernozhukov, Chetverikov &
Kato 2013, "Gaussian approximations and multiplier bootstrap for maxima of sums of high-dimensional
random vectors"). Each pair's difference is compared with that range, as in Tukey's HSD. The
intervals of all pairs hold together, asymptotically in the number of questions, and all have the
same width: among few systems step-down max-T, which studentises, sees more.

What a resample adds up to does not depend on the other systems, so the highest and lowest sums of
systems that were resampled before need not be computed again when one is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT_BITS = 52
FINEST_BITS = 32


@dataclass(frozen=True, slots=True)
class Extremes:
    """The highest and the lowest sum of any system in each resample.

    Attributes:
        highest: In units of 2^-bits of the lattice over the number of questions, shape
            (resamples,).
        lowest: Likewise.
    """

    highest: NDArray[np.float64]
    lowest: NDArray[np.float64]

    def with_others(self, others: Extremes) -> Extremes:
        """Those of both groups of systems together."""
        return Extremes(
            np.maximum(self.highest, others.highest), np.minimum(self.lowest, others.lowest)
        )


@dataclass(frozen=True, slots=True)
class RangeOfMeans:
    """What differences of means are held against.

    Attributes:
        ranges: The largest difference of means in each resample, ascending; infinite where
            nothing is known of them, shape (resamples,).
    """

    ranges: NDArray[np.float64]

    def p(self, differences: NDArray[np.float64]) -> NDArray[np.float64]:
        """Adjusted p-values of differences of means, never 0, of their shape."""
        below = np.searchsorted(self.ranges, np.abs(differences), "left")
        return (1 + len(self.ranges) - below) / (1 + len(self.ranges))

    def critical(self, alpha: float) -> float:
        """The difference above which p < alpha; infinite if there are too few resamples."""
        count = len(self.ranges)
        # The p-values themselves, as alpha x (1 + B) may round to another whole number.
        most = int(np.searchsorted(np.arange(1, count + 2) / (1 + count), alpha, "left")) - 1
        return float(self.ranges[count - 1 - most]) if most >= 0 else math.inf


def extremes(scores: NDArray[np.float64], signs: NDArray[np.floating]) -> Extremes:
    """The extremes of some systems.

    Sums are of whole numbers and so exact: they do not depend on the order of questions, nor on
    which systems are resampled together.

    Args:
        scores: At most 1 in size, shape (systems, questions), systems at least 1.
        signs: +1 and -1, a row for each question, shape (questions, resamples).
    """
    whole = np.rint(scores * 2.0 ** _bits(scores.shape[1]))
    centred = whole * scores.shape[1] - whole.sum(axis=1, keepdims=True)
    sums = centred @ signs
    return Extremes(sums.max(axis=0), sums.min(axis=0))


def range_of_means(found: Extremes, questions: int) -> RangeOfMeans:
    """The ranges behind some extremes.

    Args:
        found: Of all systems.
        questions: Number of questions that the scores were of. One says nothing of how scores
            spread: ranges are infinite then, and no difference is significant.
    """
    if questions < 2:
        return RangeOfMeans(np.full(len(found.highest), np.inf))
    unit = 2.0 ** -_bits(questions) / questions**2
    return RangeOfMeans(np.sort(found.highest - found.lowest) * unit)


def _bits(questions: int) -> int:
    """Of the lattice: centred sums are at most 2 questions^2 and must stay exact in float64."""
    return min(FINEST_BITS, EXACT_BITS - 2 * math.ceil(math.log2(questions + 1)) - 1)
