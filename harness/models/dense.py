"""Encoders that turn a text into one vector, through sentence-transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from harness.embeddings.inputs import Inputs, PlainInputs
from harness.models.checkpoint import Checkpoint, limit_tokens, load_checkpoint, token_limit
from harness.models.devices import Replicas, compiling, tokens_per_batch
from harness.models.fingerprint import fingerprint
from harness.models.prompts import chosen_prompts
from harness.models.text_reader import TextReader
from harness.retrieval.dense_retriever import prepare_dense
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import ModelDescription, Role
    from harness.models.encoder_options import EncoderOptions
    from harness.models.tokens import Tokens
    from harness.progress import Reporter
    from harness.retrieval.retrievers import Prepared
    from tasks.collection import Collection

_NOT_IN_AN_EMBEDDING = ("query_prompt", "document_prompt", "similarity", "embeddings", "rescore")
"""Settings that do not change the embedding of a text with its prompt."""


@dataclass(frozen=True, slots=True)
class _Read:
    """Texts as tokens, and the model that encodes them."""

    encoder: DenseEncoder
    reader: TextReader
    tokens: Tokens

    @property
    def lengths(self) -> NDArray[np.int64]:
        """See :meth:`harness.embeddings.inputs.Inputs.lengths`."""
        return self.tokens.lengths

    def encode(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """See :meth:`harness.embeddings.inputs.Inputs.encode`."""
        return self.encoder.vectors_of(self.reader.batch(self.tokens, rows))


class DenseEncoder:
    """A sentence-transformers or Hugging Face encoder, from the hub or from a folder.

    Args:
        model: The model.
        description: What it says of itself.
        replicas: The model on its devices; None for the one it is on.

    Attributes:
        reads_ahead: See :class:`harness.embeddings.inputs.Reader`.
        workers: See there.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        description: ModelDescription,
        replicas: Replicas[SentenceTransformer] | None = None,
    ) -> None:
        self._model = model
        self._replicas = replicas or Replicas(model, (None,))
        self.description = description
        self._prompts: dict[Role, str] = {
            "query": str(description.settings["query_prompt"]),
            "document": str(description.settings["document_prompt"]),
        }
        self._readers: dict[Role, TextReader | None] = {
            role: TextReader.of(model, prompt, role) for role, prompt in self._prompts.items()
        }
        self.reads_ahead = None not in self._readers.values()
        self._normalised = bool(description.settings["normalised"])
        self.workers = len(self._replicas)
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
        encoder = cls(checkpoint.model, _describe(checkpoint), checkpoint.replicas())
        if options.compile:
            with compiling(checkpoint.files.name):
                encoder.encode(["a"], "query")
        return encoder

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
        """What it runs on, such as ``cpu`` or ``cuda:0``; the first of several."""
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

    def read(self, texts: Sequence[str], role: Role) -> Inputs:
        """See :meth:`harness.embeddings.inputs.Reader.read`."""
        reader = self._readers[role]
        if reader is None:
            return PlainInputs.of(self, texts, role)
        return _Read(self, reader, reader.read(texts))

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        """Encodes one batch.

        Returns:
            Vectors, shape (texts, dimension).
        """
        if (reader := self._readers[role]) is not None and texts:
            return self.vectors_of(reader.batch(reader.read(texts), range(len(texts))))
        with self._replicas.one() as model:
            encode = model.encode_query if role == "query" else model.encode_document
            vectors: NDArray[np.float32] = encode(
                list(texts),
                prompt=self._prompts[role],
                batch_size=len(texts),
                show_progress_bar=False,
                convert_to_numpy=True,
                # Also what is left of a vector that was truncated is scaled.
                normalize_embeddings=self._normalised,
            )
        return np.asarray(vectors, dtype=np.float32)

    def vectors_of(self, features: dict[str, Any]) -> NDArray[np.float32]:
        """What the model makes of a batch that is read, as sentence-transformers' ``encode``.

        Args:
            features: The tensors that ``preprocess`` gives.

        Returns:
            Vectors, shape (texts, dimension).
        """
        with self._replicas.one() as model, torch.inference_mode():
            on_device = {
                key: value.to(model.device) if isinstance(value, torch.Tensor) else value
                for key, value in features.items()
            }
            vectors = model(on_device)["sentence_embedding"][..., : model.truncate_dim]
            if self._normalised:
                vectors = torch.nn.functional.normalize(vectors, p=2, dim=1)
            found: NDArray[np.float32] = vectors.float().cpu().numpy()
        return found

    @property
    def tokens_per_batch(self) -> int:
        """Padded tokens that one batch may have."""
        return tokens_per_batch(self._model.device)


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
