"""How every number of the site comes about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.design import Design
from leaderboard.families import MAP_RESAMPLES, SITE_RESAMPLES
from leaderboard.many_systems import CLASS_RESAMPLES, MANY, SETTING_RESAMPLES
from leaderboard.page import Page
from submissions.verification import TOLERANCES
from tasks.definition import load_definition, task_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``methods.html``; the same whatever the entries, but for what is said of reported ones."""
    content = {
        "tasks": [load_definition(name)[0] for name in task_names()],
        "design": Design(),
        "site_resamples": SITE_RESAMPLES,
        "map_resamples": MAP_RESAMPLES,
        "many": MANY,
        "class_resamples": CLASS_RESAMPLES,
        "setting_resamples": SETTING_RESAMPLES,
        "reported": bool(facts.reported),
        "tolerances": TOLERANCES,
    }
    yield Page("methods.html", "methods.html", content, "methods")
