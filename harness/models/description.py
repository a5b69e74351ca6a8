"""What a model says of itself, for the entry and for the cache of embeddings."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["query", "document"]
Kind = Literal["dense", "cross-encoder", "late-interaction", "sparse"]
"""What a checkpoint can be."""

ModelKind = Literal[
    "dense",
    "cross-encoder",
    "late-interaction",
    "sparse",
    "bm25",
    "char-ngram",
    "run",
    "fusion",
]


RUN = "run:"
"""Before a folder with a run file a setting."""


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Identity and shape of a model.

    Attributes:
        kind: How it retrieves.
        name: Hub id, folder name or built-in name; never a path.
        revision: Commit of the hub's repository, 40 hexadecimal digits, where there is one.
        digest: sha256 over the files of a local folder, where there is one.
        parameters: Number of parameters, for a neural model.
        settings: Everything else that changes its scores: prompts, pooling, analysers, ...
    """

    kind: ModelKind
    name: str
    revision: str | None = None
    digest: str | None = None
    parameters: int | None = None
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)


def display_name(model: str) -> str:
    """What a model is called: a folder by its own name, never by its path on this machine."""
    prefix = RUN if model.startswith(RUN) else ""
    folder = model.removeprefix(prefix)
    if not Path(folder).is_dir():
        return model
    return prefix + Path(os.path.abspath(folder)).name  # noqa: PTH100  # keeps links
