"""Scores a retriever on a task: the rank of every judged document in every setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.ranking import JudgedPairs, count_before, pair_scores, tie_order
from harness.ranks import Column, RankTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.progress import Reporter
    from harness.retrievers import Retriever, Vectors
    from tasks.collection import Collection, Corpus
    from tasks.settings import Setting
    from tasks.task import Task


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The (query, judged document) pairs that the settings ask for, by query row.

    Attributes:
        query_language: Language of the query.
        document_language: Language of the document.
        query: Row of the query among all queries, stacked by language.
        question: Index of the question in the collection.
        document: Index of the document in its corpus.
        relevance: Its grade.
        order: The document's place in the order of ties.
    """

    query_language: NDArray[np.str_]
    document_language: NDArray[np.str_]
    query: NDArray[np.int64]
    question: NDArray[np.int64]
    document: NDArray[np.int64]
    relevance: NDArray[np.int64]
    order: NDArray[np.int64]

    def asked_in(self, setting: Setting) -> NDArray[np.bool_]:
        """Which pairs belong to a setting, shape (pairs,)."""
        return np.isin(self.query_language, setting.query_languages) & np.isin(
            self.document_language, setting.document_languages
        )


def languages_asked(settings: Sequence[Setting]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Languages of the queries and of the documents of some settings, each ascending."""
    queries = {code for setting in settings for code in setting.query_languages}
    documents = {code for setting in settings for code in setting.document_languages}
    return tuple(sorted(queries)), tuple(sorted(documents))


def rank_judged(
    task: Task, settings: Sequence[Setting], retriever: Retriever, progress: Reporter
) -> RankTable:
    """The rank of every judged document in each setting.

    Args:
        task: What is asked.
        settings: The settings to score, of this task.
        retriever: A model that has seen the texts of these settings; its queries are stacked in
            the order of :func:`languages_asked`.
        progress: Where progress goes.
    """
    query_languages, document_languages = languages_asked(settings)
    corpora = task.collection.corpora
    ids = [name for code in document_languages for name in corpora[code].ids]
    ends = np.cumsum([len(corpora[code].ids) for code in document_languages])[:-1]
    order = dict(zip(document_languages, np.split(tie_order(ids), ends), strict=True))
    pairs = _judged_pairs(task.collection, query_languages, order, settings)

    # What is counted in one go: a corpus where scores do not depend on the pool, else a pool.
    units_of = {
        setting.id: [(code,) for code in setting.document_languages]
        if retriever.pool_independent
        else [setting.document_languages]
        for setting in settings
    }
    units = dict.fromkeys(unit for found in units_of.values() for unit in found)
    scores = np.zeros(len(pairs.query))
    if retriever.pool_independent:
        for code in document_languages:
            mine = np.flatnonzero(pairs.document_language == code)
            scores[mine] = _scores(retriever.vectors((code,)), corpora, (code,), pairs, mine)

    before: dict[tuple[str, ...], NDArray[np.int64]] = {}
    retrieved: dict[tuple[str, ...], NDArray[np.bool_]] = {}
    queries = sum(len(task.collection.queries[code].texts) for code in query_languages)
    with progress.track("Ranking", queries * len(units), "queries") as advance:
        for unit in units:
            here = [setting for setting in settings if unit in units_of[setting.id]]
            rows = np.flatnonzero(np.any([pairs.asked_in(setting) for setting in here], axis=0))
            vectors = retriever.vectors(unit)
            if not retriever.pool_independent:
                scores[rows] = _scores(vectors, corpora, unit, pairs, rows)
            before[unit] = np.zeros(len(scores), dtype=np.int64)
            before[unit][rows] = count_before(
                vectors.queries,
                vectors.documents,
                np.concatenate([order[code] for code in unit]),
                JudgedPairs(pairs.query[rows], scores[rows], pairs.order[rows]),
                advance,
            )
            retrieved[unit] = (scores > 0) | retriever.retrieves_all

    found = []
    for setting in settings:
        rows = np.flatnonzero(pairs.asked_in(setting))
        ranks = 1 + sum(before[unit][rows] for unit in units_of[setting.id])
        found.append((rows, np.where(retrieved[units_of[setting.id][0]][rows], ranks, 0)))
    return _table(task, settings, pairs, found)


def _judged_pairs(
    collection: Collection,
    query_languages: Sequence[str],
    order: Mapping[str, NDArray[np.int64]],
    settings: Sequence[Setting],
) -> _Pairs:
    wanted = {(q, d) for s in settings for q in s.query_languages for d in s.document_languages}
    parts: list[tuple[NDArray[np.int64], ...]] = []
    languages: list[tuple[str, str, int]] = []
    top = 0
    for q in query_languages:
        questions = collection.queries[q].question
        row_of = np.full(len(collection.questions), -1)
        row_of[questions] = np.arange(top, top + len(questions))
        for d in sorted(order):
            judged = collection.judgments[d]
            keep = row_of[judged.question] >= 0
            if (q, d) in wanted:
                question, document = judged.question[keep], judged.document[keep]
                rows = (row_of[question], question, document, judged.relevance[keep])
                parts.append((*rows, order[d][document]))
                languages.append((q, d, len(question)))
        top += len(questions)
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    by_query = np.argsort(columns[0], kind="stable")
    sizes = [size for _, _, size in languages]
    return _Pairs(
        np.repeat([q for q, _, _ in languages], sizes)[by_query],
        np.repeat([d for _, d, _ in languages], sizes)[by_query],
        *(column[by_query] for column in columns),
    )


def _scores(
    vectors: Vectors,
    corpora: Mapping[str, Corpus],
    pool: Sequence[str],
    pairs: _Pairs,
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Scores of pairs whose documents are all in the pool, shape (rows,)."""
    document = pairs.document[rows].copy()
    top = 0
    for code in pool:
        document[pairs.document_language[rows] == code] += top
        top += len(corpora[code].ids)
    return pair_scores(vectors.queries, vectors.documents, pairs.query[rows], document)


def _table(
    task: Task,
    settings: Sequence[Setting],
    pairs: _Pairs,
    found: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> RankTable:
    """The rank table of (rows of pairs, their ranks), one a setting."""
    corpora = task.collection.corpora
    rows = np.concatenate([rows for rows, _ in found])
    setting = np.repeat(np.arange(len(settings)), [len(rows) for rows, _ in found])
    languages, language = np.unique(pairs.query_language[rows], return_inverse=True)
    # Documents in the order of their ids; a document's place in the order of ties is its own.
    ids = sorted({name for corpus in corpora.values() for name in corpus.ids})
    index = {name: position for position, name in enumerate(ids)}
    document = np.array(
        [
            index[corpora[code].ids[number]]
            for code, number in zip(pairs.document_language, pairs.document, strict=True)
        ]
    )[rows]
    judged, document = np.unique(document, return_inverse=True)
    asked, question = np.unique(pairs.question[rows], return_inverse=True)
    by = np.lexsort((document, question, language, setting))
    definition = task.definition
    return RankTable(
        task=task.name,
        pool_sizes={
            s.id: sum(len(corpora[code].ids) for code in s.document_languages) for s in settings
        },
        setting=Column(tuple(s.id for s in settings), setting[by]),
        query_language=Column(tuple(str(code) for code in languages), language[by]),
        question=Column(tuple(task.collection.questions[q] for q in asked), question[by]),
        document=Column(tuple(ids[d] for d in judged), document[by]),
        relevance=pairs.relevance[rows][by],
        rank=np.concatenate([ranks for _, ranks in found])[by],
        primary_measure=definition.primary_measure,
        measures=definition.measures,
    )
