"""Puts translations into a text: their casing is the text's, and words stay apart or together.

What is between the words stays as it is, with two exceptions. Between two translations into one
language without spaces, such as Chinese or Thai, spaces are dropped. Where a script without spaces
had none, and a translation would run together with its neighbour, one is put in.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from submissions.baselines.words import like_cased, script_without_spaces

if TYPE_CHECKING:
    from collections.abc import Iterable


class Replacement(NamedTuple):
    """A part of a text and what comes in its place.

    Attributes:
        start: Where the part begins.
        end: Where it ends.
        translation: As the lexicon has it.
        target: Language code of the translation.
    """

    start: int
    end: int
    translation: str
    target: str


def replaced(text: str, replacements: Iterable[Replacement]) -> str:
    """A text with its replacements.

    Args:
        text: The text.
        replacements: From left to right, without overlap.
    """
    pieces: list[str] = []
    at, last, before = 0, "", ""
    for start, end, translation, target in replacements:
        put = like_cased(translation, text[start:end], target)
        gap = text[at:start]
        if gap and not (before == target and _is_space(gap) and _are_joined(last, put[0])):
            pieces += [_space(text, at, last, gap[0]), gap]
            last = gap[-1]
        pieces += [_space(text, start, last, put[0]), put]
        at, last, before = end, put[-1], target
    rest = text[at:]
    pieces += [_space(text, at, last, rest[:1]), rest]
    return "".join(pieces)


def _space(text: str, place: int, left: str, right: str) -> str:
    """A space, if two characters that meet at a place of the text would now be in one word.

    That is so if both are of scripts with spaces; or if the two that met there were in a script
    without spaces, which told words apart where these would not be.
    """
    if not (left and right and _is_of_word(left) and _is_of_word(right)):
        return ""
    if _are_joined(left, right):
        return ""
    with_spaces = not script_without_spaces(left) and not script_without_spaces(right)
    return " " if with_spaces or _are_joined(text[place - 1], text[place]) else ""


def _is_space(gap: str) -> bool:
    return gap.isspace() and "\n" not in gap and "\r" not in gap


def _are_joined(left: str, right: str) -> bool:
    """Whether two characters are of one script without spaces."""
    script = script_without_spaces(left)
    return script != "" and script == script_without_spaces(right)


def _is_of_word(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd"
