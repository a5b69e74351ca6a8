"""What a model made of texts, on disk by a key of each text: a stopped run goes on where it was.

A folder per fingerprint (model, revision, prompt, dtype, ...) holds shards; a shard is an .npz
with the keys of its texts, shape (n, 16), and what the kind of store keeps of them.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.disk_space import check_room
from harness.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TEXTS_PER_SHARD = 1024
KEY_BYTES = 16


def text_key(text: str) -> bytes:
    """A text's key within a fingerprint, 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


class TextStore(ABC):
    """One array a text, of one fingerprint.

    Args:
        folder: Where the shards are, or None to keep everything in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._arrays: dict[bytes, NDArray[np.float32]] = {}
        self._unsaved: list[bytes] = []
        self.damaged: list[Path] = []
        """Shards that could not be read and were removed; their texts are encoded again."""
        if folder is not None:
            self._load(folder)

    @abstractmethod
    def _packed(self, arrays: Sequence[NDArray[np.float32]]) -> Mapping[str, NDArray[np.generic]]:
        """Arrays of a shard, by name, that hold the arrays of its texts."""

    @abstractmethod
    def _unpacked(
        self, content: Mapping[str, NDArray[np.generic]], texts: int
    ) -> Sequence[NDArray[np.float32]]:
        """The arrays of a shard's texts.

        Raises:
            KeyError: If something is missing.
            ValueError: If shapes or types do not fit.
        """

    def __contains__(self, text: str) -> bool:
        return text_key(text) in self._arrays

    def add(self, texts: Sequence[str], arrays: Iterable[NDArray[np.float32]]) -> None:
        """Keeps an array for each text, and saves once enough have come."""
        for text, array in zip(texts, arrays, strict=True):
            key = text_key(text)
            self._arrays[key] = array
            self._unsaved.append(key)
        if len(self._unsaved) >= TEXTS_PER_SHARD:
            self.save()

    def check_room(self, texts: int, array: NDArray[np.float32]) -> None:
        """Refuses a disk that is too full for the arrays of so many texts, of this one's size.

        Raises:
            UsageError: If it is.
        """
        if self._folder is not None:
            check_room(self._folder, texts * (array.nbytes + KEY_BYTES))

    def save(self) -> None:
        """Writes what has not been written yet as a shard."""
        if self._folder is None or not self._unsaved:
            return
        buffer = io.BytesIO()
        keys = np.frombuffer(b"".join(self._unsaved), dtype=np.uint8).reshape(-1, KEY_BYTES)
        packed = self._packed([self._arrays[key] for key in self._unsaved])
        np.savez(buffer, allow_pickle=False, keys=keys, **packed)
        # Named by its keys: two runs that encode the same texts write the same shard.
        name = hashlib.sha256(keys.tobytes()).hexdigest()[:32]
        write_atomically(self._folder / f"{name}.npz", buffer.getvalue())
        self._unsaved.clear()

    def arrays(self, texts: Iterable[str]) -> list[NDArray[np.float32]]:
        """The arrays of texts that are all here."""
        return [self._arrays[text_key(text)] for text in texts]

    def _load(self, folder: Path) -> None:
        for shard in sorted(folder.glob("*.npz")):
            try:
                with shard.open("rb") as file, np.load(file, allow_pickle=False) as content:
                    keys = content["keys"]
                    arrays = self._unpacked(content, len(keys))
                if keys.shape != (len(arrays), KEY_BYTES):
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
                for key, array in zip(keys, arrays, strict=True):
                    self._arrays[key.tobytes()] = array
