"""Tables that are longer than a page as scripts, from which the page shows any other rows.

::

    data/index/<task>/systems/<part>.js  the systems of a task, by id: names, what they are
    data/index/<task>/<unit>/<part>.js   where they stand in a class or setting, best first

Columns are as pages write them. ``system`` is the position of a system in the first list, facets
are positions in a list of answers, ``at`` is where a mean stands on the axis of the intervals and
``width`` half the width of each interval there, in pixels. No script is larger than 50 kB when it
is compressed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from leaderboard.board_view import LEADS, change_texts, ranks_text
from leaderboard.charts.to_leader import intervals_to_leader
from leaderboard.data_scripts import data_script, parts_by_size
from leaderboard.facets import FACETS
from leaderboard.families import columns_of
from leaderboard.numerals import plain, signed
from leaderboard.tables import setting_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leaderboard.families import Place
    from leaderboard.tables import SystemRow, TaskBoard, TaskTables

FOLDER = "index"
"""Within the folder of the data."""
PLACES_PER_PART = 1_000
MOST_BYTES = 55_000
"""Of the systems of a part: names may be long, and such that they can hardly be compressed."""


def systems_index(board: TaskBoard) -> Iterator[tuple[str, bytes]]:
    """The systems of a task, by path from the root of the site."""
    rows = sorted(board.rows, key=lambda row: row.system.id)
    parts = parts_by_size(rows, [_size(row) for row in rows], MOST_BYTES)
    for number, part in enumerate(parts, 1):
        content: dict[str, Any] = {
            "parts": len(parts),
            "id": [row.system.id for row in part],
            "name": [row.system.name for row in part],
            "about": [row.card.about for row in part],
            "distance": [
                None if row.rank_distance is None else f"{row.rank_distance:,.0f}" for row in part
            ],
            "facets": {
                facet.key: _coded([row.card.facets[facet.key] for row in part]) for facet in FACETS
            },
        }
        yield data_script(f"{FOLDER}/{board.task.id}/systems/{number}", content)


def unit_index(
    tables: TaskTables, unit: str, places: Sequence[Place]
) -> Iterator[tuple[str, bytes]]:
    """Where the systems of a task stand in a class or setting.

    Args:
        tables: Those of the task.
        unit: Id of the class or setting.
        places: Best first.
    """
    position = {name: at for at, name in enumerate(sorted(tables.cards))}
    systems, means, letters, best, worst, changes, *_ = columns_of(places)
    # The axis is straight: two places on it tell all others.
    (top,), (bottom,) = (
        intervals_to_leader(places, range(at, at + 1)) for at in (0, len(means) - 1)
    )
    step = (top.at - bottom.at) / (means[0] - means[-1]) if means[0] > means[-1] else 0.0
    columns: dict[str, list[Any]] = {
        "system": [position[system] for system in systems],
        "score": [plain(mean) for mean in means],
        "letters": letters,
        "ranks": [ranks_text(ranks) for ranks in zip(best, worst, strict=True)],
        "change": [LEADS if change is None else signed(change) for change in changes],
        "at": [round(bottom.at + step * (mean - means[-1]), 1) for mean in means],
    }
    width = None if bottom.low is None else round(bottom.at - bottom.low, 1)
    starts = range(0, len(places), PLACES_PER_PART)
    shared: dict[str, Any] = {
        "parts": len(starts),
        "half": change_texts(places[-1])[1],
        "width": width,
    }
    for number, start in enumerate(starts, 1):
        part = slice(start, start + PLACES_PER_PART)
        content = shared | {key: values[part] for key, values in columns.items()}
        yield data_script(f"{FOLDER}/{tables.task.id}/{setting_file(unit)}/{number}", content)


def _size(row: SystemRow) -> int:
    """Bytes that a system needs in a script, about: texts, and some numbers."""
    system = row.system
    return len(json.dumps([system.id, system.name, row.card.about, system.system.base])) + 20


def _coded(values: Sequence[str]) -> dict[str, list[Any]]:
    answers = list(dict.fromkeys(values))
    position = {answer: at for at, answer in enumerate(answers)}
    return {"answers": answers, "codes": [position[value] for value in values]}
