"""Each distinct text is encoded once, in batches of similar length, and serves all settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.embeddings.embedding_store import EmbeddingStore
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import Role
    from harness.progress import Reporter

MOST_TEXTS_PER_BATCH = 1024


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
        padding: Share of padding among the tokens of the batches.
    """

    vectors: Mapping[tuple[Role, str], NDArray[np.float32]]
    texts: int
    distinct: int
    encoded: int
    padding: float


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
        ModelError: If an embedding has a number that is not finite; the text is named.
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
        padding=1 - tally.tokens / tally.padded if tally.padded else 0.0,
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
    lengths = encoder.token_counts(texts)
    try:
        with progress.track("Encoding", len(missing), "texts") as advance:
            # Batches are packed from all texts, so that a run that was stopped goes on with the
            # very batches it would have had.
            for batch in batches(texts, lengths, encoder.tokens_per_batch):
                todo = [i for i in batch if texts[i] not in store]
                if todo:
                    chosen = [texts[i] for i in todo]
                    vectors = encoder.encode(chosen, sources[0].role)
                    check_finite(vectors, chosen, names)
                    store.add(chosen, vectors)
                    tally.encoded += len(todo)
                    tally.tokens += int(lengths[todo].sum())
                    tally.padded += int(lengths[todo].max()) * len(todo)
                    advance(len(todo))
    finally:
        store.save()


def batches(texts: Sequence[str], lengths: NDArray[np.int64], budget: int) -> Iterator[list[int]]:
    """Indices of texts, longest first, so that padded tokens stay within the budget."""
    longest_first = sorted(range(len(texts)), key=lambda i: (-lengths[i], texts[i]))
    start = 0
    while start < len(texts):
        widest = max(1, int(lengths[longest_first[start]]))
        size = min(MOST_TEXTS_PER_BATCH, max(1, budget // widest))
        yield longest_first[start : start + size]
        start += size


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
