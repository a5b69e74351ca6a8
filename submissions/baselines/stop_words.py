"""Stop words of the project's languages: what tells content words from the rest."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from submissions.baselines.words import lowered


@cache
def stop_words(language: str) -> frozenset[str]:
    """The stop words of a language in lower case; none where the project has no list."""
    words = [lowered(word, language) for word in _lists().get(language, "").split()]
    return frozenset(words) | {word.replace("'", "’") for word in words}


@cache
def _lists() -> dict[str, str]:
    content = Path(__file__).with_name("stop_words.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)
