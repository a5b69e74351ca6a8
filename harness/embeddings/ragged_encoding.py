"""Each distinct text is encoded once as a matrix: the vectors of its tokens, or its active terms.

Texts of small corpora are kept by their own keys (:mod:`harness.embeddings.ragged_store`). A
corpus that lies on disk is encoded in pieces of :data:`PIECE` documents, which are memory-mapped:
a run that was stopped goes on after the last whole piece.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.embeddings.batch_runner import BatchRunner, Work
from harness.embeddings.checked_array import read_array, write_array
from harness.embeddings.encoding import batches
from harness.embeddings.ragged_rows import Ragged, RaggedRows
from harness.embeddings.ragged_store import RaggedStore
from harness.embeddings.text_store import text_key
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.models.description import Role
    from harness.progress import Reporter
    from tasks.collection import Collection, Corpus

PIECE = 2**13


class RaggedEncoder(Protocol):
    """What encoding needs of a model that gives a text a matrix."""

    def fingerprint(self, role: Role) -> str:
        """What, besides the text, decides a matrix."""

    def token_counts(self, texts: Sequence[str], role: Role) -> NDArray[np.int64]:
        """Number of tokens of each text as the model sees it, shape (texts,)."""

    def encode(self, texts: Sequence[str], role: Role) -> Sequence[NDArray[np.float32]]:
        """A matrix for each text of one batch, all of one width; it may have no rows."""

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have."""


@dataclass(slots=True)
class EncodedRows:
    """The matrices of a collection, and what they cost.

    Attributes:
        queries: All queries, stacked by language.
        documents: The documents by language.
        texts: Number of texts that were given.
        distinct: Number of distinct inputs among them, piece by piece for a corpus on disk.
        encoded: Number of distinct inputs that were encoded now; the others were in the cache.
        padding: Share of padding among the tokens of the batches.
    """

    queries: RaggedRows
    documents: Mapping[str, RaggedRows]
    texts: int
    distinct: int
    encoded: int
    padding: float


@dataclass(slots=True)
class _Work:
    """What is under way, and how much of it is done."""

    encoder: RaggedEncoder
    progress: Reporter
    texts: int = 0
    distinct: int = 0
    encoded: int = 0
    tokens: int = 0
    padded: int = 0
    runner: BatchRunner = field(default_factory=BatchRunner)


def encode_ragged(
    encoder: RaggedEncoder,
    collection: Collection,
    languages: tuple[Sequence[str], Sequence[str]],
    cache: Path | None,
    progress: Reporter,
) -> EncodedRows:
    """Encodes the queries and documents of some languages of a collection.

    Args:
        encoder: The model.
        collection: The texts.
        languages: Languages of the queries, and of the documents.
        cache: Folder of the embeddings cache, or None for none.
        progress: Where progress goes.

    Raises:
        ModelError: If a matrix has a number that is not finite; the text is named.
    """
    work = _Work(encoder, progress)
    queries = [
        (f"query {collection.questions[number]} ({code})", text)
        for code in languages[0]
        for number, text in zip(
            collection.queries[code].question, collection.queries[code].texts, strict=True
        )
    ]
    corpora = [collection.corpora[code] for code in languages[1]]
    small = [corpus for corpus in corpora if isinstance(corpus.texts, tuple)]
    documents = [
        (f"document {name}", text)
        for corpus in small
        for name, text in zip(corpus.ids, corpus.texts, strict=True)
    ]
    asked = _held(work, "query", queries, cache)
    found: dict[str, RaggedRows] = {}
    if small:
        held = _held(work, "document", documents, cache)
        ends = np.cumsum([0, *(len(corpus.texts) for corpus in small)]).tolist()
        for number, corpus in enumerate(small):
            found[corpus.language] = RaggedRows([held.between(ends[number], ends[number + 1])])
    for corpus in corpora:
        if corpus.language not in found:
            found[corpus.language] = _on_disk(work, corpus, cache)
    return EncodedRows(
        queries=asked,
        documents=found,
        texts=work.texts,
        distinct=work.distinct,
        encoded=work.encoded,
        padding=1 - work.tokens / work.padded if work.padded else 0.0,
    )


def _held(
    work: _Work, role: Role, named: Sequence[tuple[str, str]], cache: Path | None
) -> RaggedRows:
    """Matrices of (name, text), in memory."""
    store = RaggedStore(cache / work.encoder.fingerprint(role)[:32] if cache else None)
    for shard in store.damaged:
        work.progress.say(f"The cached vectors in {shard} were damaged; encoding them again.")
    _fill(store, work, role, named)
    return RaggedRows([store.ragged(text for _, text in named)])


def _on_disk(work: _Work, corpus: Corpus, cache: Path | None) -> RaggedRows:
    """Matrices of a corpus, memory-mapped piece by piece."""
    with tempfile.TemporaryDirectory(prefix="babelboard-vectors-") as temporary:
        # Files that are mapped stay until they are let go.
        folder = (cache or Path(temporary)) / work.encoder.fingerprint("document")[:32] / "corpora"
        pieces = []
        for first in range(0, len(corpus.ids), PIECE):
            last = min(first + PIECE, len(corpus.ids))
            texts = tuple(corpus.texts[first:last])
            name = hashlib.sha256(b"".join(map(text_key, texts))).hexdigest()[:32]
            if (piece := _read(folder, name, len(texts))) is None:
                store = RaggedStore(None)
                named = [
                    (f"document {one}", text)
                    for one, text in zip(corpus.ids[first:last], texts, strict=True)
                ]
                _fill(store, work, "document", named)
                _write(folder, name, store.ragged(texts))
                piece = _read(folder, name, len(texts))
            else:
                work.texts += len(texts)
                work.distinct += len(set(texts))
            pieces.append(piece)
    return RaggedRows([piece for piece in pieces if piece is not None])


def _fill(store: RaggedStore, work: _Work, role: Role, named: Sequence[tuple[str, str]]) -> None:
    names: dict[str, str] = {}
    for name, text in named:
        names.setdefault(text, name)
    texts = list(names)
    missing = [text for text in texts if text not in store]
    work.texts += len(named)
    work.distinct += len(texts)
    if not missing:
        return
    lengths = work.encoder.token_counts(texts, role)
    try:
        with work.progress.track("Encoding", len(missing), "texts") as advance:
            # Batches are packed from all texts, so that a run that was stopped goes on with the
            # very batches it would have had.
            packed = batches(texts, lengths, work.encoder.tokens_per_batch)
            todo = ([row for row in batch if texts[row] not in store] for batch in packed)
            job = Work(
                lambda rows: work.encoder.encode([texts[row] for row in rows], role),
                lengths,
                lambda row: (names[texts[row]], texts[row]),
            )
            for rows, matrices in work.runner.run(job, filter(None, todo)):
                chosen = [texts[row] for row in rows]
                _check_finite(matrices, chosen, names)
                store.add(chosen, matrices)
                work.encoded += len(rows)
                work.tokens += int(lengths[rows].sum())
                work.padded += int(lengths[rows].max()) * len(rows)
                advance(len(rows))
    finally:
        store.save()


def _check_finite(
    matrices: Sequence[NDArray[np.float32]], texts: Sequence[str], names: Mapping[str, str]
) -> None:
    bad = [number for number, matrix in enumerate(matrices) if not np.isfinite(matrix).all()]
    if bad:
        text = texts[bad[0]]
        raise ModelError(
            f"The model's vectors of {names[text]} hold NaN or infinite numbers "
            f"({len(bad)} of {len(texts)} texts of its batch do): {text[:80]!r}.\n"
            "Try --dtype float32, or check the model's weights."
        )


def _read(folder: Path, name: str, texts: int) -> Ragged | None:
    """A piece that is there, memory-mapped; None where it is missing or damaged."""
    offsets = read_array(folder / f"{name}.offsets.npy")
    values = read_array(folder / f"{name}.values.npy")
    if offsets is None or values is None:
        return None
    known = offsets.dtype == np.int64 and values.dtype == np.float32 and values.ndim == 2
    fits = known and offsets.shape == (texts + 1,) and offsets[0] == 0
    rising = fits and (np.diff(offsets) >= 0).all() and offsets[-1] == len(values)
    return Ragged(values, np.array(offsets)) if rising else None


def _write(folder: Path, name: str, found: Ragged) -> None:
    write_array(folder / f"{name}.values.npy", found.values)
    write_array(folder / f"{name}.offsets.npy", found.offsets)
