"""Finds the kind of model from what the user names, and opens it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.models.description import RUN
from tasks.errors import UsageError

if TYPE_CHECKING:
    from harness.models.description import Kind
    from harness.models.encoder_options import EncoderOptions
    from harness.retrieval.retrievers import Model

BUILT_IN = ("bm25", "char-ngram")
"""Built-in models, which take no options."""
MTEB = "mteb:"
"""Before the name of a model that mteb loads."""

_CHECKPOINT = (
    "revision",
    "max_tokens",
    "dtype",
    "device",
    "kind",
    "trust_remote_code",
    "attention",
    "compile",
)
_PROMPTS = ("query_prompt", "document_prompt")
_QUANTISED = ("embeddings", "rescore")
TAKES: dict[Kind, tuple[str, ...]] = {
    "dense": (
        *_CHECKPOINT,
        *_PROMPTS,
        "pooling",
        "normalise",
        "similarity",
        "truncate_dimensions",
        *_QUANTISED,
    ),
    "cross-encoder": (*_CHECKPOINT, *_PROMPTS),
    "late-interaction": (*_CHECKPOINT, *_PROMPTS),
    "sparse": (*_CHECKPOINT, *_PROMPTS),
}
"""Options that a kind of checkpoint takes."""


def open_model(name: str, options: EncoderOptions) -> Model:
    """Loads a model.

    Args:
        name: ``bm25``, ``char-ngram``, ``mteb:NAME``, ``run:FOLDER``, a folder, or the id of a hub
            repository.
        options: What replaces a checkpoint's own declarations.

    Raises:
        ModelError: If the model cannot be loaded, or its files leave open what it is.
        UnknownNameError: If mteb does not know the name.
        UsageError: If options are given to a model that does not take them.
    """
    if options.embeddings == "float32" and "rescore" in options.changed():
        raise UsageError("--rescore goes with --embeddings int8 or binary.")
    if name in BUILT_IN:
        from harness.models.lexical import BM25, CharNgram

        _refuse_all(options, f"{name!r} is built in")
        return BM25() if name == "bm25" else CharNgram()
    if name.startswith(RUN):
        from harness.models.run_file import RunFolder

        _refuse_all(options, f"{name!r} is a folder with runs")
        return RunFolder(Path(name.removeprefix(RUN)))
    if name.startswith(MTEB):
        from harness.models.from_mteb import open_mteb

        return open_mteb(name.removeprefix(MTEB), options)
    return _open_checkpoint(name, options)


def _open_checkpoint(name: str, options: EncoderOptions) -> Model:
    from harness.models.kind import detect_kind
    from harness.models.model_files import find_files

    kind = detect_kind(find_files(name, options), options.kind)
    if refused := [option for option in options.changed() if option not in TAKES[kind]]:
        raise UsageError(
            f"The model {name!r} is of the kind {kind}, which does not take: {', '.join(refused)}."
        )
    if kind == "cross-encoder":
        from harness.models.cross_encoder import CrossEncoderModel

        return CrossEncoderModel.load(name, options)
    if kind == "late-interaction":
        from harness.models.late_interaction import LateInteractionModel

        return LateInteractionModel.load(name, options)
    if kind == "sparse":
        from harness.models.sparse import SparseModel

        return SparseModel.load(name, options)
    from harness.models.dense import DenseEncoder

    return DenseEncoder.load(name, options)


def _refuse_all(options: EncoderOptions, what: str) -> None:
    if changed := options.changed():
        raise UsageError(f"{what}, and takes no options of an encoder: {', '.join(changed)}.")
