"""Encoders that turn a text into one vector, through sentence-transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from harness.models.checkpoint import Checkpoint, limit_tokens, load_checkpoint, token_limit
from harness.models.fingerprint import fingerprint
from harness.models.prompts import chosen_prompts
from harness.retrieval.dense_retriever import prepare_dense
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import ModelDescription, Role
    from harness.models.encoder_options import EncoderOptions
    from harness.progress import Reporter
    from harness.retrieval.retrievers import Prepared
    from tasks.collection import Collection

_NOT_IN_AN_EMBEDDING = ("query_prompt", "document_prompt", "similarity", "embeddings", "rescore")
"""Settings that do not change the embedding of a text with its prompt."""


class DenseEncoder:
    """A sentence-transformers or Hugging Face encoder, from the hub or from a folder."""

    def __init__(self, model: SentenceTransformer, description: ModelDescription) -> None:
        self._model = model
        self.description = description
        self._prompts: dict[Role, str] = {
            "query": str(description.settings["query_prompt"]),
            "document": str(description.settings["document_prompt"]),
        }
        # A Router sends queries and documents through different modules.
        self._roles_differ = any(type(module).__name__ == "Router" for module in model)

    @classmethod
    def load(cls, name: str, options: EncoderOptions) -> DenseEncoder:
        """Loads an encoder; weights must be safetensors, and its own code runs only if trusted.

        Args:
            name: A folder, or the id of a hub repository.
            options: What replaces the model's own declarations.

        Raises:
            ModelError: If there is no such model, or it has no safetensors weights, or it would
                need code that is not trusted, or an option does not fit it.
        """
        checkpoint = load_checkpoint(SentenceTransformer, name, options)
        _override(checkpoint.model, checkpoint.files.name, options)
        return cls(checkpoint.model, _describe(checkpoint))

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

    @property
    def device(self) -> str:
        """What it runs on, such as ``cpu`` or ``cuda:0``."""
        return str(self._model.device)

    def fingerprint(self, role: Role) -> str:
        """What, besides the text, decides an embedding in this role: the key of the cache.

        Equal for both roles where the model treats them alike.
        """
        side = role if self._roles_differ else None
        return fingerprint(self.description, self._prompts[role], side, _NOT_IN_AN_EMBEDDING)

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Number of tokens of each text as the model sees it, shape (texts,), for batching."""
        limit = token_limit(self._model) or 2**31
        tokenizer = getattr(self._model, "tokenizer", None)
        if not callable(tokenizer) or not texts:  # a static embedding has another kind
            return np.array([len(text) for text in texts], dtype=np.int64)
        encoded = tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
        return np.minimum([len(tokens) for tokens in encoded], limit).astype(np.int64)

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Encodes one batch.

        Returns:
            Vectors, shape (texts, dimension).
        """
        encode = self._model.encode_query if role == "query" else self._model.encode_document
        vectors: NDArray[np.float32] = encode(
            list(texts),
            prompt=self._prompts[role],
            batch_size=len(texts),
            show_progress_bar=False,
            convert_to_numpy=True,
            # Also what is left of a vector that was truncated is scaled.
            normalize_embeddings=bool(self.description.settings["normalised"]),
        )
        return np.asarray(vectors, dtype=np.float32)

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have: what keeps the device busy and fits."""
        return 2**17 if self._model.device.type == "cuda" else 2**11


def _override(model: SentenceTransformer, name: str, options: EncoderOptions) -> None:
    limit_tokens(model, name, options.max_tokens)
    _truncate(model, name, options.truncate_dimensions)
    if options.similarity is not None:
        model.similarity_fn_name = options.similarity
    if model.similarity_fn_name not in ("cosine", "dot"):
        raise ModelError(
            f"The model {name!r} compares by {model.similarity_fn_name!r}; "
            "ranks are counted for cosine or dot: choose one with --similarity."
        )
    if options.normalise is False:
        for key, module in list(model.named_children()):
            if isinstance(module, Normalize):
                delattr(model, key)
    if options.pooling is not None:
        poolings = [module for module in model if isinstance(module, Pooling)]
        if not poolings or options.pooling not in Pooling.POOLING_MODES:
            allowed = ", ".join(Pooling.POOLING_MODES) if poolings else "none, it has no pooling"
            raise ModelError(
                f"Pooling {options.pooling!r} does not fit the model {name!r}; allowed: {allowed}."
            )
        for pooling in poolings:
            pooling.pooling_mode = options.pooling


def _truncate(model: SentenceTransformer, name: str, dimensions: int | None) -> None:
    """Keeps the leading dimensions of embeddings (Kusupati et al. 2022, Matryoshka)."""
    if dimensions is None:
        return
    whole = model.get_embedding_dimension()
    if whole is not None and not 1 <= dimensions <= whole:
        raise ModelError(
            f"The embeddings of the model {name!r} have {whole} dimensions, found "
            f"--truncate-dimensions {dimensions}; allowed: 1 to {whole}."
        )
    model.truncate_dim = dimensions


def _describe(checkpoint: Checkpoint[SentenceTransformer]) -> ModelDescription:
    model, options = checkpoint.model, checkpoint.options
    prompts = chosen_prompts(model.prompts, options)
    poolings = [str(module.pooling_mode) for module in model if isinstance(module, Pooling)]
    normalised = any(isinstance(module, Normalize) for module in model)
    settings: dict[str, str | float | bool] = {
        "query_prompt": prompts["query"],
        "document_prompt": prompts["document"],
        "pooling": "+".join(poolings) or "none",
        "normalised": normalised or options.normalise is True,
        "similarity": str(model.similarity_fn_name),
        "dimension": int(model.get_embedding_dimension() or 0),
        "max_tokens": token_limit(model),
    }
    if options.truncate_dimensions is not None:
        settings["truncated"] = True
    if options.embeddings != "float32":
        settings |= {"embeddings": options.embeddings, "rescore": options.rescore}
    return checkpoint.describe(**settings)
