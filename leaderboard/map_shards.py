"""Differences of a system to its baselines as scripts, which its page loads when one is chosen.

::

    data/maps/<system>/<task>.js    a call of babelboard.register, see leaderboard/assets/shards.js

Columns are aligned with ``cells``, the pairs of query and document language row by row as the page
has them. ``difference`` and ``p`` are in thousandths, rounded as pages write them: a p of 0 is one
below .001. ``significant`` is 1 where the system is better, -1 where it is worse, else 0. ``step``
is the strength of the colour, ``shade`` that of the mean. A pair that the baseline lacks has null.
The tests are those of :meth:`FamilyCache.two_systems`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leaderboard.data_scripts import data_script
from leaderboard.heat_maps import choices_of, heat_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts
    from leaderboard.families import Difference
    from leaderboard.heat_maps import HeatMap
    from leaderboard.systems import SiteSystem

FOLDER = "maps"
"""Within the folder of the data."""
LOWEST_P = 0.001
"""Pages write p-values below this as ``p < .001``."""


def map_shards(system: SiteSystem, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """The scripts of a system, by path from the root of the site: one a task with a baseline."""
    for board in facts.boards:
        task = board.task.id
        if not system.has(task):
            continue
        choices = choices_of(system, task, facts)
        if choices:
            maps = [heat_map(system, task, facts, baseline) for baseline in choices]
            yield data_script(f"{FOLDER}/{system.id}/{task}", _content(maps))


def thousandths(value: float) -> int:
    """A number in thousandths, rounded as pages round it."""
    return round(float(f"{value:.3f}") * 1000)


def _content(maps: list[HeatMap]) -> dict[str, Any]:
    first = maps[0]
    return {
        "cells": [f"{query}-{document}" for query, document in first.pairs],
        "shade": [first.cells[pair].shade for pair in first.pairs],
        "baselines": {one.baseline.id: _columns(one) for one in maps if one.baseline},
    }


def _columns(map_: HeatMap) -> dict[str, list[int | None]]:
    cells = [map_.cells[pair] for pair in map_.pairs]
    found = [cell.difference for cell in cells]
    return {
        "step": [cell.step for cell in cells],
        "difference": [thousandths(one.difference) if one else None for one in found],
        "p": [_p(one) if one else None for one in found],
        "significant": [_sign(one) if one else None for one in found],
    }


def _p(difference: Difference) -> int:
    return 0 if difference.p < LOWEST_P else thousandths(difference.p)


def _sign(difference: Difference) -> int:
    if not difference.significant:
        return 0
    return 1 if difference.difference > 0 else -1
