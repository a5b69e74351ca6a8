"""The table of a task: every system that was scored on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean
from typing import TYPE_CHECKING

from harness.measures import RANK_DISTANCE
from leaderboard.system_card import system_card
from tasks.definition import load_definition, task_names
from tasks.settings import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.question_scores import Average
    from leaderboard.facts import SiteFacts
    from leaderboard.families import Family, Place
    from leaderboard.system_card import SystemCard
    from leaderboard.systems import SiteSystem

SORTED_BY = "clir"
"""The class that systems are sorted by where a task has it: what the leaderboard is about."""
MOST_ROWS = 100
"""Of a table on one page: a browser slows down with the elements, not with the bytes."""
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
        system: The system.
        card: What the table says of it besides.
        averages: By class, of the task's primary measure, over its seeds.
        places: Where it stands, by class.
        rank_distance: Micro average, or None where the task does not report it.
    """

    system: SiteSystem
    card: SystemCard
    averages: Mapping[str, Average]
    places: Mapping[str, Place]
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
        family: All pairs of the systems in all classes: behind letters, ranks and intervals. None
            if no system is complete.
    """

    task: TaskText
    measure: str
    questions: int
    settings: int
    languages: int
    sorted_by: str
    rows: tuple[SystemRow, ...]
    incomplete: tuple[SiteSystem, ...]
    family: Family | None


@dataclass(frozen=True, slots=True)
class TaskTables:
    """The tables of a task's settings, with all that they are made from and no more.

    Attributes:
        task: The task.
        measure: Its primary measure.
        classes: All pairs of systems in its classes; None if no system is complete.
        family: The same in each setting.
        asked: By setting, the number of its questions.
        cards: By id, the systems that have a place.
    """

    task: TaskText
    measure: str
    classes: Family | None
    family: Family | None
    asked: Mapping[str, int]
    cards: Mapping[str, SystemCard]


def setting_file(setting: str) -> str:
    """A setting as part of a path: ``clir-de-en``."""
    return setting.replace("/", "-")


@cache
def task_text(task: str) -> TaskText:
    """What a task is called and about; a task that is not in the catalogue has its id only."""
    if task.partition("+")[0] not in task_names():
        return TaskText(task, task, "", "")
    definition, form = load_definition(task)
    title = definition.title + FORM_NAMES.get(form, "")
    return TaskText(task, title, definition.summary, definition.licence)


def task_board(task: str, facts: SiteFacts) -> TaskBoard:
    """The table of a task that at least one system has."""
    systems = facts.with_task(task)
    family = facts.family(task)
    places = {
        kind: {place.system: place for place in found}
        for kind, found in (family.places if family else {}).items()
    }
    rows = [_row(system, task, facts, places) for system in facts.complete(task)]
    by = _sorted_by(rows)
    rows.sort(key=lambda row: (-row.averages[by].micro, row.system.id))
    found = [facts.seeds(system, task)[0].summary for system in systems]
    largest = max(found, key=lambda summary: len(summary.settings))
    placed = {row.system.id for row in rows}
    return TaskBoard(
        task=task_text(task),
        measure=largest.measure,
        questions=max(summary.questions for summary in found),
        settings=len(largest.settings),
        languages=largest.languages,
        sorted_by=by,
        rows=tuple(rows),
        incomplete=tuple(system for system in systems if system.id not in placed),
        family=family,
    )


def task_tables(board: TaskBoard, facts: SiteFacts) -> TaskTables:
    """The tables of the settings of a task."""
    asked = {}
    if board.rows:
        summary = facts.seeds(board.rows[0].system, board.task.id)[0].summary
        asked = {setting: mean.n for setting, mean in summary.means[summary.measure].items()}
    return TaskTables(
        task=board.task,
        measure=board.measure,
        classes=board.family,
        family=facts.family(board.task.id, ("*",)),
        asked=asked,
        cards={row.system.id: row.card for row in board.rows},
    )


def averages_over_seeds(averages: Sequence[Mapping[str, Average]]) -> dict[str, Average]:
    """The class averages of a system: means over those of its seeds."""
    return {
        kind: replace(
            found,
            macro=fmean(one[kind].macro for one in averages),
            micro=fmean(one[kind].micro for one in averages),
        )
        for kind, found in averages[0].items()
    }


def _row(
    system: SiteSystem, task: str, facts: SiteFacts, places: Mapping[str, Mapping[str, Place]]
) -> SystemRow:
    summaries = [one.summary for one in facts.seeds(system, task)]
    distances = [
        found["mlir"].micro
        for found in (summary.averages.get(RANK_DISTANCE, {}) for summary in summaries)
        if "mlir" in found
    ]
    return SystemRow(
        system=system,
        card=system_card(system),
        averages=averages_over_seeds([one.averages[one.measure] for one in summaries]),
        places={kind: found[system.id] for kind, found in places.items()},
        rank_distance=fmean(distances) if distances else None,
    )


def _sorted_by(rows: Sequence[SystemRow]) -> str:
    """The class that decides the order: the usual one, or the first that the task has."""
    found = {kind for row in rows for kind in row.averages}
    return next((kind for kind in (SORTED_BY, *KINDS) if kind in found), SORTED_BY)
