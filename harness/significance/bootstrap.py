"""The bootstrap's confidence interval of a mean difference, bias-corrected and accelerated."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from harness.significance.score_lattice import on_score_lattice
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DRAWS_PER_BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Means of resampled differences.

    Attributes:
        mean: Mean of the differences.
        means: Mean of each resample, ascending, shape (resamples,).
        bias: The bias correction z0: the normal quantile of the share of means below ``mean``.
        acceleration: How the standard error of the mean changes with the mean.
    """

    mean: float
    means: NDArray[np.float64]
    bias: float
    acceleration: float

    def interval(self, alpha: float) -> tuple[float, float]:
        """The (1 - alpha) BCa interval of the mean difference (Efron 1987, eq. 2.3).

        Raises:
            UsageError: If an end lies so far out that resamples do not reach it.
        """
        if not 0 < alpha < 1:
            raise UsageError(f"alpha must be between 0 and 1, found {alpha:g}.")
        if self.means[0] == self.means[-1]:
            return self.mean, self.mean
        lower, upper = self._level(alpha / 2), self._level(1 - alpha / 2)
        outside = min(lower, 1 - upper)
        if outside * (len(self.means) + 1) < 1:
            raise UsageError(
                f"{len(self.means)} resamples do not reach the ends of a {1 - alpha:.6g} interval; "
                "take more resamples."
            )
        low, high = np.quantile(self.means, [lower, upper])
        return float(low), float(high)

    def _level(self, nominal: float) -> float:
        """The share of means below the end of the interval."""
        moved = self.bias + float(ndtri(nominal))
        shrunk = 1 - self.acceleration * moved
        # At 0 the acceleration has moved the end to infinity.
        return float(ndtr(self.bias + moved / shrunk)) if shrunk > 0 else float(moved > 0)


def bootstrap(
    differences: NDArray[np.float64], questions: Sequence[str], *, resamples: int, seed: int
) -> Bootstrap:
    """Resamples questions with replacement.

    A resample takes n of the n questions, so it cannot be drawn question by question. To depend on
    neither order nor blocks, the questions are sorted by id and resample b uses the words
    [b ceil(n / 2), (b + 1) ceil(n / 2)) of one Philox stream, two draws a word. Other questions
    give other draws.

    Args:
        differences: One a question, shape (n,). They are put on the lattice of
            :mod:`harness.significance.score_lattice` first, so that sums and ties are exact.
        questions: Id of each difference's question.
        resamples: Number of resamples.
        seed: Seed of the draws, 0 to 2^64 - 1.

    Raises:
        UsageError: If there are fewer than two differences, one is not finite, or all are the same
            but not 0: resamples do not vary then; or if there are too few resamples to say how
            the means lie about the observed one.
    """
    n = len(differences)
    if n < 2 or not np.isfinite(differences).all():
        raise UsageError(f"The bootstrap needs at least 2 finite differences, found {n} in all.")
    order = sorted(range(n), key=questions.__getitem__)
    whole, unit = on_score_lattice(differences[order])
    total = float(whole.sum())
    if total != 0.0 and np.ptp(whole) == 0:
        raise UsageError(
            f"The bootstrap is not defined where all {n} differences are the same "
            f"({total * unit / n:g})."
        )
    sums = np.empty(resamples)
    stream = _stream(seed)
    words = -(-n // 2)
    step = max(1, DRAWS_PER_BLOCK // n)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        halves = stream.random_raw((stop - start) * words).astype("<u8").view("<u4")
        drawn = halves.reshape(stop - start, 2 * words)[:, :n].astype(np.uint64)
        # Multiply and shift: a question's chance is 1/n to within 2^-32.
        drawn *= np.uint64(n)
        drawn >>= np.uint64(32)
        sums[start:stop] = whole[drawn.astype(np.intp)].sum(axis=1)
    sums.sort()
    return Bootstrap(
        mean=total * unit / n,
        means=sums * unit / n,
        bias=_bias(sums, total),
        acceleration=_acceleration(whole - total / n),
    )


def _bias(sums: NDArray[np.float64], observed: float) -> float:
    """z0, with half of the sums that equal the observed one counted as below it."""
    below = np.searchsorted(sums, observed, "left") + np.searchsorted(sums, observed, "right")
    share = float(below) / (2 * len(sums))
    if not 0 < share < 1:
        raise UsageError(f"{len(sums)} resamples are too few; take 10,000.")
    return float(ndtri(share))


def _acceleration(centred: NDArray[np.float64]) -> float:
    """By the jackknife (Efron 1987, eq. 6.6).

    Leaving out difference i moves the mean by (mean - d_i) / (n - 1), so the jackknife's cubes and
    squares are those of the centred differences.
    """
    squares = float((centred**2).sum())
    return float((centred**3).sum()) / (6 * squares**1.5) if squares else 0.0


def _stream(seed: int) -> np.random.Philox:
    """One stream for a seed, apart from those of signs."""
    digest = hashlib.blake2b(digest_size=16, salt=seed.to_bytes(8, "little"), person=b"bootstrap")
    return np.random.Philox(key=np.frombuffer(digest.digest(), dtype="<u8").astype(np.uint64))
