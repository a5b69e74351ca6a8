"""Scores as integers, so that sums of differences are exact and ties need no tolerance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LCM_TO_10 = 2520
"""RR@10 is a multiple of 1/2520, as are P@k and Success@k for k up to 10."""
SCALES = (1, LCM_TO_10, 100, 10_000)
"""Whole numbers, RR@10 and its like, two and four decimals."""
FINE = 2**32
SMALL = 1e-4
CLOSE = 1e-7
LEAST = math.ulp(0.0)
"""The least number above 0: no unit can be smaller."""


def on_score_lattice(
    scores: NDArray[np.float64], averaged_over: Sequence[int] = (1,)
) -> tuple[NDArray[np.float64], float]:
    """Scores as whole multiples of a unit.

    Args:
        scores: Any shape, finite.
        averaged_over: Numbers of settings that scores may be means over.

    Returns:
        Integers as float64, and the unit: 1, 1/2520, 1/100 or 1/10,000, over a number of settings,
        where the scores are on such a lattice (then nothing is rounded), else 2^-32, or as much
        smaller or larger as scores below 1e-4 or above 1 need.
    """
    for over in averaged_over:
        for scale in SCALES:
            scaled = scores * (scale * over)
            whole = np.rint(scaled)
            is_close = np.abs(scaled - whole).max(initial=0.0) < CLOSE * max(1, over)
            if is_close and np.any(whole) == np.any(scores):
                return whole, 1 / (scale * over)
    # Scores up to 1 have one unit, whatever they are; others one that leaves sums exact.
    largest = float(np.abs(scores).max(initial=0.0))
    exponent = 0 if SMALL < largest <= 1 else math.ceil(math.log2(largest)) if largest else 0
    unit = max(math.ldexp(1 / FINE, exponent), LEAST)
    return np.rint(scores / unit), unit
