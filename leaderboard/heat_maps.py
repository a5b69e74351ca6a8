"""Heat maps: a system in every pair of query and document language, and against a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.question_scores import setting_means
from tasks.languages import POOL, language_name
from tasks.settings import languages_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaderboard.facts import SiteFacts
    from leaderboard.families import Difference
    from leaderboard.systems import SiteSystem

STEPS = (0.005, 0.02, 0.05, 0.1)
"""Differences from which on a cell has the next stronger colour."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting.

    Attributes:
        mean: Over its questions, and over seeds.
        questions: Number of questions.
        difference: To the baseline, where there is one.
    """

    mean: float
    questions: int
    difference: Difference | None

    @property
    def step(self) -> int:
        """Strength of the colour: 0 to 4, negative below the baseline."""
        if self.difference is None:
            return 0
        strength = sum(abs(self.difference.difference) >= step for step in STEPS)
        return strength if self.difference.difference > 0 else -strength


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Means by query language (rows) and document language (columns).

    Attributes:
        languages: Codes, by name.
        cells: By query and document language; ``xx`` is the pool of all languages.
        baseline: What the differences are to.
        reason: What the baseline is to the system.
    """

    languages: tuple[str, ...]
    cells: Mapping[Pair, Cell]
    baseline: SiteSystem | None
    reason: str

    @property
    def sides(self) -> tuple[str, ...]:
        """Codes of the rows and of the columns: each language, then the pool if it is there."""
        pool = any(POOL in pair for pair in self.cells)
        return (*self.languages, POOL) if pool else self.languages

    def counts(self) -> dict[str, int]:
        """Number of cells that are significantly better, worse, and not separated."""
        found = [cell.difference for cell in self.cells.values() if cell.difference]
        better = sum(one.significant and one.difference > 0 for one in found)
        worse = sum(one.significant and one.difference < 0 for one in found)
        return {"better": better, "worse": worse, "open": len(found) - better - worse}


def heat_maps(system: SiteSystem, task: str, facts: SiteFacts) -> list[HeatMap]:
    """A map against each of the baselines that say most of a system; without any, one of means."""
    seeds = facts.seeds(system, task)
    means = [setting_means(one.scores) for one in seeds]
    languages = _languages(tuple(means[0]))
    maps = []
    baselines: list[tuple[SiteSystem | None, str]] = [*baselines_of(system, task, facts)]
    for baseline, reason in baselines or [(None, "")]:
        found = {}
        if baseline is not None:
            found = facts.cache.two_systems(seeds, facts.seeds(baseline, task))
        cells = {
            languages_of(setting): Cell(
                mean=sum(one[setting].mean for one in means) / len(means),
                questions=means[0][setting].n,
                difference=found.get(setting),
            )
            for setting in means[0]
        }
        maps.append(HeatMap(languages, cells, baseline, reason))
    return maps


def baselines_of(system: SiteSystem, task: str, facts: SiteFacts) -> list[tuple[SiteSystem, str]]:
    """What a system is best held against, the closest first, each with the reason.

    The same model trained on texts that were left as they are, the model before any training, and
    BM25.
    """
    others = [found for found in facts.complete(task) if found.id != system.id]
    record = system.system.record
    found = []
    if record is not None:
        twins = [o for o in others if o.system.conditions == system.system.conditions]
        found += [(o, "its own zero-shot") for o in twins if o.system.training == "zero-shot"]
        digest = record.base.digest
        found += [(o, "before training") for o in others if o.manifest.model.digest == digest]
    found += [(o, "words alone") for o in others if o.manifest.model.kind == "bm25"][:1]
    return list({one.id: (one, reason) for one, reason in reversed(found)}.values())[::-1]


def _languages(settings: Sequence[str]) -> tuple[str, ...]:
    codes = {code for setting in settings for code in languages_of(setting)} - {POOL}
    return tuple(sorted(codes, key=language_name))
