"""Words of a text, per language: what BM25 counts.

Words are found by Unicode's rules (UAX #29). Han and kana, whose words are not separated, give
overlapping bigrams, as Lucene's CJK analyser does; Thai, Lao, Khmer and Burmese give overlapping
trigrams of characters. Other words are lower-cased and cut to their stem where Snowball has a
stemmer for the language. There are no stop words: BM25 weighs common words down by itself.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

import regex
import Stemmer

SNOWBALL = {
    "ar": "arabic",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "ru": "russian",
    "tr": "turkish",
}

WITHOUT_SPACES = "Han and kana in bigrams; Thai, Lao, Khmer and Burmese in trigrams"
"""What the entry says of scripts that do not separate words, in every language."""

_HAN = r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]"
_SOUTH_EAST = r"[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]"
# A word may follow an apostrophe without a boundary, so none is asked for before it.
# (?w) makes \b the default word boundary of UAX #29.
_TOKEN = regex.compile(rf"(?w)(?P<han>{_HAN}+)|(?P<sea>{_SOUTH_EAST}+)|\w.*?\b", regex.V1)
# Marks that direct or join letters without being any: soft hyphens, U+200F, U+FEFF, ...
_FORMAT = regex.compile(r"\p{Cf}+")
_TURKISH_CASE = str.maketrans({"I": "ı", "İ": "i"})


@dataclass(frozen=True, slots=True)
class Analyser:
    """Turns text of one language into terms.

    Attributes:
        language: ISO 639-1 code.
    """

    language: str

    def terms(self, text: str) -> list[str]:
        """The terms of a text, in order."""
        folded = _FORMAT.sub("", unicodedata.normalize("NFKC", text))
        if self.language == "tr":
            folded = folded.translate(_TURKISH_CASE)
        words: list[str] = []
        grams: list[str] = []
        for match in _TOKEN.finditer(folded.lower()):
            if match["han"]:
                grams += _ngrams(match["han"], 2)
            elif match["sea"]:
                grams += _ngrams(match["sea"], 3)
            elif any(character.isalnum() for character in match[0]):
                words.append(match[0])
        return [*self._stemmed(words), *grams]

    def describe(self) -> str:
        """What the entry says of this analyser."""
        stemmer = self._snowball()
        return f"words by UAX #29, {f'Snowball {stemmer}' if stemmer else 'no stemmer'}"

    def _snowball(self) -> str | None:
        name = SNOWBALL.get(self.language)
        return name if name in Stemmer.algorithms() else None

    def _stemmed(self, words: list[str]) -> list[str]:
        name = self._snowball()
        # A stemmer may leave nothing of a word; then the word itself is the term.
        stems = _stemmer(name).stemWords(words) if name else words
        return [stem or word for stem, word in zip(stems, words, strict=True)]


def _ngrams(run: str, size: int) -> list[str]:
    """Overlapping n-grams of a run; a shorter run is one term."""
    return [run[i : i + size] for i in range(max(1, len(run) - size + 1))]


@cache
def _stemmer(name: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(name)
