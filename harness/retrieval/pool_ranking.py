"""Ranks whole pools: the rank of every judged document, and the first documents, per setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.retrieval.candidate_ranking import (
    RankedSetting,
    candidates_of,
    rank_among,
    score_with_retriever,
)
from harness.retrieval.scan import MEMORY, JudgedPairs, scan
from harness.retrieval.top_documents import TopDocuments, merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.progress import Reporter
    from harness.retrieval.layout import Layout
    from harness.retrieval.retrievers import Pool, Retriever
    from tasks.settings import Setting

    Unit = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Scanned:
    """What was found in a corpus or pool.

    Attributes:
        before: Documents that stand before each judged document, shape (all judged pairs,).
        retrieved: Whether each judged document is retrieved at all, likewise.
        top: First documents, as rows of the layout.
    """

    before: NDArray[np.int64]
    retrieved: NDArray[np.bool_]
    top: TopDocuments | None


def rank_pools(
    layout: Layout,
    retriever: Retriever,
    keep: Mapping[str, int],
    progress: Reporter,
    memory: int = MEMORY,
) -> dict[str, RankedSetting]:
    """Ranks all documents of each setting's pool.

    Args:
        layout: The settings and their rows.
        retriever: A model that has seen the texts of these settings, in the layout's order.
        keep: By setting id, how many documents of each ranking to keep; missing for none.
        progress: Where progress goes.
        memory: Bytes that the blocks of a pool may take; the ranks do not depend on it.

    Returns:
        By setting id.
    """
    # What is scanned in one go: a corpus where scores do not depend on the pool, else a pool.
    units_of: dict[str, list[Unit]] = {
        setting.id: [(code,) for code in setting.document_languages]
        if retriever.pool_independent
        else [setting.document_languages]
        for setting in layout.settings
    }
    judged_in = {setting.id: layout.judged_in(setting) for setting in layout.settings}
    units = dict.fromkeys(unit for found in units_of.values() for unit in found)
    scores = np.zeros(len(layout.judged.query))
    if retriever.pool_independent:
        for code in layout.document_languages:
            _fill(scores, layout, retriever.pool((code,)), (code,))
    scanned: dict[Unit, _Scanned] = {}
    total = sum(len(layout.document_rows(unit)) for unit in units)
    with progress.track("Ranking", total, "documents") as advance:
        for unit in units:
            here = [setting for setting in layout.settings if unit in units_of[setting.id]]
            pool = retriever.pool(unit)
            if not retriever.pool_independent:
                _fill(scores, layout, pool, unit)
            asked = np.zeros(len(scores), dtype=np.bool_)
            for setting in here:
                asked[judged_in[setting.id]] = True
            rows = np.flatnonzero(asked)
            documents = layout.document_rows(unit)
            found = scan(
                pool,
                layout.order[documents],
                JudgedPairs(
                    layout.judged.query[rows],
                    scores[rows],
                    layout.order[layout.judged.document[rows]],
                ),
                _wanted_top(layout, here, judged_in, keep),
                memory,
                advance,
            )
            before = np.zeros(len(scores), dtype=np.int64)
            before[rows] = found.before
            top = found.top if retriever.retrieves_all or not found.top else found.top.positive()
            scanned[unit] = _Scanned(
                before, (scores > 0) | retriever.retrieves_all, top.among(documents) if top else top
            )
    return {
        name: _ranked(layout, judged, [scanned[unit] for unit in units_of[name]], keep.get(name, 0))
        for name, judged in judged_in.items()
    }


def rescore_first(
    layout: Layout,
    retriever: Retriever,
    ranked: Mapping[str, RankedSetting],
    depth: int,
    progress: Reporter,
) -> dict[str, RankedSetting]:
    """Puts the first documents of each ranking into a new order; the others stay behind them.

    Args:
        layout: The settings and their rows.
        retriever: What scores the first documents anew.
        ranked: By setting id, rankings that keep at least ``depth`` documents.
        depth: How many documents of each ranking are scored anew.
        progress: Where progress goes.
    """
    candidates = {
        name: candidates_of(one.top.cut(depth)) for name, one in ranked.items() if one.top
    }
    scored = score_with_retriever(layout, retriever, candidates, progress)
    found = {}
    for setting in layout.settings:
        before, first = ranked[setting.id], rank_among(layout, setting, scored[setting.id], depth)
        if before.top is None or first.top is None:
            raise ValueError("rescoring needs the first documents of each ranking")
        rank = np.where(first.rank > 0, first.rank, before.rank)
        found[setting.id] = RankedSetting(before.judged, rank, first.top.followed_by(before.top))
    return found


def _fill(scores: NDArray[np.float64], layout: Layout, pool: Pool, unit: Unit) -> None:
    """Sets the scores of the judged pairs whose documents are in a unit."""
    codes = [layout.document_languages.index(code) for code in unit]
    mine = np.flatnonzero(np.isin(layout.judged.document_language, codes))
    local = np.searchsorted(layout.document_rows(unit), layout.judged.document[mine])
    scores[mine] = pool.pairs(layout.judged.query[mine], local)


def _wanted_top(
    layout: Layout,
    settings: Sequence[Setting],
    judged_in: Mapping[str, NDArray[np.int64]],
    keep: Mapping[str, int],
) -> tuple[NDArray[np.int64], int] | None:
    """Queries whose first documents some settings want, and how many."""
    wanting = [setting for setting in settings if keep.get(setting.id)]
    if not wanting:
        return None
    rows = np.concatenate([judged_in[setting.id] for setting in wanting])
    return np.unique(layout.judged.query[rows]), max(keep[setting.id] for setting in wanting)


def _ranked(
    layout: Layout, judged: NDArray[np.int64], scanned: Sequence[_Scanned], depth: int
) -> RankedSetting:
    """The ranks of a setting's judged pairs, and its first documents to a depth; 0 for none."""
    ranks = 1 + sum(one.before[judged] for one in scanned)
    top = None
    if depth:
        queries = np.unique(layout.judged.query[judged])
        top = merged([one.top.of(queries) for one in scanned if one.top], depth)
    return RankedSetting(judged, np.where(scanned[0].retrieved[judged], ranks, 0), top)
