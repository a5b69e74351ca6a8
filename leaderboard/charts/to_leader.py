"""The differences to the leader of a table, drawn beside the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.charts.interval import Interval, interval_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaderboard.families import Place

MOST_EXACT = 200
"""Systems that are all looked at for the ends of the axis; with more, all widths are the same."""


def intervals_to_leader(places: Sequence[Place], shown: range) -> tuple[Interval, ...]:
    """The means of some systems on one axis, and how far the tests let them be from the leader.

    Args:
        places: The systems of a setting or class, the leader first; the axis holds all of them.
        shown: Those that are drawn, by position.
    """
    if not shown:
        return ()
    leader = places[0].mean
    # Means descend, so these have the ends of the axis where all intervals have one width.
    ends = places if len(places) <= MOST_EXACT else [*places[:2], places[len(places) - 1]]
    axis = [number for place in ends for number in _numbers(place, leader)]
    drawn = []
    for position in shown:
        mean, *bounds = _numbers(places[position], leader)
        drawn.append((mean, (bounds[0], bounds[1]) if bounds else None))
    return interval_column(
        drawn, also=axis, name="95% interval of the difference to the leader, from its score"
    )


def _numbers(place: Place, leader: float) -> list[float]:
    """The mean, then the ends of the interval, if there is one."""
    change = place.to_first
    if change is None or change.ci is None:
        return [place.mean]
    return [place.mean, leader + change.ci[0], leader + change.ci[1]]
