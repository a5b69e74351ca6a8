"""Readers of lexicon files: each gives pairs of a term and a translation, as the file has them.

====================  ===========================================================================
``muse``              ``word translation``, parted by white space (Conneau et al. 2018)
``wiktionary``        ``term TAB translation``; or ``term {pos} (gloss) :: translation {g}, ...``
``wikidata-names``    ``name TAB name``, of single words; lines with quoted names are passed over
``titles``            titles of parallel articles: see :mod:`submissions.baselines.parallel_titles`
``pairs``             ``term TAB translation [TAB weight]``
====================  ===========================================================================

Empty lines and, but for ``muse``, lines that start with # are passed over.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from harness.text_lines import numbered_lines
from submissions.baselines.parallel_titles import read_titles
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Pair = tuple[str, str, float]
"""A term, a translation, and how much the pair weighs."""
_NOTE = re.compile(r"\([^()]*\)|\{[^{}]*\}|\[[^][]*\]")
_HEAD_ENDS = re.compile(r"\s(?:\{|\(|SEE:)")
# "Hellenika: ..." before a translation tells how another script spells the language.
_SPELLING = re.compile(r"^[A-Za-z]+:\s*")
_QUOTES = "\"'«»「」『』“”„‘’"


def read_pairs(kind: str, path: Path, source: str, target: str) -> Iterator[Pair]:
    """The pairs of a lexicon file.

    Args:
        kind: One of :data:`submissions.baselines.lexicon_sources.KINDS`.
        path: The file, gzip or not.
        source: Language code of the terms.
        target: Language code of the translations.

    Raises:
        DataFileError: If the file is missing or not UTF-8, or a line is not a pair.
    """
    if kind == "titles":
        return ((a, b, 1.0) for a, b in read_titles(path, source, target))
    return _READERS[kind](path)


def _muse(path: Path) -> Iterator[Pair]:
    for number, line in _lines(path):
        fields = line.split()
        if len(fields) != 2:
            raise _not_a_pair(path, number, line, "a word, a space or tab, its translation")
        yield fields[0], fields[1], 1.0


def _wiktionary(path: Path) -> Iterator[Pair]:
    for number, line in _lines(path):
        if line.startswith("#"):
            continue
        head, separator, rest = line.partition("\t")
        if separator:
            if not head.strip() or not rest.strip() or "\t" in rest:
                raise _not_a_pair(path, number, line, "a term, a tab, its translation")
            yield _without_notes(head), _without_notes(rest), 1.0
            continue
        head, separator, rest = line.partition("::")
        if not separator or not head.strip():
            raise _not_a_pair(path, number, line, "term TAB translation, or term :: translations")
        for translation in re.split(r"[,;/]", _without_notes(rest)):
            if translation.strip():
                yield _HEAD_ENDS.split(head)[0], _SPELLING.sub("", translation.strip()), 1.0


def _wikidata_names(path: Path) -> Iterator[Pair]:
    for number, line in _lines(path):
        fields = line.split("\t")
        if len(fields) != 2 or not all(field.strip() for field in fields):
            raise _not_a_pair(path, number, line, "a name, a tab, the name in the other language")
        # What is quoted is a nickname, or a half of one: no translation.
        if not set(fields[0]) & set('"«»「」“”'):
            yield fields[0], fields[1].strip().strip(_QUOTES), 1.0


def _pairs(path: Path) -> Iterator[Pair]:
    for number, line in _lines(path):
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        weight = _weight(fields[2]) if len(fields) == 3 else 1.0
        if len(fields) not in (2, 3) or not weight or not all(field.strip() for field in fields):
            raise _not_a_pair(path, number, line, "term TAB translation [TAB weight above 0]")
        yield fields[0], fields[1], weight


def _weight(text: str) -> float | None:
    try:
        weight = float(text)
    except ValueError:
        return None
    return weight if math.isfinite(weight) and weight > 0 else None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in numbered_lines(path):
        if text := line.decode().rstrip("\r\n"):
            yield number, text


def _without_notes(text: str) -> str:
    """Without what is in brackets, of one level or two."""
    return _NOTE.sub("", _NOTE.sub("", text))


def _not_a_pair(path: Path, number: int, line: str, expected: str) -> DataFileError:
    shown = line if len(line) <= 80 else f"{line[:77]}..."
    return DataFileError(f"{path}:{number}: not a pair: {shown!r}. Expected: {expected}.")


_READERS: dict[str, Callable[[Path], Iterator[Pair]]] = {
    "muse": _muse,
    "wiktionary": _wiktionary,
    "wikidata-names": _wikidata_names,
    "pairs": _pairs,
}
