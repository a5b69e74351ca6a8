"""How far apart two languages are, by family and script."""

from __future__ import annotations

from typing import Literal

Relation = Literal["near", "far"]

FAMILIES = {
    "ar": ("Afro-Asiatic", "Arabic"),
    "bn": ("Indo-European", "Bengali"),
    "de": ("Indo-European", "Latin"),
    "el": ("Indo-European", "Greek"),
    "en": ("Indo-European", "Latin"),
    "es": ("Indo-European", "Latin"),
    "fa": ("Indo-European", "Arabic"),
    "fi": ("Uralic", "Latin"),
    "fr": ("Indo-European", "Latin"),
    "hi": ("Indo-European", "Devanagari"),
    "id": ("Austronesian", "Latin"),
    "it": ("Indo-European", "Latin"),
    "ja": ("Japonic", "Japanese"),
    "ko": ("Koreanic", "Hangul"),
    "nl": ("Indo-European", "Latin"),
    "pt": ("Indo-European", "Latin"),
    "ru": ("Indo-European", "Cyrillic"),
    "sw": ("Niger-Congo", "Latin"),
    "te": ("Dravidian", "Telugu"),
    "th": ("Kra-Dai", "Thai"),
    "tr": ("Turkic", "Latin"),
    "vi": ("Austroasiatic", "Latin"),
    "yo": ("Niger-Congo", "Latin"),
    "zh": ("Sino-Tibetan", "Han"),
}
"""Family and script of every language that a task has (families as in Glottolog)."""


def relation(first: str, second: str) -> Relation | None:
    """Whether two languages are near or far; ``xx`` and others that are not known are neither.

    Ours: near is one family and one script, far is two families. What is between the two, such as
    German and Russian, counts as neither.
    """
    if first == second or first not in FAMILIES or second not in FAMILIES:
        return None
    (family, script), (other_family, other_script) = FAMILIES[first], FAMILIES[second]
    if family != other_family:
        return "far"
    return "near" if script == other_script else None
