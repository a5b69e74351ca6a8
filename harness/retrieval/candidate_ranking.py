"""Ranks among candidates: of a fixed list, of a first stage, or of a run that is given.

A judged document that is not among the candidates of its query is not retrieved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from harness.retrieval.top_documents import TopDocuments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.progress import Reporter
    from harness.retrieval.layout import Layout
    from harness.retrieval.retrievers import PairModel, Retriever
    from tasks.collection import Collection
    from tasks.settings import Setting

PAIRS_AT_ONCE = 2**16
PAIRS_TOGETHER = 2**25
"""Settings are scored together, each distinct pair once, up to this many pairs."""


@runtime_checkable
class _Padded(Protocol):
    """A model that pads pairs to one length, and knows how much."""

    @property
    def padding(self) -> float:
        """Share of padding among the tokens of the batches that were scored."""


@dataclass(frozen=True, slots=True)
class ScoredCandidates:
    """Documents to be ranked for some queries of a setting.

    Attributes:
        query: Row of the query, shape (candidates,), ascending.
        document: Row of the document among all documents, shape (candidates,).
        score: Its score, shape (candidates,).
    """

    query: NDArray[np.int64]
    document: NDArray[np.int64]
    score: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RankedSetting:
    """What a system did with a setting.

    Attributes:
        judged: Indices of the setting's judged pairs in the layout.
        rank: Rank of each, 0 where it was not retrieved.
        top: The first documents of each query's ranking, if they are kept; rows of documents are
            those of the layout.
    """

    judged: NDArray[np.int64]
    rank: NDArray[np.int64]
    top: TopDocuments | None


def candidates_of(top: TopDocuments) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of queries and documents of a first stage's rankings, one a candidate."""
    there = top.document >= 0
    return np.repeat(top.query, there.sum(axis=1)), top.document[there]


def rank_among(
    layout: Layout, setting: Setting, found: ScoredCandidates, keep: int
) -> RankedSetting:
    """Ranks the candidates of a setting by their scores.

    Args:
        layout: The rows.
        setting: The setting.
        found: ScoredCandidates with their scores.
        keep: How many documents of each ranking to keep; 0 for none.
    """
    order = layout.order[found.document]
    by = np.lexsort((order, -found.score, found.query))
    query, document = found.query[by], found.document[by]
    rank = np.arange(len(query)) - np.searchsorted(query, query) + 1
    judged = layout.judged_in(setting)
    rows = layout.judged
    width = len(layout.order)
    key = query * width + document
    by_key = np.argsort(key)
    wanted = rows.query[judged] * width + rows.document[judged]
    place = np.searchsorted(key, wanted, sorter=by_key)
    place = by_key[np.minimum(place, len(key) - 1)] if len(key) else place
    hit = key[place] == wanted if len(key) else np.zeros(len(wanted), dtype=np.bool_)
    ranks = np.zeros(len(wanted), dtype=np.int64)
    ranks[hit] = rank[place[hit]]
    return RankedSetting(judged, ranks, _kept(found, by, rank, order, keep) if keep else None)


def score_candidates(
    layout: Layout,
    model: PairModel,
    collection: Collection,
    candidates: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
    progress: Reporter,
) -> dict[str, ScoredCandidates]:
    """Scores the candidates of settings with a model that reads pairs; equal pairs once.

    Args:
        layout: The rows.
        model: The model.
        collection: The texts as the model is to see them.
        candidates: By setting id, rows of queries and of documents.
        progress: Where progress goes.
    """
    found: dict[str, ScoredCandidates] = {}
    total = sum(len(query) for query, _ in candidates.values())
    with progress.track("Reranking", total, "pairs") as advance:
        for group in _groups(candidates):
            keys = [candidates[one][0] * len(layout.order) + candidates[one][1] for one in group]
            distinct, inverse = np.unique(np.concatenate(keys), return_inverse=True)
            advance(len(inverse) - len(distinct))
            texts = _Texts(layout, collection)
            scores = np.empty(len(distinct))
            for start in range(0, len(distinct), PAIRS_AT_ONCE):
                some = slice(start, start + PAIRS_AT_ONCE)
                query, document = np.divmod(distinct[some], len(layout.order))
                scores[some] = model.scores_of(texts.pairs(query, document), advance)
            ends = np.cumsum([len(key) for key in keys])[:-1]
            for one, mine in zip(group, np.split(scores[inverse], ends), strict=True):
                found[one] = ScoredCandidates(*candidates[one], mine)
    if isinstance(model, _Padded):
        progress.say(f"{model.padding:.1%} of the tokens of the pairs' batches were padding")
    return found


def score_with_retriever(
    layout: Layout,
    retriever: Retriever,
    candidates: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
    progress: Reporter,
) -> dict[str, ScoredCandidates]:
    """Scores the candidates of settings with a model that could rank whole pools.

    A model whose scores depend on the pool sees all documents of the setting's languages.
    """
    found = {}
    documents = {setting.id: setting.document_languages for setting in layout.settings}
    total = sum(len(query) for query, _ in candidates.values())
    with progress.track("Reranking", total, "pairs") as advance:
        for setting, (query, document) in candidates.items():
            rows = layout.document_rows(documents[setting])
            local = np.searchsorted(rows, document)
            scores = retriever.pool(documents[setting]).pairs(query, local)
            found[setting] = ScoredCandidates(query, document, scores)
            advance(len(query))
    return found


class _Texts:
    """Texts of queries and documents by their rows."""

    def __init__(self, layout: Layout, collection: Collection) -> None:
        self._queries = [
            text for code in layout.query_languages for text in collection.queries[code].texts
        ]
        self._starts = np.array([layout.document_start[code] for code in layout.document_languages])
        self._corpora = [collection.corpora[code].texts for code in layout.document_languages]

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> list[tuple[str, str]]:
        language = np.searchsorted(self._starts, document, side="right") - 1
        local = document - self._starts[language]
        rows = zip(query.tolist(), language.tolist(), local.tolist(), strict=True)
        return [(self._queries[q], self._corpora[c][d]) for q, c, d in rows]


def _groups(
    candidates: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> Sequence[Sequence[str]]:
    groups: list[list[str]] = []
    size = PAIRS_TOGETHER
    for setting, (query, _) in candidates.items():
        if size + len(query) > PAIRS_TOGETHER:
            groups.append([])
            size = 0
        groups[-1].append(setting)
        size += len(query)
    return groups


def _kept(
    found: ScoredCandidates,
    by: NDArray[np.int64],
    rank: NDArray[np.int64],
    order: NDArray[np.int64],
    keep: int,
) -> TopDocuments:
    query, row = np.unique(found.query[by], return_inverse=True)
    kept = rank <= keep
    top = TopDocuments.empty(query, keep)
    place = row[kept], rank[kept] - 1
    top.document[place] = found.document[by][kept]
    top.score[place] = found.score[by][kept]
    top.order[place] = order[by][kept]
    return top
