"""Measures per query, computed from the ranks of its judged documents.

Definitions follow trec_eval: a relevant document that is not retrieved, and a query without
relevant documents, count 0. A document with a negative grade was pooled and not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.judged_ranks import (
    JudgedRanks,
    best_first,
    count_by_query,
    found_rows,
    hits,
    known_pool_size,
    known_retrieved,
    listed_count,
    relevant_count,
    running_count,
    share,
    sum_by_query,
    within,
)
from harness.measure_names import (
    RANK_DISTANCE,
    RANK_DISTANCE_SHARE,
    UNJUDGED,
    Measure,
    parse_measure,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "RANK_DISTANCE",
    "RANK_DISTANCE_SHARE",
    "JudgedRanks",
    "Measure",
    "measure",
    "parse_measure",
]

INFAP_EPSILON = 1e-5
"""trec_eval's: what infAP adds to the counts of judged documents, so that none is 0."""


def measure(name: str, judged: JudgedRanks) -> NDArray[np.float64]:
    """The value of a measure for each query, shape (queries,).

    Raises:
        UnknownNameError: If there is no such measure.
        UsageError: If it needs the size of the pool, or the number of documents retrieved, and
            that is not known.
    """
    parsed = parse_measure(name)
    return _COMPUTE[parsed.kind](parsed, judged)


def _average_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Mean, over the relevant documents, of the precision at the rank of each."""
    found = best_first(judged, found_rows(measure, judged))
    query = judged.query[found]
    precision = running_count(query) / judged.rank[found]
    return share(sum_by_query(judged, query, precision), relevant_count(measure, judged))


def _reciprocal_rank(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """1 over the rank of the first relevant document."""
    found = found_rows(measure, judged)
    values = np.zeros(judged.queries)
    np.maximum.at(values, judged.query[found], 1 / judged.rank[found])
    return values


def _ndcg(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Järvelin & Kekäläinen 2002 as trec_eval has it: gain = grade, discount = log2(rank + 1)."""
    positive = np.flatnonzero(judged.relevance > 0)
    found = positive[within(measure, judged.rank[positive])]
    gain = judged.relevance[found] / np.log2(judged.rank[found] + 1)
    ideal_rows = positive[np.lexsort((-judged.relevance[positive], judged.query[positive]))]
    query = judged.query[ideal_rows]
    ideal_rank = running_count(query)
    kept = within(measure, ideal_rank)
    ideal = judged.relevance[ideal_rows][kept] / np.log2(ideal_rank[kept] + 1)
    return share(
        sum_by_query(judged, judged.query[found], gain), sum_by_query(judged, query[kept], ideal)
    )


def _recall(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Share of the relevant documents that are retrieved within the cut-off."""
    return share(hits(measure, judged), relevant_count(measure, judged))


def _precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Share of the ranks within the cut-off that hold a relevant document."""
    return hits(measure, judged) / float(measure.cutoff or 1)


def _success(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """1 where a relevant document is within the cut-off."""
    return (hits(measure, judged) > 0).astype(np.float64)


def _r_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Share of the first R ranks that hold a relevant document; R documents are relevant."""
    relevant = relevant_count(measure, judged)
    found = found_rows(measure, judged)
    query = judged.query[found]
    early = judged.rank[found] <= relevant[query]
    return share(count_by_query(judged, query[early]), relevant)


def _interpolated_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Highest precision at the ranks where the share ``recall`` of the relevant is found, or more.

    The share is rounded to a whole number of documents, halves up, as in trec_eval 10. Before,
    trec_eval added 0.9 and cut the decimals off, which can ask for one document more.
    """
    wanted = measure.recall * relevant_count(measure, judged)
    least = np.floor(wanted) + (wanted - np.floor(wanted) >= 0.5)
    found = best_first(judged, found_rows(measure, judged))
    query = judged.query[found]
    so_far = running_count(query)
    kept = so_far >= least[query]
    values = np.zeros(judged.queries)
    np.maximum.at(values, query[kept], (so_far / judged.rank[found])[kept])
    return values


def _binary_preference(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """How few of the judged, not relevant documents come before the relevant ones.

    Buckley & Voorhees 2004, as trec_eval has it since version 8: mean over the R relevant
    documents of 1 - min(n, R) / min(N, R), where n of the N judged non-relevant documents are
    before it; 0 where it is not retrieved. Documents that nobody judged do not count.
    """
    relevant = relevant_count(measure, judged)
    other = (judged.relevance >= 0) & (judged.relevance < measure.least_relevant)
    nonrelevant = count_by_query(judged, judged.query[other])
    rows = best_first(judged, np.flatnonzero(judged.rank > 0))
    before = running_count(judged.query[rows], other[rows])
    at = judged.relevance[rows] >= measure.least_relevant
    query, before = judged.query[rows][at], before[at]
    most = np.minimum(nonrelevant, relevant)[query]
    lost = share(np.minimum(before, relevant[query]), most)
    return share(sum_by_query(judged, query, 1 - lost), relevant)


def _inferred_average_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """AP where only a sample of the pool was judged; the rest of the pool has negative grades.

    Yilmaz & Aslam 2006, as trec_eval has it: the precision at a relevant document of rank k is
    1/k + (p/k) (r + e) / (r + n + 2e), where p documents of the pool, r relevant and n others
    judged, come before it. Without negative grades it is close to AP, not equal.
    """
    rows = best_first(judged, np.flatnonzero(judged.rank > 0))
    query = judged.query[rows]
    relevant = judged.relevance[rows] >= measure.least_relevant
    pooled_before = running_count(query) - 1
    judged_before = running_count(query, judged.relevance[rows] >= 0) - 1
    relevant_before = running_count(query, relevant) - 1
    expected = (relevant_before + INFAP_EPSILON) / (judged_before + 2 * INFAP_EPSILON)
    precision = (1 + pooled_before * expected) / judged.rank[rows]
    return share(
        sum_by_query(judged, query[relevant], precision[relevant]), relevant_count(measure, judged)
    )


def _rank_biased_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Moffat & Zobel 2008: (1 - p) times the sum, over the relevant documents, of p^(rank - 1)."""
    found = found_rows(measure, judged)
    weight = np.power(measure.persistence, judged.rank[found] - 1.0, dtype=np.float64)
    return (1 - measure.persistence) * sum_by_query(judged, judged.query[found], weight)


def _judged_share(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Share of the documents within the cut-off that have a judgment, of whatever grade.

    Of k documents, or as many as were retrieved, as ir_measures has it. Where that number is not
    known, as in a rank file, the whole pool counts as retrieved.
    """
    found = judged.query[within(measure, judged.rank)]
    return share(count_by_query(judged, found), listed_count(measure, judged))


def _unjudged_share(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Share of the ranks within the cut-off that hold a document that nobody judged.

    trec_eval's ``unj``: ranks that are left empty count as judged, negative grades as not judged.
    It is 1 - ``Judged`` where there are neither. A rank file is taken as in ``Judged``.
    """
    found = judged.query[within(measure, judged.rank) & (judged.relevance >= 0)]
    unjudged = listed_count(measure, judged) - count_by_query(judged, found)
    return unjudged / float(measure.cutoff or 1)


def _set_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Share of the retrieved documents that are relevant."""
    return share(hits(measure, judged), known_retrieved(measure, judged))


def _relative_set_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Set precision over the highest that so many retrieved documents can have."""
    most = np.minimum(known_retrieved(measure, judged), relevant_count(measure, judged))
    return share(hits(measure, judged), most)


def _set_f(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Harmonic mean of set precision and recall: 2 hits / (retrieved + relevant)."""
    both = known_retrieved(measure, judged) + relevant_count(measure, judged)
    return share(2 * hits(measure, judged), both)


def _set_average_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Set precision times recall."""
    return _set_precision(measure, judged) * _recall(measure, judged)


def _rank_distance(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Largest minus smallest rank of the relevant documents, parallel across languages.

    Huang et al. 2023 (KD-SPD), used by Elmahdy et al. 2024; lower is better. A document that was
    not retrieved counts as last of the pool. It grows with the pool and with the number of
    parallel documents: compare within a task only.
    """
    relevant = np.flatnonzero(judged.relevance >= measure.least_relevant)
    query = judged.query[relevant]
    rank = judged.rank[relevant]
    last = known_pool_size(measure, judged)[query]
    place = np.where(rank > 0, rank, last).astype(np.float64)
    largest = np.zeros(judged.queries)
    np.maximum.at(largest, query, place)
    smallest = largest.copy()
    np.minimum.at(smallest, query, place)
    return largest - smallest


def _rank_distance_share(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Rank distance / pool size: below 1, so that pools of different sizes can be put together.

    The distance is that of Huang et al. 2023; the division is ours. It still grows with the number
    of parallel documents.
    """
    return share(
        _rank_distance(measure, judged), known_pool_size(measure, judged).astype(np.float64)
    )


_COMPUTE: dict[str, Callable[[Measure, JudgedRanks], NDArray[np.float64]]] = {
    "AP": _average_precision,
    "Bpref": _binary_preference,
    "IPrec": _interpolated_precision,
    "Judged": _judged_share,
    "NumQ": lambda _, judged: np.ones(judged.queries),
    "NumRel": relevant_count,
    "NumRelRet": hits,
    "NumRet": known_retrieved,
    "P": _precision,
    "R": _recall,
    "RBP": _rank_biased_precision,
    "RR": _reciprocal_rank,
    RANK_DISTANCE: _rank_distance,
    RANK_DISTANCE_SHARE: _rank_distance_share,
    "Rprec": _r_precision,
    "SetAP": _set_average_precision,
    "SetF": _set_f,
    "SetP": _set_precision,
    "SetR": _recall,
    "SetRelP": _relative_set_precision,
    "Success": _success,
    UNJUDGED: _unjudged_share,
    "infAP": _inferred_average_precision,
    "nDCG": _ndcg,
}
