"""The product and the counting of step-down max-T on a GPU, through torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from harness.significance.max_t import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.significance.max_t import Pairs

PAIRS_PER_SLAB = 4096


class TorchEngine:
    """Flips and counts on one device; the counts are those of numpy and numba.

    Args:
        columns: Scores, shape (columns, questions), whole numbers in an exact precision.
        device: Such as ``cuda``.
    """

    def __init__(self, columns: NDArray[np.floating], device: str) -> None:
        self._columns = torch.from_numpy(columns).to(device)
        # TF32 would round the scores.
        torch.backends.cuda.matmul.allow_tf32 = False

    def count(
        self,
        signs: NDArray[np.floating],
        pairs: Pairs,
        observed: NDArray[np.float64],
        scale: NDArray[np.float64],
        orders: Sequence[NDArray[np.int64]],
    ) -> Tally:
        """Counts one block of resamples; see :class:`harness.significance.max_t.Tally`.

        Args:
            signs: Shape (questions, resamples).
            pairs: What is compared.
            observed: Statistic of each pair, shape (pairs,).
            scale: 1 / norm of each pair's differences, shape (pairs,).
            orders: Members of each family, least significant first.
        """
        device = self._columns.device
        flipped = self._columns @ torch.from_numpy(signs).to(device)
        a, b = (torch.from_numpy(side).to(device) for side in (pairs.a, pairs.b))
        threshold, factor = (torch.from_numpy(v).to(device) for v in (observed, scale))

        def statistics(chosen: torch.Tensor) -> torch.Tensor:
            u = (flipped[a[chosen]] - flipped[b[chosen]]).abs().double()
            return u * factor[chosen, None]

        everyone = torch.arange(len(observed), device=device)
        alone = [
            (statistics(slab) >= threshold[slab, None]).sum(dim=1)
            for slab in torch.split(everyone, PAIRS_PER_SLAB)
        ]
        together, largest = [], []
        for order in orders:
            counts = []
            running = torch.zeros(flipped.shape[1], dtype=torch.float64, device=device)
            for slab in torch.split(torch.from_numpy(order).to(device), PAIRS_PER_SLAB):
                u = statistics(slab)
                u[0] = torch.maximum(u[0], running)
                u = u.cummax(dim=0).values
                counts.append((u >= threshold[slab, None]).sum(dim=1))
                running = u[-1]
            together.append(torch.cat(counts).cpu().numpy().astype(np.int64))
            largest.append(running.cpu().numpy())
        return Tally(torch.cat(alone).cpu().numpy().astype(np.int64), together, largest)
