"""Names from Unicode CLDR: the lexicon that needs no file.

Countries and regions, languages, scripts, currencies, months, days of the week and units, as the
``babel`` package carries them (Unicode licence).
"""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel import localedata

from tasks.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from submissions.baselines.lexicon_files import Pair

_SIMPLE = ("territories", "languages", "scripts", "currency_names")


def cldr_pairs(source: str, target: str) -> Iterator[Pair]:
    """Names of the same thing in two languages.

    Raises:
        UnknownNameError: If CLDR does not have a language.
    """
    names, translations = cldr_names(source), cldr_names(target)
    for key, name in names.items():
        if key in translations:
            yield name, translations[key], 1.0


@cache
def cldr_names(language: str) -> Mapping[str, str]:
    """What a language calls things, by an id such as ``territories/DE`` or ``months/1``.

    Raises:
        UnknownNameError: If CLDR does not have the language.
    """
    # Those with _ are what a region or a script makes of a language.
    known = [name for name in localedata.locale_identifiers() if "_" not in name]
    if language not in known:
        raise UnknownNameError("language of CLDR", language, known)
    # Of two forms of a name the later one counts.
    return dict(sorted(dict(_names(_own_data(language))).items()))


def _own_data(language: str) -> dict[str, Any]:
    """What CLDR has of the language itself.

    Read from babel's file: its ``Locale`` answers for what a language lacks with what the root
    has, and hands on, from one language to the next, the months that it last looked up.
    """
    path = Path(localedata.resolve_locale_filename(language))
    with path.open("rb") as file:
        data: dict[str, Any] = pickle.load(file)  # noqa: S301  # the installed package's own
    return data


def _names(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for section in _SIMPLE:
        for code, name in data.get(section, {}).items():
            yield f"{section}/{code}", name
    for section in ("months", "days"):
        forms = data.get(section, {})
        # In many languages a name that stands alone is not in the genitive that a date has.
        for form in ("format", "stand-alone"):
            wide = forms.get(form, {}) if isinstance(forms.get(form, {}), dict) else {}
            names = wide.get("wide", {})
            for number, name in names.items() if isinstance(names, dict) else ():
                yield f"{section}/{number}", name
    for unit, forms in data.get("unit_display_names", {}).items():
        name = forms.get("long") if isinstance(forms, dict) else None
        if isinstance(name, str):
            yield f"units/{unit}", name
