"""Embeddings on disk, by a key of what decides them: a stopped run goes on where it was.

A folder per fingerprint (model, revision, prompt, dtype, ...) holds shards; a shard is an .npz
with the keys of its texts, shape (n, 16), and their vectors, shape (n, dimension) in float32.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np

from harness.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TEXTS_PER_SHARD = 1024


def text_key(text: str) -> bytes:
    """A text's key within a fingerprint, 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class EmbeddingStore:
    """The embeddings of one fingerprint.

    Args:
        folder: Where the shards are, or None to keep everything in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._vectors: dict[bytes, NDArray[np.float32]] = {}
        self._unsaved: list[bytes] = []
        self.damaged: list[Path] = []
        """Shards that could not be read and were removed; their texts are encoded again."""
        if folder is not None:
            self._load(folder)

    def __contains__(self, text: str) -> bool:
        return text_key(text) in self._vectors

    def add(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keeps the vectors, shape (texts, dimension), and saves once enough have come."""
        for text, vector in zip(texts, vectors, strict=True):
            key = text_key(text)
            self._vectors[key] = vector
            self._unsaved.append(key)
        if len(self._unsaved) >= TEXTS_PER_SHARD:
            self.save()

    def save(self) -> None:
        """Writes what has not been written yet as a shard."""
        if self._folder is None or not self._unsaved:
            return
        buffer = io.BytesIO()
        keys = np.frombuffer(b"".join(self._unsaved), dtype=np.uint8).reshape(-1, 16)
        np.savez(buffer, keys=keys, vectors=np.stack([self._vectors[k] for k in self._unsaved]))
        # Named by its keys: two runs that encode the same texts write the same shard.
        name = hashlib.sha256(keys.tobytes()).hexdigest()[:32]
        write_atomically(self._folder / f"{name}.npz", buffer.getvalue())
        self._unsaved.clear()

    def matrix(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """The vectors of texts that are all here, shape (texts, dimension)."""
        return np.stack([self._vectors[text_key(text)] for text in texts])

    def _load(self, folder: Path) -> None:
        for shard in sorted(folder.glob("*.npz")):
            try:
                with shard.open("rb") as file, np.load(file, allow_pickle=False) as content:
                    keys, vectors = content["keys"], content["vectors"]
                if keys.shape != (len(vectors), 16) or vectors.ndim != 2:
                    raise ValueError("shapes do not fit")
            except (
                EOFError,
                KeyError,
                OSError,
                RuntimeError,
                TypeError,
                ValueError,
                zipfile.BadZipFile,
                zlib.error,
            ):
                shard.unlink(missing_ok=True)
                self.damaged.append(shard)
            else:
                for key, vector in zip(keys, vectors, strict=True):
                    self._vectors[key.tobytes()] = vector
