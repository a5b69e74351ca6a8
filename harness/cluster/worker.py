"""What a worker does: it opens the model once, and then turns shards of texts into files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.cluster.shard_storage import ShardStorage
from harness.embeddings.batch_runner import is_out_of_memory
from harness.provenance import versions
from tasks.collection import Corpus
from tasks.errors import BabelboardError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harness.models.description import ModelDescription, Role


@dataclass(frozen=True, slots=True)
class Opened:
    """What a worker says of the model that it opened.

    Attributes:
        kind: What the work is.
        description: What the model says of itself.
        device: What it runs on there.
        tokens_per_batch: Padded tokens of a full batch there.
        fingerprints: Of an encoder, the key of the cache by role.
        versions: Of what decides a score.
    """

    kind: Literal["dense", "cross-encoder"]
    description: ModelDescription
    device: str
    tokens_per_batch: int
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker could not do something, of which it did not die.

    Attributes:
        error: What was raised, where the user can do something about it.
        memory: Whether memory was too small.
    """

    error: BabelboardError | None
    memory: bool = False


class Worker:
    """A model, and the storage for what it makes.

    Methods return a :class:`Failure` in place of raising what the user can put right: an exception
    that crosses machines arrives wrapped.
    """

    def __init__(self) -> None:
        self._model: Any = None
        self._storage: ShardStorage | None = None

    def open(self, opener: Callable[[], Any], storage: str, mark: str) -> Opened | Failure:
        """Opens the model.

        Args:
            opener: Gives it.
            storage: Where shards go.
            mark: A file that the driver has put there: if this worker does not see it, they mean
                different places by one name.
        """
        try:
            self._storage = ShardStorage(storage)
            if not self._storage.has(mark):
                return Failure(None)
            self._model = opener()
            return describe(self._model)
        except BabelboardError as error:
            return Failure(error)

    def lengths(self, texts: Sequence[str], role: Role) -> NDArray[np.int64]:
        """Number of tokens of each text, shape (texts,)."""
        found: NDArray[np.int64] = self._model.read(texts, role).lengths
        return found

    def encode(self, name: str, texts: Sequence[str], role: Role) -> Failure | None:
        """Writes the embeddings of one batch."""

        def run() -> NDArray[Any]:
            found: NDArray[np.float32] = self._model.read(texts, role).encode(range(len(texts)))
            return found

        return self._write(name, run)

    def encode_piece(
        self, name: str, ids: Sequence[str], texts: Sequence[str]
    ) -> tuple[int, int, int] | Failure:
        """Writes the embeddings of a piece of a large corpus.

        Returns:
            Texts that were encoded, their tokens, and those of their batches with padding.
        """
        from harness.embeddings.corpus_embeddings import encode_corpus
        from harness.progress import Silent

        try:
            with tempfile.TemporaryDirectory(prefix="babelboard-piece-") as folder:
                corpus = Corpus("", tuple(ids), tuple(texts))
                made = encode_corpus(self._model, corpus, Path(folder), Silent())
                (path,) = Path(folder).glob("*.npy")
                self._there().write_bytes(name, path.read_bytes())
        except BabelboardError as error:
            return Failure(error)
        return made.encoded, made.tokens, made.padded

    def pair_lengths(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
        """Number of tokens of each pair, shape (pairs,)."""
        found: NDArray[np.int64] = self._model.lengths_of(pairs)
        return found

    def score_pairs(self, name: str, pairs: Sequence[tuple[str, str]]) -> Failure | None:
        """Writes the scores of one batch of pairs."""

        def run() -> NDArray[Any]:
            found: NDArray[np.float64] = self._model.scores_of(pairs, lambda _: None)
            return found

        return self._write(name, run)

    def _write(self, name: str, run: Callable[[], NDArray[Any]]) -> Failure | None:
        try:
            found = run()
        except BabelboardError as error:
            return Failure(error)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return Failure(None, memory=True)
        try:
            self._there().write(name, found)
        except BabelboardError as error:
            return Failure(error)
        return None

    def _there(self) -> ShardStorage:
        if self._storage is None:
            raise ValueError("the worker has not been opened")
        return self._storage


def describe(model: Any) -> Opened | Failure:
    """What a model is to the cluster.

    Returns:
        Its description, or a failure where it is of a kind that no cluster is needed for.
    """
    import torch

    from harness.models.cross_encoder import CrossEncoderModel
    from harness.models.dense import DenseEncoder
    from harness.models.devices import tokens_per_batch
    from tasks.errors import UsageError

    if isinstance(model, DenseEncoder):
        prints = {"query": model.fingerprint("query"), "document": model.fingerprint("document")}
        return Opened(
            "dense", model.describe(), model.device, model.tokens_per_batch, prints, versions()
        )
    if isinstance(model, CrossEncoderModel):
        room = tokens_per_batch(torch.device(model.device))
        return Opened("cross-encoder", model.describe(), model.device, room, {}, versions())
    described = model.describe()
    return Failure(
        UsageError(
            f"--ray is for checkpoints of dense encoders and cross-encoders; {described.name!r} is "
            f"of the kind {described.kind} and opened otherwise. Leave --ray out."
        )
    )
