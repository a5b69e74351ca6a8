"""A recipe's digest tells what decides the weights, and nothing else."""

from __future__ import annotations

import pytest

from submissions.baselines.recipe import Recipe
from submissions.baselines.recipe_file import load_recipe
from submissions.cli.baselines import RECIPES
from tests.baselines.small_training import content

OWN = sorted(path for path in RECIPES.glob("*.toml") if path.name != "grid.toml")
SWITCHING = {"lexicon": "muse", "query": ["de"], "probability": 0.5}


def digest(**changed):
    return Recipe.model_validate(content(**changed)).digest()


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_keys_written_out_at_their_defaults_change_nothing(path):
    recipe = load_recipe(path)
    written_out = recipe.model_dump(mode="json")
    assert len(written_out["training"]) > len(recipe.training.model_fields_set)
    assert Recipe.model_validate(written_out).digest() == recipe.digest()


@pytest.mark.parametrize(
    "table",
    [
        {"architecture": "bi-encoder"},
        {"batches": {}},
        {"batches": {"strategy": "monolingual", "language_draw": "even"}},
        {"training": {**content()["training"], "temperature": 0.05, "dtype": "float32"}},
    ],
)
def test_a_table_or_key_at_its_default_changes_nothing(table):
    assert digest(**table) == digest()


def test_keys_of_an_optional_table_at_their_defaults_change_nothing():
    usual = {"draw": "token", "mirrored": False, "document": [], "source": "en", "mix": {}}
    assert digest(switching={**SWITCHING, **usual}) == digest(switching=SWITCHING)
    multitask = {"switching": SWITCHING, "multitask": {"weight": 1.0}}
    with_default = {**multitask, "multitask": {"weight": 1.0, "retrieval": "source"}}
    assert digest(**with_default) == digest(**multitask) != digest(switching=SWITCHING)


def test_names_and_seeds_change_nothing():
    described = {"name": "other", "title": "Other", "method": "fine-tuned", "summary": "Other"}
    assert digest(**described, seeds=[4, 5]) == digest()


@pytest.mark.parametrize(
    "changed",
    [
        {"base": "another"},
        {"revision": "0123abc"},
        {"switching": SWITCHING},
        {"training": {**content()["training"], "steps": 9}},
        {"training": {**content()["training"], "temperature": 0.06}},
        {"data": [{"file": "train/pairs.jsonl", "language": "en", "leave_out": ["en-1"]}]},
    ],
    ids=" ".join,
)
def test_what_decides_the_weights_changes_it(changed):
    assert digest(**changed) != digest()
