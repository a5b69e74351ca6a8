"""The table of a task: every system that was scored on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.measures import RANK_DISTANCE
from harness.question_scores import class_averages, question_scores
from tasks.definition import load_definition, task_names
from tasks.settings import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.question_scores import Average
    from leaderboard.facts import SiteFacts
    from leaderboard.families import Family, Place
    from leaderboard.systems import SiteSystem

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
        system: The system.
        averages: By class, of the task's primary measure, over its seeds.
        places: Where it stands, by class.
        rank_distance: Micro average, or None where the task does not report it.
    """

    system: SiteSystem
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
    rows = [_row(system, task, facts, family) for system in facts.complete(task)]
    by = _sorted_by(rows)
    rows.sort(key=lambda row: (-row.averages[by].micro, row.system.id))
    tables = [facts.table(entry.manifest.id, task) for s in systems for entry in s.entries[:1]]
    largest = max(tables, key=lambda table: len(table.pool_sizes))
    placed = {row.system.id for row in rows}
    return TaskBoard(
        task=task_text(task),
        measure=largest.primary_measure,
        questions=max(len(table.question.names) for table in tables),
        settings=len(largest.pool_sizes),
        languages=len(largest.query_language.names),
        sorted_by=by,
        rows=tuple(rows),
        incomplete=tuple(system for system in systems if system.id not in placed),
        family=family,
    )


def averages_over_seeds(averages: Sequence[Mapping[str, Average]]) -> dict[str, Average]:
    """The class averages of a system: means over those of its seeds."""
    return {
        kind: replace(
            found,
            macro=float(np.mean([one[kind].macro for one in averages])),
            micro=float(np.mean([one[kind].micro for one in averages])),
        )
        for kind, found in averages[0].items()
    }


def _row(system: SiteSystem, task: str, facts: SiteFacts, family: Family | None) -> SystemRow:
    distances = []
    for entry in system.entries:
        table = facts.table(entry.manifest.id, task)
        if RANK_DISTANCE in table.measures:
            found = class_averages(question_scores(table, RANK_DISTANCE))
            distances += [found["mlir"].micro] if "mlir" in found else []
    placed = family.places.items() if family else ()
    return SystemRow(
        system=system,
        averages=averages_over_seeds(
            [class_averages(one.scores) for one in facts.seeds(system, task)]
        ),
        places={
            kind: place for kind, places in placed for place in places if place.system == system.id
        },
        rank_distance=float(np.mean(distances)) if distances else None,
    )


def _sorted_by(rows: Sequence[SystemRow]) -> str:
    """The class that decides the order: the usual one, or the first that the task has."""
    found = {kind for row in rows for kind in row.averages}
    return next((kind for kind in (SORTED_BY, *KINDS) if kind in found), SORTED_BY)
