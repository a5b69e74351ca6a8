"""Where the file of a lexicon is: named by its path, or found in a folder by its languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.data_files import DATA_VARIABLE, data_folders
from tasks.errors import DataFileError, UsageError
from tasks.languages import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("muse", "wiktionary", "wikidata-names", "titles", "pairs")
"""Lexicons that are read from a file."""

_CODE = re.compile(r"[a-z]{2,3}")
_DIRECTION = re.compile(r"(?<![a-z])([a-z]{2,3})-([a-z]{2,3})(?![a-z])")
_DUMP = re.compile(r"([a-z]{2,3})wiki-.*langlinks\.sql")
_WIKITITLES = re.compile(r"wikititles.*_([a-z]{2})([a-z]{2})\.xml")


@dataclass(frozen=True, slots=True)
class Found:
    """A lexicon's file.

    Attributes:
        path: Where it is.
        is_reversed: Whether it goes from the target language to the source language.
    """

    path: Path
    is_reversed: bool


def check_languages(source: str, target: str) -> None:
    """Refuses what is no pair of languages.

    Raises:
        UsageError: If a code is no ISO 639 code, or both are the same.
    """
    for code in (source, target):
        if _CODE.fullmatch(code) is None:
            raise UsageError(
                f"{code!r} is no language code: give ISO 639-1 codes in lower case, such as de."
            )
    if source == target:
        raise UsageError(f"A lexicon from {source} to {target} translates nothing.")


def find(kind: str, place: str, source: str, target: str, data: Path | None) -> Found:
    """The file of a kind of lexicon for two languages, in either direction.

    Args:
        kind: One of ``KINDS``.
        place: Path of a file or a folder; empty: the folder ``lexicons/<kind>`` of a data folder.
        source: Language code.
        target: Language code.
        data: A folder of data.

    Raises:
        DataFileError: If nothing is there, or a folder has no lexicon for these languages, or a
            file is for others; it says for which.
    """
    path = locate(place_for(place, source, target) or f"lexicons/{kind}", data)
    if path.is_file():
        return Found(path, is_reversed=_is_reversed(path, source, target))
    files = {way: file for file in sorted(path.iterdir()) for way in directions(file)}
    for way in ((source, target), (target, source)):
        if way in files:
            return Found(files[way], is_reversed=way != (source, target))
    known = ", ".join(sorted({f"{a}-{b}" for a, b in files})) or "none"
    raise DataFileError(f"{path} has no lexicon for {source}-{target}. It has: {known}.")


def _is_reversed(path: Path, source: str, target: str) -> bool:
    """Whether a file's name says that it goes the other way; else it goes as it is asked.

    Raises:
        DataFileError: If the name says that it is for other languages.
    """
    ways = directions(path)
    if (source, target) in ways:
        return False
    if (target, source) in ways:
        return True
    if others := [f"{a}-{b}" for a, b in ways if a in NAMES and b in NAMES]:
        raise DataFileError(
            f"{path} is for {', '.join(others)} by its name, and {source}-{target} is asked for."
        )
    return False


def place_for(place: str, source: str, target: str) -> str:
    """A path with the language codes in the place of ``{source}`` and ``{target}``."""
    return place.replace("{source}", source).replace("{target}", target)


def locate(place: str, data: Path | None) -> Path:
    """A file or folder: as named, or in a data folder, or in the working folder.

    Raises:
        DataFileError: If it is in none of them.
    """
    if Path(place).is_absolute():
        candidates = [Path(place)]
    else:
        below = ("", "lexicons") if not place.startswith("lexicons/") else ("",)
        candidates = [root / folder / place for root in data_folders(data) for folder in below]
        candidates.append(Path(place))
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise DataFileError(
        f"There is no lexicon {place}. Looked for: {', '.join(map(str, candidates))}. Name a data "
        f"folder with --data or ${DATA_VARIABLE}, or use the lexicon 'cldr', which is built in."
    )


def directions(path: Path) -> list[tuple[str, str]]:
    """The languages that a file's name tells, as (source, target); none if it tells none."""
    return list(_directions(path.name.lower()))


def _directions(name: str) -> Iterator[tuple[str, str]]:
    if match := _WIKITITLES.search(name):
        # One file serves both directions.
        yield match[1], match[2]
        yield match[2], match[1]
    elif match := _DUMP.match(name):
        yield from ((match[1], code) for code in NAMES if code != match[1])
    elif match := _DIRECTION.search(name):
        yield match[1], match[2]
    else:
        # Wiktionary lists are of English and the language that names them.
        stem = name.partition(".")[0]
        yield from (("en", code) for code, english in NAMES.items() if english.lower() == stem)
