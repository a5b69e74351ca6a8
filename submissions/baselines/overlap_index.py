"""Finds long runs of words that texts share with some known ones.

Two texts overlap if a run of :attr:`Window.long` units of a known text stands in the other; of a
known text that is shorter, all of it must, and one below :attr:`Window.short` units never does. 13
words is the run by which GPT-3's training data were compared with its tests, 8 the least for texts
that have not as many (Brown et al. 2020, "Language Models are Few-Shot Learners", appendix C).
Characters of scripts without spaces are as many as those words have in the parallel texts of XQuAD:
1.7 of Chinese and 5.4 of Thai for each English word.

Runs are compared by 64-bit hashes: what n known texts take in memory does not depend on how many
others they are compared with, and the chance of one false hit among a thousand million comparisons
with a million runs is below 1 in 10,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from submissions.baselines.folded_text import script_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Units = Sequence[str]
    Hashes = NDArray[np.uint64]
    Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """How long a run must be.

    Attributes:
        short: Units of the shortest known text that is looked for.
        long: Units of a run that is enough.
    """

    short: int
    long: int


WINDOWS = {"word": Window(8, 13), "east": Window(14, 22), "south-east": Window(43, 70)}
"""By the script that most letters of a known text are in."""

_SCRIPTS = tuple(WINDOWS)
_BATCH = 1 << 17
"""Units that are hashed at once."""
_BASE = 0xD6E8FEB86659FD93  # odd, so it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of the known texts in one script, by the hash of their first units.

    Attributes:
        start: Hash of the first ``short`` units of each, ascending.
        whole: Hash of all its units.
        length: Number of its units.
        text: Index of its text.
        may_start: For the upper bits of a hash, whether any start has them.
    """

    start: Hashes
    whole: Hashes
    length: NDArray[np.int32]
    text: NDArray[np.int32]
    may_start: NDArray[np.bool_]

    @classmethod
    def sorted(cls, parts: Sequence[tuple[Hashes, Hashes, Places, Places]]) -> _Runs:
        start, whole, length, text = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(start, kind="stable")
        may_start = np.zeros(1 << max(10, (16 * len(order)).bit_length()), dtype=np.bool_)
        may_start[_upper(start, may_start)] = True
        narrow = length[order].astype(np.int32), text[order].astype(np.int32)
        return cls(start[order], whole[order], *narrow, may_start)

    def beginning_with(self, hashes: Hashes) -> tuple[Places, Places]:
        """Index of a hash and of a run that begins with it, for each such two."""
        likely = np.flatnonzero(self.may_start[_upper(hashes, self.may_start)])
        first = np.searchsorted(self.start, hashes[likely], "left")
        counts = np.searchsorted(self.start, hashes[likely], "right") - first
        offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(likely, counts), np.repeat(first, counts) + offset


class OverlapIndex:
    """Some known texts, among which those that overlap with others are found.

    Args:
        texts: The units of each known text; of some 20,000,000 units together it takes 1 GB.
    """

    def __init__(self, texts: Iterable[Units]) -> None:
        self._numbers: dict[str, int] = {}
        self._script = np.zeros(1, dtype=np.int8)
        self._powers = _Powers()
        parts: dict[str, list[tuple[Hashes, Hashes, Places, Places]]] = {s: [] for s in WINDOWS}
        for first, batch in _batches(texts):
            self._learn(batch)
            stream, start, length = self._stream(batch)
            hashes = self._powers.hashes(stream)
            for code, script in enumerate(_SCRIPTS):
                mine = np.flatnonzero(self._scripts(stream, start, length) == code)
                runs = _runs(hashes, start[mine], length[mine], WINDOWS[script])
                parts[script].append((*runs[:3], first + mine[runs[3]]))
        self._runs = {s: _Runs.sorted(found) for s, found in parts.items() if found}

    def overlaps(self, texts: Iterable[Units]) -> Iterator[list[tuple[int, int]]]:
        """Which known texts others overlap with.

        Args:
            texts: The units of each; what is yielded is of those that were taken since the last.

        Yields:
            For each batch, the index of a text in the batch and the index of a known one, for each
            two that overlap, ascending.
        """
        for _, batch in _batches(texts):
            stream, start, _ = self._stream(batch)
            hashes = self._powers.hashes(stream)
            there = {_SCRIPTS[code] for code in np.unique(self._script[stream])}
            found: set[tuple[int, int]] = set()
            for script in there & self._runs.keys():
                place, known = _matches(hashes, self._runs[script], WINDOWS[script].short)
                text = np.searchsorted(start, place, side="right") - 1
                found.update(zip(text.tolist(), known.tolist(), strict=True))
            yield sorted(found)

    def _learn(self, texts: Sequence[Units]) -> None:
        """Numbers units that are new, from 1."""
        new = [u for u in dict.fromkeys(chain.from_iterable(texts)) if u not in self._numbers]
        self._numbers |= {unit: number for number, unit in enumerate(new, len(self._script))}
        scripts = np.array([_SCRIPTS.index(script_of(unit)) for unit in new], dtype=np.int8)
        self._script = np.concatenate([self._script, scripts])

    def _stream(self, texts: Sequence[Units]) -> tuple[Places, Places, Places]:
        """Numbers of all units, a 0 after each text; where each text starts, and its length.

        A unit that no known text has is 0 too: no run has one, so no run goes over it.
        """
        number = self._numbers.get
        length = np.array([len(text) for text in texts], dtype=np.int64)
        start = np.cumsum(length + 1) - length - 1
        every = chain.from_iterable((*text, "") for text in texts)
        count = int(length.sum()) + len(length)
        stream = np.fromiter((number(unit, 0) for unit in every), np.int64, count)
        return stream, start, length

    def _scripts(self, stream: Places, start: Places, length: Places) -> NDArray[np.int64]:
        """Code of the script that most units of each text are in."""
        counts = np.zeros((len(_SCRIPTS), len(start)), dtype=np.int64)
        for code in range(len(_SCRIPTS)):
            sums = np.concatenate([[0], np.cumsum((self._script[stream] == code) & (stream > 0))])
            counts[code] = sums[start + length] - sums[start]
        found: NDArray[np.int64] = counts.argmax(axis=0)
        return found


class _Powers:
    """Powers of the base modulo 2^64, and of its inverse, as far as they were needed."""

    def __init__(self) -> None:
        self._power = self._inverse = np.ones(1, dtype=np.uint64)

    def hashes(self, stream: Places) -> _StreamHashes:
        size = len(stream)
        if size > len(self._power):
            self._power = _powers(_BASE, size)
            self._inverse = _powers(_INVERSE, size)
        weighed = _scattered(stream) * self._power[:size]
        sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(weighed, dtype=np.uint64)])
        return _StreamHashes(sums, self._inverse[:size])


@dataclass(frozen=True, slots=True)
class _StreamHashes:
    """Hashes of the runs of a stream: sums of value x base^place, moved back to place 0.

    Attributes:
        sums: Of all units before each place.
        inverse: Powers of the base's inverse.
    """

    sums: Hashes
    inverse: Hashes

    def all_of(self, length: int) -> Hashes:
        """Hash of the run of this many units at each place that has room for it."""
        places = max(len(self.inverse) - length + 1, 0)
        moved: Hashes = self.sums[length:] - self.sums[:places]
        return moved * self.inverse[:places]

    def of(self, place: Places, length: Places) -> Hashes:
        """Hash of the run at each of some places."""
        moved: Hashes = self.sums[place + length] - self.sums[place]
        return moved * self.inverse[place]


def _runs(
    hashes: _StreamHashes, start: Places, length: Places, window: Window
) -> tuple[Hashes, Hashes, Places, Places]:
    """Hash of the start, hash of the whole, length and text of each run to look for."""
    size = np.minimum(length, window.long)
    counts = np.where(length >= window.short, length - size + 1, 0)
    text = np.repeat(np.arange(len(start)), counts)
    place = start[text] + np.arange(len(text)) - (np.cumsum(counts) - counts)[text]
    short = np.full(len(text), window.short)
    return hashes.of(place, short), hashes.of(place, size[text]), size[text], text


def _matches(hashes: _StreamHashes, runs: _Runs, short: int) -> tuple[Places, Places]:
    """Places of a stream where runs stand, and the texts that have these."""
    place, run = runs.beginning_with(hashes.all_of(short))
    fits = place + runs.length[run] <= len(hashes.inverse)
    place, run = place[fits], run[fits]
    same = hashes.of(place, runs.length[run].astype(np.int64)) == runs.whole[run]
    return place[same], runs.text[run[same]].astype(np.int64)


def _batches(texts: Iterable[Units]) -> Iterator[tuple[int, list[Units]]]:
    """Texts of some units together, with the number of texts before them."""
    first = size = 0
    batch: list[Units] = []
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= _BATCH:
            yield first, batch
            first, size, batch = first + len(batch), 0, []
    if batch:
        yield first, batch


def _powers(base: int, count: int) -> Hashes:
    factors = np.full(count, base, dtype=np.uint64)
    factors[0] = 1
    found: Hashes = np.multiply.accumulate(factors)
    return found


def _scattered(numbers: Places) -> Hashes:
    """A 64-bit value for each number, as splitmix64 makes them (Steele et al. 2014)."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _upper(hashes: Hashes, table: NDArray[np.bool_]) -> Hashes:
    """The upper bits of hashes, as many as a table of a power of two has indices."""
    return hashes >> np.uint64(64 - (len(table).bit_length() - 1))
