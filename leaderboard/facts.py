"""What the pages are made from: entries that hold, their scores, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harness.question_scores import question_scores
from leaderboard.code_switching import code_switching
from leaderboard.family_cache import FamilyCache, Scored
from leaderboard.systems import over_seeds, site_systems
from leaderboard.tables import task_board
from submissions.claims.claim import read_claims
from submissions.claims.ledger import settle
from submissions.entry import read_entry
from submissions.manifest import FILE_NAME
from submissions.reported import read_reported
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.question_scores import QuestionScores
    from harness.ranks import RankTable
    from leaderboard.code_switching import CodeSwitching
    from leaderboard.families import Family
    from leaderboard.systems import SiteSystem
    from leaderboard.tables import TaskBoard
    from submissions.claims.ledger import Ledger
    from submissions.entry import Entry
    from submissions.reported import Reported


@dataclass(frozen=True)
class SiteFacts:
    """Everything that is shown.

    Attributes:
        entries: Entries with runs, by id.
        invalid: Why other entries are left out, by folder name.
        reported: Published results.
        cache: Where families of tests are computed.
    """

    entries: Mapping[str, Entry]
    invalid: Mapping[str, str]
    reported: Sequence[Reported]
    cache: FamilyCache
    _scores: dict[tuple[str, str], Scored] = field(default_factory=dict, repr=False)

    @cached_property
    def systems(self) -> tuple[SiteSystem, ...]:
        """Entries that differ in their seed alone are one system."""
        return site_systems(self.entries.values())[0]

    @cached_property
    def boards(self) -> tuple[TaskBoard, ...]:
        """The table of each task, the largest task first: it says most."""
        names = sorted({task for entry in self.entries.values() for task in entry.manifest.runs})
        boards = [task_board(task, self) for task in names]
        return tuple(sorted(boards, key=lambda b: (-b.questions * b.settings, b.task.id)))

    @cached_property
    def ledger(self) -> Ledger:
        """The claims of the literature, checked on the entries."""
        entries = list(self.entries.values())
        return settle(read_claims(), entries, comparer=self.cache.compare)

    @cached_property
    def code_switching(self) -> CodeSwitching:
        """Every method of training against zero-shot."""
        return code_switching(self)

    def with_task(self, task: str) -> list[SiteSystem]:
        """Systems that were scored on a task."""
        return [system for system in self.systems if system.has(task)]

    def complete(self, task: str) -> list[SiteSystem]:
        """Systems that were scored on all settings of a task, with all their seeds."""
        return [found for found in self.with_task(task) if found.system.has(task)]

    def table(self, entry: str, task: str) -> RankTable:
        """The ranks of an entry; they are read anew each time, as all of them would not fit."""
        return self.entries[entry].ranks(task)

    def scored(self, entry: str, task: str) -> Scored:
        """An entry's scores in the task's primary measure, kept once they were computed."""
        key = entry, task
        if key not in self._scores:
            table = self.table(entry, task)
            ranks = self.entries[entry].manifest.runs[task].ranks
            self._scores[key] = Scored(question_scores(table, table.primary_measure), ranks)
        return self._scores[key]

    def seeds(self, system: SiteSystem, task: str) -> list[Scored]:
        """The scores of each seed of a system."""
        return [self.scored(entry.manifest.id, task) for entry in system.entries]

    def scores(self, task: str) -> Mapping[str, QuestionScores]:
        """The scores of the complete systems of a task, averaged over seeds, by system id."""
        return {
            system.id: over_seeds([found.scores for found in self.seeds(system, task)])
            for system in self.complete(task)
        }

    def family(self, task: str, patterns: Sequence[str] = ()) -> Family | None:
        """All pairs of the complete systems of a task; None if there is no such system.

        Args:
            task: Name of the task.
            patterns: Settings, each a family; none for all class averages together.
        """
        systems = self.complete(task)
        if not systems:
            return None
        groups = {one.id: [entry.manifest.id for entry in one.entries] for one in systems}
        scored = {entry: self.scored(entry, task) for found in groups.values() for entry in found}
        return self.cache.all_pairs(scored, groups, patterns)


def gather(root: Path, cache: Path | None) -> SiteFacts:
    """Reads a folder of entries; one that does not hold is left out, with the reason.

    Args:
        root: Folder of entries.
        cache: Folder in which families of tests are kept, or None for none.

    Raises:
        EntryError: If a reported entry is malformed.
    """
    entries: dict[str, Entry] = {}
    invalid: dict[str, str] = {}
    for manifest in sorted(root.glob(f"*/{FILE_NAME}")):
        name = manifest.parent.name
        try:
            entry = read_entry(manifest.parent)
            for task in entry.manifest.runs:
                entry.ranks(task)  # a damaged file is found before anything is built on it
        except EntryError as error:
            invalid[name] = str(error)
        else:
            if entry.manifest.runs:
                entries[name] = entry
    return SiteFacts(entries, invalid, tuple(read_reported(root)), FamilyCache(cache))
