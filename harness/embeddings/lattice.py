"""Embeddings on a lattice, so that their inner products are exact in float64.

A vector whose length is at most 2^e is rounded to multiples of 2^(e-26). By Cauchy-Schwarz no
partial sum of the inner product of two such vectors exceeds 2^(e1+e2) by more than the rounding,
and each is a multiple of 2^(e1+e2-52): all fit in the 53 bits of a float64. The result therefore
does not depend on the order of summation, so not on the BLAS, the number of threads or the block
size, and equal texts tie exactly. The rounding moves a component of a unit vector by less than
2^-27, below what float32 arithmetic in the model leaves uncertain.

Dense vectors have a lattice each, so that a score does not depend on what else is in the pool.
Sparse vectors share one: documents with equal weights for a query's terms then tie, whatever
their other terms weigh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

BITS = 26


def dense_on_lattice(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rounds each row of a dense matrix, shape (rows, dimension), to its lattice."""
    exact = vectors.astype(np.float64)
    unit = _unit(np.einsum("ij,ij->i", exact, exact))[:, None]
    exact /= unit
    np.rint(exact, out=exact)
    exact *= unit
    return exact


def displacement(dimension: int) -> float:
    """How far :func:`dense_on_lattice` moves a vector at most, as a share of its length.

    The step is below 2^-25 of the length, and no component moves by more than half of it.
    """
    return float(np.sqrt(dimension)) * 2.0**-BITS * (1 + 2.0**-20)


def sparse_on_lattice(vectors: sparse.csr_array) -> sparse.csr_array:
    """Rounds the rows of a sparse matrix, shape (rows, features), to one lattice."""
    exact = vectors.astype(np.float64)
    squares = exact.multiply(exact).sum(axis=1)
    unit = float(_unit(np.array([np.max(squares, initial=0.0)]))[0])
    exact.data = np.rint(exact.data / unit) * unit
    return exact


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def lattice_products(
    queries: NDArray[np.float64],
    documents: NDArray[np.float64],
    query: NDArray[np.int64],
    document: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Inner products of pairs of rows of two matrices on their lattices, shape (pairs,)."""
    found = np.empty(len(query))
    for pair in range(len(query)):
        left, right, total = queries[query[pair]], documents[document[pair]], 0.0
        for column in range(len(left)):
            total += left[column] * right[column]
        found[pair] = total
    return found


def _unit(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lattice's step for vectors of these squared lengths, shape (rows,)."""
    exponent = np.ceil(np.log2(squares, where=squares > 0, out=np.zeros_like(squares)) / 2 - 1e-6)
    return np.asarray(np.exp2(exponent - BITS), dtype=np.float64)
