"""Matrices on disk: several vectors a text, as many as it has tokens or active dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.ragged_rows import Ragged
from harness.embeddings.text_store import TextStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


class RaggedStore(TextStore):
    """The matrices of one fingerprint.

    A shard has them one below the other as ``values``, shape (rows, width), and the number of rows
    of each text as ``lengths``, shape (n,).
    """

    def ragged(self, texts: Iterable[str]) -> Ragged:
        """The matrices of one or more texts that are all here."""
        return Ragged.of(self.arrays(texts))

    def _packed(self, arrays: Sequence[NDArray[np.float32]]) -> Mapping[str, NDArray[np.generic]]:
        lengths = np.array([len(array) for array in arrays], dtype=np.int64)
        return {"values": np.concatenate(arrays), "lengths": lengths}

    def _unpacked(
        self, content: Mapping[str, NDArray[np.generic]], texts: int
    ) -> Sequence[NDArray[np.float32]]:
        values, lengths = content["values"], content["lengths"]
        offsets = np.concatenate([[0], np.cumsum(lengths.astype(np.int64))])
        rising = (np.diff(offsets) >= 0).all()
        fits = values.ndim == 2 and lengths.shape == (texts,) and offsets[-1] == len(values)
        if not fits or not rising:
            raise ValueError("shapes do not fit")
        return np.split(values.astype(np.float32, copy=False), offsets[1:-1])
