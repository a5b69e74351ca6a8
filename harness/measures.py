"""Measures per query, computed from the ranks of its judged documents.

Names are those of ir_measures: ``AP``, ``AP@20``, ``RR@10``, ``nDCG@10``, ``R@100``, ``P@5``,
``Success@1``, with ``(rel=2)`` where only higher grades count as relevant. To these comes
``RankDistance``, the measure of language bias. Definitions follow trec_eval: a relevant document
that is not retrieved, and a query without relevant documents, count 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ir_measures
import numpy as np

from tasks.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RANK_DISTANCE = "RankDistance"
_NAME = re.compile(r"[A-Za-z]+(\(rel=[0-9]+\))?(@[0-9]+)?")
EXAMPLES = ("AP", "AP@20", "P@10", "R@100", "RR@10", "nDCG@10", "Success@10", RANK_DISTANCE)


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure.

    Attributes:
        kind: ``AP``, ``RR``, ``nDCG``, ``R``, ``P``, ``Success`` or ``RankDistance``.
        cutoff: Only this many ranks count; None for all.
        least_relevant: The lowest grade that counts as relevant.
    """

    kind: str
    cutoff: int | None = None
    least_relevant: int = 1

    @property
    def higher_is_better(self) -> bool:
        """False for measures of bias."""
        return self.kind != RANK_DISTANCE


@dataclass(frozen=True, slots=True)
class JudgedRanks:
    """Ranks of the judged documents of some queries.

    Attributes:
        queries: Number of queries.
        query: Query of each judgment, from 0, shape (judgments,).
        relevance: Grade of each judgment, shape (judgments,).
        rank: Rank of each judged document from 1; 0 where it was not retrieved.
        pool_size: Number of documents that each query's ranking is over, shape (queries,).
    """

    queries: int
    query: NDArray[np.int64]
    relevance: NDArray[np.int64]
    rank: NDArray[np.int64]
    pool_size: NDArray[np.int64]


def parse_measure(name: str) -> Measure:
    """The measure of a name.

    Raises:
        UnknownNameError: If there is no such measure; the nearest names are suggested.
    """
    if name == RANK_DISTANCE:
        return Measure(RANK_DISTANCE)
    if not _NAME.fullmatch(name):
        raise UnknownNameError("measure", name, EXAMPLES)
    try:
        parsed = ir_measures.parse_measure(name)
    except (ValueError, NameError, SyntaxError, TypeError, KeyError):
        raise UnknownNameError("measure", name, EXAMPLES) from None
    cutoff, least = parsed.params.get("cutoff"), parsed.params.get("rel")
    kind = parsed.NAME
    if (
        kind not in _COMPUTE
        or (kind in ("P", "R", "Success") and cutoff is None)
        or (kind == "nDCG" and least is not None)
        or 0 in (cutoff, least)
    ):
        raise UnknownNameError("measure", name, EXAMPLES)
    return Measure(kind, cutoff, 1 if least is None else least)


def measure(name: str, judged: JudgedRanks) -> NDArray[np.float64]:
    """The value of a measure for each query, shape (queries,)."""
    parsed = parse_measure(name)
    return _COMPUTE[parsed.kind](parsed, judged)


def _average_precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Mean, over the relevant documents, of the precision at the rank of each."""
    found = _found(measure, judged)
    by_rank = found[np.lexsort((judged.rank[found], judged.query[found]))]
    query, rank = judged.query[by_rank], judged.rank[by_rank]
    first = np.searchsorted(query, query)
    precision = (np.arange(len(query)) - first + 1) / rank
    return _share(_sum(judged, query, precision), _relevant(measure, judged))


def _reciprocal_rank(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """1 over the rank of the first relevant document."""
    found = _found(measure, judged)
    values = np.zeros(judged.queries)
    np.maximum.at(values, judged.query[found], 1 / judged.rank[found])
    return values


def _ndcg(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Järvelin & Kekäläinen 2002 as trec_eval has it: gain = grade, discount = log2(rank + 1)."""
    positive = np.flatnonzero(judged.relevance > 0)
    found = positive[_within(measure, judged.rank[positive])]
    gain = judged.relevance[found] / np.log2(judged.rank[found] + 1)
    best_first = positive[np.lexsort((-judged.relevance[positive], judged.query[positive]))]
    query = judged.query[best_first]
    ideal_rank = np.arange(len(query)) - np.searchsorted(query, query) + 1
    kept = _within(measure, ideal_rank)
    ideal = judged.relevance[best_first][kept] / np.log2(ideal_rank[kept] + 1)
    return _share(_sum(judged, judged.query[found], gain), _sum(judged, query[kept], ideal))


def _recall(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Share of the relevant documents that are retrieved within the cut-off."""
    return _share(_hits(measure, judged), _relevant(measure, judged))


def _precision(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Share of the ranks within the cut-off that hold a relevant document."""
    return _hits(measure, judged) / float(measure.cutoff or 1)


def _success(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """1 where a relevant document is within the cut-off."""
    return (_hits(measure, judged) > 0).astype(np.float64)


def _rank_distance(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    """Largest minus smallest rank of the relevant documents, parallel across languages.

    Huang et al. 2023 (KD-SPD), used by Elmahdy et al. 2024; lower is better. A document that was
    not retrieved counts as last of the pool. It grows with the pool and with the number of
    parallel documents: compare within a task only.
    """
    relevant = np.flatnonzero(judged.relevance >= measure.least_relevant)
    query = judged.query[relevant]
    rank = judged.rank[relevant]
    last = judged.pool_size[query]
    place = np.where(rank > 0, rank, last).astype(np.float64)
    largest = np.zeros(judged.queries)
    np.maximum.at(largest, query, place)
    smallest = largest.copy()
    np.minimum.at(smallest, query, place)
    return largest - smallest


_COMPUTE: dict[str, Callable[[Measure, JudgedRanks], NDArray[np.float64]]] = {
    "AP": _average_precision,
    "RR": _reciprocal_rank,
    "nDCG": _ndcg,
    "R": _recall,
    "P": _precision,
    "Success": _success,
    RANK_DISTANCE: _rank_distance,
}


def _within(measure: Measure, rank: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which ranks count: retrieved, and within the cut-off."""
    retrieved = rank > 0
    return retrieved if measure.cutoff is None else retrieved & (rank <= measure.cutoff)


def _found(measure: Measure, judged: JudgedRanks) -> NDArray[np.int64]:
    """Rows of relevant documents that are retrieved within the cut-off."""
    relevant = judged.relevance >= measure.least_relevant
    return np.flatnonzero(relevant & _within(measure, judged.rank))


def _hits(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    found = judged.query[_found(measure, judged)]
    return np.bincount(found, minlength=judged.queries).astype(np.float64)


def _relevant(measure: Measure, judged: JudgedRanks) -> NDArray[np.float64]:
    relevant = judged.query[judged.relevance >= measure.least_relevant]
    return np.bincount(relevant, minlength=judged.queries).astype(np.float64)


def _sum(
    judged: JudgedRanks, query: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.bincount(query, weights=values, minlength=judged.queries).astype(np.float64)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """``part / whole``, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
