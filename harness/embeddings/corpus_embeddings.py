"""Embeddings of a corpus that is too large to hold: encoded and kept piece by piece on disk.

A piece is an .npy file of :data:`ROWS` documents, named by a hash of their texts: a run that was
stopped goes on after the last whole piece, and a changed corpus encodes what changed.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.encoding import batches, check_finite
from harness.embeddings.vector_rows import VectorRows
from harness.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.embeddings.encoding import Encoder
    from harness.progress import Reporter
    from tasks.collection import Corpus

ROWS = 2**15


def encode_corpus(
    encoder: Encoder, corpus: Corpus, folder: Path, progress: Reporter
) -> tuple[VectorRows, int]:
    """Encodes the documents of a corpus, or finds them on disk.

    Args:
        encoder: The model.
        corpus: The documents.
        folder: Where the pieces are, of this model.
        progress: Where progress goes.

    Returns:
        The embeddings, memory-mapped, and how many texts were encoded now.

    Raises:
        ModelError: If an embedding has a number that is not finite; the document is named.
    """
    pieces, encoded = [], 0
    with progress.track(f"Encoding {corpus.language}", len(corpus.ids), "texts") as advance:
        for first in range(0, len(corpus.ids), ROWS):
            last = min(first + ROWS, len(corpus.ids))
            texts = tuple(corpus.texts[first:last])
            path = folder / f"{_digest(texts)}.npy"
            if (piece := _read(path, len(texts))) is None:
                names = tuple(corpus.ids[first:last])
                write_atomically(path, _as_bytes(_encode(encoder, texts, names, advance)))
                encoded += len(set(texts))
                piece = np.load(path, mmap_mode="r")
            else:
                advance(last - first)
            pieces.append(piece)
    return VectorRows(pieces), encoded


def _encode(
    encoder: Encoder,
    texts: tuple[str, ...],
    names: tuple[str, ...],
    advance: Callable[[int], None],
) -> NDArray[np.float32]:
    named: dict[str, str] = {}
    for name, text in zip(names, texts, strict=True):
        named.setdefault(text, f"document {name}")
    distinct = list(named)
    row = {text: number for number, text in enumerate(distinct)}
    found: NDArray[np.float32] | None = None
    for batch in batches(distinct, encoder.token_counts(distinct), encoder.tokens_per_batch):
        chosen = [distinct[i] for i in batch]
        vectors = encoder.encode(chosen, "document")
        check_finite(vectors, chosen, named)
        if found is None:
            found = np.empty((len(distinct), vectors.shape[1]), dtype=np.float32)
        found[batch] = vectors
        advance(len(batch))
    advance(len(texts) - len(distinct))
    if found is None:
        raise ValueError("a piece of a corpus has at least one text")
    return found[[row[text] for text in texts]]


def _read(path: Path, rows: int) -> NDArray[np.float32] | None:
    """A piece that is there, memory-mapped; None where it is missing or damaged."""
    try:
        piece: NDArray[np.float32] = np.load(path, mmap_mode="r")
    except (FileNotFoundError, EOFError, ValueError, OSError):
        return None
    fits = piece.ndim == 2 and piece.dtype == np.float32 and len(piece) == rows
    return piece if fits else None


def _as_bytes(vectors: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, vectors)
    return buffer.getvalue()


def _digest(texts: tuple[str, ...]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()
