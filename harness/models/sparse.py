"""Learned sparse models such as SPLADE, through sentence-transformers' SparseEncoder.

A text gives a weight for each term of the vocabulary, most of them 0; the score is the inner
product. Queries may go another way than documents: *inference-free* models look up the weights of
a query's tokens. A document that shares no term with the query is not retrieved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules import Router, Transformer
from sentence_transformers.sparse_encoder.modules import SpladePooling

from harness.embeddings.ragged_encoding import encode_ragged
from harness.models.checkpoint import Checkpoint, limit_tokens, load_checkpoint, token_limit
from harness.models.devices import tokens_per_batch
from harness.models.fingerprint import fingerprint
from harness.models.prompts import chosen_prompts
from harness.retrieval.retrievers import Prepared
from harness.retrieval.sparse_retriever import MOST_TERMS, SparseRetriever
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from harness.models.description import ModelDescription, Role
    from harness.models.encoder_options import EncoderOptions
    from harness.progress import Reporter
    from tasks.collection import Collection

_NOT_IN_A_VECTOR = ("query_prompt", "document_prompt", "similarity")
"""Settings that do not change the vector of a text with its prompt."""
_ROLES: tuple[Role, ...] = ("query", "document")


class SparseModel:
    """A SPLADE-like model, from the hub or from a folder.

    Attributes:
        description: What it says of itself.
    """

    def __init__(self, model: SparseEncoder, description: ModelDescription) -> None:
        self._model = model
        self._terms = int(description.settings["vocabulary"])
        self._prompts: dict[Role, str] = {
            "query": str(description.settings["query_prompt"]),
            "document": str(description.settings["document_prompt"]),
        }
        self._roles_differ = _roles_differ(model)
        self.description = description

    @classmethod
    def load(cls, name: str, options: EncoderOptions) -> SparseModel:
        """Loads a model; weights must be safetensors, its own code runs only if trusted.

        Args:
            name: A folder, or the id of a hub repository.
            options: What replaces the model's own declarations.

        Raises:
            ModelError: If it cannot be loaded, is no sparse model, lacks trained weights, compares
                otherwise than by dot or cosine, or an option does not fit it.
        """
        checkpoint = load_checkpoint(SparseEncoder, name, options)
        model, name = checkpoint.model, checkpoint.files.name
        limit_tokens(model, name, options.max_tokens)
        if model.similarity_fn_name not in ("cosine", "dot"):
            raise ModelError(
                f"The model {name!r} compares by {model.similarity_fn_name!r}; sparse vectors are "
                "ranked by dot or cosine."
            )
        return cls(model, _describe(checkpoint))

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
        cosine = self.description.settings["similarity"] == "cosine"
        return Prepared(
            scorer=SparseRetriever(encoded.queries, encoded.documents, self._terms, cosine=cosine),
            description=self.description,
            device=str(self._model.device),
            texts=encoded.texts,
            distinct_texts=encoded.distinct,
            encoded_texts=encoded.encoded,
            padding=encoded.padding,
        )

    def fingerprint(self, role: Role) -> str:
        """See :meth:`harness.embeddings.ragged_encoding.RaggedEncoder.fingerprint`."""
        side = role if self._roles_differ else None
        return fingerprint(self.description, self._prompts[role], side, _NOT_IN_A_VECTOR)

    def token_counts(self, texts: Sequence[str], role: Role) -> NDArray[np.int64]:
        """See :meth:`harness.embeddings.ragged_encoding.RaggedEncoder.token_counts`."""
        inputs = [self._prompts[role] + text for text in texts]
        encoded = self._model.tokenizer(inputs, truncation=False, verbose=False)["input_ids"]
        limit = token_limit(self._model) or 2**31
        return np.minimum([len(tokens) for tokens in encoded], limit).astype(np.int64)

    def encode(self, texts: Sequence[str], role: Role) -> Sequence[NDArray[np.float32]]:
        """Encodes one batch.

        Returns:
            For each text its active terms, ascending, and their weights, shape (active, 2).
        """
        encode = self._model.encode_query if role == "query" else self._model.encode_document
        weights: Tensor = encode(
            list(texts),
            prompt=self._prompts[role],
            batch_size=len(texts),
            show_progress_bar=False,
            save_to_cpu=True,
        )
        found = weights.coalesce()
        pairs = np.stack([found.indices()[1].numpy(), found.values().float().numpy()], axis=1)
        ends = np.bincount(found.indices()[0].numpy(), minlength=len(texts)).cumsum()
        return np.split(pairs.astype(np.float32), ends[:-1])

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have: each has a number for every term."""
        numbers = 2**31 if self._model.device.type == "cuda" else 2**26
        return max(1, min(tokens_per_batch(self._model.device), numbers // self._terms))


def _roles_differ(model: SparseEncoder) -> bool:
    """Whether a text gets another vector as a query than as a document, with one prompt."""
    return any(isinstance(module, Router) for module in model) or any(
        module.query_length or module.document_length or module.query_expansion
        for module in model.modules()
        if isinstance(module, Transformer)
    )


def _describe(checkpoint: Checkpoint[SparseEncoder]) -> ModelDescription:
    model = checkpoint.model
    prompts = chosen_prompts(model.prompts, checkpoint.options)
    settings: dict[str, str | float | bool] = {
        "query_prompt": prompts["query"],
        "document_prompt": prompts["document"],
        "similarity": str(model.similarity_fn_name),
        "vocabulary": _vocabulary(model, checkpoint.files.name),
        "max_tokens": token_limit(model),
    }
    for role in _ROLES:
        settings[f"{role}_encoder"] = _modules(model, role)
    if model.max_active_dims is not None:
        settings["max_active_dims"] = model.max_active_dims
    return checkpoint.describe(**settings)


def _vocabulary(model: SparseEncoder, name: str) -> int:
    """Number of terms, which a model knows for sure only once it has encoded something."""
    sizes = {model.encode_query("a").shape[-1], model.encode_document("a").shape[-1]}
    size = max(sizes)
    if len(sizes) > 1 or size >= MOST_TERMS:
        raise ModelError(
            f"The model {name!r} gives vectors of {' and '.join(map(str, sorted(sizes)))} terms; "
            f"queries and documents must have the same, and fewer than {MOST_TERMS:,}."
        )
    return int(size)


def _modules(model: SparseEncoder, role: Role) -> str:
    """The modules that a text goes through, by name."""
    found: list[str] = []
    for module in model:
        parts: Iterable[Any] = [module]
        if isinstance(module, Router) and role in module.sub_modules:
            parts = cast("nn.Sequential", module.sub_modules[role])
        for part in parts:
            how = ""
            if isinstance(part, SpladePooling):
                how = f" ({part.pooling_strategy}, {part.activation_function})"
            found.append(type(part).__name__ + how)
    return ", ".join(found)
