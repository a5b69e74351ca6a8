"""Lexicons of several sources, each with a weight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.baselines.lexicon import load_lexicon, make_lexicon, merged
from submissions.baselines.recipe import Recipe
from submissions.baselines.step_texts import recipe_lexicons
from submissions.baselines.weighted_sources import has_direction, load_sources, weighted
from tasks.errors import DataFileError, UnknownNameError, UsageError
from tests.baselines.small_training import content

ONE = make_lexicon("one", "en", "de", [("dog", "Hund", 3.0), ("dog", "Köter", 1.0), ("a", "b", 1)])
OTHER = make_lexicon("other", "en", "de", [("dog", "Hund", 1.0), ("cat", "Katze", 1.0)])


def test_translations_are_the_mixture_of_the_sources_that_have_the_word():
    both = weighted({"one": ONE, "other": OTHER}, {"one": 0.6, "other": 0.2})
    assert both.entries["dog"] == (
        ("Hund", pytest.approx((0.6 * 0.75 + 0.2) / 0.8)),
        ("Köter", pytest.approx(0.6 * 0.25 / 0.8)),
    )
    assert both.entries["a"] == (("b", 1.0),)
    assert both.entries["cat"] == (("Katze", 1.0),)
    assert both.name == "one*0.6+other*0.2/en-de"


def test_a_source_alone_is_as_it_is():
    assert weighted({"one": ONE}, {"one": 0.3, "other": 0.7}) is ONE


def test_equal_weights_are_a_merge_and_the_order_does_not_matter():
    found = {"one": ONE, "other": OTHER}
    equal = weighted(found, {"one": 1.0, "other": 1.0})
    assert equal.entries == merged([ONE, OTHER]).entries
    turned = weighted({"other": OTHER, "one": ONE}, {"other": 2.0, "one": 5.0})
    assert turned == weighted(found, {"one": 5.0, "other": 2.0})
    assert turned.checksum != equal.checksum


@given(st.floats(0.001, 1000), st.floats(0.001, 1000))
def test_weights_sum_to_1_and_only_their_ratio_counts(left, right):
    one = weighted({"one": ONE, "other": OTHER}, {"one": left, "other": right})
    twice = weighted({"one": ONE, "other": OTHER}, {"one": 2 * left, "other": 2 * right})
    for key, translations in one.entries.items():
        assert sum(weight for _, weight in translations) == pytest.approx(1.0)
        assert dict(twice.entries[key]) == pytest.approx(dict(translations))
    assert one.entries.keys() == ONE.entries.keys() | OTHER.entries.keys()


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, -1.0), (1.0, float("nan"))])
def test_weights_that_make_no_sense(weights):
    with pytest.raises(UsageError, match="has a weight above 0"):
        merged([ONE, OTHER], weights)


@pytest.fixture
def home(tmp_path):
    """MUSE has de and es, Wiktionary de alone, names fr."""
    lists = tmp_path / "lexicons"
    for folder in ("muse", "wiktionary", "wikidata-names"):
        (lists / folder).mkdir(parents=True)
    (lists / "muse" / "en-de.txt").write_text("dog Hund\n", "utf-8")
    (lists / "muse" / "en-es.txt").write_text("dog perro\n", "utf-8")
    (lists / "wiktionary" / "german.txt").write_text("dog\tKöter\n", "utf-8")
    (lists / "wikidata-names" / "en-fr.tsv").write_text("John\tJean\n", "utf-8")
    return tmp_path


def test_a_source_is_left_out_for_a_language_that_it_lacks(home):
    found = load_sources(["muse", "wiktionary"], "en", ["de", "es"], home)
    assert {target: tuple(one) for target, one in found.items()} == {
        "de": ("muse", "wiktionary"),
        "es": ("muse",),
    }


def test_a_language_without_a_source_and_a_source_without_a_language(home):
    with pytest.raises(DataFileError, match=r"None of the sources has en-fr: muse, wiktionary"):
        load_sources(["muse", "wiktionary"], "en", ["de", "fr"], home)
    with pytest.raises(DataFileError, match=r"wikidata-names has none of the languages de, es"):
        load_sources(["muse", "wikidata-names"], "en", ["de", "es"], home)


@pytest.mark.parametrize(
    ("spec", "target", "expected"),
    [
        ("muse", "de", True),
        ("muse", "fr", False),
        ("wiktionary", "de", True),
        ("wiktionary", "es", False),
        ("muse+wiktionary", "es", False),
        ("muse:muse/en-de.txt", "de", True),
        ("muse:muse/en-de.txt", "es", False),
        ("muse:muse/en-{target}.txt", "es", True),
        ("muse:muse/en-{target}.txt", "fr", False),
        ("cldr", "de", True),
        ("cldr", "xx", False),
    ],
)
def test_which_languages_a_source_has(home, spec, target, expected):
    assert has_direction(spec, "en", target, home) is expected
    if expected:
        assert load_lexicon(spec, "en", target, home).entries


def test_both_directions_count(home):
    assert has_direction("muse", "de", "en", home)


def test_what_is_no_source_is_said(home):
    with pytest.raises(UnknownNameError, match=r"'mues'.*Did you mean muse"):
        load_sources(["mues"], "en", ["de"], home)
    with pytest.raises(DataFileError, match=r"There is no lexicon elsewhere/en-de\.txt"):
        load_sources(["muse:elsewhere/en-de.txt"], "en", ["de"], home)


def recipe(**switching):
    part = {"document": ["de", "es"], "probability": 0.5, **switching}
    return Recipe.model_validate(content(switching=part))


def test_a_recipe_with_sources(home):
    found = recipe_lexicons(recipe(sources={"muse": 3, "wiktionary": 1}), home)
    assert found["de"].entries["dog"] == (("Hund", 0.75), ("Köter", 0.25))
    assert found["es"].entries["dog"] == (("perro", 1.0),)
    alone = recipe_lexicons(recipe(sources={"muse": 0.2}), home)
    usual = recipe_lexicons(recipe(lexicon="muse"), home)
    assert {k: one.checksum for k, one in alone.items()} == {
        k: one.checksum for k, one in usual.items()
    }
