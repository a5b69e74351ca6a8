"""Lexicons: the translations of words and short terms, in one direction, with weights.

``load_lexicon`` takes a spec: ``cldr``, which is built in; ``muse``, ``wiktionary``,
``wikidata-names`` or ``titles``, alone or with ``:PATH``; ``vec:SOURCE.vec,TARGET.vec`` with
``,csls`` or without; ``pairs:PATH``, what :func:`lexicon_lines` writes. Several are merged with
``+``, as in ``muse+cldr``. ``{source}`` and ``{target}`` in a path stand for the language codes.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise, repeat, zip_longest
from math import inf
from typing import TYPE_CHECKING

from submissions.baselines.lexicon_files import read_pairs
from submissions.baselines.lexicon_sources import KINDS, check_languages, find
from submissions.baselines.words import lowered, term
from tasks.errors import DataFileError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from submissions.baselines.lexicon_files import Pair

BUILT_IN = "cldr"
VECTORS = "vec"
_STARTS_A_WORD = re.compile(r"[^\W_]").match


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Translations from one language to another.

    Attributes:
        source: ISO 639-1 code of the language that is translated.
        target: ISO 639-1 code of the language of the translations.
        entries: The translations of each source term, which is 1-3 words in lower case joined by
            a space, with weights that sum to 1: the heaviest first, ties in the source's order.
        name: Where it is from and its direction, such as ``muse/en-de``.
        checksum: sha256 of the lines that :func:`lexicon_lines` gives.
        dropped: Pairs that were left out, by reason, as :func:`make_lexicon` has them.
    """

    source: str
    target: str
    entries: Mapping[str, tuple[tuple[str, float], ...]]
    name: str
    checksum: str
    dropped: Mapping[str, int] = field(default_factory=dict)

    def reversed(self) -> Lexicon:
        """The other direction: a translation's weight is its share of the forward weights.

        By Bayes' rule, with all source terms equally likely. Source terms were stored in lower
        case and become translations so.
        """
        pairs = (
            (translation, key, weight)
            for key, translations in self.entries.items()
            for translation, weight in translations
        )
        return _from(self, make_lexicon(_collection(self), self.target, self.source, pairs))


def _collection(lexicon: Lexicon) -> str:
    return lexicon.name.rpartition("/")[0]


def make_lexicon(collection: str, source: str, target: str, pairs: Iterable[Pair]) -> Lexicon:
    """A lexicon from pairs of a term, a translation and how much they weigh.

    Left out are pairs that are the same in both languages (``identical``), that have a hyphen at an
    end (``affix``), or no letter or digit at the beginning (``symbol``), as the hashtags of MUSE;
    and terms of more than three words (``long``).

    Args:
        collection: Where they are from, such as ``muse``.
        source: Code of the language of the terms.
        target: Code of the language of the translations.
        pairs: In order; a pair that is there again adds its weight.
    """
    found: dict[str, dict[str, float]] = {}
    dropped: Counter[str] = Counter()
    for raw, translation, weight in pairs:
        clean = unicodedata.normalize("NFC", " ".join(translation.split()))
        key = _key(raw, clean, source)
        if key in _REASONS:
            dropped[key.strip()] += 1
            continue
        translations = found.setdefault(key, {})
        translations[clean] = translations.get(clean, 0.0) + weight
    entries = {key: _normalised(found[key]) for key in sorted(found)}
    name = f"{collection}/{source}-{target}"
    digest = hashlib.sha256()
    for line in _lines(source, target, entries):
        digest.update(line.encode())
    return Lexicon(source, target, entries, name, digest.hexdigest(), dict(sorted(dropped.items())))


# With spaces around, which no key has.
_REASONS = frozenset({" affix ", " identical ", " long ", " symbol "})


def _key(raw: str, translation: str, source: str) -> str:
    """The term as entries have it, or why the pair is left out."""
    text = " ".join(raw.split())
    if "-" in (text[:1], text[-1:], translation[:1], translation[-1:]):
        return " affix "
    if lowered(text, source) == lowered(translation, source):
        return " identical "
    if not (_STARTS_A_WORD(text) and _STARTS_A_WORD(translation)):
        return " symbol "
    if text.isalpha() and text.isascii():  # as most are, and this is fast
        return lowered(text, source)
    key = term(text, source)
    if key is None:
        return " long "
    # A hyphen alone makes no other word.
    return " identical " if key == term(translation, source) else key


def _normalised(translations: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    total = sum(translations.values())
    ordered = sorted(translations.items(), key=lambda item: -item[1])
    return tuple((translation, weight / total) for translation, weight in ordered)


def lexicon_lines(lexicon: Lexicon) -> Iterator[str]:
    """The lexicon as lines: its languages, then ``term, translation, weight``, parted by tabs."""
    return _lines(lexicon.source, lexicon.target, lexicon.entries)


def _lines(
    source: str, target: str, entries: Mapping[str, tuple[tuple[str, float], ...]]
) -> Iterator[str]:
    yield f"# {source}\t{target}\n"
    for key, translations in entries.items():
        for translation, weight in translations:
            yield f"{key}\t{translation}\t{weight:.9g}\n"


def merged(lexicons: Sequence[Lexicon], weights: Sequence[float] = ()) -> Lexicon:
    """One lexicon of several: a term's translations are the mixture of those that have it.

    Args:
        lexicons: All of one direction.
        weights: How much say each has beside the others, above 0; none: all the same.

    Raises:
        UsageError: If there are none, their directions differ, or the weights do not fit them.
    """
    directions = {(lexicon.source, lexicon.target) for lexicon in lexicons}
    if len(directions) != 1:
        raise UsageError("Only lexicons of one direction can be merged.")
    ((source, target),) = directions
    if weights and (len(weights) != len(lexicons) or not 0 < min(weights) < sum(weights) < inf):
        raise UsageError(f"Each of {len(lexicons)} lexicons has a weight above 0, not {weights}.")
    named = [
        f"{_collection(lexicon)}*{weight:g}" if weights else _collection(lexicon)
        for lexicon, weight in zip_longest(lexicons, weights)
    ]
    collection = "+".join(named)
    pairs = (
        (key, translation, weight * share)
        for lexicon, share in zip(lexicons, weights or repeat(1.0), strict=False)
        for key, translations in lexicon.entries.items()
        for translation, weight in translations
    )
    return _from(*lexicons, make_lexicon(collection, source, target, pairs))


def _from(*lexicons: Lexicon) -> Lexicon:
    """The last one, with all that was dropped on the way."""
    dropped = sum((Counter(lexicon.dropped) for lexicon in lexicons), Counter())
    return replace(lexicons[-1], dropped=dict(sorted(dropped.items())))


def load_lexicon(spec: str, source: str, target: str, data: Path | None = None) -> Lexicon:
    """The lexicon that a spec names, in one direction; the other is reversed where need be.

    Args:
        spec: See the module.
        source: Code of the language that is translated.
        target: Code of the language of the translations.
        data: A folder of data. Relative paths are looked for in it, in ``$BABELBOARD_DATA`` and
            the user's cache, there also under ``lexicons/``, then in the working folder.

    Raises:
        UnknownNameError: If there is no such kind, or none for these languages.
        DataFileError: If a file is missing or malformed; the line is named.
        UsageError: If the spec or the languages make no sense.
    """
    check_languages(source, target)
    lexicons = [_load_one(part, source, target, data) for part in spec_parts(spec)]
    for lexicon in lexicons:
        if not lexicon.entries:
            raise DataFileError(f"The lexicon {lexicon.name} has no pair that can be used.")
    return lexicons[0] if len(lexicons) == 1 else merged(lexicons)


def spec_parts(spec: str) -> list[str]:
    """The specs that are joined by + in one; a path may have a + too."""
    starts = [0]
    starts += [
        match.end()
        for match in re.finditer(r"\+", spec)
        if re.split(r"[:+]", spec[match.end() :])[0] in (BUILT_IN, VECTORS, *KINDS)
    ]
    ends = [*starts[1:], len(spec) + 1]
    return [spec[start : end - 1] for start, end in pairwise([*starts, ends[-1]])]


def _load_one(spec: str, source: str, target: str, data: Path | None) -> Lexicon:
    kind, _, place = spec.partition(":")
    if kind == BUILT_IN and not place:
        from submissions.baselines.cldr_lexicon import cldr_pairs

        return make_lexicon(BUILT_IN, source, target, cldr_pairs(source, target))
    if kind == VECTORS:
        from submissions.baselines.embedding_lexicon import spec_pairs

        return make_lexicon(VECTORS, source, target, spec_pairs(place, source, target, data))
    if kind not in KINDS:
        raise UnknownNameError("kind of lexicon", kind, (BUILT_IN, VECTORS, *KINDS))
    found = find(kind, place, source, target, data)
    if found.is_reversed:
        pairs = read_pairs(kind, found.path, target, source)
        return make_lexicon(kind, target, source, pairs).reversed()
    return make_lexicon(kind, source, target, read_pairs(kind, found.path, source, target))
