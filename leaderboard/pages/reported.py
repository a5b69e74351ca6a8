"""A page for each system of which numbers were published, and never run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.page import Page
from leaderboard.reported_entry import reported_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``entries/<id>.html`` of each reported entry."""
    for entry in facts.reported:
        tasks = [reported_task(entry, task) for task in entry.tasks]
        content = {"entry": entry, "tasks": tasks}
        yield Page(f"entries/{entry.id}.html", "reported.html", content, "leaderboard")
