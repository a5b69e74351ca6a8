"""Models through mteb: any dense encoder or cross-encoder of its registry, run as it says.

Prompts and instructions are those that mteb gives a retrieval task without any of its own, and
documents lose the white space at their ends, so that ``mteb.evaluate`` gives the same numbers on
our tasks (:mod:`tasks.mteb_tasks`).
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mteb.models import CrossEncoderProtocol, EncoderProtocol

from harness.embeddings.encoding import batches
from harness.models.fingerprint import fingerprint
from harness.models.mteb_loading import check_fits, find_meta, load_meta
from harness.models.mteb_model import PROMPT_TYPES, SUBSET, MtebModel, as_array, batch_of
from harness.retrieval.dense_retriever import prepare_dense
from harness.retrieval.retrievers import Prepared
from tasks.errors import ModelError
from tasks.mteb_names import SPLIT
from tasks.mteb_tasks import AnyTask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import ModelDescription, Role
    from harness.models.encoder_options import EncoderOptions
    from harness.progress import Reporter
    from tasks.collection import Collection

PREFIX = "mteb:"
_NOT_IN_AN_EMBEDDING = ("similarity", "embeddings", "rescore")


def open_mteb(name: str, options: EncoderOptions) -> MtebEncoder | MtebCrossEncoder:
    """Loads a model of mteb's registry.

    Args:
        name: Its name there, with or without ``mteb:`` before it.
        options: Device, and what else mteb lets be set.

    Raises:
        UnknownNameError: If the registry has no such model.
        ModelError: If it is of another kind, cannot be loaded or run, or needs code that is not
            trusted.
        UsageError: If an option does not fit it.
    """
    meta = find_meta(name.removeprefix(PREFIX))
    check_fits(meta, options)
    loaded = MtebModel(load_meta(meta, options), meta, options)
    if options.max_tokens is not None:
        loaded.shorten(options.max_tokens)
    if isinstance(loaded.model, EncoderProtocol) and "dense" in meta.model_type:
        return MtebEncoder(loaded)
    if isinstance(loaded.model, CrossEncoderProtocol):
        return MtebCrossEncoder(loaded)
    raise ModelError(
        f"The model {meta.name!r} searches by itself, and neither encodes texts nor scores pairs "
        "of them. For BM25 use bm25, which is built in."
    )


class MtebEncoder:
    """A dense encoder of mteb's registry; an encoder for :mod:`harness.embeddings.encoding`.

    Attributes:
        description: What it says of itself.
    """

    def __init__(self, loaded: MtebModel) -> None:
        self._loaded = loaded
        with loaded.errors():
            widths = {role: self._encode(["probe"], role).shape[1] for role in PROMPT_TYPES}
            similarity = similarity_of(loaded.model)
            prompts = loaded.prompts()
        if len(set(widths.values())) > 1 or similarity is None:
            declared = loaded.meta.similarity_fn_name or "a rule of its own"
            raise ModelError(
                f"The model {loaded.name!r} gives queries {widths['query']} and documents "
                f"{widths['document']} dimensions, and compares by {similarity or declared}; ranks "
                "are counted for cosine or dot, of one dimension."
            )
        quantised: dict[str, str | int] = {}
        if loaded.options.embeddings != "float32":
            options = loaded.options
            quantised = {"embeddings": options.embeddings, "rescore": options.rescore}
        self.description = loaded.describe(
            "dense",
            {
                **{f"{role}_prompt": prompt for role, prompt in prompts.items()},
                "similarity": similarity,
                "dimension": widths["query"],
                **quantised,
            },
        )

    def describe(self) -> ModelDescription:
        """See :meth:`harness.retrieval.retrievers.Model.describe`."""
        return self.description

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,
        progress: Reporter,
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`."""
        return prepare_dense(self, collection, languages, cache, progress)

    def fingerprint(self, role: Role) -> str:
        """What, besides the text, decides an embedding: the key of the cache.

        Prompts are mteb's, and not all of them are known, so neither is whether it treats the
        roles alike: its version stands for them.
        """
        version = f"mteb {importlib.metadata.version('mteb')}"
        return fingerprint(self.description, version, role, _NOT_IN_AN_EMBEDDING)

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Number of tokens of each text, shape (texts,), for batching; an estimate for some."""
        return self._loaded.token_counts(texts)

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Encodes one batch.

        Returns:
            Vectors, shape (texts, dimension).

        Raises:
            ModelError: If mteb's code for the model fails.
        """
        with self._loaded.errors():
            return self._encode(texts, role)

    @property
    def device(self) -> str:
        """What it runs on; ``cpu`` for a model that is no module of torch."""
        return self._loaded.device

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have."""
        return self._loaded.tokens_per_batch

    def _encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        with contextlib.redirect_stderr(io.StringIO()):  # a bar for every batch
            found: Any = self._loaded.model.encode(
                batch_of(texts, role),
                task_metadata=AnyTask.metadata,
                hf_split=SPLIT,
                hf_subset=SUBSET,
                prompt_type=PROMPT_TYPES[role],
                batch_size=len(texts),
                show_progress_bar=False,
            )
        vectors = as_array(found)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise ModelError(
                f"The model {self._loaded.name!r} gives {len(texts)} texts an output of shape "
                f"{vectors.shape}; a dense encoder gives each one vector."
            )
        return vectors.astype(np.float32, copy=False)


class MtebCrossEncoder:
    """A cross-encoder of mteb's registry; a pair model for :mod:`harness.retrieval.retrievers`.

    Attributes:
        description: What it says of itself.
    """

    def __init__(self, loaded: MtebModel) -> None:
        self._loaded = loaded
        with loaded.errors():
            probe = self._predict([("probe", "probe")] * 2)
        if probe[0] != probe[1]:
            raise ModelError(
                f"The model {loaded.name!r} gives the same pair of texts two scores: they depend "
                "on more than the pair, so candidates cannot be scored one by one."
            )
        self.description = loaded.describe("cross-encoder", {})

    def describe(self) -> ModelDescription:
        """See :meth:`harness.retrieval.retrievers.Model.describe`."""
        return self.description

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,  # noqa: ARG002  # the protocol's; a pair is seldom scored twice
        progress: Reporter,  # noqa: ARG002  # the protocol's
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`."""
        queries = sum(len(collection.queries[code].texts) for code in languages[0])
        documents = sum(len(collection.corpora[code].ids) for code in languages[1])
        return Prepared(
            scorer=self,
            description=self.description,
            device=self.device,
            texts=queries + documents,
            distinct_texts=queries + documents,
        )

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        """See :meth:`harness.retrieval.retrievers.PairModel.scores_of`.

        Raises:
            ModelError: If mteb's code for the model fails, or a score is not a finite number.
        """
        times: dict[tuple[str, str], int] = {}
        for pair in pairs:
            times[pair] = times.get(pair, 0) + 1
        distinct = list(times)
        found: dict[tuple[str, str], float] = {}
        joined = ["\n".join(pair) for pair in distinct]
        lengths = self._loaded.token_counts(joined)
        for batch in batches(joined, lengths, self._loaded.tokens_per_batch):
            chosen = [distinct[i] for i in batch]
            with self._loaded.errors():
                scores = self._predict(chosen)
            if not np.isfinite(scores).all():
                query, document = chosen[int(np.flatnonzero(~np.isfinite(scores))[0])]
                raise ModelError(
                    f"The model {self._loaded.name!r} scores the query {query[:60]!r} and the "
                    f"document {document[:60]!r} by no finite number. Check its weights."
                )
            found.update(zip(chosen, scores.tolist(), strict=True))
            on_pairs(sum(times[pair] for pair in chosen))
        return np.array([found[pair] for pair in pairs], dtype=np.float64)

    @property
    def device(self) -> str:
        """What it runs on; ``cpu`` for a model that is no module of torch."""
        return self._loaded.device

    def _predict(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        with contextlib.redirect_stderr(io.StringIO()):
            found: Any = self._loaded.model.predict(
                batch_of([query for query, _ in pairs], "query"),
                batch_of([document for _, document in pairs], "document"),
                task_metadata=AnyTask.metadata,
                hf_split=SPLIT,
                hf_subset=SUBSET,
                batch_size=len(pairs),
                show_progress_bar=False,
            )
        scores = as_array(found).astype(np.float64)
        if scores.size != len(pairs):
            raise ModelError(
                f"The model {self._loaded.name!r} gives {len(pairs)} pairs an output of shape "
                f"{scores.shape}; a reranker gives each one score."
            )
        return scores.reshape(-1)


def similarity_of(model: Any) -> str | None:
    """How a model compares embeddings: ``cosine`` or ``dot``, None for anything else.

    The model is asked, not its metadata, since mteb asks it too.
    """
    a, b = torch.tensor([[3.0, 4.0], [1.0, -2.0]]), torch.tensor([[2.0, 0.5], [-7.0, 1.0]])
    values = as_array(model.similarity(a, b))
    products = (a @ b.T).numpy()
    cosines = products / (a.norm(dim=1)[:, None] * b.norm(dim=1)[None, :]).numpy()
    for name, expected in (("cosine", cosines), ("dot", products)):
        if values.shape == expected.shape and np.allclose(values, expected, atol=1e-3):
            return name
    return None
