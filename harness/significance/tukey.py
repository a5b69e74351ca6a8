"""Randomised Tukey HSD: all pairs of systems at once, by the range of their means.

If no system differs from any other, the scores of a question could have been any system's: they
are permuted within each question, and a pair's difference is compared with how far the best and
the worst mean lie apart then (Carterette 2012, "Multiple testing in statistical analysis of
systems-based information retrieval experiments", algorithm 1). That keeps the family-wise error
where no system differs. The range is not studentised: among noisy systems, a small gain that is
consistent over the questions is missed, which step-down max-T sees.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from harness.significance.score_lattice import on_score_lattice
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

RESAMPLES_PER_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class RandomisedTukey:
    """Result of randomised Tukey HSD.

    Attributes:
        p: Adjusted p-value of each pair of systems (a, b), a < b.
        ranges: The largest minus the smallest mean in each resample, ascending, shape
            (resamples,).
    """

    p: Mapping[tuple[int, int], float]
    ranges: NDArray[np.float64]


def randomised_tukey(
    scores: NDArray[np.float64], questions: Sequence[str], *, resamples: int, seed: int
) -> RandomisedTukey:
    """Tests all pairs of systems that answered the same questions.

    A question has its own Philox stream, keyed by a hash of the seed and its id, and its scores
    are permuted from their ascending order: p-values depend on the order of neither questions nor
    systems.

    Args:
        scores: Shape (questions, systems). They are put on the lattice of
            :mod:`harness.significance.score_lattice` first, so that sums and ties are exact.
        questions: Id of each row.
        resamples: Number B of resamples; p = (1 + count) / (1 + B).
        seed: Seed of the permutations, 0 to 2^64 - 1.

    Raises:
        UsageError: If there is no question, fewer than two systems, or a score is missing: such a
            question cannot be permuted.
    """
    if len(scores) == 0 or scores.shape[1] < 2 or not np.isfinite(scores).all():
        raise UsageError(
            "Randomised Tukey HSD needs at least 2 systems and a score of each on every question; "
            "leave out questions that some systems lack."
        )
    whole, unit = on_score_lattice(scores)
    # Where all systems score the same, permuting moves nothing.
    moving = np.flatnonzero(np.ptp(whole, axis=1) > 0)
    ascending = np.sort(whole[moving], axis=1)
    streams = [_stream(questions[row], seed) for row in moving.tolist()]
    ranges = np.empty(resamples)
    for start in range(0, resamples, RESAMPLES_PER_BLOCK):
        stop = min(start + RESAMPLES_PER_BLOCK, resamples)
        ranges[start:stop] = np.ptp(_permuted_sums(ascending, streams, stop - start), axis=1)
    ranges.sort()
    totals = whole.sum(axis=0)
    p = {}
    for a, b in combinations(range(scores.shape[1]), 2):
        count = resamples - int(np.searchsorted(ranges, abs(totals[a] - totals[b]), "left"))
        p[a, b] = (1 + count) / (1 + resamples)
    return RandomisedTukey(p, ranges * unit / len(scores))


def _permuted_sums(
    scores: NDArray[np.float64], streams: Sequence[np.random.Philox], resamples: int
) -> NDArray[np.float64]:
    """Sums of permuted scores over the questions, shape (resamples, systems)."""
    systems = scores.shape[1]
    # A permutation is the order of random words whose last bits are replaced by the place.
    places = np.uint64((1 << (systems - 1).bit_length()) - 1)
    own = np.arange(systems, dtype=np.uint64)
    sums = np.zeros((resamples, systems))
    for row, stream in zip(scores, streams, strict=True):
        words = stream.random_raw(resamples * systems).reshape(resamples, systems)
        words &= ~places
        words |= own
        words.sort(axis=1)
        words &= places
        sums += row[words.view(np.int64)]
    return sums


def _stream(question: str, seed: int) -> np.random.Philox:
    """The stream of one question, apart from that of its signs."""
    digest = hashlib.blake2b(
        question.encode("utf-8", "surrogatepass"),
        digest_size=16,
        salt=seed.to_bytes(8, "little"),
        person=b"permutations",
    )
    return np.random.Philox(key=np.frombuffer(digest.digest(), dtype="<u8").astype(np.uint64))
