"""The differences to the leader of a table, drawn beside the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.charts.interval import Interval, interval_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaderboard.families import Place


def intervals_to_leader(places: Sequence[Place]) -> dict[str, Interval]:
    """By system, its mean on an axis, and how far the tests let it be from the leader.

    Args:
        places: The systems of a setting or class, the leader first.
    """
    leader = places[0].mean
    values = []
    for place in places:
        change = place.to_first
        bounds = None
        if change is not None and change.ci is not None:
            bounds = leader + change.ci[0], leader + change.ci[1]
        values.append((place.mean, bounds))
    drawn = interval_column(
        values, name="95% interval of the difference to the leader, from its score"
    )
    return {place.system: one for place, one in zip(places, drawn, strict=True)}
