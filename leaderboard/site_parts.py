"""Parts of the site that are made from some entries alone: they need not be made again for others.

The key of a part is the checksum of all that it is made from: the code, the files of its entries,
and what it takes from other entries.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leaderboard.board_data import board_table, settings_table
from leaderboard.board_index import systems_index, unit_index
from leaderboard.code_digest import pages_digest
from leaderboard.heat_maps import choices_of
from leaderboard.map_shards import map_shards
from leaderboard.pages import setting, system
from leaderboard.question_shards import system_scripts
from leaderboard.rank_shards import rank_shards
from leaderboard.rendering import environment, render
from leaderboard.systems import over_seeds
from leaderboard.tables import MOST_ROWS, task_tables
from submissions.entry import ranks_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from leaderboard.data_table import DataTable
    from leaderboard.facts import SiteFacts
    from leaderboard.page import Page
    from leaderboard.systems import SiteSystem
    from leaderboard.tables import TaskBoard, TaskTables
    from submissions.entry import Entry

Sort = Literal["task", "page", "scores", "entry"]
FORMS = ("json", "csv", "parquet", "tex")
"""A table is there in each: ``boards/<task>.csv``."""


@dataclass(frozen=True, slots=True)
class SitePart:
    """Some files of the site.

    Attributes:
        sort: What is in it: the tables and settings of a task, the page of a system, its scores
            for comparing, or the ranks of an entry.
        id: Id of the task, system or entry.
        key: Checksum of all that its files are made from.
    """

    sort: Sort
    id: str
    key: str

    @property
    def name(self) -> str:
        """Tells it from all others."""
        return f"{self.sort} {self.id}"


def site_parts(facts: SiteFacts) -> list[SitePart]:
    """All parts of a site, those that take longest first."""
    systems = {one.id: _digest_of(one.entries) for one in facts.systems}
    parts = [_part("task", board.task.id, _task_key(board, systems)) for board in facts.boards]
    parts += [_part("page", one.id, _page_key(one, facts, systems)) for one in facts.systems]
    parts += [_part("scores", one.id, _scores_key(one, facts)) for one in facts.systems]
    for name, entry in facts.entries.items():
        runs = {task: run.ranks for task, run in entry.manifest.runs.items()}
        parts.append(_part("entry", name, runs))
    return parts


def part_files(part: SitePart, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """The files of a part, by path from the root of the site."""
    return _FILES[part.sort](part.id, facts)


def _part(sort: Sort, name: str, made_from: object) -> SitePart:
    text = json.dumps([pages_digest(), sort, name, made_from], sort_keys=True)
    return SitePart(sort, name, hashlib.sha256(text.encode()).hexdigest())


def _digest_of(entries: tuple[Entry, ...]) -> str:
    """sha256 of what entries say of themselves: with it, of the checksums of their ranks."""
    digest = hashlib.sha256()
    for entry in entries:
        for path in entry.said:
            content = path.read_bytes() if path.is_file() else b""
            digest.update(f"{entry.manifest.id} {path.name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _task_key(board: TaskBoard, systems: Mapping[str, str]) -> object:
    return [(row.system.id, systems[row.system.id]) for row in board.rows]


def _page_key(one: SiteSystem, facts: SiteFacts, systems: Mapping[str, str]) -> object:
    tasks = [board.task.id for board in facts.boards if one.has(board.task.id)]
    held = {
        task: [(found.system.id, found.reason, systems[found.system.id]) for found in baselines]
        for task, baselines in ((task, choices_of(one, task, facts)) for task in tasks)
    }
    by_t = [facts.has_many(task) for task in tasks]
    return [systems[one.id], tasks, held, by_t, system.years_of(one, facts)]


def _scores_key(one: SiteSystem, facts: SiteFacts) -> object:
    seeds = {
        entry.manifest.id: {task: run.ranks for task, run in entry.manifest.runs.items()}
        for entry in one.entries
    }
    return [seeds, [facts.questions(task).digest for task in _placed_on(one, facts)]]


def _placed_on(one: SiteSystem, facts: SiteFacts) -> list[str]:
    """Tasks in whose table a system stands."""
    return [board.task.id for board in facts.boards if one.id in facts.placed(board.task.id)]


def systems_files(board: TaskBoard) -> Iterator[tuple[str, bytes]]:
    """The systems of a task, as data and as scripts."""
    yield from _forms(f"boards/{board.task.id}", board_table(board))
    if len(board.rows) > MOST_ROWS:
        yield from systems_index(board)


def settings_files(tables: TaskTables) -> Iterator[tuple[str, bytes]]:
    """The tables of a task's settings, as data, as scripts and as pages."""
    yield from _forms(f"settings/{tables.task.id}", settings_table(tables))
    if tables.classes and tables.family and len(tables.cards) > MOST_ROWS:
        for unit, places in {**tables.classes.places, **tables.family.places}.items():
            yield from unit_index(tables, unit, places)
    yield from _rendered(setting.setting_pages(tables))


def _forms(path: str, table: DataTable) -> Iterator[tuple[str, bytes]]:
    made = table.as_json(), table.as_csv(), table.as_parquet(), table.as_latex()
    for form, content in zip(FORMS, made, strict=True):
        yield f"data/{path}.{form}", content


def _task_files(task: str, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    board = facts.board(task)
    yield from systems_files(board)
    yield from settings_files(task_tables(board, facts))


def _page_files(name: str, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    one = facts.system(name)
    yield from _rendered(system.system_pages(one, facts))
    yield from map_shards(one, facts)


def _scores_files(name: str, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    one = facts.system(name)
    first = one.entries[0].manifest.id  # the ranks of questions are those of the first seed
    for task in (board.task.id for board in facts.boards if one.has(board.task.id)):
        yield from rank_shards(first, facts.table(first, task))
    for task in _placed_on(one, facts):
        scores = over_seeds([seed.scores for seed in facts.seeds(one, task)])
        yield from system_scripts(facts.questions(task), one.id, scores)


def _entry_files(name: str, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    entry = facts.entries[name]
    for task in entry.manifest.runs:
        summary = facts.scored(name, task).summary.as_published()
        yield f"data/{name}/{task}.json", (json.dumps(summary, indent=1) + "\n").encode()
        yield f"data/{name}/{task}.parquet", ranks_path(entry.folder, task).read_bytes()


def _rendered(pages: Iterator[Page]) -> Iterator[tuple[str, bytes]]:
    templates = environment()
    return ((page.path, render(templates, page)) for page in pages)


_FILES: dict[Sort, Callable[[str, SiteFacts], Iterator[tuple[str, bytes]]]] = {
    "task": _task_files,
    "page": _page_files,
    "scores": _scores_files,
    "entry": _entry_files,
}
