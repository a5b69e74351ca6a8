"""Tables of the site, computed from the ranks of the entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison import compare
from harness.measures import RANK_DISTANCE
from harness.paired_scores import from_question_scores
from harness.question_scores import (
    class_averages,
    question_scores,
    setting_means,
)
from tasks.definition import load_definition, task_names
from tasks.languages import POOL, language_name
from tasks.settings import KINDS, languages_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison import Comparison
    from harness.question_scores import Average, QuestionScores
    from harness.ranks import RankTable
    from submissions.entry import Entry

SORTED_BY = "clir"
"""The class that systems are sorted by where a task has it: what the leaderboard is about."""
FORM_NAMES = {
    "sentence+context": ", sentence with context",
    "passage+paper-draw": ", languages drawn as in the paper",
}
"""What the form of a task's candidates adds to its title, where it is not the usual one."""


@dataclass(frozen=True, slots=True)
class TaskText:
    """What a task is called and about.

    Attributes:
        id: Name of the task.
        title: Name that people read.
        summary: One sentence.
        licence: Licence of the data, or nothing for a task that is not in the catalogue.
    """

    id: str
    title: str
    summary: str
    licence: str


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A system in the table of a task.

    Attributes:
        entry: Its entry.
        averages: By class, of the task's primary measure.
        letters: By class.
        behind: Difference to the leader of the class that is sorted by, with half the width of
            its simultaneous interval, if it has a bound; None for the leader.
        rank_distance: Micro average, or None where the task does not report it.
    """

    entry: Entry
    averages: Mapping[str, Average]
    letters: Mapping[str, str]
    behind: tuple[float, float | None] | None
    rank_distance: float | None


@dataclass(frozen=True, slots=True)
class TaskBoard:
    """All systems that were scored on a task.

    Attributes:
        task: The task.
        measure: Its primary measure.
        questions: Number of questions.
        settings: Number of settings.
        languages: Number of languages.
        sorted_by: The class that they are sorted by.
        rows: Systems with a complete run, best first.
        incomplete: Systems with some settings only, by name: they have no place.
        family_size: Number of tests behind the letters.
    """

    task: TaskText
    measure: str
    questions: int
    settings: int
    languages: int
    sorted_by: str
    rows: tuple[SystemRow, ...]
    incomplete: tuple[Entry, ...]
    family_size: int


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Means of an entry by query language (rows) and document language (columns).

    Attributes:
        languages: Codes, ascending.
        means: By query and document language; ``xx`` is the pool of all languages.
        questions: Number of questions behind each mean.
    """

    languages: tuple[str, ...]
    means: Mapping[tuple[str, str], float]
    questions: Mapping[tuple[str, str], int]

    @property
    def sides(self) -> tuple[str, ...]:
        """Codes of the rows and of the columns: each language, then the pool."""
        return (*self.languages, POOL)


@dataclass(frozen=True, slots=True)
class EntryTask:
    """One task of an entry.

    Attributes:
        task: The task.
        measure: Its primary measure.
        averages: By measure and class.
        heat_map: Of the primary measure.
        complete: Whether all settings were scored.
    """

    task: TaskText
    measure: str
    averages: Mapping[str, Mapping[str, Average]]
    heat_map: HeatMap
    complete: bool


def task_text(task: str) -> TaskText:
    """What a task is called and about; a task that is not in the catalogue has its id only."""
    if task.partition("+")[0] not in task_names():
        return TaskText(task, task, "", "")
    definition, form = load_definition(task)
    title = definition.title + FORM_NAMES.get(form, "")
    return TaskText(task, title, definition.summary, definition.licence)


def task_board(task: str, tables: Mapping[str, RankTable], entries: Sequence[Entry]) -> TaskBoard:
    """The table of a task.

    Args:
        task: Name of the task.
        tables: Ranks of the entries that have the task, by entry id.
        entries: The entries that have the task.
    """
    complete = [e for e in entries if e.manifest.runs[task].complete]
    measure = next(iter(tables.values())).primary_measure
    scores = {e.manifest.id: question_scores(tables[e.manifest.id], measure) for e in complete}
    comparison = _compare(scores)
    rows = [_row(e, tables[e.manifest.id], scores[e.manifest.id], comparison) for e in complete]
    by = _sorted_by(rows)
    rows.sort(key=lambda row: (-row.averages[by].micro, row.entry.manifest.id))
    largest = max(tables.values(), key=lambda table: len(table.pool_sizes))
    return TaskBoard(
        task=task_text(task),
        measure=measure,
        questions=len(largest.question.names),
        settings=len(largest.pool_sizes),
        languages=len(largest.query_language.names),
        sorted_by=by,
        rows=tuple(_behind(row, rows[0], comparison, by) for row in rows),
        incomplete=tuple(e for e in entries if e not in complete),
        family_size=comparison.family_size if comparison else 0,
    )


def entry_task(entry: Entry, table: RankTable) -> EntryTask:
    """What an entry's page shows of one task."""
    scores = {name: question_scores(table, name) for name in table.measures}
    means = setting_means(scores[table.primary_measure])
    pairs = {languages_of(setting): mean for setting, mean in means.items()}
    codes = sorted({code for pair in pairs for code in pair if code != POOL}, key=language_name)
    return EntryTask(
        task=task_text(table.task),
        measure=table.primary_measure,
        averages={name: class_averages(found) for name, found in scores.items()},
        heat_map=HeatMap(
            languages=tuple(codes),
            means={pair: mean.mean for pair, mean in pairs.items()},
            questions={pair: mean.n for pair, mean in pairs.items()},
        ),
        complete=entry.manifest.runs[table.task].complete,
    )


def _compare(scores: Mapping[str, QuestionScores]) -> Comparison | None:
    """The family of tests of a task: every pair of systems in every class average."""
    if len(scores) < 2:
        return None
    return compare(from_question_scores(scores))


def _row(
    entry: Entry, table: RankTable, scores: QuestionScores, comparison: Comparison | None
) -> SystemRow:
    letters = comparison.letters if comparison else {}
    distance = None
    if RANK_DISTANCE in table.measures:
        found = class_averages(question_scores(table, RANK_DISTANCE))
        distance = found["mlir"].micro if "mlir" in found else None
    return SystemRow(
        entry=entry,
        averages=class_averages(scores),
        letters={kind: letters[kind][entry.manifest.id] for kind in KINDS if kind in letters},
        behind=None,
        rank_distance=distance,
    )


def _sorted_by(rows: Sequence[SystemRow]) -> str:
    """The class that decides the order: the usual one, or the first that the task has."""
    found = {kind for row in rows for kind in row.averages}
    return next((kind for kind in (SORTED_BY, *KINDS) if kind in found), SORTED_BY)


def _behind(row: SystemRow, leader: SystemRow, comparison: Comparison | None, by: str) -> SystemRow:
    if comparison is None or row is leader:
        return row
    pair = {row.entry.manifest.id, leader.entry.manifest.id}
    test = next(t for t in comparison.tests if t.setting == by and {t.a, t.b} == pair)
    half = (test.ci[1] - test.ci[0]) / 2 if test.ci else None
    return SystemRow(
        entry=row.entry,
        averages=row.averages,
        letters=row.letters,
        behind=(-abs(test.difference), half),
        rank_distance=row.rank_distance,
    )
