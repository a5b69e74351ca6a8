"""Words of a text, with their places, and the form in which a lexicon knows them.

Words are found by Unicode's rules (UAX #29). In English the clitic 's is parted from its word, as
the Penn Treebank does, so that "Germany's" has the word "Germany". A run of Han and kana, or of
Thai, Lao, Khmer or Burmese, whose words are not separated, is found whole: what its words are, the
lexicon says.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_WORDS = 3
"""Of a term in a lexicon."""

_EAST = r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]"
_SOUTH_EAST = r"[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]"
_RUN = rf"{_EAST}+|{_SOUTH_EAST}+"
_UNSPACED_RUN = regex.compile(_RUN, regex.V1)
_CLITIC = r"['’][sS]\b"
# (?w) makes \b the default word boundary of UAX #29.
_WORDS = regex.compile(rf"(?w){_RUN}|\w.*?\b", regex.V1)
_ENGLISH_WORDS = regex.compile(
    rf"(?w)(?<=\w){_CLITIC}(*SKIP)(*FAIL)|{_RUN}|\w.*?(?:\b|(?={_CLITIC}))", regex.V1
)
# What may stand between the words of one term; nothing, in scripts without spaces.
_WITHIN_TERM = regex.compile(r"(?:['’]s)?[ \t\u00a0]*|[-\u2010\u2011]", regex.V1)
_TURKIC = ("az", "tr")
_TURKIC_LOWER = str.maketrans({"I": "ı", "İ": "i"})
_TURKIC_UPPER = str.maketrans({"i": "İ", "ı": "I"})


def finder(language: str) -> Callable[[str], Iterator[regex.Match[str]]]:
    """What finds the words of a text in a language, from left to right."""
    return (_ENGLISH_WORDS if language == "en" else _WORDS).finditer


def lowered(text: str, language: str) -> str:
    """Lower case, composed (NFC): how a lexicon spells its source terms."""
    if text.isascii() and language not in _TURKIC:
        return text.lower()
    if language in _TURKIC:
        text = text.translate(_TURKIC_LOWER)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def uppered(text: str, language: str) -> str:
    """Upper case, as the language has it."""
    return (text.translate(_TURKIC_UPPER) if language in _TURKIC else text).upper()


def term(text: str, language: str) -> str | None:
    """The words of a term in lower case, joined by a space; None if there are none or too many."""
    words = [match[0] for match in finder(language)(text)]
    if not 1 <= len(words) <= MOST_WORDS:
        return None
    return lowered(" ".join(words), language)


def may_be_one_term(between: str) -> bool:
    """Whether two words with this between them can belong to one term."""
    return between == " " or _WITHIN_TERM.fullmatch(between) is not None


@cache
def script_without_spaces(character: str) -> str:
    """``east`` for Han and kana, ``south-east`` for Thai and its likes, else nothing."""
    if not character or _UNSPACED_RUN.match(character) is None:
        return ""
    return "east" if regex.match(_EAST, character, regex.V1) else "south-east"


def like_cased(translation: str, word: str, language: str) -> str:
    """A translation with the casing of the word, or words, that it stands for.

    Upper case and an initial capital are taken over; otherwise the lexicon's casing stays, as of
    German nouns. Scripts without case are as they are.

    Args:
        translation: As the lexicon has it.
        word: As the text has it.
        language: The translation's.
    """
    if word.islower() or not word[0].isalpha():
        return translation
    if len(word) > 1 and word.isupper():
        return uppered(translation, language)
    if word[0].isupper():
        first = translation[0]
        # ß and ligatures have a form for this: Ss, not SS.
        capital = uppered(first, language) if language in _TURKIC else first.title()
        return capital + translation[1:]
    return translation
