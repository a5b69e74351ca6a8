"""One task of a system's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.heat_maps import choices_of, drawn_first, heat_map
from leaderboard.language_profile import language_profile
from leaderboard.tables import averages_over_seeds, task_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.question_scores import Average
    from leaderboard.charts.profile import ProfileChart
    from leaderboard.facts import SiteFacts
    from leaderboard.heat_maps import Baseline, HeatMap
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
        map: Heat map of the primary measure, against the closest baseline.
        choices: Baselines that the map can be held against, the closest first.
        profile: Its scores by language, where it has some across languages.
        seeds: Every seed by itself.
        complete: Whether all settings were scored with all seeds.
        by_t: Whether the marks are those of t-tests, as where there are very many systems.
    """

    task: TaskText
    measure: str
    averages: Mapping[str, Mapping[str, Average]]
    map: HeatMap
    choices: tuple[Baseline, ...]
    profile: ProfileChart | None
    seeds: Sequence[SeedRow]
    complete: bool
    by_t: bool

    @property
    def averages_seeds(self) -> bool:
        """Whether a comparison of the map averages over seeds."""
        systems = [choice.system for choice in self.choices]
        return len(self.seeds) > 1 or any(len(system.entries) > 1 for system in systems)

    @property
    def choice_texts(self) -> list[dict[str, str]]:
        """The choices as the page's script reads them."""
        return [
            {"id": one.system.id, "name": one.system.name, "reason": one.reason}
            for one in self.choices
        ]


def system_task(system: SiteSystem, task: str, facts: SiteFacts) -> SystemTask:
    """What a system's page shows of a task."""
    choices = choices_of(system, task, facts)
    drawn = heat_map(system, task, facts, drawn_first(choices))
    summaries = [one.summary for one in facts.seeds(system, task)]
    measure = summaries[0].measure
    rows = [
        SeedRow(entry, entry.manifest.runs[task], one.averages[measure])
        for entry, one in zip(system.entries, summaries, strict=True)
    ]
    return SystemTask(
        task=task_text(task),
        measure=measure,
        averages={
            name: averages_over_seeds([one.averages[name] for one in summaries])
            for name in summaries[0].averages
        },
        map=drawn,
        choices=choices,
        profile=language_profile(drawn, measure),
        seeds=rows,
        complete=system.system.has(task),
        by_t=facts.has_many(task),
    )
