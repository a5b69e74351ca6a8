"""The first page: what this is, who leads each task, what code-switching does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.board_view import leaders_view
from leaderboard.code_switching import BIAS, CLASSES
from leaderboard.code_switching_words import overall
from leaderboard.page import Page
from leaderboard.reported import reported_boards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts

LEADERS = 5
"""Systems of each task on the first page."""


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``index.html``."""
    scored = {board.task.id for board in facts.boards}
    published = [b for name, b in reported_boards(facts.reported).items() if name not in scored]
    content = {
        "boards": facts.boards,
        "published": published,
        "code_switching": facts.code_switching.studies,
        "answer": overall(facts.code_switching.studies),
        "classes": (*CLASSES, BIAS),
        "reported": bool(facts.reported),
        "leaders": {b.task.id: leaders_view(b, LEADERS) for b in facts.boards if b.rows},
        "most": LEADERS,
    }
    yield Page("index.html", "index.html", content, "leaderboard")
