"""Which models a job may name, and where those are that are on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.models.door import BUILT_IN
from harness.models.packaged import packaged_models
from tasks.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

MODELS = "models/"
"""Before the name of a folder of the queue's own models."""
PACKAGE = "package:"
"""Before the name of an installed Python package that carries a model."""
ALLOWED = (
    "bm25, char-ngram, OWNER/NAME of the hub with revision, models/NAME for a folder of the "
    "queue's models, or package:NAME for an installed Python package that carries a model"
)
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_FOLDER = re.compile(r"models/[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PACKAGE = re.compile(r"package:[A-Za-z_][A-Za-z0-9_]{0,63}")


def check_name(model: str, revision: str | None) -> None:
    """Refuses a model that a job may not name.

    Args:
        model: As the job names it.
        revision: Commit of a hub model, 40 hexadecimal digits.

    Raises:
        ValueError: If the name is none of :data:`ALLOWED`, a hub model has no revision, or another
            model has one.
    """
    local = model in BUILT_IN or _FOLDER.fullmatch(model) or _PACKAGE.fullmatch(model)
    if not local and not _HUB_ID.fullmatch(model):
        raise ValueError(f"model: {model[:60]!r} cannot be scored here. Name {ALLOWED}")
    if local and revision is not None:
        raise ValueError(f"revision: {model!r} is no model of the hub: leave revision out")
    if not local and revision is None:
        raise ValueError(
            f"revision: the hub model {model!r} must be pinned to a commit: 40 hexadecimal digits"
        )


def locate(model: str, models: Path, links: Path) -> str:
    """What ``babelboard score`` is given for a model whose name was checked.

    Args:
        model: As the job names it.
        models: Folder of the queue's models.
        links: An empty folder of the job's. A package's model is linked there under the package's
            name, by which it is then called; its own folder is named anyhow.

    Raises:
        ModelError: If there is no such folder or package, or the folder holds a link, through
            which files from elsewhere would be read.
    """
    if model.startswith(MODELS):
        return str(_own_folder(models / model.removeprefix(MODELS)))
    if model.startswith(PACKAGE):
        package = model.removeprefix(PACKAGE)
        link = links / package
        link.symlink_to(_in_package(package))
        return str(link)
    return model


def _own_folder(folder: Path) -> Path:
    if folder.is_symlink() or not folder.is_dir():
        raise ModelError(
            f"There is no folder {folder.name!r} among the queue's models. Put the model's files "
            f"into {folder}; a link does not do."
        )
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise ModelError(
                f"{path} is a link. Put the file itself there: a job reads no files from elsewhere."
            )
    return folder


def _in_package(package: str) -> Path:
    """Folder of the one model that a package carries; the package's code does not run."""
    models = packaged_models(package)
    if models is None:
        raise ModelError(
            f"The package {package!r} is not installed on the scoring machine. Install it there, "
            "or put the model's files under models/."
        )
    if len(models) != 1:
        raise ModelError(
            f"The package {package!r} carries {len(models)} models; it must be exactly one."
        )
    return models[0]
