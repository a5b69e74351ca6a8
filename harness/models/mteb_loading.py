"""Finds a model in mteb's registry, and loads it as mteb does within our rules of what is trusted.

mteb knows of each model which revision, prompts, pooling and number format it is to be run with.
What it does not do is refuse: here code of the model's own and pickled weights are.
"""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
import transformers
from mteb import get_model_meta
from mteb.models.instruct_wrapper import InstructSentenceTransformerModel
from mteb.models.model_implementations import MODEL_REGISTRY
from mteb.models.sentence_transformer_wrapper import (
    CrossEncoderWrapper,
    SentenceTransformerEncoderWrapper,
)
from transformers import dynamic_module_utils

from harness.models.weights import no_weights_missing
from tasks.errors import ModelError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mteb.models import ModelMeta, MTEBModels

    from harness.models.encoder_options import EncoderOptions

# They hand what they are given to sentence-transformers.
OPEN_LOADERS = (
    SentenceTransformerEncoderWrapper,
    InstructSentenceTransformerModel,
    CrossEncoderWrapper,
)
OPTIONS = ("device", "dtype", "max_tokens", "trust_remote_code")
"""What may be set on a model of mteb; the rest is mteb's to say."""
DENSE_OPTIONS = ("truncate_dimensions", "embeddings", "rescore")
"""What may be set on a dense encoder besides."""

# Where mteb knows a model that is another door's.
ADVICE = {
    "late-interaction": "Name it without mteb:, it is then scored by MaxSim over its tokens.",
    "sparse": "Name it without mteb:, or use bm25, which is built in.",
    "hybrid": "Score its parts, then join their entries with `babelboard fuse`.",
    "router": "Name a model that it chooses between.",
}


def find_meta(name: str) -> ModelMeta:
    """What mteb knows of a model.

    Args:
        name: Its name in mteb's registry, such as ``intfloat/multilingual-e5-small``; an old name
            of a renamed model is known too.

    Raises:
        UnknownNameError: If the registry has no such model; the nearest names are suggested.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of old names
        try:
            return get_model_meta(name)
        except KeyError:
            raise UnknownNameError("model of mteb's registry", name, MODEL_REGISTRY) from None


def check_fits(meta: ModelMeta, options: EncoderOptions) -> None:
    """Refuses, before anything is loaded, what could not be scored as mteb means it.

    Raises:
        ModelError: If the model is of a kind that has a door of its own, cannot be loaded by
            mteb, needs packages that are missing, or code of its own that is not trusted.
        UsageError: If an option would replace what mteb says of the model.
    """
    allowed = (*OPTIONS, *(DENSE_OPTIONS if "dense" in meta.model_type else ()))
    if refused := [option for option in options.changed() if option not in allowed]:
        raise UsageError(
            f"mteb says how {meta.name!r} is run, so these options do not fit it: "
            f"{', '.join(refused)}. Allowed: {', '.join(allowed)}. "
            "To choose them yourself, name the model without mteb:."
        )
    if meta.loader is None:
        raise ModelError(
            f"mteb lists the model {meta.name!r}, but has no code that loads it. "
            "Try its hub id, without mteb:."
        )
    if not {"dense", "cross-encoder"} & set(meta.model_type):
        kind = meta.model_type[0]
        raise ModelError(
            f"The model {meta.name!r} is of the kind {kind!r}; through mteb: go dense encoders and "
            f"cross-encoders. {ADVICE.get(kind, 'Name it without mteb:.')}"
        )
    if "text" not in meta.modalities:
        raise ModelError(
            f"The model {meta.name!r} does not read texts, but {', '.join(meta.modalities)}."
        )
    if meta.loader_kwargs.get("trust_remote_code") and not options.trust_remote_code:
        raise ModelError(_needs_code(meta))


def load_meta(meta: ModelMeta, options: EncoderOptions) -> MTEBModels:
    """Loads a model at the revision that mteb names.

    Raises:
        ModelError: If that fails, for whatever reason; code of the model's own is not run unless
            it is trusted.
    """
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it has no types
    given: dict[str, Any] = {}
    if meta.loader in OPEN_LOADERS:
        kwargs = dict(meta.loader_kwargs.get("model_kwargs") or {})
        if "dtype" in options.changed():
            kwargs.pop("torch_dtype", None)
            kwargs["dtype"] = getattr(torch, options.dtype)
        given["model_kwargs"] = {**kwargs, "use_safetensors": True}
    elif "dtype" in options.changed():
        raise ModelError(
            f"mteb loads {meta.name!r} by code of its own, which takes no --dtype; leave it out."
        )
    if options.truncate_dimensions is not None:
        given["embed_dim"] = options.truncate_dimensions
    device = None if options.device == "auto" else options.device
    try:
        with (
            _remote_code_refused(meta, trusted=options.trust_remote_code),
            no_weights_missing(meta.name or "of mteb"),
        ):
            return meta.load_model(device=device, **given)
    except ModelError:
        raise
    except ImportError as error:
        groups = ",".join(meta.extra_requirements_groups or ())
        what = re.sub(r"; extra == \S+?(?=[,.]|$)", "", str(error).strip().partition("\n")[0])
        raise ModelError(
            f"The model {meta.name!r} needs packages that are not installed: "
            f"{what.rpartition('dependencies: ')[2].rstrip('.')}."
            + (f" Install them with: pip install 'mteb[{groups}]'" if groups else "")
        ) from error
    except OSError as error:
        raise ModelError(
            failed(f"The model {meta.name!r} cannot be loaded", error)
            + "\nIt must be a hub model with safetensors weights; without a network it must be in "
            "the hub's cache already."
        ) from error
    except Exception as error:  # whatever mteb's code for this model raises
        raise ModelError(failed(f"The model {meta.name!r} cannot be loaded", error)) from error


def failed(what: str, error: Exception) -> str:
    """One message for an error in mteb's code."""
    reason = " ".join(str(error).split())[:400]
    return f"{what} by mteb: {type(error).__name__}{': ' if reason else ''}{reason}"


def _needs_code(meta: ModelMeta) -> str:
    return (
        f"The model {meta.name!r} needs code that comes with it, and a model may run no code of "
        "its own. --trust-remote-code would run that code on this machine, with all your rights: "
        f"read it first, at https://huggingface.co/{meta.name}/tree/{meta.revision or 'main'}."
    )


@contextmanager
def _remote_code_refused(meta: ModelMeta, *, trusted: bool) -> Iterator[None]:
    """Refuses a model's own code also where mteb's loader trusts it without being asked.

    Both transformers and sentence-transformers run such code by this one function.
    """

    def refuse(*_: object, **__: object) -> None:
        raise ModelError(_needs_code(meta))

    before = dynamic_module_utils.get_class_in_module
    if not trusted:
        dynamic_module_utils.get_class_in_module = refuse  # type: ignore[assignment]  # never returns
    try:
        yield
    finally:
        dynamic_module_utils.get_class_in_module = before
