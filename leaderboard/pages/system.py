"""A page for each system: every pair of languages, against its baselines; how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.bibtex import bibtex
from leaderboard.page import Page
from leaderboard.superseded import superseded_of
from leaderboard.system_tasks import system_task
from leaderboard.training_cost import training_costs
from submissions.trust import follows_shipped_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leaderboard.facts import SiteFacts
    from leaderboard.system_tasks import SystemTask
    from leaderboard.systems import SiteSystem

MOST_CELLS = 400
"""Of the heat maps on one page, empty ones included, so that it stays within 3,000 elements."""


def system_pages(system: SiteSystem, facts: SiteFacts) -> Iterator[Page]:
    """``entries/<system>.html``, and ``maps/<system>/<task>.html`` for tasks that do not fit."""
    boards = [board.task.id for board in facts.boards]
    # Of a system that was withdrawn, a task may have no other system, and so no board.
    others = sorted(set(system.manifest.runs) - set(boards)) if system.is_withdrawn else []
    tasks = [system_task(system, name, facts) for name in (*boards, *others) if system.has(name)]
    here, elsewhere = fitting(tasks)
    content = {
        "system": system,
        "entry": system.manifest,
        "trust": system.trust,
        "contamination": system.contamination,
        "costs": training_costs(system.system),
        "titles": {found.task.id: found.task.title for found in tasks},
        "bibtex": bibtex(system, [found.task.id for found in tasks], years_of(system, facts)),
        "is_ours": _is_ours(system),
        "boards": boards,
        "superseded": superseded_of(system),
    }
    first = {**content, "tasks": here, "elsewhere": elsewhere, "is_part": False}
    yield Page(f"entries/{system.id}.html", "system.html", first, "leaderboard")
    for found in elsewhere:
        part = {**content, "tasks": [found], "elsewhere": (), "is_part": True}
        path = f"maps/{system.id}/{found.task.id}.html"
        yield Page(path, "system.html", part, "leaderboard")


def fitting(tasks: Sequence[SystemTask]) -> tuple[list[SystemTask], list[SystemTask]]:
    """The tasks whose maps fit on the page of a system, at least one, and the others."""
    here: list[SystemTask] = []
    elsewhere: list[SystemTask] = []
    cells = 0
    for found in tasks:
        size = len(found.map.sides) ** 2
        if here and cells + size > MOST_CELLS:
            elsewhere.append(found)
        else:
            here.append(found)
            cells += size
    return here, elsewhere


def years_of(system: SiteSystem, facts: SiteFacts) -> dict[str, int]:
    """By entry of a system, the year in which it was added, where the record of changes says so."""
    ids = [entry.manifest.id for entry in system.entries]
    return {name: facts.years[name] for name in ids if name in facts.years}


def _is_ours(system: SiteSystem) -> bool:
    """Whether it was made by a recipe that comes with babelboard: then there is one command."""
    record = system.system.record
    return record is not None and follows_shipped_recipe(record.recipe)
