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
    from leaderboard.facts import SiteFacts
    from leaderboard.tables import TaskBoard


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


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``settings/<task>/<setting>.html``, of settings that some system has with all others."""
    for board in facts.boards:
        yield from task_pages(board, facts)


def task_pages(board: TaskBoard, facts: SiteFacts) -> Iterator[Page]:
    """The pages of the settings of a task."""
    family = facts.family(board.task.id, ("*",))
    systems = {system.id: system for system in facts.complete(board.task.id)}
    for setting, places in (family.places if family else {}).items():
        query, document = languages_of(setting)
        first = next(iter(systems.values()))
        summary = facts.seeds(first, board.task.id)[0].summary
        content = {
            "task": board.task,
            "measure": board.measure,
            "family": family,
            "setting": SettingBoard(
                id=setting,
                kind=kind_of(setting),
                query=query,
                document=document,
                questions=summary.means[summary.measure][setting].n,
                pairs=len(places) * (len(places) - 1) // 2,
                view=setting_view(board, setting, places, systems),
            ),
        }
        yield Page(setting_path(board.task.id, setting), "setting.html", content, "leaderboard")
