"""The counting of step-down max-T in one pass over a block, compiled by numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from harness.significance.max_t import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.significance.max_t import Pairs

LANE = 128
"""Resamples that one step of a thread takes: the running maxima stay in registers and cache."""


def count_with_numba(
    flipped: NDArray[np.floating],
    pairs: Pairs,
    observed: NDArray[np.float64],
    scale: NDArray[np.float64],
    orders: Sequence[NDArray[np.int64]],
) -> Tally:
    """See :func:`harness.significance.max_t.count_with_numpy`; the counts are the same."""
    sizes = [len(order) for order in orders]
    ends = np.cumsum(sizes)
    joined = np.concatenate(orders)
    lanes = -(-flipped.shape[1] // LANE)
    alone = np.zeros((lanes, len(observed)), dtype=np.int64)
    together = np.zeros((lanes, len(joined)), dtype=np.int64)
    largest = np.zeros((len(orders), flipped.shape[1]))
    # A pair that is in several families is counted alone where it comes first.
    first = np.zeros(len(joined), dtype=np.bool_)
    first[np.unique(joined, return_index=True)[1]] = True
    _count(
        flipped, pairs.a, pairs.b, scale, observed, joined, first, ends, alone, together, largest
    )
    return Tally(alone.sum(axis=0), np.split(together.sum(axis=0), ends[:-1]), list(largest))


@numba.njit(parallel=True, cache=True, nogil=True)
def _count(  # noqa: PLR0913, PLR0917  # a kernel takes arrays, one by one
    flipped: NDArray[np.floating],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    scale: NDArray[np.float64],
    observed: NDArray[np.float64],
    joined: NDArray[np.int64],
    first: NDArray[np.bool_],
    ends: NDArray[np.int64],
    alone: NDArray[np.int64],
    together: NDArray[np.int64],
    largest: NDArray[np.float64],
) -> None:
    for lane in numba.prange(len(alone)):
        start = lane * LANE
        width = min(LANE, flipped.shape[1] - start)
        running = np.zeros(LANE)
        place = 0
        for family in range(len(ends)):
            running[:] = 0.0
            while place < ends[family]:
                pair = joined[place]
                one = flipped[a[pair], start : start + width]
                other = flipped[b[pair], start : start + width]
                factor, threshold = scale[pair], observed[pair]
                highest = 0
                if first[place]:
                    single = 0
                    for i in range(width):
                        u = np.float64(abs(one[i] - other[i])) * factor
                        single += u >= threshold
                        top = max(running[i], u)
                        running[i] = top
                        highest += top >= threshold
                    alone[lane, pair] += single
                else:
                    for i in range(width):
                        top = max(running[i], np.float64(abs(one[i] - other[i])) * factor)
                        running[i] = top
                        highest += top >= threshold
                together[lane, place] = highest
                place += 1
            largest[family, start : start + width] = running[:width]
