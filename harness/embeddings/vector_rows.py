"""Rows of vectors that may lie on disk: what is asked for is read, the rest is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


class VectorRows:
    """One matrix in parts, each in memory or memory-mapped.

    Args:
        parts: Matrices of one width, shape (rows, dimension); at least one.
    """

    def __init__(self, parts: Sequence[NDArray[np.float32]]) -> None:
        self._parts = tuple(parts)
        self._ends = np.cumsum([len(part) for part in self._parts])

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def dimension(self) -> int:
        """Width of the matrix."""
        return int(self._parts[0].shape[1])

    def joined_with(self, others: Sequence[VectorRows]) -> VectorRows:
        """These rows, then those of the others."""
        return VectorRows([part for rows in (self, *others) for part in rows._parts])

    def between(self, first: int, last: int) -> NDArray[np.float32]:
        """The rows [first, last), shape (last - first, dimension)."""
        found = []
        for part, end in zip(self._parts, self._ends.tolist(), strict=True):
            start = end - len(part)
            if start < last and first < end:
                found.append(part[max(first - start, 0) : last - start])
        if not found:
            return self._parts[0][:0]
        return np.asarray(found[0]) if len(found) == 1 else np.concatenate(found)

    def at(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Some rows in any order, shape (rows, dimension)."""
        found = np.empty((len(rows), self.dimension), dtype=self._parts[0].dtype)
        part_of = np.searchsorted(self._ends, rows, side="right")
        for number, part in enumerate(self._parts):
            mine = np.flatnonzero(part_of == number)
            if len(mine):
                found[mine] = part[rows[mine] - (self._ends[number] - len(part))]
        return found

    def blocks(self, size: int) -> Iterator[NDArray[np.float32]]:
        """All rows in order, ``size`` at a time."""
        for first in range(0, len(self), size):
            yield self.between(first, min(first + size, len(self)))
