"""The systems of the site: entries that differ in the seed of their training alone are one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leaderboard.contamination import contamination_of
from submissions.claims.system import systems_of
from submissions.trust import trust_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.question_scores import QuestionScores
    from leaderboard.contamination import Contamination
    from submissions.claims.system import System
    from submissions.entry import Entry
    from submissions.manifest import Manifest
    from submissions.status import Flag
    from submissions.trust import TrustLevel

_SEED = re.compile(r"-seed-\d+$")


@dataclass(frozen=True)
class SiteSystem:
    """A system under the name that its page has.

    Attributes:
        id: The id of its entry, or what the ids of its seeds have in common.
        system: Its entries and what is known of its training.
    """

    id: str
    system: System

    @property
    def name(self) -> str:
        """Name that people read."""
        return self.system.label

    @property
    def entries(self) -> tuple[Entry, ...]:
        """One for each seed."""
        return self.system.entries

    @property
    def manifest(self) -> Manifest:
        """That of the first seed: what the seeds share is in all of them."""
        return self.system.entries[0].manifest

    @property
    def flags(self) -> list[tuple[Entry, Flag]]:
        """What maintainers say against its entries."""
        return [(entry, flag) for entry in self.entries for flag in entry.flags]

    @property
    def is_withdrawn(self) -> bool:
        """Whether it has a page and data only: no place, no letter and no part in any test."""
        return any(entry.is_withdrawn for entry in self.entries)

    @property
    def is_disputed(self) -> bool:
        """Whether maintainers doubt one of its entries."""
        return any(flag.flag == "disputed" for _, flag in self.flags)

    @cached_property
    def trust(self) -> TrustLevel:
        """The lowest trust level of its entries.

        Raises:
            EntryError: If the record of a training is malformed.
        """
        return min(map(trust_level, self.entries), key=lambda found: found.level)

    @cached_property
    def contamination(self) -> Contamination:
        """What its training texts share with the tasks that it was scored on."""
        return contamination_of(self.system)

    def has(self, task: str) -> bool:
        """Whether all of its seeds were scored on some settings of a task."""
        return all(task in entry.manifest.runs for entry in self.entries)


def site_systems(
    entries: Iterable[Entry], taken: Iterable[str] = ()
) -> tuple[tuple[SiteSystem, ...], tuple[str, ...]]:
    """The systems of some entries, by id, and notes on entries that had to be left out.

    Args:
        entries: The entries.
        taken: Ids that are others'; what several seeds share is not made one of these.

    Raises:
        EntryError: If the record of a training is malformed, or of another model.
    """
    found = systems_of(entries)
    used = {entry.manifest.id for system in found.found for entry in system.entries} | set(taken)
    named = []
    for system in found.found:
        first = system.entries[0].manifest.id
        shared = _SEED.sub("", first)
        is_free = len(system.entries) > 1 and shared not in used
        used.add(shared if is_free else first)
        named.append(SiteSystem(shared if is_free else first, system))
    return tuple(sorted(named, key=lambda one: one.id)), found.notes


def over_seeds(scores: Sequence[QuestionScores]) -> QuestionScores:
    """The mean over seeds of each value.

    Args:
        scores: Of each seed, in the same settings and questions.

    Raises:
        ValueError: If the seeds were asked different questions.
    """
    first = scores[0]
    for other in scores[1:]:
        same = first.settings == other.settings and first.questions == other.questions
        same = same and np.array_equal(first.setting, other.setting)
        if not (same and np.array_equal(first.question, other.question)):
            raise ValueError("seeds of one system must answer the same questions")
    return replace(first, value=np.mean([found.value for found in scores], axis=0))
