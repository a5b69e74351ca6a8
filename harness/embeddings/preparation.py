"""Stored embeddings as they are compared: exactly, and nearly so in float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.error_bound import SLACK, UNIT_ROUNDOFF, Rounded, rounded, row_lengths
from harness.embeddings.lattice import dense_on_lattice, displacement
from harness.embeddings.quantisation import quantised

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS_AT_ONCE = 512
"""They stay in the cache from one step of the preparation to the next."""
NEARLY_ONE = 2.0**-20
"""Vectors whose length is 1 to within this much are not scaled for products in float32."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is done to stored rows before they are multiplied.

    Attributes:
        form: What is left of them; see :func:`harness.embeddings.quantisation.quantised`.
        similarity: ``cosine``, which scales them to length 1, or ``dot``, which does not.
    """

    form: str = "float32"
    similarity: str = "dot"

    def exact(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """The vectors whose inner products are the scores, shape (rows, dimension)."""
        found = np.empty(rows.shape)
        for first in range(0, len(rows), ROWS_AT_ONCE):
            some = slice(first, first + ROWS_AT_ONCE)
            found[some] = dense_on_lattice(self._scaled(quantised(rows[some], self.form)))
        return found

    def rough(self, rows: NDArray[np.floating]) -> Rounded:
        """Vectors near the exact ones: the rows themselves where they do."""
        if self.form != "float32" or rows.dtype not in (np.float16, np.float32):
            return rounded(self.exact(rows))
        stored = np.ascontiguousarray(rows, dtype=np.float32)
        lengths = row_lengths(stored)
        longest = float(np.max(lengths, initial=0.0)) * SLACK
        lattice = displacement(stored.shape[1])
        if self.similarity != "cosine":
            return Rounded(stored, longest, lattice * longest)
        off = float(np.max(np.abs(lengths - 1), initial=0.0)) * SLACK + 2.0**-40
        if off <= NEARLY_ONE:
            return Rounded(stored, longest, off + lattice * SLACK)
        lengths[lengths == 0] = 1.0
        near = np.empty_like(stored)
        np.divide(stored, lengths[:, None], out=near, casting="same_kind")
        moved = UNIT_ROUNDOFF + lattice + 2.0**-40
        return Rounded(near, 1 + NEARLY_ONE, moved * SLACK)

    def _scaled(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.similarity != "cosine":
            return vectors
        lengths: NDArray[np.float64] = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths == 0, 1.0, lengths)
