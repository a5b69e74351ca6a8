"""Late interaction models such as ColBERT, through sentence-transformers' MultiVectorEncoder.

A text gives a vector for each of its tokens. What the model declares holds for each role: marker
or prompt, number of tokens, expansion of queries by [MASK], tokens that are left out, pooling of
tokens. Scores are MaxSim (:mod:`harness.retrieval.max_sim`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import BaseTokenPooling, MultiVectorMask

from harness.embeddings.ragged_encoding import encode_ragged
from harness.models.checkpoint import Checkpoint, limit_tokens, load_checkpoint, token_limit
from harness.models.devices import tokens_per_batch
from harness.models.fingerprint import fingerprint
from harness.models.prompts import chosen_prompts
from harness.retrieval.max_sim import MaxSimRetriever
from harness.retrieval.retrievers import Prepared
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import ModelDescription, Role
    from harness.models.encoder_options import EncoderOptions
    from harness.progress import Reporter
    from tasks.collection import Collection

_NOT_IN_A_VECTOR = ("query_prompt", "document_prompt", "similarity")
"""Settings that do not change the vectors of a text with its prompt."""


class LateInteractionModel:
    """A ColBERT-like model, from the hub or from a folder.

    Attributes:
        description: What it says of itself.
    """

    def __init__(self, model: MultiVectorEncoder, description: ModelDescription) -> None:
        self._model = model
        self._prompts: dict[Role, str] = {
            "query": str(description.settings["query_prompt"]),
            "document": str(description.settings["document_prompt"]),
        }
        self._lengths: dict[Role, tuple[int, int]] = {
            "query": _lengths(model, "query"),
            "document": _lengths(model, "document"),
        }
        self.description = description

    @classmethod
    def load(cls, name: str, options: EncoderOptions) -> LateInteractionModel:
        """Loads a model; weights must be safetensors, its own code runs only if trusted.

        Args:
            name: A folder, or the id of a hub repository.
            options: What replaces the model's own declarations.

        Raises:
            ModelError: If it cannot be loaded, is no late interaction model, lacks trained weights,
                or an option does not fit it.
        """
        checkpoint = load_checkpoint(MultiVectorEncoder, name, options)
        _limit(checkpoint.model, checkpoint.files.name, options.max_tokens)
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
        encoded = encode_ragged(self, collection, languages, cache, progress)
        device = self._model.device
        return Prepared(
            scorer=MaxSimRetriever(
                encoded.queries,
                encoded.documents,
                # Other accelerators have no float64, which exact scores need.
                str(device) if device.type == "cuda" else "cpu",
                mean=self.description.settings["similarity"] == "meanmaxsim",
            ),
            description=self.description,
            device=str(device),
            texts=encoded.texts,
            distinct_texts=encoded.distinct,
            encoded_texts=encoded.encoded,
            padding=encoded.padding,
        )

    def fingerprint(self, role: Role) -> str:
        """See :meth:`harness.embeddings.ragged_encoding.RaggedEncoder.fingerprint`."""
        return fingerprint(self.description, self._prompts[role], role, _NOT_IN_A_VECTOR)

    def token_counts(self, texts: Sequence[str], role: Role) -> NDArray[np.int64]:
        """See :meth:`harness.embeddings.ragged_encoding.RaggedEncoder.token_counts`."""
        prompt, (least, most) = self._prompts[role], self._lengths[role]
        inputs = [prompt + text for text in texts]
        encoded = self._model.tokenizer(inputs, truncation=False, verbose=False)["input_ids"]
        return np.clip([len(tokens) for tokens in encoded], least, most or None).astype(np.int64)

    def encode(self, texts: Sequence[str], role: Role) -> Sequence[NDArray[np.float32]]:
        """Encodes one batch.

        Returns:
            For each text the vectors of its tokens, shape (tokens, dimension).
        """
        encode = self._model.encode_query if role == "query" else self._model.encode_document
        found = encode(
            list(texts),
            prompt=self._prompts[role],
            batch_size=len(texts),
            show_progress_bar=False,
        )
        return [vectors.float().cpu().numpy() for vectors in found]

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have."""
        return tokens_per_batch(self._model.device)


def _lengths(model: MultiVectorEncoder, role: Role) -> tuple[int, int]:
    """Least and greatest number of tokens of a text; 0 for no greatest."""
    limit = token_limit(model)
    transformer = _transformers(model)[0]
    if role == "document":
        return 0, transformer.document_length or limit
    expansion = transformer.query_expansion
    if expansion is None:
        return 0, transformer.query_length or limit
    if expansion["strategy"] == "fixed":
        return expansion["length"], expansion["length"]
    return expansion["length"], max(expansion["length"], transformer.query_length or limit)


def _limit(model: MultiVectorEncoder, name: str, tokens: int | None) -> None:
    """Has texts of both roles cut after a number of tokens."""
    limit_tokens(model, name, tokens)
    if tokens is None:
        return
    for transformer in _transformers(model):
        expansion = transformer.query_expansion
        if expansion is not None and expansion["length"] > tokens:
            raise ModelError(
                f"The model {name!r} expands its queries to {expansion['length']} tokens, "
                f"found --max-tokens {tokens}."
            )
        for length in ("query_length", "document_length"):
            if (own := getattr(transformer, length)) is not None:
                setattr(transformer, length, min(own, tokens))


def _transformers(model: MultiVectorEncoder) -> list[Transformer]:
    found = [module for module in model.modules() if isinstance(module, Transformer)]
    if not found:
        raise ModelError("A late interaction model without a transformer cannot be scored.")
    return found


def _describe(checkpoint: Checkpoint[MultiVectorEncoder]) -> ModelDescription:
    model = checkpoint.model
    prompts = chosen_prompts(model.prompts, checkpoint.options)
    settings: dict[str, str | float | bool] = {
        "query_prompt": prompts["query"],
        "document_prompt": prompts["document"],
        "query_tokens": _lengths(model, "query")[1],
        "document_tokens": _lengths(model, "document")[1],
        "query_expansion": _expansion(model),
        "normalised": any(isinstance(module, Normalize) for module in model),
        "similarity": str(model.similarity_fn_name),
        "dimension": int(model.get_embedding_dimension() or 0),
    }
    for module in model:
        if isinstance(module, MultiVectorMask) and module.skiplist_words:
            settings["skipped_tokens"] = " ".join(module.skiplist_words)
            settings["skipped_in"] = " ".join(module.skiplist_tasks)
        if isinstance(module, BaseTokenPooling):
            settings["token_pooling"] = f"{type(module).__name__} {module.get_config_dict()}"
    return checkpoint.describe(**settings)


def _expansion(model: MultiVectorEncoder) -> str:
    transformer = _transformers(model)[0]
    expansion = transformer.query_expansion
    if expansion is None:
        return "none"
    token = expansion["token"] or getattr(model.tokenizer, "mask_token", None) or "end of text"
    attended = "attended" if expansion["attend"] else "not attended"
    return f"{expansion['strategy']}, {expansion['length']} tokens, {token}, {attended}"
