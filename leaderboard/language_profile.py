"""How a system does in each language: asked within it, from it, and towards it."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from leaderboard.charts.profile import ProfileRow, ProfileText, profile_chart
from tasks.languages import language_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leaderboard.charts.profile import ProfileChart
    from leaderboard.heat_maps import Cell, HeatMap, Pair

SERIES = ("MoIR", "CLIR, queries in it", "CLIR, documents in it")


def language_profile(map_: HeatMap, measure: str) -> ProfileChart | None:
    """A dot plot of the languages of a heat map; None where there is nothing across languages.

    Args:
        map_: Means of a system; those across languages are averaged over the other language.
        measure: Their measure.
    """
    rows = [ProfileRow(language_name(code), _values(code, map_)) for code in map_.languages]
    rows = [row for row in rows if any(value is not None for value in row.values)]
    if not any(row.values[1] is not None for row in rows):
        return None
    text = ProfileText(title=f"{measure} by language", rows="Language", series=SERIES)
    return profile_chart(rows, text)


def _values(code: str, map_: HeatMap) -> tuple[float | None, float | None, float | None]:
    others = [other for other in map_.languages if other != code]
    return (
        _mean(map_.cells, [(code, code)]),
        _mean(map_.cells, [(code, other) for other in others]),
        _mean(map_.cells, [(other, code) for other in others]),
    )


def _mean(cells: Mapping[Pair, Cell], pairs: list[Pair]) -> float | None:
    found = [cells[pair].mean for pair in pairs if pair in cells]
    return fmean(found) if found else None
