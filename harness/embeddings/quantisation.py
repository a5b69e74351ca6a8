"""Embeddings in fewer bits, and back in floating point as they are then compared.

``int8``
    One byte a dimension: each vector is scaled so that its largest component is 127 and rounded.
``binary``
    One bit a dimension: its sign (Yamada et al. 2021, "Efficient Passage Retrieval with Hashing
    for Open-domain Question Answering"). The inner product of two sign vectors of dimension d is
    d - 2 x their Hamming distance.

The first pass compares a quantised query with quantised documents; the first documents of that
ranking may be rescored with the query in floating point against the same quantised documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 127


def quantised(vectors: NDArray[np.floating], form: str) -> NDArray[np.float64]:
    """What is left of vectors, shape (rows, dimension), after quantisation.

    Args:
        vectors: The vectors.
        form: ``float32`` (as they are), ``int8`` or ``binary``.
    """
    exact = vectors.astype(np.float64)
    if form == "int8":
        largest = np.abs(exact).max(axis=1, initial=0.0, keepdims=True)
        step = np.where(largest == 0, 1.0, largest) / LARGEST
        return np.rint(exact / step) * step
    if form == "binary":
        return np.where(exact > 0, 1.0, -1.0)
    return exact
