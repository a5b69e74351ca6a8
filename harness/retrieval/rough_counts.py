"""How many documents stand before judged ones, from scores in float32 where these decide it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.retrieval.retrievers import RoughBlock

SHARE_TO_SETTLE = 1 / 32
"""Of the pairs of a judged document and another: where more are open, all are scored exactly."""

CHUNK = 128
"""Columns that are passed over together where none of them is open."""


def settled_counts(
    block: RoughBlock,
    scores: NDArray[np.float32],
    order: NDArray[np.int64],
    judged: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
    radius: NDArray[np.float64],
) -> NDArray[np.int64] | None:
    """Counts as they would come from exact scores; only what float32 leaves open is scored so.

    Args:
        block: The documents.
        scores: Scores in float32, shape (queries, documents).
        order: Each document's place in the order of ties, shape (documents,).
        judged: For each judged pair the row of its query in ``scores``, that row among all
            queries, the exact score, and the place in the order of ties; each shape (pairs,).
        radius: How far the scores of each query can be from the exact ones, shape (queries,).

    Returns:
        Documents that stand before each judged one, shape (pairs,); None where so much is open
        that exact scores of all documents cost less.
    """
    row, query, score, own = judged
    low, high = open_interval(score, radius[row])
    above, possible = np.zeros(len(row), np.int64), np.zeros(len(row), np.int64)
    _count_rough(scores, row, low, high, above, possible)
    ends = np.cumsum(possible - above)
    total = int(ends[-1]) if len(ends) else 0
    # Each judged document is open itself where it is in the block.
    if total > len(row) + SHARE_TO_SETTLE * len(row) * scores.shape[1]:
        return None
    column = np.full(total, -1)
    _find_open(scores, order, (row, own), (low, high), ends, column)
    pair = np.repeat(np.arange(len(row)), possible - above)[column >= 0]
    column = column[column >= 0]
    if len(pair):
        exact = block.exact(query[pair], column)
        before = exact > score[pair]
        before |= (exact == score[pair]) & (order[column] < own[pair])
        above += np.bincount(pair[before], minlength=len(row))
    return above


def open_interval(
    score: NDArray[np.float64], radius: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Between which numbers a score in float32 leaves open which of two is higher.

    Returns:
        Numbers such that the exact score is below ``score`` where the rough one is below the first,
        and above it where the rough one is above the second.
    """
    room = radius + np.abs(score) * 2.0**-50  # the sums below round
    low, high = (score - room).astype(np.float32), (score + room).astype(np.float32)
    least, most = np.float32(-np.inf), np.float32(np.inf)
    return (
        np.where(low > score - room, np.nextafter(low, least), low),
        np.where(high < score + room, np.nextafter(high, most), high),
    )


# Counts as narrow as the scores let as many columns be compared at a time as can be.
@numba.njit(cache=True, nogil=True)
def _count_from(row: NDArray[np.float32], least: np.float32, most: np.float32) -> tuple[int, int]:
    """How many columns are above ``most``, and how many are not below ``least``."""
    above, possible = np.int32(0), np.int32(0)
    for column in range(len(row)):
        above = np.int32(above + np.int32(row[column] > most))
        possible = np.int32(possible + np.int32(row[column] >= least))
    return int(above), int(possible)


@numba.njit(cache=True, nogil=True)
def _count_rough(
    scores: NDArray[np.float32],
    query: NDArray[np.int64],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    above: NDArray[np.int64],
    possible: NDArray[np.int64],
) -> None:
    """Counts the columns above ``high``, and those from ``low`` on, for each judged document."""
    for pair in range(len(query)):
        above[pair], possible[pair] = _count_from(scores[query[pair]], low[pair], high[pair])


@numba.njit(cache=True, nogil=True)
def _find_open(
    scores: NDArray[np.float32],
    order: NDArray[np.int64],
    judged: tuple[NDArray[np.int64], NDArray[np.int64]],
    interval: tuple[NDArray[np.float32], NDArray[np.float32]],
    ends: NDArray[np.int64],
    found: NDArray[np.int64],
) -> None:
    """Writes the columns in each pair's interval before its end, but for the document itself."""
    query, own = judged
    low, high = interval
    place = 0
    for pair in range(len(query)):
        row, least, most = scores[query[pair]], low[pair], high[pair]
        start = 0
        while place < ends[pair]:
            part = row[start : start + CHUNK]
            above, possible = _count_from(part, least, most)
            if above < possible:
                for column in range(start, start + len(part)):
                    if row[column] >= least and row[column] <= most:
                        found[place] = column if order[column] != own[pair] else -1
                        place += 1
            start += CHUNK
