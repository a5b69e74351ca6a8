"""Encoders that turn a text into one vector, through sentence-transformers."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from harness.models.checkpoint import digest_of, load_checkpoint
from harness.models.description import ModelDescription, Role, display_name
from harness.retrievers import DenseRetriever, Prepared, encode_collection
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from harness.models.encoder_options import EncoderOptions
    from harness.progress import Reporter
    from tasks.collection import Collection

DOCUMENT_PROMPTS = ("document", "passage", "corpus")


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
        """Loads an encoder; weights must be safetensors, and no code of the model's is run.

        Args:
            name: A folder, or the id of a hub repository.
            options: What replaces the model's own declarations.

        Raises:
            ModelError: If there is no such model, or it has no safetensors weights, or it would
                need code of its own, or an option does not fit it.
        """
        model = load_checkpoint(name, options)
        _override(model, name, options)
        return cls(model, _describe(model, name, options))

    def describe(self) -> ModelDescription:
        """See :meth:`harness.retrievers.Model.describe`."""
        return self.description

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,
        progress: Reporter,
    ) -> Prepared:
        """See :meth:`harness.retrievers.Model.prepare`."""
        encoded = encode_collection(self, collection, languages, cache, progress)
        similarity = str(self.description.settings["similarity"])
        return Prepared(
            retriever=DenseRetriever(encoded, languages[0], similarity=similarity),
            description=self.description,
            device=str(self._model.device),
            texts=encoded.texts,
            distinct_texts=encoded.distinct,
            encoded_texts=encoded.encoded,
            padding=encoded.padding,
        )

    def fingerprint(self, role: Role) -> str:
        """What, besides the text, decides an embedding in this role: the key of the cache.

        Equal for both roles where the model treats them alike.
        """
        settings = {
            k: v
            for k, v in self.description.settings.items()
            if k not in ("query_prompt", "document_prompt", "similarity")
        }
        content = {
            "name": self.description.name if self.description.digest is None else None,
            "revision": self.description.revision,
            "digest": self.description.digest,
            "settings": settings,
            "prompt": self._prompts[role],
            "role": role if self._roles_differ else None,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Number of tokens of each text as the model sees it, shape (texts,), for batching."""
        limit = _token_limit(self._model) or 2**31
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
            normalize_embeddings=bool(self.description.settings["normalised"]),
        )
        return np.asarray(vectors, dtype=np.float32)

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have: what keeps the device busy and fits."""
        return 2**17 if self._model.device.type == "cuda" else 2**11


def _override(model: SentenceTransformer, name: str, options: EncoderOptions) -> None:
    if options.max_tokens is not None:
        _shorten(model, name, options.max_tokens)
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


def _shorten(model: SentenceTransformer, name: str, tokens: int) -> None:
    longest = _longest_input(model)
    if tokens > longest:
        raise ModelError(
            f"The model {name!r} takes at most {longest} tokens, found --max-tokens {tokens}."
        )
    model.max_seq_length = tokens


def _token_limit(model: SentenceTransformer) -> int:
    """Number of tokens after which texts are cut; 0 for none, as static embeddings have it."""
    limit = model.max_seq_length
    return 0 if limit is None or math.isinf(limit) else int(limit)


def _longest_input(model: SentenceTransformer) -> int:
    """Number of tokens for which the model has positions."""
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    positions = getattr(config, "max_position_embeddings", None) or 2**31
    tokens = getattr(getattr(model, "tokenizer", None), "model_max_length", None) or 2**31
    return int(min(positions, tokens))


def _describe(model: SentenceTransformer, name: str, options: EncoderOptions) -> ModelDescription:
    folder = Path(name)
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    prompts: dict[str, Any] = model.prompts
    declared = next((prompts[p] for p in DOCUMENT_PROMPTS if prompts.get(p)), "")
    query = options.query_prompt if options.query_prompt is not None else prompts.get("query") or ""
    document = options.document_prompt if options.document_prompt is not None else declared
    poolings = [str(module.pooling_mode) for module in model if isinstance(module, Pooling)]
    normalised = any(isinstance(module, Normalize) for module in model)
    return ModelDescription(
        kind="dense",
        name=display_name(name),
        revision=None if folder.is_dir() else getattr(config, "_commit_hash", None),
        digest=digest_of(folder) if folder.is_dir() else None,
        parameters=sum(p.numel() for p in model.parameters()),
        settings={
            "query_prompt": query,
            "document_prompt": document,
            "pooling": "+".join(poolings) or "none",
            "normalised": normalised or options.normalise is True,
            "similarity": str(model.similarity_fn_name),
            "dimension": int(model.get_embedding_dimension() or 0),
            "max_tokens": _token_limit(model),
            "dtype": options.dtype,
        },
    )
