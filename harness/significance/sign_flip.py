"""The sign-flip randomisation test of a mean paired difference.

Under the null hypothesis each question's difference is as likely to have one sign as the other
(Fisher 1935; Smucker, Allan & Carterette 2007). The test counts how often flipping signs at random
gives a sum at least as far from 0 as the one observed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.significance.signs import Signs
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_ENUMERATED = 20
"""Up to so many differences that are not 0, all sign patterns are enumerated."""
MOST_CONVOLVED = 4 * 10**9
"""Steps of the convolution that are still done: a few seconds."""
RESAMPLES_PER_BLOCK = 4096
TIE = 1e-9
"""Sums that tie on paper may differ by the rounding of scores that are on no coarse lattice."""

Method = Literal["enumeration", "convolution", "monte-carlo"]


@dataclass(frozen=True, slots=True)
class SignFlip:
    """Result of a sign-flip test.

    Attributes:
        p: Two-sided p-value, never 0.
        method: How it was computed; the first two are exact.
        resamples: Number of sign patterns that were looked at (2^62 stands for that or more).
    """

    p: float
    method: Method
    resamples: int

    @property
    def exact(self) -> bool:
        """Whether p has no Monte-Carlo error."""
        return self.method != "monte-carlo"


def sign_flip(
    differences: NDArray[np.float64], questions: Sequence[str], *, resamples: int, seed: int
) -> SignFlip:
    """Exact for up to 20 differences that are not 0, else Monte Carlo with the +1 rule.

    Args:
        differences: Whole numbers (see :mod:`harness.significance.score_lattice`), shape (n,).
        questions: Id of each difference's question.
        resamples: Number B of resamples; p = (1 + count) / (1 + B) (Phipson & Smyth 2010).
        seed: Seed of the signs.
    """
    if np.count_nonzero(differences) <= MOST_ENUMERATED:
        return sign_flip_enumerated(differences)
    observed = abs(float(differences.sum())) * (1 - TIE)
    signs = Signs(questions, seed, resamples)
    count = 0
    for start in range(0, resamples, RESAMPLES_PER_BLOCK):
        stop = min(start + RESAMPLES_PER_BLOCK, resamples)
        sums = differences @ signs.block(start, stop, np.float64)
        count += int((np.abs(sums) >= observed).sum())
    return SignFlip((1 + count) / (1 + resamples), "monte-carlo", resamples)


def sign_flip_enumerated(differences: NDArray[np.float64]) -> SignFlip:
    """Exact: every pattern of signs of the differences that are not 0.

    Raises:
        UsageError: If there are more than 20 of them.
    """
    moving = differences[differences != 0]
    if len(moving) > MOST_ENUMERATED:
        raise UsageError(f"{len(moving)} differences have too many sign patterns to enumerate.")
    sums = np.zeros(1)
    for difference in moving:
        sums = np.concatenate([sums + difference, sums - difference])
    count = int((np.abs(sums) >= abs(float(moving.sum())) * (1 - TIE)).sum())
    return SignFlip(count / len(sums), "enumeration", len(sums))


def sign_flip_convolved(differences: NDArray[np.float64]) -> SignFlip:
    """Exact at any n: the distribution of the sum, one difference after the other.

    Probabilities of all reachable sums are added, never subtracted, so even the far tail keeps
    its relative precision.

    Args:
        differences: Whole numbers, shape (n,).

    Raises:
        UsageError: If the differences are too fine for this: use Monte Carlo.
    """
    moving = differences[differences != 0].astype(np.int64)
    if not len(moving):
        return SignFlip(1.0, "convolution", 1)
    moving //= np.gcd.reduce(moving)
    sizes = np.sort(np.abs(moving))
    if int(np.cumsum(sizes).sum()) > MOST_CONVOLVED:
        raise UsageError(
            "The scores are not on a coarse lattice (as RR@10 is), so the exact distribution has "
            "too many values; use the sign-flip test by Monte Carlo."
        )
    # The sum after flipping is the total less twice the part that is flipped: follow that part.
    chance = np.ones(1)
    for size in sizes:
        longer = np.zeros(len(chance) + size)
        longer[: len(chance)] = chance
        longer[size:] += chance
        chance = longer / 2
    total = int(sizes.sum())
    sums = np.abs(total - 2 * np.arange(total + 1))
    p = float(chance[sums >= abs(int(moving.sum()))].sum())
    return SignFlip(min(1.0, max(p, sys.float_info.min)), "convolution", 2 ** min(len(sizes), 62))
