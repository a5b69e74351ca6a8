"""A page for each setting of a task: all systems in one pair of languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.page import Page
from tasks.settings import kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leaderboard.facts import SiteFacts
    from leaderboard.families import Place
    from leaderboard.systems import SiteSystem


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A system in one setting.

    Attributes:
        system: The system.
        place: Where it stands.
    """

    system: SiteSystem
    place: Place


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
        rows: Best first.
    """

    id: str
    kind: str
    query: str
    document: str
    questions: int
    pairs: int
    rows: Sequence[SettingRow]


def setting_path(task: str, setting: str) -> str:
    """Where the page of a setting stands."""
    return f"settings/{task}/{setting.replace('/', '-')}.html"


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``settings/<task>/<setting>.html``, of settings that some system has with all others."""
    for board in facts.boards:
        family = facts.family(board.task.id, ("*",))
        systems = {system.id: system for system in facts.complete(board.task.id)}
        for setting, places in (family.places if family else {}).items():
            query, document = languages_of(setting)
            rows = [SettingRow(systems[place.system], place) for place in places]
            first = next(iter(systems.values()))
            scores = facts.seeds(first, board.task.id)[0].scores
            content = {
                "task": board.task,
                "measure": board.measure,
                "family": family,
                "setting": SettingBoard(
                    id=setting,
                    kind=kind_of(setting),
                    query=query,
                    document=document,
                    questions=len(scores.by_question([setting])),
                    pairs=len(rows) * (len(rows) - 1) // 2,
                    rows=rows,
                ),
            }
            yield Page(setting_path(board.task.id, setting), "setting.html", content, "leaderboard")
