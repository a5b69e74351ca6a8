"""The ranks of the judged documents of some queries, and what measures count in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.measure_names import Measure


@dataclass(frozen=True, slots=True)
class JudgedRanks:
    """Ranks of the judged documents of some queries.

    Attributes:
        queries: Number of queries.
        query: Query of each judgment, from 0, shape (judgments,).
        relevance: Grade of each judgment, shape (judgments,).
        rank: Rank of each judged document from 1; 0 where it was not retrieved.
        pool_size: Number of documents that each query's ranking is over, shape (queries,); None
            where it is not known, as in a run.
        retrieved: Number of documents that were retrieved for each query, shape (queries,); None
            where it is not known, as in a rank file.
    """

    queries: int
    query: NDArray[np.int64]
    relevance: NDArray[np.int64]
    rank: NDArray[np.int64]
    pool_size: NDArray[np.int64] | None
    retrieved: NDArray[np.int64] | None = None


def within(measure: Measure, rank: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which ranks count: retrieved, and within the cut-off."""
    retrieved = rank > 0
    return retrieved if measure.cutoff is None else retrieved & (rank <= measure.cutoff)


def found_rows(measure: Measure, judged: JudgedRanks) -> NDArray[np.int64]:
    """Rows of relevant documents that are retrieved within the cut-off."""
    relevant = judged.relevance >= measure.least_relevant
    return np.flatnonzero(relevant & within(measure, judged.rank))


def best_first(judged: JudgedRanks, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows, query by query, in each by rank."""
    return rows[np.lexsort((judged.rank[rows], judged.query[rows]))]


def running_count(
    query: NDArray[np.int64], counted: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """How many of a query's rows up to each, itself included, are counted; by default all are.

    Args:
        query: Query of each row, ascending.
        counted: Which rows are counted.
    """
    ones = np.ones(len(query), dtype=np.int64) if counted is None else counted.astype(np.int64)
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(ones)])
    count: NDArray[np.int64] = before[1:] - before[np.searchsorted(query, query)]
    return count


def hits(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """How many relevant documents are within the cut-off, shape (queries,)."""
    return count_by_query(judged, judged.query[found_rows(measure, judged)])


def relevant_count(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """How many documents are relevant, retrieved or not, shape (queries,)."""
    return count_by_query(judged, judged.query[judged.relevance >= measure.least_relevant])


def listed_count(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """How many ranks within the cut-off hold a document, shape (queries,).

    Where the number retrieved is not known, the whole pool counts as retrieved.
    """
    listed = known_pool_size(measure, judged) if judged.retrieved is None else judged.retrieved
    return np.minimum(listed, measure.cutoff or listed).astype(np.float64)


def known_pool_size(measure: Measure, judged: JudgedRanks) -> NDArray[np.int64]:
    """Size of each query's pool, shape (queries,).

    Raises:
        UsageError: If it is not known.
    """
    if judged.pool_size is None:
        raise UsageError(
            f"{measure.kind} needs the size of the pool, which a run does not tell; "
            "score the system on a task, or leave the measure out."
        )
    return judged.pool_size


def known_retrieved(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Number of documents retrieved for each query, shape (queries,).

    Raises:
        UsageError: If it is not known.
    """
    if judged.retrieved is None:
        raise UsageError(
            f"{measure.kind} needs the number of documents retrieved, which the rank file of an "
            "entry does not tell; it is for runs."
        )
    return judged.retrieved.astype(np.float64)


def count_by_query(judged: JudgedRanks, query: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often each query occurs, shape (queries,)."""
    return np.bincount(query, minlength=judged.queries).astype(np.float64)


def sum_by_query(
    judged: JudgedRanks, query: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum of the values of each query, shape (queries,)."""
    return np.bincount(query, weights=values, minlength=judged.queries).astype(np.float64)


def share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """``part / whole``, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
