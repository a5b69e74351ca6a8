"""What the measures of a system's language bias are, and why some say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.bias.bias_profile import BiasProfile

NO_POOL = (
    "No MLIR setting was scored: rank distance, preference, shares of the top k and PEER need a "
    "pool of several languages."
)
ON_GAPS = (
    "gap: MoIR minus CLIR from a language, on the questions that both ask; the other columns are "
    "over all questions of each setting."
)
ON_SPREADS = (
    "CLIR from: by query language; into: by document language. sd: over the languages. Languages "
    "compare only where they ask the same questions."
)


def notes(profile: BiasProfile) -> list[str]:
    """Sentences for the reader of the tables."""
    on_pools = (_on_distance, _on_preference, _on_shares, _on_peer)
    sentences = [write(profile) for write in on_pools] if profile.pools else [NO_POOL]
    if profile.gaps:
        sentences.append(ON_GAPS)
    if profile.spreads:
        sentences.append(ON_SPREADS)
    return sentences


def _on_distance(profile: BiasProfile) -> str:
    found = [pool.rank_distance for pool in profile.pools if pool.rank_distance]
    if not found:
        return "rank distance: not defined; no query has relevant documents in several languages."
    meaning = (
        "rank distance: last minus first rank of a query's relevant documents, and as a share of "
        "the pool; lower is better."
    )
    return meaning + _left_out(
        {"with relevant documents in one language": sum(one.left_out for one in found)}
    )


def _on_preference(profile: BiasProfile) -> str:
    found = [pool.preference for pool in profile.pools]
    reasons = {
        "without parallel copies": sum(one.not_parallel for one in found),
        "that retrieved no copy": sum(one.not_retrieved for one in found),
    }
    if not any(one.own or one.others for one in found):
        return (
            "own first: not defined; no query has relevant documents that are parallel, one a "
            "language, and retrieved." + _left_out(reasons)
        )
    meaning = (
        "own first: share of queries whose copy in their own language stands above its "
        "translations; first of others: the same among the copies in other languages, over all "
        "queries that have such; chance: of a system that does not see languages."
    )
    return meaning + _left_out(reasons)


def _on_shares(profile: BiasProfile) -> str:
    k, depths = profile.k, profile.share_depths
    found = [pool.shares for pool in profile.pools if pool.shares]
    if found:
        meaning = (
            f"own in top {k}: share of the query's language in the top {k} minus its share of the "
            "relevant documents; apart: total variation distance of all languages' shares."
        )
        return meaning + _left_out({"that retrieved nothing": sum(one.empty for one in found)})
    if depths is None:
        return (
            f"Shares of the top {k}: the entry does not have the languages of its first "
            "documents; score the task again to get them."
        )
    if k not in depths:
        kept = " or ".join(f"--k {depth}" for depth in depths)
        return f"Shares of the top {k}: the entry has them for {kept or 'no k'}."
    return f"Shares of the top {k}: not defined; no query retrieved a document."


def _on_peer(profile: BiasProfile) -> str:
    k = profile.k
    found = [pool.peer for pool in profile.pools]
    reasons = {
        "with one document a language, of which the test would say the same in any order": sum(
            one.one_document_each for one in found
        ),
        "with documents in one language": sum(one.one_language for one in found),
    }
    if not any(len(one.value) for one in found):
        return f"PEER@{k}: not defined for any query." + _left_out(reasons)
    meaning = (
        f"PEER@{k}: p of the ranks of equally relevant documents if languages do not differ; 1 is "
        "fair."
    )
    tied = sum(one.all_tied for one in found)
    if tied:
        meaning += f" {_queries(tied)} with no such document in the top {k} count 1."
    return meaning + _left_out(reasons)


def _left_out(reasons: dict[str, int]) -> str:
    """A sentence that counts what was left out, if anything was."""
    parts = [f"{_queries(count)} {why}" for why, count in reasons.items() if count]
    return f" Left out: {'; '.join(parts)}." if parts else ""


def _queries(count: int) -> str:
    return f"{count:,} {'query' if count == 1 else 'queries'}"
