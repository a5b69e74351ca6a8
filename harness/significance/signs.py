"""Random signs: one counter-based stream a question, so that a p-value is the same everywhere.

The sign of question q in resample b is bit b of the stream of Philox4x64-10 whose key is a hash
of the seed and the question's id. It does not depend on the order or number of questions, on the
block size, on threads, or on which settings and systems are compared.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

WORD = 64


class Signs:
    """The signs of some questions over a number of resamples.

    Args:
        questions: Ids of the questions.
        seed: Seed of the whole analysis, 0 to 2^64 - 1.
        resamples: Number of resamples.
    """

    def __init__(self, questions: Sequence[str], seed: int, resamples: int) -> None:
        words = -(-resamples // WORD)
        self.resamples = resamples
        # 12.5 kB a question at 100,000 resamples: kept packed.
        self._bits = np.empty((len(questions), words * 8), dtype=np.uint8)
        for row, question in enumerate(questions):
            stream = np.random.Philox(key=_key(question, seed)).random_raw(words)
            self._bits[row] = stream.astype("<u8").view(np.uint8)

    def block(self, start: int, stop: int, dtype: DTypeLike) -> NDArray[np.floating]:
        """Signs +1 and -1 of the resamples [start, stop), shape (questions, stop - start)."""
        first = start // 8
        bits = np.unpackbits(self._bits[:, first : -(-stop // 8)], axis=1, bitorder="little")
        chosen = bits[:, start - 8 * first : stop - 8 * first]
        signs = chosen.astype(dtype)
        signs *= 2
        signs -= 1
        return signs


def _key(question: str, seed: int) -> NDArray[np.uint64]:
    """Philox's key: two words of 64 bits from BLAKE2b over the seed and the id."""
    digest = hashlib.blake2b(
        question.encode("utf-8", "surrogatepass"), digest_size=16, salt=seed.to_bytes(8, "little")
    ).digest()
    return np.frombuffer(digest, dtype="<u8").astype(np.uint64)
