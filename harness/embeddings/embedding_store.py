"""Embeddings on disk: one vector a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.text_store import TextStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


class EmbeddingStore(TextStore):
    """The embeddings of one fingerprint; a shard has them as ``vectors``, shape (n, dimension)."""

    def matrix(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """The vectors of texts that are all here, shape (texts, dimension)."""
        return np.stack(self.arrays(texts))

    def _packed(self, arrays: Sequence[NDArray[np.float32]]) -> Mapping[str, NDArray[np.generic]]:
        return {"vectors": np.stack(arrays)}

    def _unpacked(
        self, content: Mapping[str, NDArray[np.generic]], texts: int
    ) -> Sequence[NDArray[np.float32]]:
        vectors = content["vectors"]
        if vectors.ndim != 2 or len(vectors) != texts:
            raise ValueError("shapes do not fit")
        return list(vectors.astype(np.float32, copy=False))
