"""English names of the languages that tasks are in, by ISO 639-1 code."""

from __future__ import annotations

from tasks.errors import UnknownNameError

NAMES = {
    "ar": "Arabic",
    "bn": "Bengali",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "sw": "Swahili",
    "te": "Telugu",
    "th": "Thai",
    "tr": "Turkish",
    "vi": "Vietnamese",
    "yo": "Yoruba",
    "zh": "Chinese",
}

POOL = "xx"
"""How a setting's id writes a pool of several languages."""


def language_name(code: str) -> str:
    """The English name of a language code; ``xx`` is a pool of languages."""
    if code == POOL:
        return "all languages"
    if code not in NAMES:
        raise UnknownNameError("language", code, NAMES)
    return NAMES[code]
