"""Reads recipes from TOML files.

A recipe may name a file beside it as ``shared``, which holds what several recipes have in common:
its tables are read first, and the recipe's own values replace them key by key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from submissions.baselines.recipe import (
    BatchPart,
    DataPart,
    MultitaskPart,
    NegativesPart,
    Recipe,
    SwitchingPart,
    TrainingPart,
)
from submissions.baselines.toml_tables import read_tables
from tasks.errors import DataFileError

RECIPES = Path(__file__).parent / "recipes"
"""The recipes that come with babelboard."""
_FILE = re.compile(r"[\w.+ -]{1,60}")
_TABLES: dict[str, type[BaseModel]] = {
    "": Recipe,
    "data": DataPart,
    "switching": SwitchingPart,
    "batches": BatchPart,
    "multitask": MultitaskPart,
    "negatives": NegativesPart,
    "training": TrainingPart,
}


def load_recipe(path: Path, replaced: Mapping[str, Any] | None = None) -> Recipe:
    """Reads a recipe, and what it shares with others.

    Args:
        path: The recipe.
        replaced: Values that replace those of the files, table by table.

    Raises:
        DataFileError: If a file is missing or malformed; every place that is wrong is named.
    """
    content = _read_toml(path)
    if (shared := content.pop("shared", None)) is not None:
        if not isinstance(shared, str) or not _FILE.fullmatch(shared):
            raise DataFileError(f"{path}: shared: a file beside the recipe, found {shared!r}.")
        content = _merged(_read_toml(path.parent / shared), content)
    content = _merged(content, replaced or {})
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise DataFileError(f"{path} is no recipe:\n{_problems(error)}") from error


def _read_toml(path: Path) -> dict[str, Any]:
    return read_tables(path, f"There is no recipe {path}. See docs/training.md.")


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's own values over the shared ones, table by table."""
    merged = dict(shared)
    for key, value in own.items():
        before = merged.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(before, value)
        else:
            merged[key] = value
    return merged


def _problems(error: ValidationError) -> str:
    """A line for each place that is wrong, with the nearest names of an unknown key."""
    lines = []
    for item in error.errors(include_url=False, include_context=False):
        place = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            lines.append(f"{place}: unknown key. {_nearest(item['loc'])}")
        elif not place:
            lines.append(item["msg"].removeprefix("Value error, "))
        else:
            found = "" if item["type"] == "missing" else f", found {str(item['input'])[:60]!r}"
            lines.append(f"{place}: {item['msg']}{found}")
    return "\n".join(f"  {line}" for line in lines)


def _nearest(place: tuple[int | str, ...]) -> str:
    """The nearest keys of the table, else of any table, else all keys of the table."""
    table = str(place[0]) if len(place) > 1 else ""
    own, key = _TABLES[table].model_fields, str(place[-1])
    if not (found := get_close_matches(key, own, n=3, cutoff=0.7)):
        paths = {
            field: f"{name}.{field}".removeprefix(".")
            for name, part in _TABLES.items()
            for field in part.model_fields
        }
        found = [paths[field] for field in get_close_matches(key, paths, n=3, cutoff=0.7)]
    return f"Did you mean {' or '.join(found)}?" if found else f"Known: {', '.join(own)}."
