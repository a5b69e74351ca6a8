"""The model that a training starts from."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer
from transformers import AutoModelForSequenceClassification

from harness.models.checkpoint import limit_tokens, load_checkpoint
from harness.models.encoder_options import EncoderOptions
from harness.models.model_files import digest_of, find_files, refuse_pickles
from harness.models.packaged import packaged_models
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.models.model_files import ModelFiles
    from submissions.baselines.recipe import Recipe

PACKAGE = "package:"
"""Before the name of a Python package that carries a model."""
# A base that is no cross-encoder has neither; both are trained.
_HEAD = ("classifier.", "classification_head.", "head.", "pooler.", "pre_classifier.", "score.")


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A model to be trained.

    Attributes:
        model: As sentence-transformers loads it, weights in float32.
        name: What it is called; never a path.
        revision: Commit of a hub model.
        digest: sha256 over its files.
    """

    model: Any
    name: str
    revision: str | None
    digest: str


def load_base(recipe: Recipe, device: str | None, seed: int) -> BaseModel:
    """Loads the base model of a recipe.

    Args:
        recipe: Names the model, its architecture and the number of tokens.
        device: Such as ``cpu`` or ``cuda``; None takes the best there is.
        seed: Of the new head of a cross-encoder.

    Raises:
        ModelError: If there is no such model, or it has no safetensors weights, or lacks some.
    """
    options = EncoderOptions(revision=recipe.revision, device=device)
    name = find_base(recipe.base)
    if recipe.architecture == "bi-encoder":
        checkpoint = load_checkpoint(SentenceTransformer, name, options)
        files = checkpoint.files
        model: SentenceTransformer | CrossEncoder = checkpoint.model
        given = (recipe.training.query_prefix, recipe.training.document_prefix)
        for role, prefix in zip(("query", "document"), given, strict=True):
            if prefix is not None:
                model.prompts[role] = prefix
    else:
        files = find_files(name, options)
        refuse_pickles(files)
        model = _with_head(files, device, seed)
    limit_tokens(model, files.name, recipe.training.max_tokens)
    called = recipe.base.removeprefix(PACKAGE) if recipe.base.startswith(PACKAGE) else files.name
    return BaseModel(model, called, files.revision, digest_of(files.folder))


def find_base(base: str) -> str:
    """The folder or hub id of a base model.

    Raises:
        ModelError: If a package is not installed, or carries no model.
    """
    if not base.startswith(PACKAGE):
        return base
    package = base.removeprefix(PACKAGE)
    models = packaged_models(package)
    if models is None:
        raise ModelError(
            f"The base model is to come from the package {package!r}, which is not installed. "
            "Install it, or name a folder or hub id as base."
        )
    if len(models) != 1:
        raise ModelError(
            f"The package {package!r} carries {len(models)} models; a base must be exactly one."
        )
    return str(models[0])


def _with_head(files: ModelFiles, device: str | None, seed: int) -> CrossEncoder:
    """A cross-encoder with one output; a head that the base lacks begins with random numbers."""
    settings = {"use_safetensors": True, "dtype": torch.float32}
    closed = {"local_files_only": True, "trust_remote_code": False}
    folder = str(files.folder)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it has no types
    try:
        with _quiet(), torch.random.fork_rng(devices=[]):
            # Loaded once more, because sentence-transformers does not say what was missing.
            _, report = AutoModelForSequenceClassification.from_pretrained(
                folder, num_labels=1, output_loading_info=True, **closed, **settings
            )
            torch.manual_seed(seed)
            model: CrossEncoder = CrossEncoder(
                folder,
                num_labels=1,
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs=settings,
            )
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"No cross-encoder can be made of the base model {files.name!r}: {reason}"
        ) from error
    if missing := sorted(k for k in report["missing_keys"] if not k.startswith(_HEAD)):
        raise ModelError(
            f"The base model {files.name!r} lacks {len(missing)} of its weights, such as "
            f"{missing[0]!r}: they would be random numbers."
        )
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps to itself what libraries log on a head that is new."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
