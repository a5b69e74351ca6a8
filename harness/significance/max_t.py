"""Step-down max-T: many paired comparisons at once, by shared sign flips.

All pairs of systems in all settings use the same flipped questions, so the test knows how the
comparisons depend on each other (Westfall & Young 1993, algorithm 2.8; Romano & Wolf 2005). One
matrix product of signs and scores serves every pair: the flipped difference of a pair is the
difference of two flipped sums. The statistic of a pair with differences d is u = |sum d| / ||d||,
which grows with |t| and whose norm flips do not change: studentising costs one multiplication.

Each single test is exact if a question's difference is symmetric under the null hypothesis. The
family-wise error needs the joint reflection of a question's differences, which holds where systems
are exchangeable, and asymptotically otherwise.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.significance.sign_flip import TIE
from harness.significance.signs import Signs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RESAMPLES_PER_BLOCK = 1024
PAIRS_PER_SLAB = 256
GPU_FROM = 10**9
"""Pairs times resamples from which a GPU is worth the seconds that loading torch takes."""
LARGEST_FLOAT32 = 2**24
"""Whole numbers up to this are exact in float32."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Comparisons of two columns of scores.

    Attributes:
        a: Column of the first system of each pair, shape (pairs,).
        b: Column of the second, shape (pairs,).
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Family:
    """Pairs that are tested together.

    Attributes:
        members: Indices of the pairs, shape (members,).
        p: Step-down adjusted p-value of each member, shape (members,).
        largest: The largest statistic of the family in each resample, shape (resamples,).
    """

    members: NDArray[np.int64]
    p: NDArray[np.float64]
    largest: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MaxT:
    """Result of step-down max-T.

    Attributes:
        statistic: u of each pair, shape (pairs,).
        p: p-value of each pair alone, shape (pairs,).
        families: The families that were asked for, in their order.
    """

    statistic: NDArray[np.float64]
    p: NDArray[np.float64]
    families: tuple[Family, ...]


def max_t(
    scores: NDArray[np.float64],
    questions: Sequence[str],
    pairs: Pairs,
    families: Sequence[NDArray[np.int64]],
    *,
    resamples: int,
    seed: int,
) -> MaxT:
    """Tests pairs of columns, adjusted within each family.

    Args:
        scores: Whole numbers (see :mod:`harness.significance.score_lattice`), a column for each
            system in each setting, shape (questions, columns). A question that a setting does
            not ask is 0 in all its columns: it contributes nothing.
        questions: Id of each row.
        pairs: What is compared.
        families: Indices of pairs that are tested together; a pair may be in several.
        resamples: Number B of resamples; p = (1 + count) / (1 + B).
        seed: Seed of the signs.
    """
    observed, scale = _statistics(scores, pairs)
    # Least significant first: a running maximum then is that of all less significant members.
    ranked = [np.argsort(observed[members], kind="stable") for members in families]
    orders = [members[rank] for members, rank in zip(families, ranked, strict=True)]
    alone = np.zeros(len(observed), dtype=np.int64)
    together = [np.zeros(len(order), dtype=np.int64) for order in orders]
    largest = [np.empty(resamples) for _ in orders]

    signs = Signs(questions, seed, resamples)
    dtype = _exact_dtype(scores)
    columns = np.ascontiguousarray(scores.T, dtype=dtype)
    # Sums that tie on paper may differ by the rounding of scores that are on no coarse lattice.
    threshold = observed * (1 - TIE)
    count = _counter(columns, len(observed) * resamples)
    for start in range(0, resamples, RESAMPLES_PER_BLOCK):
        stop = min(start + RESAMPLES_PER_BLOCK, resamples)
        tally = count(signs.block(start, stop, dtype), pairs, threshold, scale, orders)
        alone += tally.alone
        for family, counts in enumerate(tally.together):
            together[family] += counts
            largest[family][start:stop] = tally.largest[family]
    return MaxT(
        statistic=observed,
        p=(1 + alone) / (1 + resamples),
        families=tuple(
            Family(members, _step_down_p(rank, counts, resamples), maxima)
            for members, rank, counts, maxima in zip(
                families, ranked, together, largest, strict=True
            )
        ),
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one block of resamples.

    Attributes:
        alone: Resamples in which a pair's statistic is at least the observed one, shape (pairs,).
        together: For each family, in its order: resamples in which the running maximum is.
        largest: For each family, the largest statistic of each resample.
    """

    alone: NDArray[np.int64]
    together: list[NDArray[np.int64]]
    largest: list[NDArray[np.float64]]


class Kernel(Protocol):
    """Counts one block of resamples."""

    def __call__(
        self,
        block: NDArray[np.floating],
        pairs: Pairs,
        observed: NDArray[np.float64],
        scale: NDArray[np.float64],
        orders: Sequence[NDArray[np.int64]],
        /,
    ) -> Tally:
        """See :class:`Tally`.

        Args:
            block: Signs, or flipped sums, a column each resample.
            pairs: What is compared.
            observed: Statistic of each pair, shape (pairs,).
            scale: 1 / norm of each pair's differences, shape (pairs,).
            orders: Members of each family, least significant first.
        """


def count_with_numpy(
    flipped: NDArray[np.floating],
    pairs: Pairs,
    observed: NDArray[np.float64],
    scale: NDArray[np.float64],
    orders: Sequence[NDArray[np.int64]],
) -> Tally:
    """Counts one block, shape (columns, resamples), with arrays of pairs by resamples."""
    alone = np.zeros(len(observed), dtype=np.int64)
    with ThreadPoolExecutor() as pool:
        slabs = range(0, len(observed), PAIRS_PER_SLAB)

        def count_alone(start: int) -> None:
            chosen = slice(start, start + PAIRS_PER_SLAB)
            u = np.abs(flipped[pairs.a[chosen]] - flipped[pairs.b[chosen]]) * scale[chosen, None]
            alone[chosen] = (u >= observed[chosen, None]).sum(axis=1)

        def count_family(order: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
            counts = np.zeros(len(order), dtype=np.int64)
            running = np.zeros(flipped.shape[1])
            for start in range(0, len(order), PAIRS_PER_SLAB):
                chosen = order[start : start + PAIRS_PER_SLAB]
                u = np.abs(flipped[pairs.a[chosen]] - flipped[pairs.b[chosen]]).astype(np.float64)
                u *= scale[chosen, None]
                np.maximum(u[0], running, out=u[0])
                np.maximum.accumulate(u, axis=0, out=u)
                counts[start : start + len(chosen)] = (u >= observed[chosen, None]).sum(axis=1)
                running = u[-1].copy()
            return counts, running

        list(pool.map(count_alone, slabs))
        found = list(pool.map(count_family, orders))
    return Tally(alone, [counts for counts, _ in found], [maxima for _, maxima in found])


def _counter(columns: NDArray[np.floating], work: int) -> Kernel:
    """Counts from a block of signs: on a GPU where there is one and it pays, else here."""
    if work >= GPU_FROM and any(Path("/dev").glob("nvidia[0-9]*")) and find_spec("torch"):
        import torch

        from harness.significance.max_t_torch import TorchEngine

        if torch.cuda.is_available():
            return TorchEngine(columns, "cuda").count
    kernel = _kernel()
    return lambda signs, *rest: kernel(columns @ signs, *rest)


def _kernel() -> Kernel:
    """The faster of the kernels that are installed; both count the same."""
    if find_spec("numba") is not None:
        from harness.significance.max_t_numba import count_with_numba

        return count_with_numba
    return count_with_numpy


def _statistics(
    scores: NDArray[np.float64], pairs: Pairs
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The statistic u of each pair, and 1 / ||d|| (0 where all are 0), each of shape (pairs,)."""
    sums = np.empty(len(pairs.a))
    norms = np.empty(len(pairs.a))
    for start in range(0, len(pairs.a), PAIRS_PER_SLAB):
        chosen = slice(start, start + PAIRS_PER_SLAB)
        differences = scores[:, pairs.a[chosen]] - scores[:, pairs.b[chosen]]
        sums[chosen] = differences.sum(axis=0)
        norms[chosen] = np.sqrt((differences**2).sum(axis=0))
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return np.abs(sums) * scale, scale


def _exact_dtype(scores: NDArray[np.float64]) -> type[np.floating]:
    """float32 where no flipped difference can leave its exact whole numbers."""
    largest = 2 * float(np.abs(scores).max(initial=0.0)) * len(scores)
    return np.float32 if largest <= LARGEST_FLOAT32 else np.float64


def _step_down_p(
    rank: NDArray[np.int64], counts: NDArray[np.int64], resamples: int
) -> NDArray[np.float64]:
    """Adjusted p-values of the members, never smaller for a less significant one."""
    p = np.empty(len(rank))
    p[rank[::-1]] = np.maximum.accumulate(((1 + counts) / (1 + resamples))[::-1])
    return p
