"""The built-in lexicon: names of countries, languages, currencies, months, days and units."""

from __future__ import annotations

import subprocess
import sys

import pytest
from babel import Locale

from submissions.baselines.cldr_lexicon import cldr_names
from submissions.baselines.lexicon import load_lexicon
from tasks.errors import UnknownNameError
from tasks.languages import NAMES

# CLDR says what each is called; these are also what people say.
KNOWN = {
    ("de", "germany"): "Deutschland",
    ("de", "united states"): "Vereinigte Staaten",
    ("de", "swiss franc"): "Schweizer Franken",
    ("es", "monday"): "lunes",
    ("fr", "august"): "août",
    ("ru", "january"): "январь",  # the nominative, not the января of a date
    ("ru", "kilometers"): "километры",
    ("ar", "egypt"): "مصر",
    ("zh", "japanese"): "日语",
    ("th", "thailand"): "ไทย",
    ("nl", "march"): "maart",
}


@pytest.mark.parametrize(("target", "word"), KNOWN)
def test_known_names(target: str, word: str) -> None:
    lexicon = load_lexicon("cldr", "en", target)
    assert KNOWN[target, word] in dict(lexicon.entries[word])


@pytest.mark.parametrize("target", sorted(set(NAMES) - {"en"}))
def test_every_language_of_the_project_has_some(target: str) -> None:
    lexicon = load_lexicon("cldr", "en", target)
    assert len(lexicon.entries) > 600
    assert len(load_lexicon("cldr", target, "en").entries) > 600


def test_any_two_languages_go_together() -> None:
    assert load_lexicon("cldr", "de", "es").entries["deutschland"] == (("Alemania", 1.0),)


def test_a_language_outside_the_project() -> None:
    assert load_lexicon("cldr", "en", "pl").entries["poland"] == (("Polska", 1.0),)


def test_no_name_is_that_of_another_language() -> None:
    # babel's Locale hands the months of one language on to the next where these are aliases: asked
    # for in this order, Dutch is given the Japanese ones.
    code = (
        "from babel import Locale\n"
        "for name in ('ja', 'nl'): dict(Locale(name).months['stand-alone']['wide'])\n"
        "from submissions.baselines.cldr_lexicon import cldr_names\n"
        "print(cldr_names('nl')['months/1'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == "januari\n"


def test_names_are_those_of_babel() -> None:
    for language in ("de", "ru", "zh", "sw"):
        locale, names = Locale(language), cldr_names(language)
        assert {k: v for k, v in names.items() if k.startswith("territories/")} == {
            f"territories/{code}": name for code, name in locale.territories.items()
        }
        assert {k: v for k, v in names.items() if k.startswith("days/")} == {
            f"days/{day}": name for day, name in locale.days["stand-alone"]["wide"].items()
        }


def test_an_unknown_language() -> None:
    with pytest.raises(UnknownNameError, match="language of CLDR"):
        load_lexicon("cldr", "en", "xx")
