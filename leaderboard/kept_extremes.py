"""The extremes of the systems of a task, kept from build to build.

They hold for all systems together, and those of a new system are added to them: only its own
resamples are computed (see :mod:`harness.significance.range_of_means`).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from harness.files import write_atomically
from harness.significance.range_of_means import Extremes, extremes
from harness.significance.signs import Signs
from leaderboard.code_digest import computing_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.design import Design
    from leaderboard.score_store import Layout, Scored

MEMBERS_PER_CHUNK = 250
RESAMPLES_PER_BLOCK = 1_000

Member = tuple["Scored", ...]
"""A system: the scores of each of its seeds."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one family is about: a setting, or a class of settings.

    Attributes:
        name: Its id.
        settings: Positions of its settings in the layout.
    """

    name: str
    settings: tuple[int, ...]


class KeptExtremes:
    """The extremes of a task's systems in each unit, from a file as far as it has them."""

    def __init__(
        self, folder: Path | None, task: str, layout: Layout, units: list[Unit], design: Design
    ) -> None:
        named = [unit.name for unit in units]
        key = [
            computing_digest("kept_extremes"),
            task,
            layout.digest,
            named,
            design.resamples,
            design.seed,
        ]
        name = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        self._path = None if folder is None else folder / f"{name}.npz"
        self._layout = layout
        self._units = units
        self._design = design

    def of(self, members: Mapping[str, Member]) -> list[Extremes]:
        """The extremes of all members, unit by unit."""
        digests = {"+".join(one.ranks for one in member): member for member in members.values()}
        known, kept = self._read()
        if not known <= set(digests):  # a system has gone: what it had set may be anyone's
            known, kept = frozenset(), None
        new = [member for digest, member in digests.items() if digest not in known]
        if new:
            added = self._compute(new)
            kept = added if kept is None else _merged(kept, added)
            self._write(sorted(digests), kept)
        return [] if kept is None else kept

    def _compute(self, members: Sequence[Member]) -> list[Extremes]:
        """Some systems at a time, as the scores of all would not fit into memory."""
        chunks = range(0, len(members), MEMBERS_PER_CHUNK)
        found = [self._compute_chunk(members[at : at + MEMBERS_PER_CHUNK]) for at in chunks]
        return reduce(_merged, found)

    def _compute_chunk(self, members: Sequence[Member]) -> list[Extremes]:
        values = np.stack([np.mean([s.scores.value for s in seeds], axis=0) for seeds in members])
        units = [self._scores(values, unit) for unit in self._units]
        resamples = self._design.resamples
        signs = Signs(self._layout.questions, self._design.seed, resamples)
        blocks: list[list[Extremes]] = []
        # One thread a unit: threads that share a product this small wait for each other.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, resamples, RESAMPLES_PER_BLOCK):
                stop = min(start + RESAMPLES_PER_BLOCK, resamples)
                block = signs.block(start, stop, np.float64)
                blocks.append(list(pool.map(partial(_of_unit, block), units)))
        return [
            Extremes(
                np.concatenate([one.highest for one in found]),
                np.concatenate([one.lowest for one in found]),
            )
            for found in zip(*blocks, strict=True)
        ]

    def _scores(
        self, values: NDArray[np.float64], unit: Unit
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Each question's mean over the settings of a unit, and the positions of its questions."""
        rows = np.flatnonzero(np.isin(self._layout.setting, unit.settings))
        asked, place = np.unique(self._layout.question[rows], return_inverse=True)
        by_question = rows[np.argsort(place, kind="stable")]
        counts = np.bincount(place)
        sums = np.add.reduceat(values[:, by_question], np.cumsum(counts) - counts, axis=1)
        return sums / counts, asked

    def _read(self) -> tuple[frozenset[str], list[Extremes] | None]:
        """Which members the file has, and their extremes; nothing if it is damaged."""
        if self._path is None:
            return frozenset(), None
        try:
            content = self._path.read_bytes()
            digest, content = content[:64], content[64:]
            if hashlib.sha256(content).hexdigest().encode() != digest:
                return frozenset(), None
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                members = frozenset(arrays["members"].tolist())
                both = arrays["highest"], arrays["lowest"]
        except (OSError, ValueError, KeyError):
            return frozenset(), None
        return members, [Extremes(*found) for found in zip(*both, strict=True)]

    def _write(self, members: Sequence[str], found: Sequence[Extremes]) -> None:
        if self._path is None:
            return
        buffer = io.BytesIO()
        np.savez(
            buffer,
            members=np.array(members),
            highest=np.array([one.highest for one in found]),
            lowest=np.array([one.lowest for one in found]),
        )
        content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest().encode()
        write_atomically(self._path, digest + content, durable=False)


def _of_unit(
    signs: NDArray[np.floating], unit: tuple[NDArray[np.float64], NDArray[np.int64]]
) -> Extremes:
    scores, asked = unit
    return extremes(scores, signs[asked])


def _merged(a: Sequence[Extremes], b: Sequence[Extremes]) -> list[Extremes]:
    return [one.with_others(other) for one, other in zip(a, b, strict=True)]
