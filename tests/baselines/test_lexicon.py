"""Lexicons: what is kept of pairs, with which weights, from which file, in which direction."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.baselines.lexicon import (
    Lexicon,
    lexicon_lines,
    load_lexicon,
    make_lexicon,
    merged,
)
from tasks.errors import DataFileError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def german(*pairs: tuple[str, str, float]) -> Lexicon:
    return make_lexicon("test", "en", "de", pairs)


def test_weights_are_shares_and_the_heaviest_is_first() -> None:
    lexicon = german(("bank", "Ufer", 1), ("bank", "Bank haus", 2), ("bank", "Ufer", 3))
    assert lexicon.entries == {"bank": (("Ufer", 4 / 6), ("Bank haus", 2 / 6))}
    assert lexicon.name == "test/en-de"


def test_ties_stay_in_the_order_of_the_source() -> None:
    lexicon = german(("the", "die", 1), ("the", "der", 1), ("the", "das", 1))
    assert [translation for translation, _ in lexicon.entries["the"]] == ["die", "der", "das"]


def test_source_terms_are_words_in_lower_case() -> None:
    lexicon = german(("Well-known  FACT", "Tatsache", 1), ("New York's", "New Yorks", 1))
    assert list(lexicon.entries) == ["new york", "well known fact"]


@pytest.mark.parametrize(
    ("source", "translation", "reason"),
    [
        ("Taxi", "taxi", "identical"),
        ("Guinea-Bissau", "Guinea Bissau", "identical"),
        ("one two three four", "vier", "long"),
        ("off", "ab-", "affix"),
        ("-able", "bar", "affix"),
        ("#it", "#es", "symbol"),
        ("it", "#es", "symbol"),
        ("!", "Ausruf", "symbol"),
        ("nothing", "", "symbol"),
    ],
)
def test_what_is_left_out_is_counted(source: str, translation: str, reason: str) -> None:
    lexicon = german((source, translation, 1), ("red", "rot", 1))
    assert lexicon.entries == {"red": (("rot", 1.0),)}
    assert lexicon.dropped == {reason: 1}


def test_reversing_shares_out_the_forward_weights() -> None:
    # p(big | groß) = 1/2 / (1/2 + 1) and p(tall | groß) = 1 / (1/2 + 1), by Bayes' rule.
    forward = german(("big", "groß", 1), ("big", "dick", 1), ("Tall", "groß", 1))
    back = forward.reversed()
    assert (back.source, back.target, back.name) == ("de", "en", "test/de-en")
    assert back.entries["dick"] == (("big", 1.0),)
    assert [word for word, _ in back.entries["groß"]] == ["tall", "big"]
    assert [weight for _, weight in back.entries["groß"]] == pytest.approx([2 / 3, 1 / 3])


def test_merging_gives_each_lexicon_the_same_say() -> None:
    one = german(("bank", "Ufer", 5), ("red", "rot", 1), ("taxi", "taxi", 1))
    other = german(("bank", "Bankhaus", 1), ("bank", "Ufer", 1))
    both = merged([one, other])
    assert both.entries == {"bank": (("Ufer", 0.75), ("Bankhaus", 0.25)), "red": (("rot", 1.0),)}
    assert both.dropped == {"identical": 1}
    with pytest.raises(UsageError, match="one direction"):
        merged([one, one.reversed()])


def test_the_checksum_is_that_of_the_lines() -> None:
    lexicon = german(("a b", "x", 1), ("a b", "y", 2))
    content = "".join(lexicon_lines(lexicon))
    assert content == "# en\tde\na b\ty\t0.666666667\na b\tx\t0.333333333\n"
    assert lexicon.checksum == hashlib.sha256(content.encode()).hexdigest()
    assert german(("a b", "y", 2), ("a b", "x", 1)).checksum == lexicon.checksum
    assert make_lexicon("test", "en", "nl", [("a b", "y", 2), ("a b", "x", 1)]).checksum != (
        lexicon.checksum
    )


words = st.text(st.sampled_from("aBcäß 'ий中國ไทย-#.1"), max_size=8)


@given(st.lists(st.tuples(words, words, st.sampled_from([0.5, 1.0, 2.0])), max_size=12))
def test_entries_are_well_formed_and_survive_a_file(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str, float]]
) -> None:
    lexicon = german(*pairs)
    for key, translations in lexicon.entries.items():
        assert 1 <= len(key.split(" ")) <= 3
        assert key == key.lower()
        assert sum(weight for _, weight in translations) == pytest.approx(1)
        assert key not in [translation.lower() for translation, _ in translations]
    if not lexicon.entries:
        return
    path = tmp_path_factory.mktemp("lexicon") / "pairs.tsv"
    path.write_text("".join(lexicon_lines(lexicon)), "utf-8")
    again = load_lexicon(f"pairs:{path}", "en", "de")
    assert (again.checksum, again.dropped) == (lexicon.checksum, {})


# --- specs --------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder with lexicons."""
    for name, content in {
        "muse/en-de.txt": "red\trot\ngreen grün\n",
        "muse/en-es.txt": "red rojo\n",
        "wiktionary/german.txt": "red\trötlich\nred wine\tRotwein\n",
        "wiktionary/greek.dsl.txt": "# Greek\nred {n} (colour) :: κόκκινο {n}\n",
    }.items():
        path = tmp_path / "lexicons" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return tmp_path


def test_a_plain_name_is_a_folder_of_the_data(home: Path) -> None:
    assert load_lexicon("muse", "en", "de", home).entries["green"] == (("grün", 1.0),)
    assert load_lexicon("wiktionary", "en", "el", home).entries == {"red": (("κόκκινο", 1.0),)}


def test_a_data_folder_is_also_named_by_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BABELBOARD_DATA", str(home))
    assert load_lexicon("muse", "en", "es").entries == {"red": (("rojo", 1.0),)}


@pytest.mark.parametrize(
    "place", ["lexicons/muse", "muse", "muse/en-es.txt", "{home}/lexicons/muse"]
)
def test_a_path_is_a_folder_or_a_file(home: Path, place: str) -> None:
    lexicon = load_lexicon(f"muse:{place.format(home=home)}", "en", "es", home)
    assert lexicon.entries == {"red": (("rojo", 1.0),)}


def test_a_path_from_the_working_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "lexicons" / "muse")
    assert load_lexicon("muse:en-es.txt", "en", "es").entries == {"red": (("rojo", 1.0),)}


def test_a_file_for_other_languages(home: Path) -> None:
    with pytest.raises(DataFileError, match=r"is for en-es by its name, and en-de is asked for"):
        load_lexicon("muse:muse/en-es.txt", "en", "de", home)
    # What is no pair of languages says nothing.
    (home / "new-one.txt").write_text("red rot\n", "utf-8")
    assert load_lexicon("muse:new-one.txt", "en", "de", home).entries == {"red": (("rot", 1.0),)}


def test_codes_are_put_into_a_path(home: Path) -> None:
    spec = f"muse:{home}/lexicons/muse/{{source}}-{{target}}.txt"
    assert load_lexicon(spec, "en", "es").entries == {"red": (("rojo", 1.0),)}


@pytest.mark.parametrize("spec", ["muse", "muse:muse/en-es.txt"])
def test_the_other_direction_is_reversed(home: Path, spec: str) -> None:
    lexicon = load_lexicon(spec, "es", "en", home)
    assert (lexicon.entries, lexicon.name) == ({"rojo": (("red", 1.0),)}, "muse/es-en")


def test_specs_are_joined_by_plus_and_paths_may_have_one(home: Path) -> None:
    joined = load_lexicon("muse+wiktionary", "en", "de", home)
    assert joined.name == "muse+wiktionary/en-de"
    assert joined.entries["red"] == (("rot", 0.5), ("rötlich", 0.5))
    odd = home / "c++colours+en.txt"
    odd.write_text("red purpur\n", "utf-8")
    assert load_lexicon(f"muse:{odd}+wiktionary", "en", "de", home).entries["red"] == (
        ("purpur", 0.5),
        ("rötlich", 0.5),
    )


def test_a_language_without_a_lexicon(home: Path) -> None:
    with pytest.raises(DataFileError, match=r"no lexicon for en-yo\. It has: en-de, en-es\."):
        load_lexicon("muse", "en", "yo", home)


def test_a_folder_that_is_not_there(home: Path) -> None:
    with pytest.raises(DataFileError, match=r"no lexicon lexicons/titles.*--data.*'cldr'"):
        load_lexicon("titles", "en", "de", home)


@pytest.mark.parametrize("spec", ["muze", "", "cldr:here", "muse+"])
def test_an_unknown_kind(home: Path, spec: str) -> None:
    with pytest.raises((UnknownNameError, DataFileError)):
        load_lexicon(spec, "en", "de", home)


@pytest.mark.parametrize(("source", "target"), [("en", "en"), ("EN", "de"), ("en", "German")])
def test_languages_that_make_no_sense(source: str, target: str) -> None:
    with pytest.raises(UsageError, match=r"translates nothing|ISO 639-1"):
        load_lexicon("cldr", source, target)


def test_a_lexicon_of_identical_pairs_is_none(tmp_path: Path) -> None:
    (tmp_path / "en-de.txt").write_text("taxi taxi\n", "utf-8")
    with pytest.raises(DataFileError, match="no pair that can be used"):
        load_lexicon(f"muse:{tmp_path}", "en", "de")


# --- the real lists -----------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "identical"), [("vi", 70_023), ("th", 15_317)])
def test_identical_pairs_of_muse(data: Path, target: str, identical: int) -> None:
    lexicon = load_lexicon("muse", "en", target, data)
    assert lexicon.dropped["identical"] == identical


def test_real_lists_have_usual_words(data: Path) -> None:
    expected = {
        ("muse", "de"): ("water", "wasser"),
        ("wiktionary", "de"): ("native speaker", "Muttersprachler"),
        ("wiktionary", "el"): ("pediatrician", "παιδίατρος"),
        ("wikidata-names", "ru"): ("funk", "функ"),
    }
    for (spec, target), (word, translation) in expected.items():
        lexicon = load_lexicon(spec, "en", target, data)
        assert translation in dict(lexicon.entries[word]), (spec, target)
