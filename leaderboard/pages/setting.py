"""A page for each setting of a task: all systems in one pair of languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.board_view import setting_view
from leaderboard.page import Page
from leaderboard.tables import setting_file
from tasks.settings import kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.board_view import BoardView
    from leaderboard.tables import TaskTables


@dataclass(frozen=True, slots=True)
class SettingBoard:
    """All systems in one setting.

    Attributes:
        id: Of the setting.
        kind: Its class.
        query: Code of the query language, ``xx`` for all.
        document: Code of the document language, ``xx`` for all.
        questions: Number of questions.
        pairs: Number of pairs of systems: the family of its tests.
        view: The table of its systems.
    """

    id: str
    kind: str
    query: str
    document: str
    questions: int
    pairs: int
    view: BoardView


def setting_path(task: str, setting: str) -> str:
    """Where the page of a setting stands."""
    return f"settings/{task}/{setting_file(setting)}.html"


def setting_pages(tables: TaskTables) -> Iterator[Page]:
    """``settings/<task>/<setting>.html``, of settings that some system has with all others."""
    family = tables.family
    for setting, places in family.places.items() if family else ():
        query, document = languages_of(setting)
        content = {
            "task": tables.task,
            "measure": tables.measure,
            "family": family,
            "setting": SettingBoard(
                id=setting,
                kind=kind_of(setting),
                query=query,
                document=document,
                questions=tables.asked[setting],
                pairs=len(places) * (len(places) - 1) // 2,
                view=setting_view(tables, setting, places),
            ),
        }
        yield Page(setting_path(tables.task.id, setting), "setting.html", content, "leaderboard")
