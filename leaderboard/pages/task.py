"""A page for each task: all systems that were scored on it, and what was published about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.page import Page
from leaderboard.reported import reported_boards
from leaderboard.tables import task_text
from leaderboard.task_charts import task_charts
from tasks.settings import KINDS, kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts


FACETS = (
    {"key": "method", "title": "Training"},
    {"key": "kind", "title": "Kind"},
    {"key": "base", "title": "Base model"},
    {"key": "size", "title": "Parameters"},
)
"""What the systems of a task can be narrowed down by, as ``board.js`` knows them."""


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``tasks/<task>.html``."""
    published = reported_boards(facts.reported)
    boards = {board.task.id: board for board in facts.boards}
    for name in [*boards, *(other for other in published if other not in boards)]:
        content = {
            "task": task_text(name),
            "board": boards.get(name),
            "reported": published.get(name),
            "charts": task_charts(boards[name]) if name in boards else [],
            "facets": FACETS,
            "settings": _settings(name, facts) if name in boards else {},
        }
        yield Page(f"tasks/{name}.html", "task.html", content, "leaderboard")


def _settings(task: str, facts: SiteFacts) -> dict[str, list[tuple[str, str, str]]]:
    """By class, the settings that have a page: id, query language and document language."""
    systems = facts.complete(task)
    if not systems:
        return {}
    settings = facts.seeds(systems[0], task)[0].scores.settings
    found = {kind: [s for s in settings if kind_of(s) == kind] for kind in KINDS}
    return {kind: [(s, *languages_of(s)) for s in ids] for kind, ids in found.items() if ids}
