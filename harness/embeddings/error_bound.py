"""How far an inner product in float32 can be from the exact one.

Take vectors q and p, and float32 vectors q' and p' near them. What a matrix product in float32
gives for q' and p' is within

    radius = gamma_n |q'| |p'|  +  |q' - q| |p'|  +  |q| |p' - p|

of the exact <q, p>, where |.| is Euclidean length, n the dimension, u = 2^-24 the unit roundoff and
gamma_n = n u / (1 - n u). The first term is Higham, Accuracy and Stability of Numerical Algorithms,
2nd ed. (2002), section 3.1: whatever the order of evaluation, with fused operations or without, the
error is at most gamma_n times the sum of |q'_i| |p'_i|, which is at most |q'| |p'| by
Cauchy-Schwarz. The others are Cauchy-Schwarz on <q', p'> - <q, p> = <q' - q, p'> + <q, p' - p>.

Underflow, also where subnormal numbers are flushed to zero, adds less than 2^-126 for each of at
most 2n operations and 2^-126 (|q'_i| + |p'_i|) for each component. Nothing overflows where
|q'| |p'| is below 2^100, as no partial sum exceeds it by more than the rounding.

The bound holds for products in IEEE float32, as all BLAS libraries make them unless they are told
to take fewer bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""
LARGEST_PRODUCT = 2.0**100
LARGEST_DIMENSION = 2**20
SLACK = 1 + 2.0**-20
"""More than what rounding in float64 takes off a bound while it is computed."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """Vectors in float32 that are near others.

    Attributes:
        vectors: Shape (rows, dimension).
        length: Not below the length of any row; may be infinite.
        moved: Not below the distance of any row from the vector that it stands for.
    """

    vectors: NDArray[np.float32]
    length: float
    moved: float


@numba.njit(parallel=True, cache=True, nogil=True, fastmath={"reassoc", "contract"})
def row_lengths(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Lengths of the rows of a matrix, added up in float64, shape (rows,)."""
    lengths = np.empty(len(vectors))
    for row in numba.prange(len(vectors)):
        total = 0.0
        for column in range(vectors.shape[1]):
            total += np.float64(vectors[row, column]) ** 2
        lengths[row] = np.sqrt(total)
    return lengths


def rounded(vectors: NDArray[np.float64]) -> Rounded:
    """Vectors, shape (rows, dimension), to the nearest numbers in float32."""
    with np.errstate(over="ignore"):  # an infinite length says it
        near = vectors.astype(np.float32)
    length = float(np.max(row_lengths(near), initial=0.0)) * SLACK
    tiny = near.shape[1] * 2.0**-149  # half the distance of subnormal numbers, and more
    return Rounded(near, length, UNIT_ROUNDOFF * SLACK * length + tiny)


def radius(
    query_length: NDArray[np.float64], query_moved: NDArray[np.float64], documents: Rounded
) -> NDArray[np.float64]:
    """How far scores in float32 can be from the exact ones, for each of some queries.

    Args:
        query_length: Length of each query's vector in float32, or more, shape (queries,).
        query_moved: Its distance from the exact one, or more, shape (queries,).
        documents: The documents.

    Returns:
        Shape (queries,); infinite where no bound holds.
    """
    dimension = documents.vectors.shape[1]
    if dimension > LARGEST_DIMENSION:
        return np.full(len(query_length), np.inf)
    gamma = dimension * UNIT_ROUNDOFF / (1 - dimension * UNIT_ROUNDOFF)
    length, moved = documents.length, documents.moved
    with np.errstate(invalid="ignore"):  # nothing times infinity: no bound, as below
        found = (gamma * query_length + query_moved) * length
        found += (query_length + query_moved) * moved
        found += 2.0**-124 * dimension * (1 + query_length + length)
        small = query_length * length <= LARGEST_PRODUCT
    return np.where(small, found * SLACK, np.inf)
