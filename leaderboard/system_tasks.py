"""One task of a system's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.question_scores import class_averages, question_scores
from leaderboard.heat_maps import heat_maps
from leaderboard.language_profile import language_profile
from leaderboard.tables import averages_over_seeds, task_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.question_scores import Average
    from leaderboard.charts.profile import ProfileChart
    from leaderboard.facts import SiteFacts
    from leaderboard.heat_maps import HeatMap
    from leaderboard.systems import SiteSystem
    from leaderboard.tables import TaskText
    from submissions.entry import Entry
    from submissions.manifest import RunPart


@dataclass(frozen=True, slots=True)
class SeedRow:
    """One seed of a system.

    Attributes:
        entry: Its entry.
        run: How its ranks came about.
        averages: By class, of the task's primary measure.
    """

    entry: Entry
    run: RunPart
    averages: Mapping[str, Average]


@dataclass(frozen=True, slots=True)
class SystemTask:
    """One task of a system.

    Attributes:
        task: The task.
        measure: Its primary measure.
        averages: By measure and class, over seeds.
        maps: Heat maps of the primary measure, the closest baseline first.
        profile: Its scores by language, where it has some across languages.
        seeds: Every seed by itself.
        complete: Whether all settings were scored with all seeds.
    """

    task: TaskText
    measure: str
    averages: Mapping[str, Mapping[str, Average]]
    maps: Sequence[HeatMap]
    profile: ProfileChart | None
    seeds: Sequence[SeedRow]
    complete: bool


def system_task(system: SiteSystem, task: str, facts: SiteFacts) -> SystemTask:
    """What a system's page shows of a task."""
    tables = [facts.table(entry.manifest.id, task) for entry in system.entries]
    measure = tables[0].primary_measure
    maps = heat_maps(system, task, facts)
    rows = [
        SeedRow(entry, entry.manifest.runs[task], class_averages(one.scores))
        for entry, one in zip(system.entries, facts.seeds(system, task), strict=True)
    ]
    return SystemTask(
        task=task_text(task),
        measure=measure,
        averages={
            name: averages_over_seeds(
                [class_averages(question_scores(table, name)) for table in tables]
            )
            for name in tables[0].measures
        },
        maps=maps,
        profile=language_profile(maps[0], measure),
        seeds=rows,
        complete=system.system.has(task),
    )
