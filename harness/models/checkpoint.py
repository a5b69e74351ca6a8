"""Loads a checkpoint through sentence-transformers, and refuses what cannot be trusted.

That is: pickles, code that comes with the model, and weights that would be random numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
import transformers
from safetensors import SafetensorError
from sentence_transformers import (
    CrossEncoder,
    MultiVectorEncoder,
    SentenceTransformer,
    SparseEncoder,
)
from sentence_transformers.base import BaseModel

from harness.models.attention import check_attention
from harness.models.description import Kind, ModelDescription
from harness.models.devices import Replicas, device_names
from harness.models.kind import detect_kind
from harness.models.model_files import ModelFiles, find_files, refuse_pickles
from harness.models.weights import no_weights_missing
from tasks.errors import ModelError

if TYPE_CHECKING:
    from harness.models.encoder_options import EncoderOptions

Loaded = TypeVar("Loaded", bound=BaseModel)

KIND_OF: dict[type[BaseModel], Kind] = {
    SentenceTransformer: "dense",
    CrossEncoder: "cross-encoder",
    MultiVectorEncoder: "late-interaction",
    SparseEncoder: "sparse",
}
SHARED = ("dense", "cross-encoder")
"""Kinds of models whose batches several devices share."""
_EXPECTED = (
    AssertionError,  # torch: no such device in this build
    AttributeError,
    ImportError,
    KeyError,
    OSError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Checkpoint(Generic[Loaded]):
    """A checkpoint, loaded.

    Attributes:
        model: As sentence-transformers loads it.
        files: What it was loaded from.
        options: With what it was loaded.
    """

    model: Loaded
    files: ModelFiles
    options: EncoderOptions

    def replicas(self) -> Replicas[Loaded]:
        """The model on each of its devices, compiled if that was asked for."""
        devices = device_names(self.options.device)
        return Replicas(self.model, devices, compiled=self.options.compile)

    def describe(self, **settings: str | float | bool) -> ModelDescription:
        """What the model says of itself.

        Args:
            settings: What decides its scores, beside the weights, the number format and code.
        """
        code = {"trust_remote_code": True} if self.options.trust_remote_code else {}
        return ModelDescription(
            kind=KIND_OF[type(self.model)],
            name=self.files.name,
            revision=self.files.revision,
            digest=self.files.digest(),
            parameters=sum(p.numel() for p in self.model.parameters()),
            settings={**settings, "dtype": self.options.dtype, **code},
        )


def load_checkpoint(
    architecture: type[Loaded], name: str, options: EncoderOptions
) -> Checkpoint[Loaded]:
    """Loads a sentence-transformers or Hugging Face checkpoint.

    Args:
        architecture: One of sentence-transformers' four classes of models.
        name: A folder, or the id of a hub repository.
        options: Revision, dtype, device, attention, and whether code that comes with the model may
            run.

    Raises:
        ModelError: If there is no such model, if it is of another kind, if its weights are
            pickled, damaged or incomplete, if it would need code of its own, or if it cannot run
            as the options say.
    """
    devices = device_names(options.device)
    kind = KIND_OF[architecture]
    if kind not in SHARED and (len(devices) > 1 or options.compile):
        option = "--compile" if options.compile else f"--device {options.device}"
        raise ModelError(
            f"{option} is for {' and '.join(SHARED)} models; {kind} models run on one device, "
            "and uncompiled."
        )
    check_attention(options.attention, options.dtype, devices)
    files = find_files(name, options)
    refuse_pickles(files)
    detect_kind(files, kind)
    with no_weights_missing(files.name):
        model = _load(architecture, files, options, devices[0])
    _refuse_added_parts(model, files)
    return Checkpoint(model.eval(), files, options)


def limit_tokens(model: BaseModel, name: str, tokens: int | None) -> None:
    """Has texts cut after a number of tokens; None leaves the model's own number.

    Raises:
        ModelError: If the model has no positions for so many.
    """
    if tokens is None:
        return
    config = getattr(model.transformers_model, "config", None)
    positions = getattr(config, "max_position_embeddings", None) or 2**31
    known = getattr(getattr(model, "tokenizer", None), "model_max_length", None) or 2**31
    longest = int(min(positions, known))
    if tokens > longest:
        raise ModelError(
            f"The model {name!r} takes at most {longest} tokens, found --max-tokens {tokens}."
        )
    model.max_seq_length = tokens


def token_limit(model: BaseModel) -> int:
    """Number of tokens after which texts are cut; 0 for none, as static embeddings have it."""
    limit = model.max_seq_length
    return 0 if limit is None or math.isinf(limit) else int(limit)


def _load(
    architecture: type[Loaded], files: ModelFiles, options: EncoderOptions, device: str | None
) -> Loaded:
    how: dict[str, Any] = {"use_safetensors": True, "dtype": getattr(torch, options.dtype)}
    if options.attention is not None:
        how["attn_implementation"] = options.attention
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it has no types
    try:
        return architecture(
            str(files.folder),
            device=device,
            trust_remote_code=options.trust_remote_code,
            local_files_only=not options.trust_remote_code,
            model_kwargs=how,
        )
    except Exception as error:
        # Code that comes with a model may raise anything.
        if not isinstance(error, _EXPECTED) and not options.trust_remote_code:
            raise
        reason = " ".join(str(error).split())[:400] or type(error).__name__
        if "trust_remote_code" in str(error):
            raise ModelError(_needs_code(files)) from error
        raise ModelError(
            f"The model {files.name!r} cannot be loaded: {reason}\n"
            "It must have safetensors weights, and an architecture that the installed "
            "sentence-transformers and transformers know."
        ) from error


def _needs_code(files: ModelFiles) -> str:
    """Why a model that needs code is refused, and what it would mean to allow it."""
    own = [name for name in files.modules() if not name.startswith("sentence_transformers.")]
    for path in ("config.json", "tokenizer_config.json", "processor_config.json"):
        auto_map = files.settings(path).get("auto_map")
        own += [str(name) for name in auto_map.values()] if isinstance(auto_map, dict) else []
    named = ", ".join(dict.fromkeys(own)) or "named in its configuration"
    return (
        f"The model {files.name!r} needs code that comes with it ({named}), and a model may run no "
        "code of its own. --trust-remote-code would run that code on this machine, with all your "
        "rights: read it first, and pin a hub model to the commit you read with --revision."
    )


def _refuse_added_parts(model: Any, files: ModelFiles) -> None:
    """Refuses a model that was completed with layers that nobody trained.

    sentence-transformers appends a linear layer or an autoencoder where a late interaction or
    sparse model has none.
    """
    if "HF_ColBERT" in (files.settings("config.json").get("architectures") or []):
        return  # its linear layer is made from the checkpoint's own weights
    listed = max(1, len(files.modules()))
    added = [part for part in list(model)[listed:] if next(part.parameters(), None) is not None]
    if added:
        raise ModelError(
            f"The model {files.name!r} has no trained {type(added[0]).__name__} layer, which "
            f"{KIND_OF[type(model)]} models need: it would be random numbers."
        )
