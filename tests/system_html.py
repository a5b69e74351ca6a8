"""Pages of systems, rendered from a folder of entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.facts import gather
from leaderboard.pages.system import system_pages
from leaderboard.rendering import environment, render

if TYPE_CHECKING:
    from pathlib import Path


def system_html(root: Path) -> dict[str, str]:
    """Content by path."""
    facts, templates = gather(root, None), environment()
    pages = [page for system in facts.systems for page in system_pages(system, facts)]
    return {page.path: render(templates, page).decode() for page in pages}
