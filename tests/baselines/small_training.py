"""A recipe small enough to be followed in a second, with its data and lexicons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import tomli_w

if TYPE_CHECKING:
    from pathlib import Path

THINGS = ("river", "mountain", "city", "bridge", "castle", "garden", "island", "forest", "harbour")
PLACES = ("north", "south", "east", "west")


def pairs(language: str = "en", number: int = 36) -> list[dict[str, str]]:
    """Made-up pairs; all queries and all passages differ."""
    return [
        {
            "id": f"{language}-{n}",
            "query": f"Which {THINGS[n % 9]} lies in the {PLACES[n // 9 % 4]} {n}?",
            "positive": f"The {THINGS[n % 9]} number {n} lies in the {PLACES[n // 9 % 4]}.",
        }
        for n in range(number)
    ]


def write_pairs(path: Path, rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def write_lexicon(folder: Path, target: str) -> None:
    """Every content word of the pairs, with the language in front."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [*THINGS, *PLACES, "number", "lies", "which", "the"]
    lines = "".join(f"{word}\t{target}{word}\n" for word in words)
    (folder / f"en-{target}.txt").write_text(lines, "utf-8")


def content(base: Path | str = "unused", **changed: Any) -> dict[str, Any]:
    """A recipe as TOML has it; tables that are given replace the usual ones."""
    usual: dict[str, Any] = {
        "schema_version": 1,
        "name": "small",
        "title": "Small",
        "method": "zero-shot",
        "summary": "Made-up pairs",
        "base": str(base),
        "seeds": [1],
        "data": [{"file": "train/pairs.jsonl", "language": "en"}],
        "training": {"steps": 8, "batch_size": 4, "learning_rate": 1e-3, "max_tokens": 64},
    }
    return {**usual, **changed}


def write_recipe(path: Path, base: Path | str = "unused", **changed: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tomli_w.dumps(content(base, **changed)), "utf-8")
    return path


def write_data(folder: Path, *languages: str) -> Path:
    """Pairs in English, and lexicons into the languages."""
    write_pairs(folder / "train" / "pairs.jsonl", pairs())
    for language in languages:
        write_lexicon(folder / "lexicons" / "muse", language)
    return folder
