"""McNemar's test of two systems that each hit or miss every question."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.special import bdtr

from tasks.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class McNemar:
    """Result of McNemar's exact test.

    Attributes:
        n: Number of questions.
        only_a: Questions that only system a hits.
        only_b: Questions that only system b hits.
        p: Two-sided p-value, never 0.
    """

    n: int
    only_a: int
    only_b: int
    p: float


def mcnemar(a: NDArray[np.float64], b: NDArray[np.float64]) -> McNemar:
    """Tests whether two systems hit equally often, two-sided and exact.

    Of the questions that only one of the two hits, each has it with chance 1/2 under the null
    hypothesis: a binomial test (McNemar 1947; Fay 2010, "Two-sided exact tests and matching
    confidence intervals for discrete data"). It equals the exact sign-flip test of the differences.

    Args:
        a: 1 where system a hits the question (as Success@10 is), 0 where not, shape (n,).
        b: The same of system b.

    Raises:
        UsageError: If there is no question, the systems do not have equally many, or a score is
            neither 0 nor 1.
    """
    if len(a) != len(b) or len(a) == 0:
        raise UsageError(
            f"McNemar's test needs scores of both systems on the same questions, at least 1; "
            f"found {len(a)} and {len(b)}."
        )
    for scores in (a, b):
        other = scores[(scores != 0) & (scores != 1)]
        if len(other):
            raise UsageError(
                f"McNemar's test needs a measure that is 0 or 1 on each question, such as "
                f"Success@10; found {other[0]:g}."
            )
    only_a = int(((a == 1) & (b == 0)).sum())
    only_b = int(((a == 0) & (b == 1)).sum())
    tail = float(bdtr(min(only_a, only_b), only_a + only_b, 0.5))
    # Where both are equal, the two tails overlap.
    return McNemar(len(a), only_a, only_b, min(1.0, max(2 * tail, sys.float_info.min)))
