"""A system's language bias as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.bias.bias_profile import first_of_others, mean_of

if TYPE_CHECKING:
    from harness.bias.bias_profile import BiasProfile, PoolBias
    from harness.bias.language_bias import FirstCopies, ShareExcess
    from harness.bias.language_gaps import Gap, Spread

SCHEMA_VERSION = 1
DECIMALS = 10


def as_json(profile: BiasProfile, **context: str) -> dict[str, Any]:
    """A profile in the documented form, with what else is known of it (the entry, say).

    What is not defined is null. Numbers are rounded to ten decimals, so that they are the same on
    every machine.
    """
    pools = profile.pools
    own = [pool.preference.own for pool in pools if pool.preference.own]
    distances = [pool.rank_distance for pool in pools if pool.rank_distance]
    shares = [pool.shares for pool in pools if pool.shares]
    return {
        "schema_version": SCHEMA_VERSION,
        **context,
        "task": profile.task,
        "measure": profile.measure,
        "k": profile.k,
        "share_depths": None if profile.share_depths is None else list(profile.share_depths),
        "means": {
            "rank_distance": _rounded(mean_of(one.mean for one in distances)),
            "rank_distance_share": _rounded(mean_of(one.share for one in distances)),
            "own_copy_first": _rounded(mean_of(one.rate for one in own)),
            "own_copy_first_chance": _rounded(mean_of(one.chance for one in own)),
            "own_share_excess": _rounded(mean_of(one.own for one in shares)),
            "total_variation": _rounded(mean_of(one.total_variation for one in shares)),
            "peer": _rounded(mean_of(pool.peer.mean for pool in pools)),
            "gap": _rounded(mean_of(gap.gap for gap in profile.gaps.values())),
        },
        "first_of_others": {code: _first(one) for code, one in first_of_others(pools).items()},
        "pools": [_pool(pool) for pool in pools],
        "gaps": {code: _gap(gap) for code, gap in profile.gaps.items()},
        "spreads": {name: _spread(spread) for name, spread in profile.spreads.items()},
    }


def _pool(pool: PoolBias) -> dict[str, Any]:
    distance, preference, peer = pool.rank_distance, pool.preference, pool.peer
    return {
        "setting": pool.setting,
        "query_language": pool.query_language,
        "queries": pool.queries,
        "rank_distance": distance
        and {
            "mean": _rounded(distance.mean),
            "share": _rounded(distance.share),
            "queries": distance.queries,
            "left_out": distance.left_out,
        },
        "preference": {
            "own": preference.own and _first(preference.own),
            "others": {code: _first(one) for code, one in preference.others.items()},
            "not_parallel": preference.not_parallel,
            "not_retrieved": preference.not_retrieved,
        },
        "shares": pool.shares and _shares(pool.shares),
        "peer": {
            "mean": _rounded(peer.mean),
            "queries": len(peer.value),
            "all_tied": peer.all_tied,
            "one_language": peer.one_language,
            "one_document_each": peer.one_document_each,
        },
    }


def _first(first: FirstCopies) -> dict[str, Any]:
    return {
        "rate": _rounded(first.rate),
        "chance": _rounded(first.chance),
        "queries": first.queries,
    }


def _shares(shares: ShareExcess) -> dict[str, Any]:
    return {
        "k": shares.k,
        "queries": shares.queries,
        "empty": shares.empty,
        "top": {code: _rounded(value) for code, value in shares.top.items()},
        "relevant": {code: _rounded(value) for code, value in shares.relevant.items()},
        "excess": {code: _rounded(value) for code, value in shares.excess.items()},
        "own": _rounded(shares.own),
        "total_variation": _rounded(shares.total_variation),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "moir": _rounded(gap.moir),
        "clir": _rounded(gap.clir),
        "gap": _rounded(gap.gap),
        "settings": gap.settings,
        "questions": gap.questions,
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "mean": _rounded(spread.mean),
        "best": spread.best,
        "worst": spread.worst,
        "range": _rounded(spread.range),
        "deviation": _rounded(spread.deviation),
        "by_language": {code: _rounded(value) for code, value in spread.by_language.items()},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
