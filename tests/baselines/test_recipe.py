from __future__ import annotations

import tomllib

import pytest
import tomli_w
from pydantic import ValidationError

from submissions.baselines.recipe import Recipe
from submissions.baselines.recipe_file import load_recipe
from submissions.cli.baselines import RECIPES
from tasks.errors import DataFileError
from tests.baselines.small_training import content, write_recipe

SWITCHING = {"lexicon": "muse", "query": ["de"], "probability": 0.5}
OWN = sorted(path for path in RECIPES.glob("*.toml") if path.name != "grid.toml")


def refused(**changed):
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate(content(**changed))
    return str(caught.value)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_our_recipes_are_named_as_their_files_and_share_steps_and_seeds(path):
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    shared = tomllib.loads((RECIPES / "grid.toml").read_text("utf-8"))
    assert recipe.training.steps == shared["training"]["steps"]
    assert list(recipe.seeds) == shared["seeds"]
    assert len(recipe.seeds) >= 3
    assert "steps" not in tomllib.loads(path.read_text("utf-8")).get("training", {})


def test_the_step_budget_is_one_line():
    lines = [line for path in RECIPES.glob("*.toml") for line in path.read_text().splitlines()]
    assert len([line for line in lines if line.startswith("steps")]) == 1


def test_our_recipes_differ_in_what_they_do():
    assert len({load_recipe(path).digest() for path in OWN}) == len(OWN)


def test_own_values_replace_shared_ones_key_by_key(tmp_path):
    (tmp_path / "shared.toml").write_text(tomli_w.dumps(content()))
    own = {"shared": "shared.toml", "name": "mine", "training": {"batch_size": 6}}
    (tmp_path / "mine.toml").write_text(tomli_w.dumps(own))
    recipe = load_recipe(tmp_path / "mine.toml", {"training": {"steps": 3}})
    assert recipe.name == "mine"
    assert recipe.training.steps == 3
    assert recipe.training.batch_size == 6
    assert recipe.training.learning_rate == 1e-3


def test_all_that_is_wrong_is_said_at_once_with_the_nearest_names(tmp_path):
    path = write_recipe(
        tmp_path / "bad.toml",
        temprature=1,
        zzz=1,
        batches={"stratgy": "x-y"},
        training={"steps": 0, "batch_size": 4, "learning_rate": "fast", "warm_up": 0.1},
    )
    with pytest.raises(DataFileError) as caught:
        load_recipe(path)
    message = str(caught.value)
    assert str(path) in message
    for part in (
        "batches.stratgy: unknown key. Did you mean strategy?",
        "training.steps",
        "found 'fast'",
        "training.warm_up: unknown key. Did you mean warmup?",
        "temprature: unknown key. Did you mean training.temperature?",
        "zzz: unknown key. Known: schema_version, name",
    ):
        assert part in message


def test_all_that_does_not_go_together_is_said_at_once():
    message = refused(
        batches={"strategy": "hybrid", "languages": ["en", "xq"]},
        negatives={},
        seeds=[1, 1],
    )
    for part in ("alpha", "unknown language 'xq'", "negatives: for cross", "seeds: each once"):
        assert part in message


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"batches": {"alpha": 0.5}}, "batches.alpha"),
        ({"batches": {"languages": ["de"]}}, "'monolingual' takes those of the data"),
        ({"batches": {"strategy": "x-x", "languages": ["en"]}}, "needs two or more"),
        ({"batches": {"strategy": "x-x", "languages": ["en", "de"]}}, "no data and no switching"),
        ({"switching": {"lexicon": "muse", "probability": 0.5}}, "query or document must name"),
        ({"switching": {**SWITCHING, "query": ["en"]}}, "query or document must name"),
        ({"switching": {**SWITCHING, "query": ["en", "de"]}}, "drawn for a text, not a token"),
        ({"switching": {**SWITCHING, "probability": 1.5}}, "less than or equal to 1"),
        ({"switching": {**SWITCHING, "probability": float("nan")}}, "probability"),
        ({"switching": {**SWITCHING, "source": "fr"}}, "no data in 'fr'"),
        ({"switching": {**SWITCHING, "mix": {"es": 1.0}}}, "a weight for each language"),
        ({"switching": {**SWITCHING, "sources": {"muse": 1.0}}}, "exactly one of lexicon, and"),
        ({"switching": {**SWITCHING, "lexicon": ""}}, "exactly one of lexicon, and"),
        ({"switching": {"query": ["de"], "probability": 0.5}}, "exactly one of lexicon, and"),
        ({"switching": {**SWITCHING, "sources": {"muse": 0}}}, "switching.sources.muse"),
        ({"switching": {**SWITCHING, "rates": {"stop": 1.5}}}, "switching.rates.stop"),
        ({"switching": {**SWITCHING, "rates": {"noun": 0.5}}}, "'stop', 'name' or 'content'"),
        (
            {
                "switching": SWITCHING,
                "batches": {"strategy": "x-y", "languages": ["en", "de"]},
            },
            "no query, document or mirrored",
        ),
        ({"multitask": {"weight": 1.0}}, "multitask: needs switching"),
        ({"architecture": "cross-encoder"}, "negatives: a cross-encoder needs them"),
        (
            {"architecture": "cross-encoder", "negatives": {"depth": 3}},
            "negatives.depth: at least per_positive",
        ),
    ],
)
def test_parts_must_go_together(changed, said):
    assert said in refused(**changed)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "There is no recipe"),
        (b"name = ", "is not a TOML file"),
        (b"\xff", "is not a TOML file"),
        (b'shared = "../elsewhere.toml"', "a file beside the recipe"),
        (b'shared = "missing.toml"', "There is no recipe"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, written, said):
    path = tmp_path / "bad.toml"
    if written is not None:
        path.write_bytes(written)
    with pytest.raises(DataFileError, match=said):
        load_recipe(path)


def test_the_digest_is_of_what_decides_the_weights():
    plain = Recipe.model_validate(content())
    described = Recipe.model_validate(content(name="other", title="Other", seeds=[7]))
    longer = Recipe.model_validate(content(training={**content()["training"], "steps": 9}))
    assert plain.digest() == described.digest() != longer.digest()


def test_rates_and_sources_leave_the_digests_of_other_recipes():
    """Trainings that were begun before go on, and entries are not made again."""
    plain = Recipe.model_validate(content(switching=SWITCHING))
    assert plain.digest() == "ed58dfdaff4f6a2817514e8c8d1d280118eee6e75b0375f1da3139dec71a6168"
    empty = {**SWITCHING, "rates": {}, "sources": {}}
    assert Recipe.model_validate(content(switching=empty)).digest() == plain.digest()
    rated = {**SWITCHING, "rates": {"stop": 0.5}}
    sources = {"sources": {"muse": 1.0}, "query": ["de"], "probability": 0.5}
    digests = {
        Recipe.model_validate(content(switching=one)).digest()
        for one in (rated, sources, SWITCHING)
    }
    assert len(digests) == 3


@pytest.mark.parametrize("own", [SWITCHING, {**SWITCHING, "lexicon": "", "sources": {"muse": 2.0}}])
def test_what_a_record_holds_of_a_recipe_can_be_read_again(own):
    recipe = Recipe.model_validate(content(switching={**own, "rates": {"name": 0.1}}))
    assert Recipe.model_validate(recipe.model_dump(mode="json", exclude_none=True)) == recipe
