"""Ranks against the task's own judgments: every judged document of every question, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from submissions.checks.problems import Problem, Problems, shown
from tasks.data_files import locate
from tasks.errors import DataFileError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.ranks import RankTable
    from tasks.collection import Collection
    from tasks.definition import TaskDefinition
    from tasks.settings import Setting

_AGAIN = "Score the task again: `babelboard score` writes the file."


def check_judged_pairs(
    name: str,
    table: RankTable,
    definition: TaskDefinition,
    data: Path | None,
    problems: Problems,
) -> None:
    """Compares ranks with the task, where its files are on this machine and small.

    Args:
        name: The rank file, relative to the entry.
        table: What it holds.
        definition: The task.
        data: A folder that is searched first for the task's files.
        problems: Takes what is wrong.
    """
    if not definition.files or None in locate(definition, data).values():
        where = "the collections of ir_datasets are not read"
        if definition.files:
            where = "its files are not all on this machine"
        problems.add(
            Problem(
                "W005",
                name,
                f"not compared with the data of {definition.name}: {where}",
                "ids and judgments are compared where the data are at hand and small",
                "Nothing to do where the maintainers have the data; else name them with --data.",
            )
        )
        return
    try:
        task = load_task(name.partition("/")[2].removesuffix(".parquet"), data)
    except DataFileError as error:
        first = str(error).splitlines()[0]
        problems.add(
            Problem("W005", name, f"not compared: {shown(first)[1:-1]}", "the task's files", _AGAIN)
        )
        return
    settings = {setting.id: setting for setting in task.settings}
    _Comparison(name, table, task.collection, problems).check(settings)


class _Comparison:
    """Rows of a table and judged pairs of a collection as numbers that can be compared."""

    def __init__(
        self, name: str, table: RankTable, collection: Collection, problems: Problems
    ) -> None:
        self._name = name
        self._table = table
        self._collection = collection
        self._problems = problems
        self._documents: list[str] = []
        self._start: dict[str, int] = {}
        for language, corpus in sorted(collection.corpora.items()):
            self._start[language] = len(self._documents)
            self._documents += corpus.ids
        self._languages = tuple(sorted(collection.queries))

    def check(self, settings: dict[str, Setting]) -> None:
        """Compares setting by setting."""
        table = self._table
        question = self._known("E046", "question", table.question.names, self._collection.questions)
        document = self._known("E048", "document", table.document.names, self._documents)
        language = _places(table.query_language.names, self._languages)
        keys = self._keys(
            language[table.query_language.codes],
            question[table.question.codes],
            document[table.document.codes],
        )
        known = (
            (language[table.query_language.codes] >= 0)
            & (question[table.question.codes] >= 0)
            & (document[table.document.codes] >= 0)
        )
        for code, name in enumerate(table.setting.names):
            if name in settings:
                rows = np.flatnonzero(known & (table.setting.codes == code))
                self._compare(settings[name], rows, keys[rows])

    def _known(
        self, code: str, what: str, names: Sequence[str], known: Sequence[str]
    ) -> NDArray[np.int64]:
        """The place of each name among those that are known; -1 for others, which are reported."""
        found = _places(names, known)
        for number in np.flatnonzero(found < 0).tolist():
            column = self._table.question if code == "E046" else self._table.document
            row = int(np.flatnonzero(column.codes == number)[0])
            self._add(code, f"the {what} {shown(names[number])}", f"the task's {what}s", row)
        return found

    def _keys(
        self,
        language: NDArray[np.int64],
        question: NDArray[np.int64],
        document: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        width, depth = len(self._documents), len(self._collection.questions)
        keys: NDArray[np.int64] = (language * depth + question) * width + document
        return keys

    def _expected(self, setting: Setting) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys and grades of the judged pairs of a setting, by key."""
        keys, grades = [], []
        for asked in setting.query_languages:
            questions = self._collection.queries[asked].question
            for answered in setting.document_languages:
                judged = self._collection.judgments[answered]
                kept = np.isin(judged.question, questions)
                language = np.full(int(kept.sum()), self._languages.index(asked))
                documents = self._start[answered] + judged.document[kept]
                keys.append(self._keys(language, judged.question[kept], documents))
                grades.append(judged.relevance[kept])
        joined = np.concatenate(keys)
        by = np.argsort(joined)
        return joined[by], np.concatenate(grades)[by]

    def _compare(self, setting: Setting, rows: NDArray[np.int64], keys: NDArray[np.int64]) -> None:
        expected, grades = self._expected(setting)
        place = np.minimum(np.searchsorted(expected, keys), len(expected) - 1)
        there = expected[place] == keys
        for row in rows[~there].tolist():
            self._add(
                "E048",
                f"the document {shown(self._document(row))} for the question "
                f"{shown(self._question(row))} in {setting.id}",
                "documents that are judged for the question",
                row,
            )
        other = there & (grades[place] != self._table.relevance[rows])
        for row, grade in zip(rows[other].tolist(), grades[place][other].tolist(), strict=True):
            self._add(
                "E049",
                f"relevance {self._table.relevance[row]} of {shown(self._document(row))} for "
                f"{shown(self._question(row))} in {setting.id}",
                f"{grade}",
                row,
            )
        missing = np.setdiff1d(expected, keys)
        asked = np.unique(keys // len(self._documents))
        lost = np.setdiff1d(missing // len(self._documents), asked)
        for key in lost.tolist():
            question = self._collection.questions[key % len(self._collection.questions)]
            self._add(
                "E047",
                f"no rank for the question {shown(question)} in {setting.id}",
                "ranks for every question",
            )
        for key in missing[np.isin(missing // len(self._documents), asked)].tolist():
            document = self._documents[key % len(self._documents)]
            question = self._collection.questions[
                key // len(self._documents) % len(self._collection.questions)
            ]
            self._add(
                "E054",
                f"no row for the document {shown(document)}, judged for {shown(question)}, in "
                f"{setting.id}",
                "a row for every judged document, without a rank if it was not retrieved",
            )

    def _document(self, row: int) -> str:
        return self._table.document.names[int(self._table.document.codes[row])]

    def _question(self, row: int) -> str:
        return self._table.question.names[int(self._table.question.codes[row])]

    def _add(self, code: str, found: str, allowed: str, row: int | None = None) -> None:
        self._problems.add(Problem(code, self._name, found, allowed, _AGAIN, row=row))


def _places(names: Sequence[str], known: Sequence[str]) -> NDArray[np.int64]:
    place = {text: number for number, text in enumerate(known)}
    return np.array([place.get(name, -1) for name in names], dtype=np.int64)
