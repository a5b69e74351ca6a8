"""A dense encoder on a cluster: to the harness it is an encoder as any other.

Batches are packed here, as for one machine, from lengths that workers have counted; each batch is
a shard. Pieces of a large corpus go to workers whole, and the driver never sees their tokens.
"""

from __future__ import annotations

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.cluster.narrowing import narrowed
from harness.cluster.shard_names import FINGERPRINT, batch_name, batches_folder, piece_name
from harness.cluster.worker import Failure
from harness.embeddings.corpus_embeddings import ROWS, digest_of
from harness.embeddings.disk_space import check_room
from harness.files import write_atomically
from harness.retrieval.dense_retriever import prepare_dense
from tasks.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.cluster.shard_storage import ShardStorage
    from harness.cluster.work_queue import WorkQueue
    from harness.cluster.worker import Opened
    from harness.embeddings.inputs import Inputs
    from harness.models.description import ModelDescription, Role
    from harness.progress import Reporter
    from harness.retrieval.retrievers import Prepared
    from tasks.collection import Collection, Corpus

TEXTS_COUNTED_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class _Read:
    """Texts of one role, with their lengths."""

    encoder: ClusterEncoder
    texts: Sequence[str]
    role: Role
    lengths: NDArray[np.int64]

    def encode(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """See :meth:`harness.embeddings.inputs.Inputs.encode`."""
        return self.encoder.encode([self.texts[row] for row in rows], self.role)


class ClusterEncoder:
    """A :class:`~harness.retrieval.dense_retriever.DenseModel` whose work is done by workers.

    Args:
        queue: The workers.
        opened: What they say of the model.
        storage: Where they put shards.

    Attributes:
        reads_ahead: See :class:`harness.embeddings.inputs.Reader`.
        workers: See there.
        description: What the model says of itself.
        device: What it runs on there.
        tokens_per_batch: Padded tokens of a full batch there.
    """

    reads_ahead = True

    def __init__(self, queue: WorkQueue, opened: Opened, storage: ShardStorage) -> None:
        self._queue = queue
        self._storage = storage
        self._fingerprints = opened.fingerprints
        self._shards: set[str] = set()
        self._names_of: Callable[[str], str] = repr
        self._lock = threading.Lock()
        self.workers = queue.workers
        self.description = opened.description
        self.device = opened.device
        self.tokens_per_batch = opened.tokens_per_batch

    def wait_for_workers(self) -> None:
        """Waits until all workers have loaded the model, which work itself does not wait for."""
        self._queue.wait_for(self.workers)

    def describe(self) -> ModelDescription:
        """See :meth:`harness.retrieval.retrievers.Model.describe`."""
        return self.description

    def fingerprint(self, role: Role) -> str:
        """See :meth:`harness.embeddings.encoding.Encoder.fingerprint`."""
        return self._fingerprints[role]

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """See :meth:`harness.embeddings.encoding.Encoder.token_counts`; those of documents."""
        return self.read(texts, "document").lengths

    def read(self, texts: Sequence[str], role: Role) -> Inputs:
        """See :meth:`harness.embeddings.inputs.Reader.read`; workers count at the same time."""

        def count(some: Sequence[str]) -> NDArray[np.int64]:
            found: NDArray[np.int64] = self._queue.run(
                "lengths", some, role, named=lambda: ["texts to be counted", *self._named(some)]
            )
            return found

        parts = [
            texts[start : start + TEXTS_COUNTED_AT_ONCE]
            for start in range(0, len(texts), TEXTS_COUNTED_AT_ONCE)
        ]
        with ThreadPoolExecutor(self.workers, thread_name_prefix="lengths") as threads:
            return _Read(self, texts, role, np.concatenate([*threads.map(count, parts)]))

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Vectors of one batch, made by a worker or found in the storage.

        Raises:
            ClusterError: If workers keep dying of it, or the storage is not the workers' own.
            MemoryError: If a worker's device is too small for it.
            ModelError: If the model gives no usable output.
        """
        name = batch_name(self._fingerprints[role], texts)
        with self._lock:
            self._shards.add(name)
        if (known := self._storage.read(name)) is not None:
            return np.asarray(known, dtype=np.float32)

        def dies(some: Sequence[str]) -> bool:
            part = batch_name(self._fingerprints[role], some)
            with self._lock:
                self._shards.add(part)
            return self._queue.dies("encode", part, list(some), role)

        def named() -> list[str]:
            what = f"the batch {name} of {len(texts):,} texts"
            return [what, *self._named(narrowed(texts, dies))]

        outcome = self._queue.run("encode", name, list(texts), role, named=named)
        return np.asarray(finished(outcome, self._storage, name), dtype=np.float32)

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,
        progress: Reporter,
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`."""
        self._names_of = _Names(collection, languages)
        # Runs that were stopped have left these; the cache may have them already.
        for fingerprint in set(self._fingerprints.values()):
            self._shards.update(self._storage.names(batches_folder(fingerprint)))
        encoded, tokens, padded = 0, 0, 0
        with ExitStack() as stack:
            if cache is None:  # what is mapped outlives the folder
                folder = tempfile.TemporaryDirectory(prefix="babelboard-embeddings-")
                cache = Path(stack.enter_context(folder))
            for code in languages[1]:
                corpus = collection.corpora[code]
                if not isinstance(corpus.texts, tuple):
                    made = self._encode_pieces(corpus, cache, progress)
                    encoded, tokens, padded = (
                        encoded + made[0],
                        tokens + made[1],
                        padded + made[2],
                    )
            prepared = prepare_dense(self, collection, languages, cache, progress)
        # What they hold is in the cache now.
        self._storage.remove(self._shards)
        self._shards.clear()
        padding = 1 - tokens / padded if padded else prepared.padding
        return replace(prepared, encoded_texts=prepared.encoded_texts + encoded, padding=padding)

    def _encode_pieces(
        self, corpus: Corpus, cache: Path, progress: Reporter
    ) -> tuple[int, int, int]:
        """Puts the pieces of a large corpus where one machine would look for them.

        Returns:
            Texts that were encoded, their tokens, and those of their batches with padding.
        """
        folder = cache / self._fingerprints["document"][:FINGERPRINT] / "corpora"
        missing = {
            first: digest
            for first in range(0, len(corpus.ids), ROWS)
            if not (folder / f"{(digest := digest_of(_texts(corpus, first)))}.npy").exists()
        }
        rows = sum(min(ROWS, len(corpus.ids) - first) for first in missing)
        check_room(folder, rows * int(self.description.settings.get("dimension", 0)) * 4)
        totals = np.zeros(3, dtype=np.int64)
        what = f"Encoding {corpus.language} on {self.workers} workers"
        with (
            progress.track(what, rows, "texts") as advance,
            ThreadPoolExecutor(self.workers, thread_name_prefix="piece") as threads,
        ):
            futures = {
                threads.submit(self._piece, corpus, first, folder / f"{digest}.npy"): first
                for first, digest in missing.items()
            }
            try:
                for future in as_completed(futures):
                    totals += future.result()
                    advance(min(ROWS, len(corpus.ids) - futures[future]))
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                self._queue.close()  # or this would wait for pieces that take minutes
                raise
        encoded, tokens, padded = totals.tolist()
        return encoded, tokens, padded

    def _piece(self, corpus: Corpus, first: int, path: Path) -> tuple[int, int, int]:
        """Has one piece in a file; returns what :meth:`_encode_pieces` does."""
        name = piece_name(self._fingerprints["document"], path.stem)
        made = (0, 0, 0)
        if not self._storage.has(name):
            texts = _texts(corpus, first)
            ids = tuple(corpus.ids[first : first + len(texts)])

            def named() -> list[str]:
                what = f"the piece {name} of {len(texts):,} texts"
                return [what, *(f"document {one}" for one in ids)]

            outcome = self._queue.run("encode_piece", name, ids, texts, named=named)
            if isinstance(outcome, Failure):
                raise raised(outcome)
            made = outcome
        if not path.exists():  # the storage is not the cache
            content = self._storage.read_bytes(name)
            if content is None:
                raise elsewhere(self._storage)
            write_atomically(path, content)
        return made

    def _named(self, texts: Sequence[str]) -> Iterator[str]:
        return (f"{self._names_of(text)} ({text[:80]!r})" for text in texts)


def _texts(corpus: Corpus, first: int) -> tuple[str, ...]:
    """The texts of the piece that begins with a row of a corpus."""
    return tuple(corpus.texts[first : min(first + ROWS, len(corpus.ids))])


class _Names:
    """What messages call the texts of a collection; looked for when there is a message."""

    def __init__(
        self, collection: Collection, languages: tuple[Sequence[str], Sequence[str]]
    ) -> None:
        self._collection = collection
        self._languages = languages

    def __call__(self, text: str) -> str:
        for code in self._languages[1]:
            corpus = self._collection.corpora[code]
            if isinstance(corpus.texts, tuple) and text in corpus.texts:
                return f"document {corpus.ids[corpus.texts.index(text)]}"
        for code in self._languages[0]:
            queries = self._collection.queries[code]
            if text in queries.texts:
                question = queries.question[queries.texts.index(text)]
                return f"query {self._collection.questions[question]} ({code})"
        return "text"


def finished(outcome: Failure | None, storage: ShardStorage, name: str) -> NDArray[np.generic]:
    """The shard that a worker says it has written.

    Raises:
        BabelboardError: What the worker could not do.
        MemoryError: If its device is too small.
    """
    if outcome is not None:
        raise raised(outcome)
    found = storage.read(name)
    if found is None:
        raise elsewhere(storage)
    return found


def raised(failure: Failure) -> Exception:
    """The exception that a failure stands for."""
    return failure.error or MemoryError("out of memory on a worker")


def elsewhere(storage: ShardStorage) -> ClusterError:
    """Why a shard that was written is not to be seen."""
    return ClusterError(
        f"A worker wrote to the shards' storage {storage.url}, and this machine does not find it "
        "there. Name a folder that all machines share, or a URL such as s3://bucket/folder, by "
        "--ray-storage."
    )
