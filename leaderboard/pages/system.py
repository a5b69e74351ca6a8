"""A page for each system: every pair of languages, against its baselines; how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.page import Page
from leaderboard.system_tasks import system_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``entries/<system>.html``."""
    for system in facts.systems:
        tasks = [
            system_task(system, board.task.id, facts)
            for board in facts.boards
            if system.has(board.task.id)
        ]
        content = {"system": system, "entry": system.manifest, "tasks": tasks}
        yield Page(f"entries/{system.id}.html", "system.html", content, "leaderboard")
