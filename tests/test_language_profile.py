"""The profile of a system by language: means by hand."""

from __future__ import annotations

from leaderboard.heat_maps import Cell, HeatMap
from leaderboard.language_profile import SERIES, language_profile

MEANS = {
    ("de", "de"): 0.6,
    ("en", "en"): 0.8,
    ("de", "en"): 0.4,
    ("en", "de"): 0.2,
    ("de", "tr"): 0.1,
    ("de", "xx"): 0.9,
}


def heat_map(means: dict[tuple[str, str], float], languages: tuple[str, ...]) -> HeatMap:
    cells = {pair: Cell(mean, 10, None) for pair, mean in means.items()}
    return HeatMap(languages, cells, None, "")


def test_means_are_over_the_other_language_and_without_the_pool() -> None:
    chart = language_profile(heat_map(MEANS, ("en", "de", "tr")), "AP")
    assert chart is not None
    assert chart.text.series == SERIES
    rows = {row.label: row.numbers for row in chart.rows}
    assert rows == {
        "English": (".800", ".200", ".400"),
        "German": (".600", ".250", ".200"),
        "Turkish": ("–", "–", ".100"),
    }


def test_there_is_none_without_settings_across_languages() -> None:
    within = {pair: mean for pair, mean in MEANS.items() if pair[0] == pair[1]}
    assert language_profile(heat_map(within, ("de", "en")), "AP") is None
