"""Where the queries and documents of some settings stand, once they are stacked by language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.ranks import Column, RankTable
from harness.retrieval.scan import tie_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tasks.settings import Setting
    from tasks.task import Task


def languages_asked(settings: Sequence[Setting]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Languages of the queries and of the documents of some settings, each ascending."""
    queries = {code for setting in settings for code in setting.query_languages}
    documents = {code for setting in settings for code in setting.document_languages}
    return tuple(sorted(queries)), tuple(sorted(documents))


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """The pairs of a query and a judged document that the settings ask for, by query row.

    Attributes:
        query_language: Index of the query's language in the layout's query languages.
        document_language: Index of the document's in the layout's document languages.
        query: Row of the query among all queries.
        question: Index of the question in the collection.
        document: Row of the document among all documents.
        relevance: Its grade.
    """

    query_language: NDArray[np.int64]
    document_language: NDArray[np.int64]
    query: NDArray[np.int64]
    question: NDArray[np.int64]
    document: NDArray[np.int64]
    relevance: NDArray[np.int64]


class Layout:
    """The rows of the queries and documents of some settings of a task.

    Attributes:
        task: What is asked.
        settings: The settings.
        query_languages: Languages of the queries, ascending; all queries are stacked so.
        document_languages: Languages of the documents, ascending; likewise.
        query_start: Row of each language's first query.
        document_start: Row of each language's first document.
        order: Each document's place in the order of ties, shape (documents,).
        judged: The judged pairs of all settings.
    """

    def __init__(self, task: Task, settings: Sequence[Setting]) -> None:
        self.task = task
        self.settings = tuple(settings)
        self.query_languages, self.document_languages = languages_asked(settings)
        collection = task.collection
        self.query_start = _starts(
            {code: len(collection.queries[code].texts) for code in self.query_languages}
        )
        self.document_start = _starts(
            {code: len(collection.corpora[code].ids) for code in self.document_languages}
        )
        self.order = tie_order([collection.corpora[code].ids for code in self.document_languages])
        self.judged = self._judged_rows()

    def pool_size(self, setting: Setting) -> int:
        """Number of documents that a query of the setting can retrieve."""
        corpora = self.task.collection.corpora
        if self._is_drawn(setting.document_languages):  # each passage is there in one language
            return len(corpora[setting.document_languages[0]].ids)
        return sum(len(corpora[code].ids) for code in setting.document_languages)

    def document_rows(self, languages: Sequence[str]) -> NDArray[np.int64]:
        """Rows, among all documents, of the corpora of some languages, in their order."""
        corpora = self.task.collection.corpora
        return np.concatenate(
            [self.document_start[code] + np.arange(len(corpora[code].ids)) for code in languages]
        )

    def judged_in(self, setting: Setting) -> NDArray[np.int64]:
        """Which of the judged pairs belong to a setting, ascending."""
        judged, draw = self.judged, self.task.draw
        asked = [self.query_languages.index(code) for code in setting.query_languages]
        found = [self.document_languages.index(code) for code in setting.document_languages]
        is_asked = np.zeros(len(self.query_languages), dtype=np.bool_)
        is_found = np.zeros(len(self.document_languages), dtype=np.bool_)
        is_asked[asked], is_found[found] = True, True
        mine = is_asked[judged.query_language] & is_found[judged.document_language]
        if draw and self._is_drawn(setting.query_languages):
            drawn = self._drawn(self.query_languages, draw.question)[judged.question]
            mine &= judged.query_language == drawn
        if draw and self._is_drawn(setting.document_languages):
            starts = np.array([self.document_start[code] for code in self.document_languages])
            row = judged.document - starts[judged.document_language]
            drawn = self._drawn(self.document_languages, draw.document)[row]
            mine &= judged.document_language == drawn
        return np.flatnonzero(mine)

    def candidates_in(self, setting: Setting) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The task's own candidates for a setting.

        Returns:
            Rows of queries and of documents, one a candidate, by query row.
        """
        candidates, draw = self.task.candidates, self.task.draw
        if candidates is None:
            raise ValueError(f"{self.task.name} has no candidates")
        judged = self.judged_in(setting)
        query, first = np.unique(self.judged.query[judged], return_index=True)
        question = self.judged.question[judged][first]
        sizes = candidates.start[question + 1] - candidates.start[question]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        row = candidates.document[np.repeat(candidates.start[question], sizes) + within]
        if draw and self._is_drawn(setting.document_languages):
            starts = np.array([self.document_start[code] for code in self.document_languages])
            language = self._drawn(self.document_languages, draw.document)[row]
            return np.repeat(query, sizes), starts[language] + row
        return np.repeat(query, sizes), self.document_start[setting.document_languages[0]] + row

    def rank_table(
        self, ranked: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]
    ) -> RankTable:
        """The rank table of a task.

        Args:
            ranked: By setting id, indices of judged pairs and the rank of each, 0 where it was
                not retrieved.
        """
        rows = np.concatenate([ranked[setting.id][0] for setting in self.settings])
        rank = np.concatenate([ranked[setting.id][1] for setting in self.settings])
        sizes = [len(ranked[setting.id][0]) for setting in self.settings]
        setting = np.repeat(np.arange(len(self.settings)), sizes)
        judged, collection = self.judged, self.task.collection
        language = _column(self.query_languages, judged.query_language[rows])
        question = _column(collection.questions, judged.question[rows])
        document = self._ids(judged.document[rows])
        by = np.lexsort((document.codes, question.codes, language.codes, setting))
        definition = self.task.definition
        return RankTable(
            task=self.task.name,
            pool_sizes={one.id: self.pool_size(one) for one in self.settings},
            setting=Column(tuple(one.id for one in self.settings), setting[by]),
            query_language=Column(language.names, language.codes[by]),
            question=Column(question.names, question.codes[by]),
            document=Column(document.names, document.codes[by]),
            relevance=judged.relevance[rows][by],
            rank=rank[by],
            primary_measure=definition.primary_measure,
            measures=definition.measures,
        )

    def document_names(self, rows: NDArray[np.int64]) -> list[str]:
        """Ids of documents by their rows, shape (rows,)."""
        starts = np.array([self.document_start[code] for code in self.document_languages])
        language = np.searchsorted(starts, rows, side="right") - 1
        corpora = [self.task.collection.corpora[code].ids for code in self.document_languages]
        local = rows - starts[language]
        return [corpora[c][r] for c, r in zip(language.tolist(), local.tolist(), strict=True)]

    def _ids(self, document: NDArray[np.int64]) -> Column:
        """Ids of documents, ascending, and the place of each row's among them."""
        distinct, inverse = np.unique(document, return_inverse=True)
        names = self.document_names(distinct)
        by = sorted(range(len(names)), key=names.__getitem__)
        place = np.empty(len(names), dtype=np.int64)
        place[by] = np.arange(len(names))
        return Column(tuple(names[number] for number in by), place[inverse])

    def _is_drawn(self, languages: Sequence[str]) -> bool:
        return self.task.draw is not None and len(languages) > 1

    def _drawn(self, languages: Sequence[str], draw: NDArray[np.int8]) -> NDArray[np.int64]:
        """The draw as indices in ``languages``; -1 for a language that is not among them."""
        known = self.task.draw.languages if self.task.draw else ()
        index = [languages.index(code) if code in languages else -1 for code in known]
        return np.array(index, dtype=np.int64)[draw]

    def _judged_rows(self) -> JudgedRows:
        wanted = {
            (q, d) for s in self.settings for q in s.query_languages for d in s.document_languages
        }
        collection = self.task.collection
        columns: list[tuple[NDArray[np.int64], ...]] = []
        for number, q in enumerate(self.query_languages):
            questions = collection.queries[q].question
            row_of = np.full(len(collection.questions), -1)
            row_of[questions] = self.query_start[q] + np.arange(len(questions))
            for other, d in enumerate(self.document_languages):
                if (q, d) not in wanted:
                    continue
                judged = collection.judgments[d]
                kept = row_of[judged.question] >= 0
                question = judged.question[kept]
                columns.append(
                    (
                        np.full(len(question), number),
                        np.full(len(question), other),
                        row_of[question],
                        question,
                        self.document_start[d] + judged.document[kept],
                        judged.relevance[kept],
                    )
                )
        joined = [np.concatenate(column) for column in zip(*columns, strict=True)]
        by_query = np.argsort(joined[2], kind="stable")
        return JudgedRows(*(column[by_query] for column in joined))


def _starts(sizes: Mapping[str, int]) -> dict[str, int]:
    ends = np.cumsum([0, *sizes.values()])
    return dict(zip(sizes, ends[:-1].tolist(), strict=True))


def _column(names: Sequence[str], codes: NDArray[np.int64]) -> Column:
    """A column of the names that occur."""
    used, inverse = np.unique(codes, return_inverse=True)
    return Column(tuple(names[number] for number in used.tolist()), inverse.astype(np.int64))
