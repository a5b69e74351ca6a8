"""How much of a corpus a lexicon has: types, tokens, and tokens of content words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from submissions.baselines.lexicon_matches import Matcher, Rules
from submissions.baselines.stop_words import stop_words
from submissions.baselines.words import finder, lowered, script_without_spaces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from submissions.baselines.lexicon import Lexicon


@dataclass(frozen=True, slots=True)
class Counts:
    """Of words of a kind.

    Attributes:
        all: In the corpus.
        covered: In the lexicon too, as single words.
    """

    all: int
    covered: int

    @property
    def share(self) -> float:
        """Of the words that the lexicon has; 0 if there are none."""
        return self.covered / self.all if self.all else 0.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a lexicon has of a corpus.

    Attributes:
        types: Different words.
        tokens: Words as often as they are there.
        content: Tokens that are no stop words and have a letter.
    """

    types: Counts
    tokens: Counts
    content: Counts


def word_counts(texts: Iterable[str], language: str) -> Counter[str]:
    """How often each word, as a lexicon spells it, is in texts of a language.

    A run of a script without spaces counts whole; :func:`coverage` tells its words apart.
    """
    counts: Counter[str] = Counter()
    find = finder(language)
    for text in texts:
        counts.update(lowered(match[0], language) for match in find(text))
    return counts


def coverage(lexicon: Lexicon, words: Counter[str]) -> Coverage:
    """What a lexicon has of the words of a corpus.

    Args:
        lexicon: From the corpus's language.
        words: Of :func:`word_counts`.
    """
    words = _apart(words, lexicon)
    passed_over = stop_words(lexicon.source)
    content = [
        word
        for word in words
        if word not in passed_over and any(character.isalpha() for character in word)
    ]
    entries = lexicon.entries
    return Coverage(
        Counts(len(words), sum(word in entries for word in words)),
        Counts(words.total(), sum(n for word, n in words.items() if word in entries)),
        Counts(
            sum(words[word] for word in content),
            sum(words[word] for word in content if word in entries),
        ),
    )


def _apart(words: Counter[str], lexicon: Lexicon) -> Counter[str]:
    """With the runs of scripts without spaces cut into what the lexicon has."""
    matcher = Matcher([lexicon], Rules())
    apart: Counter[str] = Counter()
    for word, count in words.items():
        if word.isascii() or not script_without_spaces(word[0]):
            apart[word] += count
            continue
        for key in matcher.read(word).keys:
            apart[key] += count
    return apart
