"""All that is measured of a system's language bias on one task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.bias.language_bias import (
    FirstCopies,
    Preference,
    RankDistance,
    ShareExcess,
    pooled,
    preference,
    rank_distance,
    share_excess,
)
from harness.bias.language_gaps import Gap, Spread, gaps, spreads
from harness.bias.peer import PeerScores, peer
from harness.bias.pool_rankings import pool_rankings
from harness.measure_names import parse_measure
from harness.question_scores import question_scores
from tasks.errors import EntryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.bias.language_shares import LanguageShares
    from harness.bias.pool_rankings import PoolRankings
    from harness.ranks import RankTable


@dataclass(frozen=True, slots=True)
class BiasOptions:
    """How language bias is measured.

    Attributes:
        k: Cut-off of PEER, and the top k whose languages are looked at.
        measure: What gap and spread are of; None for the task's own.
        peer_weights: Weight of each grade in PEER; None for all relevant grades the same.
    """

    k: int = 10
    measure: str | None = None
    peer_weights: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class PoolBias:
    """Bias of the queries of one language in one pool of several languages.

    Attributes:
        setting: Id of the setting.
        query_language: Language of the queries.
        queries: Number of queries.
        rank_distance: None if no query has relevant documents in several languages.
        preference: Which of the parallel copies comes first.
        peer: With the number of queries that it is not defined for.
        shares: None if the entry does not have the languages of the top k.
    """

    setting: str
    query_language: str
    queries: int
    rank_distance: RankDistance | None
    preference: Preference
    peer: PeerScores
    shares: ShareExcess | None


@dataclass(frozen=True, slots=True)
class BiasProfile:
    """Language bias of a system on a task.

    Attributes:
        task: Name of the task.
        measure: What gaps and spreads are of.
        k: Cut-off of PEER and of the language shares.
        pools: One a setting and query language; empty where no MLIR setting was scored.
        share_depths: The k that the entry has language shares for; None if it has none at all.
        gaps: MoIR minus CLIR by query language.
        spreads: By class of settings, as :func:`harness.bias.language_gaps.spreads` names them.
    """

    task: str
    measure: str
    k: int
    pools: tuple[PoolBias, ...]
    share_depths: tuple[int, ...] | None
    gaps: Mapping[str, Gap]
    spreads: Mapping[str, Spread]


def bias_profile(
    table: RankTable, shares: LanguageShares | None, options: BiasOptions
) -> BiasProfile:
    """Measures language bias.

    Args:
        table: Ranks of the judged documents.
        shares: Languages of the first documents, if the entry has them.
        options: How.

    Raises:
        UnknownNameError: If there is no such measure.
        UsageError: If the cut-off, the weights or the measure do not fit.
        EntryError: If the ranks have nothing to say, or the shares are not of these ranks.
    """
    name = options.measure or table.primary_measure
    parsed = parse_measure(name)
    if not parsed.higher_is_better or parsed.is_count:
        raise UsageError(
            f"{name} is no measure of how good a ranking is: gap and spread need one such as AP."
        )
    if shares is not None and shares.task != table.task:
        raise EntryError(
            f"The language shares are of task {shares.task!r}, the ranks of {table.task!r}. "
            "Score the task again."
        )
    scores = question_scores(table, name)
    profile = BiasProfile(
        task=table.task,
        measure=name,
        k=options.k,
        pools=tuple(_pool_bias(one, shares, options) for one in pool_rankings(table)),
        share_depths=None if shares is None else shares.depths,
        gaps=gaps(scores),
        spreads=spreads(scores),
    )
    if not profile.pools and not profile.gaps and not profile.spreads:
        raise EntryError(
            f"The scored settings of {table.task} say nothing of language bias: they are "
            f"{', '.join(table.setting.names)}. It needs MLIR settings, or MoIR and CLIR settings "
            "of several languages."
        )
    return profile


def _pool_bias(
    rankings: PoolRankings, shares: LanguageShares | None, options: BiasOptions
) -> PoolBias:
    row = shares and shares.of(rankings.setting, rankings.query_language, options.k)
    return PoolBias(
        setting=rankings.setting,
        query_language=rankings.query_language,
        queries=rankings.judged.queries,
        rank_distance=rank_distance(rankings),
        preference=preference(rankings),
        peer=peer(rankings.judged, rankings.language, options.k, options.peer_weights),
        shares=share_excess(rankings, row, shares.languages) if row and shares else None,
    )


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are there; None if there is none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def first_of_others(pools: Iterable[PoolBias]) -> dict[str, FirstCopies]:
    """By document language, its copies among those not in the query's, over all queries."""
    found: dict[str, list[FirstCopies]] = {}
    for pool in pools:
        for code, one in pool.preference.others.items():
            found.setdefault(code, []).append(one)
    together = {code: pooled(found[code]) for code in sorted(found)}
    return {code: one for code, one in together.items() if one}


def document_languages(pools: Iterable[PoolBias]) -> tuple[str, ...]:
    """Languages of the documents of some pools, as far as they are known, ascending."""
    codes = {code for pool in pools for code in pool.preference.others}
    codes |= {code for pool in pools if pool.shares for code in pool.shares.top}
    return tuple(sorted(codes))
