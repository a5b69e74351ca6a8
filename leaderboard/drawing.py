"""Makes the parts of a site, with all cores where there are many."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Self

from leaderboard.rendering import environment
from leaderboard.site_parts import part_files, settings_files, systems_files
from leaderboard.tables import MOST_ROWS, task_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from leaderboard.facts import SiteFacts
    from leaderboard.site_parts import SitePart
    from leaderboard.tables import TaskTables

    Files = list[tuple[str, bytes]]
    Drawn = tuple[SitePart, Files]

FEWEST_FOR_PROCESSES = 100
"""Parts from which on it pays to start processes: each begins by taking over the facts."""
AHEAD = 8
"""Batches that a process may be ahead of what has been written: finished files are kept."""
BATCH = 8

_facts: SiteFacts | None = None


class Drawing:
    """Draws the parts of a site; within ``with``, as processes may be at work.

    Args:
        entries: Number of entries: with many, processes are started right away, so that they are
            ready when there is something to draw.
    """

    def __init__(self, entries: int) -> None:
        self._pool = _pool() if entries > MOST_ROWS else None
        self._long: dict[SitePart, Future[Files]] = {}

    def __enter__(self) -> Self:
        if self._pool:
            for _ in range(os.cpu_count() or 1):
                self._pool.submit(_ready)
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def begin(self, parts: Sequence[SitePart], facts: SiteFacts) -> None:
        """Lets processes draw the settings of tasks that have very many systems."""
        for part in parts:
            if self._pool and part.sort == "task" and facts.has_many(part.id):
                # They need little of the facts, so that handing it over takes little.
                tables = task_tables(facts.board(part.id), facts)
                self._long[part] = self._pool.submit(_draw_settings, tables)

    def files(self, parts: Sequence[SitePart], facts: SiteFacts) -> Iterator[Drawn]:
        """Each part with its files."""
        for part, future in self._long.items():
            yield part, [*systems_files(facts.board(part.id)), *future.result()]
        if self._pool:
            self._pool.shutdown()  # what it holds is not needed any more
        yield from _drawn([part for part in parts if part not in self._long], facts)


def _drawn(parts: Sequence[SitePart], facts: SiteFacts) -> Iterator[Drawn]:
    if len(parts) < FEWEST_FOR_PROCESSES:
        for part in parts:
            yield part, list(part_files(part, facts))
        return
    with _pool(facts) as pool:
        waiting: deque[Future[list[Drawn]]] = deque()
        batches = (parts[at : at + BATCH] for at in range(0, len(parts), BATCH))
        for batch in islice(batches, AHEAD * (os.cpu_count() or 1)):
            waiting.append(pool.submit(_draw, batch))
        while waiting:
            yield from waiting.popleft().result()
            for batch in islice(batches, 1):
                waiting.append(pool.submit(_draw, batch))


def _pool(facts: SiteFacts | None = None) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _take, (facts,))


def _ready() -> None:
    """Loads what drawing needs, while the facts are gathered."""
    environment()


def _take(facts: SiteFacts | None) -> None:
    global _facts  # noqa: PLW0603  # a process of the pool takes them once
    _facts = facts


def _draw(batch: Sequence[SitePart]) -> list[Drawn]:
    if _facts is None:
        raise RuntimeError("this process has not taken over the facts")
    return [(part, list(part_files(part, _facts))) for part in batch]


def _draw_settings(tables: TaskTables) -> Files:
    return list(settings_files(tables))
