"""Which inputs go into a batch together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SHARE_OF_PADDING = 16
LEAST_PADDING = 64


def pack(lengths: NDArray[np.int64], budget: int, most: int) -> Iterator[slice]:
    """Cuts inputs into batches.

    A batch is full when its padded tokens reach the budget. It also ends where its padding would
    take longer to compute than the start of another batch: on processors and accelerators alike,
    starting one takes about as long as a sixteenth of the tokens of a full one.

    Args:
        lengths: Tokens of each input, longest first, shape (inputs,).
        budget: Padded tokens that a batch may have; one input is a batch whatever its length.
        most: Inputs that a batch may have.

    Yields:
        The inputs of each batch, in order.
    """
    allowed = max(budget // SHARE_OF_PADDING, LEAST_PADDING)
    start = 0
    while start < len(lengths):
        widest = max(1, int(lengths[start]))
        size = min(most, max(1, budget // widest))
        padding = np.cumsum(widest - lengths[start : start + size])
        end = start + max(1, int(np.searchsorted(padding, allowed, side="right")))
        yield slice(start, end)
        start = end
