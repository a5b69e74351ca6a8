"""What the pages are made from: entries that hold, their scores, and what follows from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from leaderboard.change_record import read_changes
from leaderboard.code_switching import code_switching
from leaderboard.family_cache import FamilyCache
from leaderboard.many_systems import MANY, all_pairs_of_many
from leaderboard.question_shards import task_questions
from leaderboard.score_store import ScoreStore
from leaderboard.setting_t_tests import setting_t_tests
from leaderboard.systems import over_seeds, site_systems
from leaderboard.tables import task_board
from submissions.claims.claim import read_claims
from submissions.claims.ledger import settle
from submissions.entry import read_entry
from submissions.manifest import FILE_NAME
from submissions.reported import read_reported
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.question_scores import QuestionScores
    from harness.ranks import RankTable
    from leaderboard.code_switching import CodeSwitching
    from leaderboard.families import Difference, Family
    from leaderboard.question_shards import TaskQuestions
    from leaderboard.score_store import Layout, Scored
    from leaderboard.systems import SiteSystem
    from leaderboard.tables import TaskBoard
    from submissions.claims.ledger import Ledger
    from submissions.entry import Entry
    from submissions.reported import Reported


Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class SiteFacts:
    """Everything that is shown.

    Attributes:
        entries: Entries with runs, by id.
        invalid: Why other entries are left out, by folder name.
        reported: Published results.
        cache: Where families of tests are computed.
        kept: What each entry came to on each of its tasks.
        folder: Where what many systems need is kept from build to build, or None.
    """

    entries: Mapping[str, Entry]
    invalid: Mapping[str, str]
    reported: Sequence[Reported]
    cache: FamilyCache
    kept: Mapping[tuple[str, str], Scored] = field(repr=False)
    folder: Path | None
    _memory: dict[tuple[object, ...], Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def systems(self) -> tuple[SiteSystem, ...]:
        """All systems, also those that were withdrawn, which have a page and data only."""
        withdrawn = [entry for entry in self.entries.values() if entry.is_withdrawn]
        taken = {*self.entries, *(one.id for one in self.standing)}
        return (*self.standing, *site_systems(withdrawn, taken)[0])

    @cached_property
    def standing(self) -> tuple[SiteSystem, ...]:
        """Systems that were not withdrawn; entries that differ in their seed alone are one."""
        entries = [entry for entry in self.entries.values() if not entry.is_withdrawn]
        return site_systems(entries, self.entries.keys() - {e.manifest.id for e in entries})[0]

    @cached_property
    def boards(self) -> tuple[TaskBoard, ...]:
        """The table of each task, the largest task first: it says most."""
        names = sorted({t for one in self.standing for t in one.manifest.runs if one.has(t)})
        boards = [task_board(task, self) for task in names]
        return tuple(sorted(boards, key=lambda b: (-b.questions * b.settings, b.task.id)))

    @cached_property
    def ledger(self) -> Ledger:
        """The claims of the literature, checked on the entries."""
        entries = [entry for entry in self.entries.values() if not entry.is_withdrawn]
        return settle(read_claims(), entries, comparer=self.cache.compare)

    @cached_property
    def code_switching(self) -> CodeSwitching:
        """Every method of training against zero-shot."""
        return code_switching(self)

    @cached_property
    def years(self) -> Mapping[str, int]:
        """By entry, the year in which it was added, where the record of changes says so.

        Raises:
            EntryError: If the record of changes is malformed.
        """
        roots = {entry.folder.parent for entry in self.entries.values()}
        changes = [change for root in roots for change in read_changes(root)]
        added = [change for change in changes if change.kind == "added"]
        newest_first = sorted(added, key=lambda change: change.date, reverse=True)
        return {name: change.date.year for change in newest_first for name in change.entries}

    def system(self, name: str) -> SiteSystem:
        """A system by its id."""
        return self._once(("systems",), lambda: {one.id: one for one in self.systems})[name]

    def board(self, task: str) -> TaskBoard:
        """The table of a task."""
        return self._once(("boards",), lambda: {one.task.id: one for one in self.boards})[task]

    def with_task(self, task: str) -> list[SiteSystem]:
        """Systems that were scored on a task and not withdrawn."""
        return [system for system in self.standing if system.has(task)]

    def complete(self, task: str) -> list[SiteSystem]:
        """Systems that were scored on all settings of a task, with all their seeds.

        Among very many systems, those that were asked other questions than most are left out.
        """
        return self._once(("complete", task), lambda: self._complete(task))

    def first_of_kind(self, kind: str, task: str) -> SiteSystem | None:
        """The first complete system of a task, by id, that is of a kind of model."""
        found = (one for one in self.complete(task) if one.manifest.model.kind == kind)
        return self._once(("first", kind, task), lambda: next(found, None))

    def placed(self, task: str) -> frozenset[str]:
        """Ids of the systems of :meth:`complete`."""
        found = self.complete
        return self._once(("placed", task), lambda: frozenset(one.id for one in found(task)))

    def questions(self, task: str) -> TaskQuestions:
        """The questions of a task that has complete systems."""
        return self._once(("questions", task), lambda: task_questions(task, self.layouts(task)))

    def layouts(self, task: str) -> list[Layout]:
        """What the scores of the complete systems of a task are of, each once."""
        found = [one.layout for row in self.complete(task) for one in self.seeds(row, task)]
        return list({layout.digest: layout for layout in found}.values())

    def _complete(self, task: str) -> list[SiteSystem]:
        found = [one for one in self.with_task(task) if one.system.has(task)]
        if len(found) <= MANY:
            return found
        layouts = [{one.layout.digest for one in self.seeds(system, task)} for system in found]
        ((usual, _),) = Counter(frozenset(one) for one in layouts).most_common(1)
        return [one for one, own in zip(found, layouts, strict=True) if own == usual]

    def table(self, entry: str, task: str) -> RankTable:
        """The ranks of an entry; they are read anew each time, as all of them would not fit."""
        return self.entries[entry].ranks(task)

    def scored(self, entry: str, task: str) -> Scored:
        """What an entry came to on a task."""
        return self.kept[entry, task]

    def seeds(self, system: SiteSystem, task: str) -> list[Scored]:
        """The scores of each seed of a system."""
        return [self.scored(entry.manifest.id, task) for entry in system.entries]

    def has_many(self, task: str) -> bool:
        """Whether a task has so many systems that they are tested in a way that costs less."""
        return len(self.complete(task)) > MANY

    def differences(self, a: SiteSystem, b: SiteSystem, task: str) -> Mapping[str, Difference]:
        """One system minus another in every setting that both have: one family."""
        sides = self.seeds(a, task), self.seeds(b, task)
        layouts = {one.layout.digest for side in sides for one in side}
        if self.has_many(task) and len(layouts) == 1:
            return setting_t_tests(*sides)
        return self.cache.two_systems(*sides)

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
            patterns: ``("*",)`` for all settings, each a family; none for all class averages
                together.
        """
        return self._once(("family", task, *patterns), lambda: self._family(task, patterns))

    def _family(self, task: str, patterns: Sequence[str]) -> Family | None:
        systems = self.complete(task)
        if not systems:
            return None
        if self.has_many(task):
            members = {one.id: tuple(self.seeds(one, task)) for one in systems}
            return all_pairs_of_many(members, task, self.folder, by_setting=bool(patterns))
        groups = {one.id: [entry.manifest.id for entry in one.entries] for one in systems}
        scored = {entry: self.scored(entry, task) for found in groups.values() for entry in found}
        return self.cache.all_pairs(scored, groups, patterns)

    def _once(self, key: tuple[object, ...], make: Callable[[], Made]) -> Made:
        """What ``make`` gives, made when it is first asked for."""
        if key not in self._memory:
            self._memory[key] = make()
        found: Made = self._memory[key]
        return found


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
        try:
            entry = read_entry(manifest.parent)
        except EntryError as error:
            invalid[manifest.parent.name] = str(error)
        else:
            if entry.manifest.runs:
                entries[manifest.parent.name] = entry
    wanted = [(entry, task) for entry in entries.values() for task in entry.manifest.runs]
    kept = {}
    # A damaged file is found before anything is built on it.
    store = ScoreStore(None if cache is None else cache / "scores")
    for (entry, task), found in zip(wanted, store.read(wanted), strict=True):
        if isinstance(found, EntryError):
            invalid.setdefault(entry.manifest.id, str(found))
            entries.pop(entry.manifest.id, None)
        else:
            kept[entry.manifest.id, task] = found
    published = tuple(read_reported(root))
    return SiteFacts(entries, invalid, published, FamilyCache(cache), kept, cache)
