"""Finds out from a checkpoint's files what it is: an encoder, a reranker, a ColBERT, a SPLADE.

What sentence-transformers and PyLate declare decides. A checkpoint as transformers saves it is
judged by its architecture, and where that fits two kinds, the user says which one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from harness.models.description import Kind
from tasks.errors import ModelError

if TYPE_CHECKING:
    from harness.models.model_files import ModelFiles

KINDS: tuple[Kind, ...] = get_args(Kind)

_DECLARED: dict[str, Kind] = {
    "SentenceTransformer": "dense",
    "CrossEncoder": "cross-encoder",
    "MultiVectorEncoder": "late-interaction",
    "ColBERT": "late-interaction",  # PyLate
    "SparseEncoder": "sparse",
}
# Modules that only one kind has, by the last part of their class.
_TELLING: dict[str, Kind] = {
    "LogitScore": "cross-encoder",
    "MultiVectorMask": "late-interaction",
    "MLMTransformer": "sparse",
    "SpladePooling": "sparse",
    "SparseAutoEncoder": "sparse",
    "SparseStaticEmbedding": "sparse",
}
# What transformers' architectures can be, by the end of their name; the first that fits decides.
_ARCHITECTURES: dict[str, tuple[Kind, ...]] = {
    "HF_ColBERT": ("late-interaction",),
    "ForSequenceClassification": ("cross-encoder",),
    "ForMaskedLM": ("dense", "sparse"),
    "ForPreTraining": ("dense",),
    "ForCausalLM": ("dense", "cross-encoder"),
    "ForRetrieval": (),  # ColPali and the like: their documents are images of pages
    "Model": ("dense",),
}
_OPEN: tuple[Kind, ...] = ("dense", "cross-encoder", "sparse")
_MEANING: dict[Kind, str] = {
    "dense": "the mean of its token vectors",
    "cross-encoder": "a reranker that answers yes or no",
    "late-interaction": "ColBERT",
    "sparse": "SPLADE",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a checkpoint can be.

    Attributes:
        kinds: The kinds that fit; several if its files leave it open.
        evidence: What in its files says so.
    """

    kinds: tuple[Kind, ...]
    evidence: str


def detect_kind(files: ModelFiles, wanted: Kind | None = None) -> Kind:
    """What a checkpoint is.

    Args:
        files: The checkpoint.
        wanted: What the user says it is.

    Raises:
        ModelError: If it is none of :data:`KINDS`, if its files leave open which one, or if what
            the user says does not fit them.
    """
    finding = examine(files)
    if not finding.kinds:
        raise ModelError(
            f"The model {files.name!r} is of no kind that can be scored: {finding.evidence}. "
            f"Known kinds: {', '.join(KINDS)}."
        )
    if wanted is None and len(finding.kinds) == 1:
        return finding.kinds[0]
    if wanted in finding.kinds:
        return wanted
    if wanted is not None:
        allowed = " or ".join(f"--kind {kind}" for kind in finding.kinds)
        raise ModelError(
            f"--kind {wanted} does not fit the model {files.name!r}: {finding.evidence}. "
            f"Allowed: {allowed}."
        )
    choices = " or ".join(f"--kind {kind} ({_MEANING[kind]})" for kind in finding.kinds)
    raise ModelError(
        f"The files of the model {files.name!r} leave open what it is: {finding.evidence}. "
        f"Say {choices}."
    )


def examine(files: ModelFiles) -> Finding:
    """Looks for the kind of a checkpoint in its files.

    Raises:
        ModelError: If a file is malformed.
    """
    config = files.settings("config.json")
    architectures = [str(name) for name in config.get("architectures") or []]
    modules = files.modules()
    if not files.has("modules.json"):
        return _by_architecture(files, architectures)
    declared = files.settings("config_sentence_transformers.json")
    if (model_type := declared.get("model_type")) is not None:
        known = _DECLARED.get(str(model_type))
        evidence = f"its config_sentence_transformers.json declares the type {model_type!r}"
        return Finding((known,) if known else (), evidence)
    if "HF_ColBERT" in architectures or any(name.startswith("pylate.") for name in modules):
        return Finding(("late-interaction",), "it was saved by ColBERT or PyLate")
    # sentence-transformers takes whatever declares no type for an encoder.
    names = [name.rpartition(".")[2] for name in modules]
    if telling := next((name for name in names if name in _TELLING), None):
        return Finding(
            (),
            f"its modules.json has the module {telling!r} of the kind {_TELLING[telling]}, but its "
            'config_sentence_transformers.json declares no "model_type"',
        )
    return Finding(("dense",), "its modules.json declares no other type")


def _by_architecture(files: ModelFiles, architectures: list[str]) -> Finding:
    """The kinds of a checkpoint that sentence-transformers has not saved."""
    if not files.has("config.json"):
        return Finding((), "it has neither modules.json nor config.json")
    if not architectures:
        return Finding(_OPEN, "its config.json names no architecture")
    name = architectures[0]
    fitting = next((kinds for end, kinds in _ARCHITECTURES.items() if name.endswith(end)), _OPEN)
    return Finding(fitting, f"it has the architecture {name}, and no modules.json")
