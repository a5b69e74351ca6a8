"""Entries that are seeds of one system: what is claimed is about the training, not one checkpoint.

Another seed would have given other scores, so the difference of two systems varies with their
seeds as well as with the questions. The scores of the seeds are averaged within each question, and
the variance between the means of the seeds is carried along.
"""

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
class SeedDifference:
    """System a minus system b, each with one or more seeds.

    Attributes:
        n: Number of questions.
        seeds_a: Number of seeds of a.
        seeds_b: Number of seeds of b.
        mean: Mean difference over questions and seeds.
        question_variance: Variance of ``mean`` that comes from the questions.
        seed_variance_a: Variance of ``mean`` that comes from the seeds of a; 0 with one seed,
            which says nothing about others.
        seed_variance_b: The same for b.
        df: Degrees of freedom of the standard error, between the fewest of its parts and n - 1 +
            seeds_a - 1 + seeds_b - 1.
        t: mean / standard_error; 0 where the mean is 0.
        p: Two-sided p-value, never 0.
    """

    n: int
    seeds_a: int
    seeds_b: int
    mean: float
    question_variance: float
    seed_variance_a: float
    seed_variance_b: float
    df: float
    t: float
    p: float

    @property
    def standard_error(self) -> float:
        """Of the mean difference, over questions and seeds."""
        parts = (self.question_variance, self.seed_variance_a, self.seed_variance_b)
        return math.sqrt(math.fsum(parts))

    @property
    def checkpoints_only(self) -> bool:
        """Whether a side has one seed: the claim is about this checkpoint, not its training."""
        return min(self.seeds_a, self.seeds_b) < 2

    def interval(self, alpha: float) -> tuple[float, float]:
        """The (1 - alpha) confidence interval of the mean difference."""
        half = -float(stdtrit(self.df, alpha / 2)) * self.standard_error
        return self.mean - half, self.mean + half


def average_seeds(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """A system's score on each question: the mean of its seeds.

    Args:
        scores: Shape (questions, seeds).

    Returns:
        Shape (questions,).

    Raises:
        UsageError: If there is no seed, or a seed lacks a question.
    """
    if scores.ndim != 2 or scores.shape[1] == 0 or not np.isfinite(scores).all():
        raise UsageError("Seeds of one system need a score of every seed on every question.")
    return np.asarray(scores.mean(axis=1))


def seed_difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> SeedDifference:
    """Tests whether two systems differ over questions and seeds, two-sided.

    With d_q the difference of the averages on question q and m_s the mean of seed s, the squared
    standard error is var(d) / n + var(m_a) / seeds_a + var(m_b) / seeds_b, and its degrees of
    freedom are those of Welch 1947 and Satterthwaite 1946. What a seed does to single questions is
    in two of the terms, so the test errs on the side of caution: in simulations with 2 to 5 seeds
    a side its size at level .05 was .02 to .06. With one seed each it is the paired t-test.

    Seeds of a and b are taken as independent, even where they have the same number.

    Args:
        a: Scores of the first system, shape (questions, seeds_a).
        b: Those of the second on the same questions, shape (questions, seeds_b).

    Raises:
        UsageError: If there are fewer than two questions, a seed lacks one of them, or neither
            questions nor seeds vary though the mean differs.
    """
    differences = _aligned_differences(a, b)
    n = len(differences)
    parts = [
        (float(np.var(differences, ddof=1)) / n, n - 1),
        (_seed_variance(a), a.shape[1] - 1),
        (_seed_variance(b), b.shape[1] - 1),
    ]
    mean = float(differences.mean())
    # fsum: the order of the parts does not matter, so swapping systems changes nothing else.
    variance = math.fsum(part for part, _ in parts)
    # Scores that are all the same may differ in their last digits.
    if mean != 0.0 and math.sqrt(variance) <= 1e-12 * max(np.abs(a).max(), np.abs(b).max()):
        raise UsageError(
            f"A test over questions and seeds is not defined where all differences are the same "
            f"({mean:g})."
        )
    df = float(n - 1)
    if variance > 0:
        # Shares of the variance, so that no square underflows.
        df = 1 / math.fsum((part / variance) ** 2 / free for part, free in parts if free)
    t = mean / math.sqrt(variance) if variance > 0 else 0.0
    p = min(1.0, max(2 * float(stdtr(df, -abs(t))), sys.float_info.min))
    return SeedDifference(
        n=n,
        seeds_a=a.shape[1],
        seeds_b=b.shape[1],
        mean=mean,
        question_variance=parts[0][0],
        seed_variance_a=parts[1][0],
        seed_variance_b=parts[2][0],
        df=df,
        t=t,
        p=p,
    )


def _aligned_differences(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(a) != len(b) or len(a) < 2:
        raise UsageError(
            f"Seeds are compared on the same questions, at least 2; found {len(a)} and {len(b)}."
        )
    return average_seeds(a) - average_seeds(b)


def _seed_variance(scores: NDArray[np.float64]) -> float:
    """Variance of a system's mean that comes from its seeds, from the spread of their means."""
    seeds = scores.shape[1]
    return float(np.var(scores.mean(axis=0), ddof=1)) / seeds if seeds > 1 else 0.0
