"""Loads a model's files, and refuses what cannot be trusted: pickles, code, missing weights."""

from __future__ import annotations

import hashlib
import logging
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer

from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.models.encoder_options import EncoderOptions

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
_IDENTIFYING = (".json", ".safetensors", ".txt", ".model")
# Parts of a checkpoint that embeddings do not need: a head or a pooler that nothing reads.
_UNUSED_WEIGHTS = ("pooler.",)


def load_checkpoint(name: str, options: EncoderOptions) -> SentenceTransformer:
    """Loads a sentence-transformers or Hugging Face encoder.

    Args:
        name: A folder, or the id of a hub repository.
        options: Revision, dtype and device.

    Raises:
        ModelError: If there is no such model, its weights are pickled, damaged or incomplete, or
            it would need code of its own.
    """
    folder = Path(name)
    if folder.is_dir():
        _refuse_pickles(folder)
    elif not _HUB_ID.fullmatch(name):
        raise ModelError(f"There is no folder {name!r}, and it is not the id of a hub model.")
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with _load_reports() as reports:
            model = SentenceTransformer(
                name,
                revision=options.revision,
                device=options.device,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": getattr(torch, options.dtype)},
            )
    except (
        AssertionError,  # torch: no such device in this build
        ImportError,
        KeyError,
        OSError,
        RuntimeError,
        SafetensorError,
        TypeError,
        ValueError,
    ) as error:
        reason = " ".join(str(error).split())[:400] or type(error).__name__
        raise ModelError(
            f"The model {name!r} cannot be loaded: {reason}\n"
            "It must be a folder or a hub id with safetensors weights and no code of its own; "
            "without a network, name a folder."
        ) from error
    if missing := _missing_weights(reports):
        raise ModelError(
            f"The model {name!r} lacks {len(missing)} of its weights, such as {missing[0]!r}: they "
            "would be random numbers. Check that its weights fit its config.json."
        )
    return model


def digest_of(folder: Path) -> str:
    """sha256 over names and contents of the files that decide what a model computes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in _IDENTIFYING:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _refuse_pickles(folder: Path) -> None:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    safe = {path.parent for path in files if re.fullmatch(r"model.*\.safetensors", path.name)}
    weights = [path for path in files if path.name.startswith("pytorch_model")]
    refused = [path for path in weights if path.suffix in _PICKLES and path.parent not in safe]
    if refused or not safe:
        found = (
            f"has pickled weights only ({refused[0].relative_to(folder).as_posix()}), and "
            "unpickling runs whatever code they carry"
            if refused
            else "has no weights"
        )
        raise ModelError(
            f"The model folder {str(folder)!r} {found}. Save it as safetensors: "
            "`model.save_pretrained(folder, safe_serialization=True)`."
        )


@contextmanager
def _load_reports() -> Iterator[list[str]]:
    """Collects transformers' reports on loading weights instead of showing them.

    Weights that a checkpoint lacks are filled with random numbers and only mentioned in the log.
    """
    reports: list[str] = []
    logger = logging.getLogger("transformers")
    handler = logging.Handler()
    handler.emit = lambda record: reports.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.level, logger.propagate, logger.handlers
    logger.setLevel(logging.WARNING)
    logger.propagate, logger.handlers = False, [handler]
    try:
        yield reports
    finally:
        logger.setLevel(logging.ERROR)
        _, logger.propagate, logger.handlers = before


def _missing_weights(reports: list[str]) -> list[str]:
    """Names of the weights that the reports call missing and that embeddings need."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(reports))
    named = re.findall(r"^\s*(\S+)\s*\|\s*MISSING\b", plain, re.MULTILINE)
    return [name for name in named if not name.startswith(_UNUSED_WEIGHTS)]
