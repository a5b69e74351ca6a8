"""Measures of language bias in a pool of several languages, from ranks and language shares.

PEER, which needs several documents of each language, is in :mod:`harness.bias.peer`; how scores
differ between languages, in :mod:`harness.bias.language_gaps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.measures import measure
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.bias.language_shares import TopShares
    from harness.bias.pool_rankings import PoolRankings

NOT_RETRIEVED = np.iinfo(np.int64).max
"""Behind every rank."""


@dataclass(frozen=True, slots=True)
class RankDistance:
    """How far the ranking tears translations apart; lower is better.

    Attributes:
        mean: Mean over the queries of the last minus the first rank of their relevant documents.
        share: The same, each divided by the number of documents in the pool.
        queries: Number of queries with relevant documents in two languages or more.
        left_out: Number of the other queries.
    """

    mean: float
    share: float
    queries: int
    left_out: int


@dataclass(frozen=True, slots=True)
class FirstCopies:
    """How often the copy in one language is ranked above other copies of the same passage.

    Attributes:
        rate: Share of the queries whose copy in the language is the first of the copies.
        chance: The rate of a system that does not see languages: mean of 1 / number of copies.
        queries: Number of queries that have a copy in the language, and retrieved a copy.
    """

    rate: float
    chance: float
    queries: int


@dataclass(frozen=True, slots=True)
class Preference:
    """Which of the parallel copies of the relevant passage comes first.

    Attributes:
        own: Of the copies in the query's language, among all; None if no query has one.
        others: By each other document language, among the copies that are not in the query's.
        not_parallel: Queries left out: their relevant documents are in one language, or two are in
            the same.
        not_retrieved: Queries left out: none of their copies was retrieved.
    """

    own: FirstCopies | None
    others: Mapping[str, FirstCopies]
    not_parallel: int
    not_retrieved: int


@dataclass(frozen=True, slots=True)
class ShareExcess:
    """Languages of the top k, against the languages of the relevant documents.

    Attributes:
        k: How many documents of each ranking are looked at.
        query_language: Language of the queries.
        top: By document language, its share of the top k, mean over queries.
        relevant: Its share of the relevant documents, mean over queries.
        queries: Number of queries that retrieved a document.
        empty: Number of queries that retrieved none; they have no part in ``top``.
    """

    k: int
    query_language: str
    top: Mapping[str, float]
    relevant: Mapping[str, float]
    queries: int
    empty: int

    @property
    def excess(self) -> dict[str, float]:
        """By document language, its share of the top k minus its share of the relevant."""
        return {code: self.top[code] - self.relevant[code] for code in self.top}

    @property
    def own(self) -> float | None:
        """Excess of the query's language; None if the pool has none of its documents."""
        return self.excess.get(self.query_language)

    @property
    def total_variation(self) -> float:
        """Half the sum of the absolute excesses: the share of the top k in a wrong language."""
        return sum(map(abs, self.excess.values())) / 2


def rank_distance(rankings: PoolRankings) -> RankDistance | None:
    """Mean rank distance of queries whose relevant documents are in several languages.

    mean over q of (largest - smallest rank of the relevant documents of q): Huang et al. 2023
    (KD-SPD, arXiv 2305.09025), used by Elmahdy et al. 2024 (arXiv 2408.10536). A document that was
    not retrieved counts as last of the pool. It grows with the pool and with the number of
    languages; divided by the size of the pool (ours) it grows with the second only.

    Returns:
        None if no query has relevant documents in several languages.
    """
    wide = (_languages_of_relevant(rankings) > 0).sum(axis=1) > 1
    if not wide.any():
        return None
    return RankDistance(
        mean=float(measure("RankDistance", rankings.judged)[wide].mean()),
        share=float(measure("RankDistanceShare", rankings.judged)[wide].mean()),
        queries=int(wide.sum()),
        left_out=int((~wide).sum()),
    )


def preference(rankings: PoolRankings) -> Preference:
    """How often the copy in a language is ranked above its translations.

    For the language of the query this is the query-language preference rate, LPR of MLAIRE
    (arXiv 2605.07249): the share of queries whose copy in their own language stands above all the
    others'. Chance is 1 / (number of copies). The same rate among the copies in other languages,
    the query's own set aside, is ours: it shows a language that is preferred whatever the query's.

    A query counts if its relevant documents are parallel, one a language in two languages or more,
    and at least one of the copies was retrieved. A copy that was not retrieved is not the first.
    Among the other languages, at least two copies are needed.
    """
    per_language = _languages_of_relevant(rankings)
    copies = per_language.sum(axis=1)
    parallel = (copies > 1) & (per_language.max(axis=1, initial=0) == 1)
    rows = np.flatnonzero((rankings.judged.relevance > 0) & (rankings.judged.rank > 0))
    ranks = np.full(per_language.shape, NOT_RETRIEVED)
    ranks[rankings.judged.query[rows], rankings.language[rows]] = rankings.judged.rank[rows]
    there = (per_language == 1) & parallel[:, None]
    is_own = np.array([code == rankings.query_language for code in rankings.languages])
    among_all = _first_copies(rankings.languages, there, ranks)
    return Preference(
        own=among_all.get(rankings.query_language),
        others=_first_copies(rankings.languages, there & ~is_own, ranks),
        not_parallel=int((~parallel).sum()),
        not_retrieved=int((parallel & (ranks == NOT_RETRIEVED).all(axis=1)).sum()),
    )


def _first_copies(
    languages: tuple[str, ...], there: NDArray[np.bool_], ranks: NDArray[np.int64]
) -> dict[str, FirstCopies]:
    """Rates by language, among the copies that are there, (queries, languages)."""
    copies = there.sum(axis=1)
    places = np.where(there, ranks, NOT_RETRIEVED)
    counted = (copies > 1) & (places < NOT_RETRIEVED).any(axis=1)
    first = places.argmin(axis=1)
    found = {}
    for code, name in enumerate(languages):
        here = counted & there[:, code]
        if here.any():
            found[name] = FirstCopies(
                rate=float((first[here] == code).mean()),
                chance=float((1 / copies[here]).mean()),
                queries=int(here.sum()),
            )
    return found


def pooled(found: Sequence[FirstCopies]) -> FirstCopies | None:
    """The rate over the queries of several groups together; None without any.

    Every query counts the same: of a system that retrieves few copies, one group may have but a
    query or two.
    """
    queries = sum(one.queries for one in found)
    if not queries:
        return None
    return FirstCopies(
        rate=sum(one.rate * one.queries for one in found) / queries,
        chance=sum(one.chance * one.queries for one in found) / queries,
        queries=queries,
    )


def share_excess(
    rankings: PoolRankings, shares: TopShares, languages: tuple[str, ...]
) -> ShareExcess | None:
    """Share of each language among the top k, minus its share among the relevant documents.

    excess(l) = mean over q of |top k of q in l| / |top k of q|
    - mean over q of |relevant documents of q in l| / |relevant documents of q|. Ours, in the manner
    of demographic parity with the relevant documents as the target. Half the sum of the absolute
    excesses is the total variation distance between the two distributions.

    Args:
        rankings: The judged documents.
        shares: The top k of the same queries.
        languages: The document languages of ``shares``.

    Returns:
        None if no query retrieved a document, or none has a relevant one.

    Raises:
        EntryError: If ``shares`` are not of these queries.
    """
    strange = sorted(set(rankings.languages) - set(languages))
    asked = shares.queries + shares.empty
    if strange or asked != rankings.judged.queries:
        raise EntryError(
            f"The language shares of {rankings.setting} are not those of its ranks: they are of "
            f"{asked:,} {rankings.query_language} queries over {', '.join(languages)}, the ranks "
            f"of {rankings.judged.queries:,} over {', '.join(rankings.languages)}. "
            "Score the task again."
        )
    per_language = _languages_of_relevant(rankings)
    relevant = per_language.sum(axis=1)
    if not shares.queries or not relevant.any():
        return None
    share = per_language[relevant > 0] / relevant[relevant > 0, None]
    target = dict(zip(rankings.languages, share.mean(axis=0).tolist(), strict=True))
    return ShareExcess(
        k=shares.k,
        query_language=rankings.query_language,
        top=dict(zip(languages, shares.shares, strict=True)),
        relevant={code: float(target.get(code, 0.0)) for code in languages},
        queries=shares.queries,
        empty=shares.empty,
    )


def _languages_of_relevant(rankings: PoolRankings) -> NDArray[np.int64]:
    """Number of relevant documents of each query in each language, (queries, languages)."""
    counts = np.zeros((rankings.judged.queries, len(rankings.languages)), dtype=np.int64)
    rows = np.flatnonzero(rankings.judged.relevance > 0)
    np.add.at(counts, (rankings.judged.query[rows], rankings.language[rows]), 1)
    return counts
