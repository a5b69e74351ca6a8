"""How to get a system on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from leaderboard.page import Page
from submissions.manifest import Training

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``submit.html``; the largest task of the board is its example."""
    task = facts.boards[0].task.id if facts.boards else "xquad-r"
    content = {"task": task, "trainings": get_args(Training)}
    yield Page("submit.html", "submit.html", content, "submit")
