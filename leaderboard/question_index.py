"""What can be looked at on the page of questions, as scripts that it loads.

::

    data/questions/<task>/index.js           settings, languages, and the number of the parts
    data/questions/<task>/ids/<part>.js      ids of the questions, ascending
    data/questions/<task>/systems/<part>.js  systems with their seeds: the best first, then those
                                             that were scored on some settings only
    data/questions/<task>/texts/<part>.js    questions and relevant passages, where the package
                                             has them

No script is larger than 50 kB when it is compressed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from leaderboard.data_scripts import data_script, parts_by_size
from leaderboard.passages import question_texts
from tasks.languages import NAMES
from tasks.settings import counted_in_average

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts
    from leaderboard.systems import SiteSystem
    from leaderboard.tables import TaskBoard

FOLDER = "questions"
"""Within the folder of the data."""
MOST_BYTES = 47_000


def question_index(board: TaskBoard, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """The scripts of a task, by path from the root of the site.

    Args:
        board: The task and its systems.
        facts: What the page is made from.
    """
    entries = [system.entries[0].manifest.id for system in systems_of(board)]
    scored = [facts.scored(entry, board.task.id) for entry in entries]
    layouts = {one.layout.digest: one.layout for one in scored}
    questions = sorted({name for found in layouts.values() for name in found.questions})
    settings = dict.fromkeys(name for found in layouts.values() for name in found.settings)
    texts = question_texts(board.task.id)
    content: dict[str, list[Any]] = {
        "ids": questions,
        "systems": [_system(found) for found in systems_of(board)],
        "texts": [
            {"question": name, "queries": text.queries, "passages": text.passages}
            for name in questions
            if (text := texts.get(name)) is not None
        ],
    }
    parts = {
        kind: parts_by_size(items, [_size(item) for item in items], MOST_BYTES)
        for kind, items in content.items()
    }
    folder = f"{FOLDER}/{board.task.id}"
    listed = {
        "task": board.task.id,
        "languages": NAMES,
        "settings": counted_in_average(settings),
        "parts": {kind: len(found) for kind, found in parts.items()},
        "starts": [part[0]["question"] for part in parts["texts"]],
    }
    yield data_script(f"{folder}/index", listed)
    for kind, found in parts.items():
        for number, part in enumerate(found, 1):
            yield data_script(f"{folder}/{kind}/{number}", part)


def systems_of(board: TaskBoard) -> tuple[SiteSystem, ...]:
    """All systems of a task: in the order of its table, then those without a place."""
    return (*(row.system for row in board.rows), *board.incomplete)


def _system(system: SiteSystem) -> dict[str, object]:
    return {
        "id": system.id,
        "name": system.name,
        "seeds": [entry.manifest.id for entry in system.entries],
    }


def _size(item: object) -> int:
    """Bytes in UTF-8: a script writes letters as escapes, which compress to about as much."""
    return len(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()) + 1
