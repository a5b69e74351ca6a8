"""Each distinct text is encoded once, in batches of similar length, and serves all settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.embeddings.batch_runner import BatchRunner, Work
from harness.embeddings.embedding_store import EmbeddingStore
from harness.embeddings.inputs import read_in_turn, workers_of
from harness.embeddings.packing import pack
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.embeddings.inputs import Inputs
    from harness.models.description import Role
    from harness.progress import Reporter

MOST_TEXTS_PER_BATCH = 1024
TEXTS_AT_ONCE = 2**13
"""Texts are read so many at a time, the next ones while these are encoded."""


class Encoder(Protocol):
    """What encoding needs of a dense model."""

    def fingerprint(self, role: Role) -> str:
        """What, besides the text, decides an embedding."""

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Number of tokens of each text, shape (texts,)."""

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Vectors of one batch, shape (texts, dimension)."""

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have."""


@dataclass(frozen=True, slots=True)
class Source:
    """Texts of one role, with what a message calls them.

    Attributes:
        role: ``query`` or ``document``.
        names: Such as ``document ar_0_3``, aligned with ``texts``.
        texts: The texts.
    """

    role: Role
    names: Sequence[str]
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Embeddings and what they cost.

    Attributes:
        vectors: For each key, shape (texts, dimension).
        texts: Number of texts that were given.
        distinct: Number of distinct inputs among them.
        encoded: Number of distinct inputs that were encoded now; the others were in the cache.
        tokens: Tokens of the inputs that were encoded now.
        padded: Tokens of their batches, with padding.
    """

    vectors: Mapping[tuple[Role, str], NDArray[np.float32]]
    texts: int
    distinct: int
    encoded: int
    tokens: int
    padded: int

    @property
    def padding(self) -> float:
        """Share of padding among the tokens of the batches."""
        return 1 - self.tokens / self.padded if self.padded else 0.0


@dataclass(slots=True)
class _Tally:
    distinct: int = 0
    encoded: int = 0
    tokens: int = 0
    padded: int = 0


def encode_sources(
    encoder: Encoder,
    sources: Mapping[tuple[Role, str], Source],
    cache: Path | None,
    progress: Reporter,
) -> Encoded:
    """Encodes every distinct text of the sources once.

    Args:
        encoder: The model.
        sources: By role and language.
        cache: Folder of the embeddings cache, or None for none.
        progress: Where progress goes.

    Raises:
        ModelError: If an embedding has a number that is not finite, or memory is too small for one
            text; the text is named.
        UsageError: If the disk has no room for the embeddings.
    """
    stores: dict[str, EmbeddingStore] = {}
    tally = _Tally()
    for role in dict.fromkeys(source.role for source in sources.values()):
        fingerprint = encoder.fingerprint(role)
        # Roles with one fingerprint are encoded together: a text that is in both is encoded once.
        if fingerprint not in stores:
            same = [s for s in sources.values() if encoder.fingerprint(s.role) == fingerprint]
            folder = cache / fingerprint[:32] if cache else None
            stores[fingerprint] = EmbeddingStore(folder)
            for shard in stores[fingerprint].damaged:
                progress.say(f"The cached embeddings in {shard} were damaged; encoding them again.")
            _fill(stores[fingerprint], encoder, same, tally, progress)
    vectors = {
        key: stores[encoder.fingerprint(source.role)].matrix(source.texts)
        for key, source in sources.items()
    }
    return Encoded(
        vectors=vectors,
        texts=sum(len(source.texts) for source in sources.values()),
        distinct=tally.distinct,
        encoded=tally.encoded,
        tokens=tally.tokens,
        padded=tally.padded,
    )


def _fill(
    store: EmbeddingStore,
    encoder: Encoder,
    sources: Sequence[Source],
    tally: _Tally,
    progress: Reporter,
) -> None:
    names: dict[str, str] = {}
    for source in sources:
        for name, text in zip(source.names, source.texts, strict=True):
            names.setdefault(text, name)
    texts = list(names)
    missing = [text for text in texts if text not in store]
    tally.distinct += len(texts)
    if not missing:
        return
    runner = BatchRunner(workers_of(encoder))
    room_is_checked = False
    try:
        with progress.track("Encoding", len(missing), "texts") as advance:
            for part, inputs in read_in_turn(encoder, _parts(texts, store), sources[0].role):
                lengths = inputs.lengths
                todo = _missing(batches(part, lengths, encoder.tokens_per_batch), part, store)
                for rows, vectors in runner.run(work_on(inputs, part, names), todo):
                    chosen = [part[row] for row in rows]
                    check_finite(vectors, chosen, names)
                    if not room_is_checked:
                        store.check_room(len(missing), vectors[0])
                        room_is_checked = True
                    store.add(chosen, vectors)
                    tally.encoded += len(rows)
                    tally.tokens += int(lengths[rows].sum())
                    tally.padded += int(lengths[rows].max()) * len(rows)
                    advance(len(rows))
    finally:
        store.save()


def work_on(
    inputs: Inputs, texts: Sequence[str], names: Mapping[str, str]
) -> Work[NDArray[np.float32]]:
    """The encoding of texts as work for a :class:`BatchRunner`; ``names`` are of the texts."""

    def named(row: int) -> tuple[str, str]:
        return names[texts[row]], texts[row]

    return Work(inputs.encode, inputs.lengths, named)


def _parts(texts: Sequence[str], store: EmbeddingStore) -> Iterator[list[str]]:
    """The texts in parts that are read at once, the longest first; none that is all there.

    The characters of a text say roughly how long it is, before it is read: batches are then nearly
    as even as if all texts had been read before the first is encoded.
    """
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
    for start in range(0, len(longest_first), TEXTS_AT_ONCE):
        part = longest_first[start : start + TEXTS_AT_ONCE]
        if any(text not in store for text in part):
            yield part


def _missing(
    packed: Iterable[Sequence[int]], texts: Sequence[str], store: EmbeddingStore
) -> Iterator[list[int]]:
    """What of the batches is to be encoded.

    Batches are packed from all texts of a part, so that a run that was stopped goes on with the
    very batches it would have had.
    """
    for batch in packed:
        todo = [row for row in batch if texts[row] not in store]
        if todo:
            yield todo


def batches(texts: Sequence[str], lengths: NDArray[np.int64], budget: int) -> Iterator[list[int]]:
    """Indices of the texts of each batch, longest first; see :func:`~.packing.pack`."""
    longest_first = sorted(range(len(texts)), key=lambda i: (-lengths[i], texts[i]))
    for some in pack(lengths[longest_first], budget, MOST_TEXTS_PER_BATCH):
        yield longest_first[some]


def check_finite(
    vectors: NDArray[np.float32], texts: Sequence[str], names: Mapping[str, str]
) -> None:
    """Refuses embeddings of a batch that are not finite, shape (texts, dimension).

    Raises:
        ModelError: If there are such; the first one's text is named.
    """
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        text = texts[bad[0]]
        raise ModelError(
            f"The model's embedding of {names[text]} holds NaN or infinite numbers "
            f"({len(bad)} of {len(texts)} texts of its batch do): {text[:80]!r}.\n"
            "Try --dtype float32, or check the model's weights."
        )
