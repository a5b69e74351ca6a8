"""Embeddings of a corpus that is too large to hold: encoded and kept piece by piece on disk.

A piece is a file of :data:`ROWS` documents (:mod:`harness.embeddings.checked_array`), named by a
hash of their texts, which vectors are written to as they come. A run that was stopped goes on
after the last whole piece, a changed corpus encodes what changed, and a piece that is not as it
was written is encoded again.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.batch_runner import BatchRunner
from harness.embeddings.checked_array import created, read_array, remove_left_behind
from harness.embeddings.disk_space import check_room
from harness.embeddings.encoding import batches, check_finite, work_on
from harness.embeddings.inputs import read_in_turn, workers_of
from harness.embeddings.vector_rows import VectorRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.embeddings.encoding import Encoder
    from harness.embeddings.inputs import Inputs
    from harness.progress import Reporter
    from tasks.collection import Corpus

ROWS = 2**15


@dataclass(frozen=True, slots=True)
class CorpusVectors:
    """Embeddings of a corpus, and what they cost.

    Attributes:
        rows: The vectors, memory-mapped.
        encoded: Number of texts that were encoded now.
        tokens: Tokens of these texts.
        padded: Tokens of their batches, with padding.
    """

    rows: VectorRows
    encoded: int
    tokens: int
    padded: int


def encode_corpus(
    encoder: Encoder, corpus: Corpus, folder: Path, progress: Reporter
) -> CorpusVectors:
    """Encodes the documents of a corpus, or finds them on disk.

    Args:
        encoder: The model.
        corpus: The documents.
        folder: Where the pieces are, of this model.
        progress: Where progress goes.

    Raises:
        ModelError: If an embedding has a number that is not finite, or memory is too small for one
            document; the document is named.
        UsageError: If the disk has no room for the embeddings.
    """
    remove_left_behind(folder)
    with progress.track(f"Encoding {corpus.language}", len(corpus.ids), "texts") as advance:
        work = _Pieces(encoder, corpus, folder, advance)
        for first in range(0, len(corpus.ids), ROWS):
            work.find(first, progress)
        work.encode_missing()
    return CorpusVectors(
        VectorRows([work.found[first] for first in sorted(work.found)]),
        work.encoded,
        work.tokens,
        work.padded,
    )


class _Pieces:
    """The pieces of one corpus, found or made."""

    def __init__(
        self, encoder: Encoder, corpus: Corpus, folder: Path, advance: Callable[[int], None]
    ) -> None:
        self._encoder = encoder
        self._corpus = corpus
        self._folder = folder
        self._advance = advance
        self._runner = BatchRunner(workers_of(encoder))
        self._missing: dict[int, Path] = {}
        self._to_encode = 0
        self.found: dict[int, NDArray[np.float32]] = {}
        self.encoded = self.tokens = self.padded = 0

    def find(self, first: int, progress: Reporter) -> None:
        """Looks for the piece that begins with a row of the corpus."""
        texts = self._texts(first)
        path = self._folder / f"{digest_of(texts)}.npy"
        piece = read_array(path)
        known = piece is not None and piece.ndim == 2 and piece.dtype == np.float32
        if piece is not None and known and len(piece) == len(texts):
            self.found[first] = piece
            self._advance(len(texts))
            return
        if path.exists():
            progress.say(f"The cached embeddings in {path} were damaged; encoding them again.")
        self._missing[first] = path
        self._to_encode += len(texts)

    def encode_missing(self) -> None:
        """Encodes the pieces that were not found; the next is read while one is encoded."""
        distinct = (list(dict.fromkeys(self._texts(first))) for first in self._missing)
        made = read_in_turn(self._encoder, distinct, "document")
        for (first, path), (texts, inputs) in zip(self._missing.items(), made, strict=True):
            self._encode(first, path, texts, inputs)
            piece = read_array(path)
            if piece is None:
                raise OSError(f"{path} is not as it was written a moment ago")
            self.found[first] = piece

    def _encode(self, first: int, path: Path, distinct: Sequence[str], inputs: Inputs) -> None:
        texts = self._texts(first)
        names: dict[str, str] = {}
        places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            names.setdefault(text, f"document {self._corpus.ids[first + place]}")
            places.setdefault(text, []).append(place)
        packed = batches(distinct, inputs.lengths, self._encoder.tokens_per_batch)
        piece: NDArray[np.float32] | None = None
        with ExitStack() as stack:
            for rows, vectors in self._runner.run(work_on(inputs, distinct, names), packed):
                chosen = [distinct[row] for row in rows]
                check_finite(vectors, chosen, names)
                if piece is None:
                    # How long a vector is, only the model knows for sure.
                    self._check_room(vectors.shape[1])
                    piece = stack.enter_context(created(path, (len(texts), vectors.shape[1])))
                for text, vector in zip(chosen, vectors, strict=True):
                    piece[places[text]] = vector
                self.tokens += int(inputs.lengths[rows].sum())
                self.padded += int(inputs.lengths[rows].max()) * len(rows)
                self._advance(len(rows))
        self._advance(len(texts) - len(distinct))
        self.encoded += len(distinct)

    def _check_room(self, dimension: int) -> None:
        if not self.encoded:
            check_room(self._folder, self._to_encode * dimension * np.dtype(np.float32).itemsize)

    def _texts(self, first: int) -> Sequence[str]:
        return tuple(self._corpus.texts[first : min(first + ROWS, len(self._corpus.ids))])


def digest_of(texts: Sequence[str]) -> str:
    """What the piece with these texts is called, 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()
