"""Texts without what does not matter when they are compared: case, punctuation, spacing.

A *unit* is a word in lower case; in scripts that do not separate words, a character. Compatibility
forms are folded (NFKC), punctuation and symbols part words, invisible format characters are
dropped. Accents stay: they tell words apart.
"""

from __future__ import annotations

import unicodedata

EAST = ("CJK ", "HIRAGANA ", "IDEOGRAPHIC ", "KATAKANA", "VERTICAL KANA")
SOUTH_EAST = ("KHMER ", "LAO ", "MYANMAR ", "THAI ")
"""How Unicode's names of the characters of scripts without spaces begin."""


class _Folding(dict[int, str | int | None]):
    """What becomes of a character, by its code point; filled as characters are met."""

    def __missing__(self, point: int) -> str | int | None:
        character = chr(point)
        category = unicodedata.category(character)
        found: str | int | None = " "
        if category == "Cf":
            found = None
        elif category[0] in "LMN":
            is_unit = unicodedata.name(character, "").startswith(EAST + SOUTH_EAST)
            found = f" {character} " if is_unit else point
        self[point] = found
        return found


_FOLDING = _Folding()


def units(text: str) -> list[str]:
    """The units of a text, in order. Joined, they tell whether two texts are the same.

    Joined without spaces, because tokenised text parts what plain text does not: "do n't".
    """
    if text.isascii():
        return text.lower().translate(_FOLDING).split()
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Folding the case can undo the normal form.
    return unicodedata.normalize("NFKC", folded).translate(_FOLDING).split()


def script_of(unit: str) -> str:
    """``east`` for a character of Han or kana, ``south-east`` for Thai and its likes, or ``word``.

    Lao, Khmer and Burmese are the likes of Thai.
    """
    if len(unit) == 1:
        name = unicodedata.name(unit, "")
        if name.startswith(EAST):
            return "east"
        if name.startswith(SOUTH_EAST):
            return "south-east"
    return "word"
