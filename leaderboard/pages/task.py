"""A page for each task: all systems that were scored on it, and what was published about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.board_view import page_count, task_view
from leaderboard.page import Page
from leaderboard.reported import reported_boards
from leaderboard.tables import task_text
from leaderboard.task_charts import MOST_POINTS, task_charts
from tasks.settings import KINDS, kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts
    from leaderboard.tables import TaskBoard

SECTION = "leaderboard"
MOST_WITH_PICTURES = 50
"""Systems of a page that has pictures too: with more, it would be too much for a browser."""


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``tasks/<task>.html``, and where there are many systems more in ``tasks/<task>/``."""
    published = reported_boards(facts.reported)
    boards = {board.task.id: board for board in facts.boards}
    for name in [*boards, *(other for other in published if other not in boards)]:
        board = boards.get(name)
        is_long = board is not None and len(board.rows) > MOST_WITH_PICTURES
        charts = task_charts(board, "../../" if is_long else "../") if board else []
        first = {
            "task": task_text(name),
            "board": board,
            "view": task_view(board) if board and board.rows else None,
            "reported": published.get(name),
            "charts": [] if is_long else charts,
            "pictures": pictures_path(name) if is_long and charts else None,
            "settings": _settings(name, facts) if board else {},
        }
        yield Page(task_path(name), "task.html", first, SECTION)
        if first["pictures"]:
            content = {"task": first["task"], "charts": charts, "most": MOST_POINTS}
            yield Page(pictures_path(name), "task_pictures.html", content, SECTION)
        if board:
            yield from _further(board)


def _further(board: TaskBoard) -> Iterator[Page]:
    """The second and all further pages of the table of a task."""
    for number in range(2, page_count(len(board.rows)) + 1):
        content = {"task": board.task, "board": board, "view": task_view(board, number)}
        yield Page(task_path(board.task.id, number), "task_further.html", content, SECTION)


def task_path(task: str, number: int = 1) -> str:
    """Where a page of a task stands; its table may be cut into several."""
    return f"tasks/{task}.html" if number == 1 else f"tasks/{task}/{number}.html"


def pictures_path(task: str) -> str:
    """Where the pictures of a task stand that have no room beside a long table."""
    return f"tasks/{task}/pictures.html"


def _settings(task: str, facts: SiteFacts) -> dict[str, list[tuple[str, str, str]]]:
    """By class, the settings that have a page: id, query language and document language."""
    systems = facts.complete(task)
    if not systems:
        return {}
    settings = facts.seeds(systems[0], task)[0].layout.settings
    found = {kind: [s for s in settings if kind_of(s) == kind] for kind in KINDS}
    return {kind: [(s, *languages_of(s)) for s in ids] for kind, ids in found.items() if ids}
