"""A matrix of its own for each text, such as the vectors of its tokens, as one long matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.vector_rows import VectorRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ragged:
    """Some texts' matrices, in memory.

    Attributes:
        values: The matrices one below the other, shape (rows, width).
        offsets: Row at which each text begins, and at last their number, shape (texts + 1,).
    """

    values: NDArray[np.float32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(cls, matrices: Sequence[NDArray[np.float32]]) -> Ragged:
        """One or more matrices of one width; a matrix may have no rows."""
        lengths = [len(matrix) for matrix in matrices]
        return cls(np.concatenate(matrices), np.concatenate([[0], np.cumsum(lengths)]))


class RaggedRows:
    """Matrices of texts that may lie on disk: what is asked for is read, the rest is not.

    Args:
        parts: Texts in parts, of one width; at least one.
    """

    def __init__(self, parts: Sequence[Ragged]) -> None:
        self._parts = tuple(parts)
        self._values = VectorRows([part.values for part in parts])
        ends = np.concatenate([np.diff(part.offsets) for part in parts]).cumsum()
        self._offsets = np.concatenate([[0], ends])

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @property
    def width(self) -> int:
        """Width of the matrices."""
        return self._values.dimension

    @property
    def rows(self) -> int:
        """Number of rows of all texts together."""
        return len(self._values)

    def joined_with(self, others: Sequence[RaggedRows]) -> RaggedRows:
        """These texts, then those of the others."""
        return RaggedRows([part for found in (self, *others) for part in found._parts])

    def between(self, first: int, last: int) -> Ragged:
        """The texts [first, last)."""
        offsets = self._offsets[first : last + 1]
        values = self._values.between(int(offsets[0]), int(offsets[-1]))
        return Ragged(values, offsets - offsets[0])

    def at(self, texts: NDArray[np.int64]) -> Ragged:
        """Some texts in any order, shape (texts,)."""
        starts = self._offsets[texts]
        lengths = self._offsets[texts + 1] - starts
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return Ragged(self._values.at(np.repeat(starts, lengths) + within), offsets)
