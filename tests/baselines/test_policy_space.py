"""What is searched for: the file that says it, and the policies that numbers stand for."""

from __future__ import annotations

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from submissions.baselines.policy_space import PolicySpace
from submissions.baselines.recipe import Recipe
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.search_file import SpacePart, load_search
from submissions.baselines.weighted_sources import has_direction
from submissions.cli.baselines import RECIPES
from tasks.errors import DataFileError, UsageError
from tests.baselines.small_training import content

SWITCHING = {"lexicon": "muse", "document": ["de", "es"], "probability": 0.5}
OWN = RECIPES.parent / "searches" / "policy.toml"
HELD_OUT = {"language": "de", "source": "a.en", "target": "a.de"}


def recipe(**switching):
    return Recipe.model_validate(content(switching={**SWITCHING, **switching}))


def space(base=None, **parts):
    return PolicySpace(SpacePart.model_validate(parts), base or recipe())


def search(tmp_path, **changed):
    usual = {
        "schema_version": 1,
        "name": "policy-a",
        "title": "A",
        "recipe": "small.toml",
        "seed": 1,
        "trials": 3,
        "steps": 2,
        "pairs": 40,
        "held_out": [HELD_OUT],
        "space": {"probability": [0.0, 1.0]},
    }
    path = tmp_path / "search.toml"
    path.write_text(tomli_w.dumps({**usual, **changed}), "utf-8")
    return load_search(path)


# --- policies -----------------------------------------------------------------------------------

WHOLE = {
    "rates": dict.fromkeys(("stop", "name", "content"), (0.0, 1.0)),
    "sources": {"muse": (0.1, 1.0), "wiktionary": (0.0, 1.0)},
    "mix": (0.25, 4.0),
    "redraw": True,
}


def test_the_start_is_the_policy_of_the_recipe():
    found = space(**WHOLE)
    start = {name: one.start for name, one in found.parameters.items()}
    assert start == {
        "rates.stop": 0.5,
        "rates.name": 0.5,
        "rates.content": 0.5,
        "sources.muse": 1.0,
        "sources.wiktionary": 0.0,
        "mix.de": 1.0,
        "mix.es": 1.0,
        "redraw": 0.25,
    }
    part = found.recipe(start).switching
    assert part.rates == {"stop": 0.5, "name": 0.5, "content": 0.5}
    assert (part.lexicon, part.sources) == ("", {"muse": 1.0})
    assert part.mix == {"de": 0.5, "es": 0.5}
    assert part.redraw is False


def test_the_start_is_that_of_a_recipe_with_a_policy_of_its_own():
    own = {
        "lexicon": "",
        "sources": {"muse": 0.2, "cldr": 0.6},
        "rates": {"stop": 0.1},
        "mix": {"de": 3.0, "es": 1.0},
        "redraw": True,
    }
    sources = {"muse": (0.1, 1.0), "cldr": (0.0, 1.0)}
    found = space(recipe(**own), **{**WHOLE, "sources": sources})
    start = {name: one.start for name, one in found.parameters.items()}
    assert start["rates.stop"] == 0.1
    assert start["rates.name"] == 0.5
    assert start["mix.de"] == 3 * start["mix.es"] == 1.5
    part = found.recipe(start).switching
    assert part.sources == {"muse": 0.25, "cldr": 0.75}
    assert part.mix == {"de": 0.75, "es": 0.25}
    assert part.redraw


def test_numbers_become_a_policy_by_hand():
    values = {
        "rates.stop": 0.123456,
        "rates.name": 0.0,
        "rates.content": 1.0,
        "sources.muse": 0.9,
        "sources.wiktionary": 0.3,
        "mix.de": 3.0,
        "mix.es": 1.0,
        "redraw": 0.5,
    }
    part = space(**WHOLE).recipe(values).switching
    assert part.rates == {"stop": 0.1235, "name": 0.0, "content": 1.0}
    assert part.sources == {"muse": 0.75, "wiktionary": 0.25}
    assert part.mix == {"de": 0.75, "es": 0.25}
    assert part.redraw
    assert part.probability == 0.5


def test_classes_that_are_not_searched_are_spelled_out_as_well():
    found = space(recipe(rates={"name": 0.9}), rates={"stop": (0.0, 1.0)})
    assert list(found.parameters) == ["rates.stop"]
    part = found.recipe({"rates.stop": 0.2}).switching
    assert part.rates == {"stop": 0.2, "name": 0.9, "content": 0.5}


def test_one_probability():
    found = space(probability=(0.1, 0.9))
    assert found.parameters["probability"].start == 0.5
    assert found.recipe({"probability": 0.70004}).switching.probability == 0.7


@given(st.data())
def test_all_numbers_within_the_bounds_make_a_recipe(data):
    found = space(**WHOLE)
    values = {
        name: data.draw(st.floats(one.low, one.high), name)
        for name, one in found.parameters.items()
    }
    part = found.recipe(values).switching
    assert sum(part.sources.values()) == pytest.approx(1.0, abs=1e-3)
    assert sum(part.mix.values()) == pytest.approx(1.0, abs=1e-3)
    assert ("wiktionary" in part.sources) == (values["sources.wiktionary"] > 0)
    for name, rate in part.rates.items():
        assert rate == pytest.approx(values[f"rates.{name}"], abs=5e-5)


@pytest.mark.parametrize(
    ("base", "parts", "said"),
    [
        ({}, {"rates": {"stop": (0.0, 0.4)}}, r"space.rates.stop: .* 0.5, which is not from 0 to"),
        ({"probability": 1.0}, {"probability": (0.0, 0.5)}, "space.probability: .* has 1,"),
        ({}, {"sources": {"wiktionary": (0.1, 1.0)}}, "has muse, from which the search begins"),
        ({}, {"sources": {"muse": (0.1, 0.5)}}, r"space.sources.muse: .* from 0.1 to 0.5"),
        ({"mix": {"de": 9.0, "es": 1.0}}, {"mix": (0.5, 2.0)}, r"space.mix.es: .* has 0.2,"),
        ({"stop_words": False}, {"rates": {"stop": (0.0, 1.0)}}, "never switches stop words"),
        ({"level": "entity"}, {"rates": {"stop": (0.0, 1.0)}}, "never switches stop words"),
        ({"document": ["de"]}, {"mix": (0.5, 2.0)}, "space.mix: .* a language for each word"),
        ({"draw": "text"}, {"redraw": True}, "space.redraw: .* a language for each word"),
        (
            {"rates": {"stop": 0.1, "name": 0.1, "content": 0.1}},
            {"probability": (0.0, 1.0)},
            "has a rate for each class",
        ),
    ],
)
def test_a_space_that_does_not_fit_the_recipe(base, parts, said):
    with pytest.raises(UsageError, match=said):
        space(recipe(**base), **parts)


@pytest.mark.parametrize(
    "changed",
    [{}, {"switching": SWITCHING, "architecture": "cross-encoder", "negatives": {}}],
    ids=["no switching", "cross-encoder"],
)
def test_a_recipe_without_a_policy(changed):
    with pytest.raises(UsageError, match="needs a bi-encoder with"):
        space(Recipe.model_validate(content(**changed)), probability=(0.0, 1.0))


# --- the file -----------------------------------------------------------------------------------


def test_a_search_is_read(tmp_path):
    found = search(tmp_path)
    assert found.space.probability == (0.0, 1.0)
    assert found.held_out[0].language == "de"


def test_the_digest_is_of_what_decides_the_trials(tmp_path):
    usual = search(tmp_path).digest()
    assert search(tmp_path, name="policy-b", title="B", trials=9).digest() == usual
    others = [{"seed": 2}, {"steps": 3}, {"pairs": 30}, {"space": {"probability": [0.1, 1.0]}}]
    assert len({usual, *(search(tmp_path, **one).digest() for one in others)}) == 5


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "best"}, "name: String should match"),
        ({"trails": 3}, "trails: unknown key. Did you mean trials?"),
        ({"trials": 0}, "trials: Input should be greater than or equal to 1, found '0'"),
        ({"seed": -1}, "seed"),
        ({"held_out": []}, "held_out"),
        ({"held_out": [{**HELD_OUT, "sorce": "a"}]}, "held_out.0.sorce: unknown key. Did you mean"),
        ({"held_out": [{**HELD_OUT, "language": "xq"}]}, "unknown language; known:"),
        ({"held_out": [HELD_OUT, HELD_OUT]}, "held_out: each language once"),
        ({"space": {}}, "space: names nothing to search for"),
        ({"space": {"rate": {}}}, "space.rate: unknown key. Did you mean rates"),
        ({"space": {"rates": {"noun": [0.0, 1.0]}}}, "'stop', 'name' or 'content'"),
        ({"space": {"rates": {"stop": [0.0, 1.5]}}}, "less than or equal to 1, found '1.5'"),
        ({"space": {"rates": {"stop": [0.6, 0.4]}}}, "the lower bound first"),
        ({"space": {"rates": {"stop": [0.5]}}}, "space.rates.stop"),
        ({"space": {"probability": [float("nan"), 1.0]}}, "space.probability.0"),
        ({"space": {"mix": [0.0, 1.0]}}, "space.mix.0"),
        ({"space": {"sources": {"muse": [0.0, 1.0]}}}, "at least one needs a lower bound above 0"),
        (
            {"space": {"probability": [0.0, 1.0], "rates": {"stop": [0.0, 1.0]}}},
            "give one",
        ),
    ],
)
def test_what_is_wrong_in_a_search_is_said(tmp_path, changed, said):
    with pytest.raises(DataFileError) as caught:
        search(tmp_path, **changed)
    assert said in str(caught.value)
    assert "search.toml is no search" in str(caught.value)


@pytest.mark.parametrize(
    ("written", "said"), [(None, "There is no search"), (b"name = ", "no"), (b"\xff", "not a TOML")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, written, said):
    path = tmp_path / "search.toml"
    if written is not None:
        path.write_bytes(written)
    with pytest.raises(DataFileError, match=said):
        load_search(path)


# --- our own search -----------------------------------------------------------------------------


def test_our_search_begins_with_its_recipe():
    own = load_search(OWN)
    base = load_recipe(OWN.parent / own.recipe)
    found = PolicySpace(own.space, base)
    assert {part.language for part in own.held_out} == set(base.switching.query)
    assert found.recipe({n: one.start for n, one in found.parameters.items()}).switching.sources


def test_our_search_has_its_files(data):
    own = load_search(OWN)
    for part in own.held_out:
        assert (data / part.source).is_file()
        assert (data / part.target).is_file()
        for spec in own.space.sources:
            assert has_direction(spec, "en", part.language, data)
