"""Makes the parts of a site, with all cores where there are many."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING

from leaderboard.site_parts import part_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from leaderboard.facts import SiteFacts
    from leaderboard.site_parts import SitePart

    Drawn = tuple[SitePart, list[tuple[str, bytes]]]

FEWEST_FOR_PROCESSES = 100
"""Parts from which on it pays to start processes: each begins by taking over the facts."""
AHEAD = 8
"""Batches that a process may be ahead of what has been written: finished files are kept."""
BATCH = 8

_facts: SiteFacts | None = None


def drawn(parts: Sequence[SitePart], facts: SiteFacts) -> Iterator[Drawn]:
    """Each part with its files."""
    if len(parts) < FEWEST_FOR_PROCESSES:
        for part in parts:
            yield part, list(part_files(part, facts))
        return
    workers = os.cpu_count() or 1
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_take, initargs=(facts,)) as pool:
        waiting: deque[Future[list[Drawn]]] = deque()
        rest = iter(_batches(parts))
        for batch in islice(rest, AHEAD * workers):
            waiting.append(pool.submit(_draw, batch))
        while waiting:
            yield from waiting.popleft().result()
            for batch in islice(rest, 1):
                waiting.append(pool.submit(_draw, batch))


def _batches(parts: Sequence[SitePart]) -> Iterator[Sequence[SitePart]]:
    """The parts of tasks one by one, as each is long, and others together."""
    tasks = [part for part in parts if part.sort == "task"]
    others = [part for part in parts if part.sort != "task"]
    yield from ([part] for part in tasks)
    yield from (others[at : at + BATCH] for at in range(0, len(others), BATCH))


def _take(facts: SiteFacts) -> None:
    global _facts  # noqa: PLW0603  # a process of the pool takes them once
    _facts = facts


def _draw(batch: Sequence[SitePart]) -> list[Drawn]:
    if _facts is None:
        raise RuntimeError("this process has not taken over the facts")
    return [(part, list(part_files(part, _facts))) for part in batch]
