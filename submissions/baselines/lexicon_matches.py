"""Which words of a text a lexicon has: single words, phrases, or entities."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from submissions.baselines.words import (
    MOST_WORDS,
    finder,
    lowered,
    may_be_one_term,
    script_without_spaces,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from submissions.baselines.lexicon import Lexicon

    Translations = tuple[tuple[str, float], ...]

_RANGE = 1 << 32
_LONGEST_UNSPACED = 16
"""Characters of a term that is looked for in a script without spaces."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its words.

    Attributes:
        text: As it is.
        spans: Where each word begins and ends, from left to right.
        keys: Each word as a lexicon spells it.
    """

    text: str
    spans: Sequence[tuple[int, int]]
    keys: Sequence[str]


class Match(NamedTuple):
    """One or several words that a lexicon has.

    Attributes:
        first: Index of the first word.
        words: How many there are.
        language: Index of the lexicon.
        translations: What the lexicon has for them.
    """

    first: int
    words: int
    language: int
    translations: Translations


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as a match.

    Attributes:
        level: ``word``, ``phrase`` or ``entity``.
        never: Words that are no match, nor is a phrase of such words alone.
        capitals: Whether a match must have a capital first.
        redraw: Whether to draw among the lexicons that have the match, rather than among all and
            find nothing where the one that is drawn lacks it.
        mix: Relative weight of each lexicon when one is drawn; empty: all the same.
    """

    level: str = "word"
    never: frozenset[str] = frozenset()
    capitals: bool = False
    redraw: bool = False
    mix: tuple[float, ...] = ()


class Matcher:
    """Finds in texts what lexicons have; no word is in two matches.

    Args:
        lexicons: All from one language.
        rules: What counts as a match.
    """

    def __init__(self, lexicons: Sequence[Lexicon], rules: Rules) -> None:
        self._source = lexicons[0].source
        self._entries = [lexicon.entries for lexicon in lexicons]
        self._level = rules.level
        self._never = rules.never
        self._capitals = rules.capitals
        mix = rules.mix or (1.0,) * len(lexicons)
        self._bounds = _bounds(mix)
        self._having = _having(self._entries, mix) if rules.redraw else None
        self._phrase_starts: frozenset[str] = frozenset()
        if rules.level != "word":
            self._phrase_starts = frozenset(_first_words(self._entries))
        self._longest_unspaced = _longest_unspaced(self._entries)

    def read(self, text: str) -> Text:
        """The words of a text; those of scripts without spaces are what the lexicons have.

        From left to right the longest term is a word; what is between such terms is one more.
        """
        spans, keys = [], []
        for match in finder(self._source)(text):
            word, span = match[0], match.span()
            if word.isascii() or not script_without_spaces(word[0]):
                spans.append(span)
                keys.append(lowered(word, self._source))
                continue
            for start, end in self._segments(word):
                spans.append((span[0] + start, span[0] + end))
                keys.append(lowered(word[start:end], self._source))
        return Text(text, spans, keys)

    def matches(self, read: Text, numbers: Sequence[int]) -> list[Match]:
        """What the lexicons have of a text, from left to right.

        Args:
            read: The text.
            numbers: For each word a number below 2^32, by which the language is drawn of a match
                that begins there.
        """
        if self._level == "entity":
            return self._longest_first(read, numbers)
        found = []
        free = 0
        for first, number in enumerate(numbers):
            if first < free:
                continue
            for match in self._at(read, first, number):
                found.append(match)
                free = first + match.words
                break
        return found

    def _longest_first(self, read: Text, numbers: Sequence[int]) -> list[Match]:
        """Matches in the order of their length in characters, where words are still free."""
        candidates = [
            match for first, number in enumerate(numbers) for match in self._at(read, first, number)
        ]

        def length(match: Match) -> int:
            return read.spans[match.first + match.words - 1][1] - read.spans[match.first][0]

        taken = [False] * len(numbers)
        found = []
        for match in sorted(candidates, key=length, reverse=True):
            places = slice(match.first, match.first + match.words)
            if not any(taken[places]):
                taken[places] = [True] * match.words
                found.append(match)
        return sorted(found)

    def _at(self, read: Text, first: int, number: int) -> Iterator[Match]:
        """Matches that begin at a word, the longest first."""
        for key, words in self._terms(read, first):
            if self._having is None:
                language = bisect_right(self._bounds, number)
            elif key in self._having:
                languages, bounds = self._having[key]
                language = languages[bisect_right(bounds, number)]
            else:
                continue
            translations = self._entries[language].get(key)
            if translations is not None:
                yield Match(first, words, language, translations)

    def _terms(self, read: Text, first: int) -> Iterator[tuple[str, int]]:
        """Terms that begin at a word, the longest first, with the number of their words."""
        if self._capitals and not read.text[read.spans[first][0]].isupper():
            return
        key = read.keys[first]
        if key in self._phrase_starts:
            last = first
            while last + 1 < min(len(read.keys), first + MOST_WORDS) and may_be_one_term(
                read.text[read.spans[last][1] : read.spans[last + 1][0]]
            ):
                last += 1
            for end in range(last + 1, first + 1, -1):
                words = read.keys[first:end]
                if not self._never.issuperset(words):
                    yield " ".join(words), end - first
        if key not in self._never:
            yield key, 1

    def _segments(self, run: str) -> Iterator[tuple[int, int]]:
        """Where the terms of a run of a script without spaces are, and what is between them."""
        start = place = 0
        while place < len(run):
            end = self._term_end(run, place)
            if end == place:
                place += 1
                continue
            if start < place:
                yield start, place
            yield place, end
            start = place = end
        if start < len(run):
            yield start, len(run)

    def _term_end(self, run: str, place: int) -> int:
        """Where the longest term that begins at a place ends; the place itself if there is none."""
        for end in range(min(len(run), place + self._longest_unspaced), place, -1):
            # A mark belongs to the character before it.
            if end < len(run) and unicodedata.category(run[end])[0] == "M":
                continue
            if any(run[place:end] in entries for entries in self._entries):
                return end
        return place


def _bounds(mix: Sequence[float]) -> list[int]:
    """Language i is drawn by the numbers from bound i - 1 to below bound i."""
    return [round(part / sum(mix) * _RANGE) for part in accumulate(mix)]


def _having(
    entries: Sequence[Mapping[str, Translations]], mix: Sequence[float]
) -> dict[str, tuple[tuple[int, ...], list[int]]]:
    """For each term the lexicons that have it and may be drawn, and their bounds."""
    masks: dict[str, int] = {}
    for index, one in enumerate(entries):
        if mix[index] > 0:
            for key in one:
                masks[key] = masks.get(key, 0) | 1 << index
    # Terms that the same lexicons have share one answer.
    answers = {}
    for mask in set(masks.values()):
        languages = tuple(i for i in range(len(entries)) if mask >> i & 1)
        answers[mask] = languages, _bounds([mix[i] for i in languages])
    return {key: answers[mask] for key, mask in masks.items()}


def _first_words(entries: Iterable[Mapping[str, Translations]]) -> Iterator[str]:
    for one in entries:
        for key in one:
            first, space, _ = key.partition(" ")
            if space:
                yield first


def _longest_unspaced(entries: Iterable[Mapping[str, Translations]]) -> int:
    lengths = [
        len(key)
        for one in entries
        for key in one
        if not key.isascii() and " " not in key and script_without_spaces(key[0])
    ]
    return min(max(lengths, default=0), _LONGEST_UNSPACED)
