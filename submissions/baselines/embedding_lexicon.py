"""Lexicons from cross-lingual word vectors: each word's nearest neighbour in the other language.

Nearest is by cosine, as in Litschko et al. 2023, or by CSLS, which takes from the cosine what a
word has in common with everything (Conneau et al. 2018, "Word Translation Without Parallel Data"):
CSLS(x, y) = 2 cos(x, y) - r(x) - r(y), with r the mean cosine to the 10 nearest neighbours in the
other language. Vectors are scaled to unit length here, whatever length they have in the file.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.text_lines import numbered_lines
from submissions.baselines.lexicon_sources import locate, place_for
from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from submissions.baselines.lexicon_files import Pair

NEIGHBOURS = 10
"""Of CSLS, as published."""

_HEADER = re.compile(rb"\s*[0-9]+ +([0-9]+)\s*")
_ROWS = 1024
_COLUMNS = 16_384
"""Cosines are computed in blocks of so many rows and columns: 64 MiB."""


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Words of a language and their vectors.

    Attributes:
        words: Each once, as the file has them.
        rows: Unit vectors, shape (words, dimensions); they may be mapped from the disk.
    """

    words: tuple[str, ...]
    rows: NDArray[np.float32]


def spec_pairs(place: str, source: str, target: str, data: Path | None) -> Iterator[Pair]:
    """The pairs of ``SOURCE.vec,TARGET.vec`` or ``SOURCE.vec,TARGET.vec,csls``.

    Raises:
        UsageError: If it is neither.
        DataFileError: If a file is missing or malformed, or the two do not fit each other.
    """
    names = place_for(place, source, target).split(",")
    method = names.pop() if len(names) == 3 else "cosine"
    if len(names) != 2 or not all(names) or method not in ("cosine", "csls"):
        raise UsageError(
            f"vec:{place} is no lexicon: give vec:SOURCE.vec,TARGET.vec or "
            "vec:SOURCE.vec,TARGET.vec,csls. {source} and {target} stand for the languages."
        )
    paths = [locate(name, data) for name in names]
    with tempfile.TemporaryDirectory(prefix="babelboard-") as folder:
        left, right = (read_vectors(path, Path(folder) / str(n)) for n, path in enumerate(paths))
        if left.rows.shape[1] != right.rows.shape[1]:
            raise DataFileError(
                f"{paths[0]} has vectors of {left.rows.shape[1]} numbers and {paths[1]} of "
                f"{right.rows.shape[1]}: they are not in one space."
            )
        found = nearest(left.rows, right.rows, csls=method == "csls")
        for word, index in zip(left.words, found.tolist(), strict=True):
            yield word, right.words[index], 1.0


def read_vectors(path: Path, scratch: Path) -> WordVectors:
    """Reads a ``.vec`` file: a word and its numbers a line, with or without a line of sizes first.

    A word that is there again, and a vector of zeros, are passed over.

    Args:
        path: The file, gzip or not.
        scratch: Where to put the vectors, so that they need not fit into memory.

    Raises:
        DataFileError: If the file is missing, or a line has other than a word and as many finite
            numbers as the first.
    """
    words: dict[str, None] = {}
    size = 0
    with scratch.open("wb") as file:
        for number, line in numbered_lines(path):
            header = _HEADER.fullmatch(line) if number == 1 else None
            if header:
                size = int(header[1])
                continue
            size = size or max(len(line.split()) - 1, 1)
            word, row = _word_and_row(line, size, path, number)
            length = np.linalg.norm(row)
            if length > 0 and word not in words:
                words[word] = None
                file.write((row / length).astype(np.float32).tobytes())
    if not words:
        raise DataFileError(f"{path} has no word vectors.")
    rows = np.memmap(scratch, dtype=np.float32, mode="r", shape=(len(words), size))
    return WordVectors(tuple(words), rows)


def _word_and_row(
    line: bytes, size: int, path: Path, number: int
) -> tuple[str, NDArray[np.float64]]:
    fields = line.strip().rsplit(maxsplit=size)
    try:
        row = np.array(fields[1:], dtype=np.float64)
    except ValueError:
        row = np.full(size, np.nan)
    if len(fields) != size + 1 or not np.isfinite(row).all():
        raise DataFileError(
            f"{path}:{number}: not a word and {size} finite numbers: {line.decode()[:60].strip()!r}"
            "... If the line is corrupt, remove it."
        )
    return fields[0].decode(), row


def nearest(
    source: NDArray[np.float32], target: NDArray[np.float32], *, csls: bool
) -> NDArray[np.int64]:
    """The nearest target row of each source row, the first of several that are as near.

    Args:
        source: Unit vectors, shape (n, dimensions).
        target: Unit vectors, shape (m, dimensions), m at least 1.
        csls: Whether near is by CSLS; by cosine otherwise.

    Returns:
        Indices, shape (n,).
    """
    # r(x) is the same for all candidates of x; halved, CSLS is cos(x, y) - r(y) / 2.
    penalty: NDArray[np.float32] = np.zeros(len(target), dtype=np.float32)
    if csls:
        penalty = _mean_of_nearest(target, source) / np.float32(2)
    best = np.empty(len(source), dtype=np.int64)
    for start in range(0, len(source), _ROWS):
        block = np.asarray(source[start : start + _ROWS])
        highest = np.full(len(block), -np.inf, dtype=np.float32)
        index = np.zeros(len(block), dtype=np.int64)
        for column in range(0, len(target), _COLUMNS):
            part = slice(column, column + _COLUMNS)
            scores = block @ np.asarray(target[part]).T - penalty[part]
            there = scores.argmax(axis=1)
            value = scores[np.arange(len(block)), there]
            better = value > highest
            highest[better], index[better] = value[better], there[better] + column
        best[start : start + _ROWS] = index
    return best


def _mean_of_nearest(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean cosine of each row to its 10 nearest others, or to all if there are fewer."""
    count = min(NEIGHBOURS, len(others))
    means = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _ROWS):
        block = np.asarray(rows[start : start + _ROWS])
        top = np.empty((len(block), 0), dtype=np.float32)
        for column in range(0, len(others), _COLUMNS):
            scores = block @ np.asarray(others[column : column + _COLUMNS]).T
            top = np.concatenate([top, scores], axis=1)
            if top.shape[1] > count:
                top = np.partition(top, -count, axis=1)[:, -count:]
        means[start : start + _ROWS] = top.mean(axis=1)
    return means
