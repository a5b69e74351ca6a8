"""Rank intervals: the ranks that a system may have, given which differences are significant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RankIntervals:
    """From the best to the worst rank that each system may have.

    Attributes:
        best: 1 + the number of systems that are significantly better, shape (systems,).
        worst: The number of systems - those that are significantly worse, shape (systems,).
    """

    best: NDArray[np.int64]
    worst: NDArray[np.int64]


def rank_intervals(better: NDArray[np.bool_]) -> RankIntervals:
    """Rank intervals of all systems.

    Where the family-wise error of all pairs is alpha, directions included, all intervals hold the
    true ranks together with a chance of at least 1 - alpha (Mogstad, Romano, Shaikh & Wilhelm
    2024, "Inference for ranks with applications to mobility across neighbourhoods and academic
    achievement across countries").

    Args:
        better: Whether the system of the row is significantly better than that of the column,
            shape (systems, systems).

    Raises:
        UsageError: If the matrix is not square, or says of two systems that each is better.
    """
    systems = len(better)
    if better.shape != (systems, systems):
        raise UsageError(f"A matrix of differences must be square, found {better.shape}.")
    contrary = np.argwhere(better & better.T)
    if len(contrary):
        one, other = contrary[0]
        raise UsageError(f"Systems {one} and {other} cannot each be better than the other.")
    return RankIntervals(best=1 + better.sum(axis=0), worst=systems - better.sum(axis=1))
