"""PEER: whether documents of one relevance level are ranked alike whatever their language."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc

from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.judged_ranks import JudgedRanks


@dataclass(frozen=True, slots=True)
class PeerScores:
    """PEER of the queries for which it is defined.

    Whether it is depends on the judgments alone: two systems are measured on the same queries.

    Attributes:
        query: The queries, ascending, shape (defined,).
        value: PEER of each, from 0 (languages apart) to 1 (no difference), shape (defined,).
        all_tied: How many of these have no document within the cut-off, at any level.
        one_language: Queries without a value: no level has documents in two languages.
        one_document_each: Queries without a value: where a level has documents in two languages or
            more, each has but one, and the test statistic is the same for every ranking.
    """

    query: NDArray[np.int64]
    value: NDArray[np.float64]
    all_tied: int
    one_language: int
    one_document_each: int

    @property
    def mean(self) -> float | None:
        """Mean over the queries that have a value; None if there is none."""
        return float(self.value.mean()) if len(self.value) else None


@dataclass(frozen=True, slots=True)
class _Levels:
    """The documents of each query and relevance level, as ranks and as a test over languages.

    Attributes:
        query: Query of each level, shape (levels,), ascending.
        grade: Grade of each level, likewise.
        documents: Number of documents.
        languages: Number of languages among them.
        tied: Whether all are tied: none of them is within the cut-off, or there is but one.
        p: p-value of the test that languages do not differ.
    """

    query: NDArray[np.int64]
    grade: NDArray[np.int64]
    documents: NDArray[np.int64]
    languages: NDArray[np.int64]
    tied: NDArray[np.bool_]
    p: NDArray[np.float64]


def peer(
    judged: JudgedRanks,
    language: NDArray[np.int64],
    k: int,
    weights: Mapping[int, float] | None = None,
) -> PeerScores:
    """Probability of Equal Expected Rank (Yang et al. 2024, arXiv 2405.00978).

    PEER(q) = sum over relevance levels r of w_r p_r, where p_r is the p-value of a Kruskal-Wallis
    test that the ranks of the query's documents of level r do not differ between languages. Higher
    is fairer. It departs from the authors' program where that makes missing documents look best:

    - Documents that are not among the first k share the rank k + (missing + 1) / 2, the mean of the
      places behind the cut-off; then ranks are taken anew within the level, with mean ranks for
      ties, as the test wants them.
    - If all documents of a level are tied, nothing differs: p = 1.
    - A level in one language has no p, rather than 1. So has a level with one document a language:
      H is then (documents - 1) for any ranking. At least one language needs two documents. The
      weights of the other levels are scaled to sum to 1; a query without a level is left out.
    - Level 0 is what was judged not relevant, without the documents that nobody judged.

    p comes from chi-squared with (languages - 1) degrees of freedom, an approximation that is rough
    for a few documents a language: then p is hardly ever small, whatever the ranking.

    Args:
        judged: Ranks of the judged documents.
        language: Language of each judged document, as any code, shape (judgments,).
        k: The cut-off, from 1.
        weights: Weight of each grade, summing to 1; by default, all grades above 0 that a query has
            count the same.

    Raises:
        UsageError: If the cut-off or the weights are impossible.
    """
    _check(k, weights)
    if weights is None:
        counted = np.flatnonzero(judged.relevance > 0)
    else:
        grades = [grade for grade, weight in weights.items() if weight > 0]
        counted = np.flatnonzero(np.isin(judged.relevance, grades))
    levels = _test_levels(judged, language, counted, k)
    weight = np.array(
        [1.0 if weights is None else weights[int(grade)] for grade in levels.grade], dtype=float
    )
    several = levels.languages > 1
    usable = several & (levels.documents > levels.languages)

    def by_query(rows: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(levels.query[rows], values[rows], judged.queries).astype(np.float64)

    total = by_query(usable, weight)
    defined = np.flatnonzero(total > 0)
    compared = by_query(several, np.ones(len(weight))) > 0
    reached = by_query(usable & ~levels.tied, np.ones(len(weight))) > 0
    return PeerScores(
        query=defined,
        value=by_query(usable, weight * levels.p)[defined] / total[defined],
        all_tied=int((~reached[defined]).sum()),
        one_language=int((~compared).sum()),
        one_document_each=int((compared & (total == 0)).sum()),
    )


def _check(k: int, weights: Mapping[int, float] | None) -> None:
    if k < 1:
        raise UsageError(f"The cut-off of PEER must be at least 1, found {k}.")
    if weights is None:
        return
    values = list(weights.values())
    if not all(math.isfinite(value) and value >= 0 for value in values) or not math.isclose(
        sum(values), 1.0, abs_tol=1e-6
    ):
        shown = ", ".join(f"{grade}: {weight:g}" for grade, weight in weights.items())
        raise UsageError(
            f"The weights of PEER's relevance levels must be 0 or more and sum to 1, found {shown}."
        )


def _test_levels(
    judged: JudgedRanks, language: NDArray[np.int64], rows: NDArray[np.int64], k: int
) -> _Levels:
    """Kruskal & Wallis 1952, corrected for ties, for each query and grade among some rows.

    With N documents, mean rank m = (N + 1) / 2, and for each language n_l documents of mean rank
    m_l: H = (N - 1) sum_l n_l (m_l - m)^2 / sum_i (rank_i - m)^2.
    """
    within = (judged.rank > 0) & (judged.rank <= k)
    missing = ~within[rows]
    keys = np.stack([judged.query[rows], judged.relevance[rows]])
    (query, grade), level = np.unique(keys, axis=1, return_inverse=True)
    level = level.reshape(-1)
    n = len(query)
    last = k + (np.bincount(level, missing, n) + 1) / 2
    rank = _ranks_within(level, np.where(missing, last[level], judged.rank[rows]))

    documents = np.bincount(level, minlength=n)
    middle = (documents + 1) / 2
    spread = np.bincount(level, (rank - middle[level]) ** 2, n)
    (level_of, _), cell = np.unique(np.stack([level, language[rows]]), axis=1, return_inverse=True)
    cell = cell.reshape(-1)
    size = np.bincount(cell, minlength=len(level_of))
    mean = np.bincount(cell, rank, len(level_of)) / size
    between = np.bincount(level_of, size * (mean - middle[level_of]) ** 2, n)
    languages = np.bincount(level_of, minlength=n)
    tied = spread == 0
    h = np.divide((documents - 1) * between, spread, out=np.zeros(n), where=~tied)
    p = np.where(tied, 1.0, chdtrc(np.maximum(languages - 1, 1), h))
    return _Levels(query, grade, documents, languages, tied, p)


def _ranks_within(level: NDArray[np.int64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks of the places within each level from 1, the mean rank for ties."""
    order = np.lexsort((place, level))
    level, place = level[order], place[order]
    position = np.arange(len(level)) - np.searchsorted(level, level) + 1
    new = np.ones(len(level), dtype=np.bool_)
    new[1:] = (level[1:] != level[:-1]) | (place[1:] != place[:-1])
    tie = np.cumsum(new) - 1
    mean = np.bincount(tie, position) / np.bincount(tie)
    ranks = np.empty(len(level))
    ranks[order] = mean[tie]
    return ranks
