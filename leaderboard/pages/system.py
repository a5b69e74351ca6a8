"""A page for each system: every pair of languages, against its baselines; how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.page import Page
from leaderboard.system_tasks import system_task
from submissions.baselines.recipe_file import RECIPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts
    from leaderboard.systems import SiteSystem


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``entries/<system>.html``."""
    for system in facts.systems:
        tasks = [
            system_task(system, board.task.id, facts)
            for board in facts.boards
            if system.has(board.task.id)
        ]
        content = {
            "system": system,
            "entry": system.manifest,
            "tasks": tasks,
            "is_ours": _is_ours(system),
        }
        yield Page(f"entries/{system.id}.html", "system.html", content, "leaderboard")


def _is_ours(system: SiteSystem) -> bool:
    """Whether it was made by a recipe that comes with babelboard: then there is one command."""
    record = system.system.record
    return record is not None and (RECIPES / f"{record.recipe.name}.toml").is_file()
