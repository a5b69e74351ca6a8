from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="needs the extra 'score'")

from tiny_models import write_dense

from harness.progress import Silent
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.training import Where, read_material, train
from submissions.cli.baselines import RECIPES
from tasks.errors import UsageError
from tests.baselines.pocket_recipes import write_data as write_pocket
from tests.baselines.pocket_recipes import write_recipes
from tests.baselines.small_training import write_data, write_recipe

NAMES = sorted(path.stem for path in RECIPES.glob("*.toml") if path.name != "grid.toml")
BL_CS = {"lexicon": "muse", "document": ["de"], "probability": 0.5}


def test_a_model_is_trained_with_a_record_of_what_it_was_made_from(
    babelboard, tmp_path, tiny_encoder
):
    recipe = write_recipe(tmp_path / "small.toml", tiny_encoder, switching=BL_CS)
    data = write_data(tmp_path / "data", "de")
    arguments = ("train", recipe, "--data", data, "--out", tmp_path / "out", "--seed", "3")
    done = babelboard(*arguments, "--steps", "2", "--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert found["model"].endswith("small-seed-3/small-seed-3")
    assert (found["steps"], found["is_new"]) == (2, True)

    record = json.loads((tmp_path / "out" / "small-seed-3" / "record.json").read_text("utf-8"))
    assert record["recipe"]["training"]["steps"] == record["steps"] == len(record["loss"]) == 2
    assert record["seed"] == 3
    assert record["languages"] == {"en-de": 8}
    assert record["pairs"] == {"en": 36}
    sides = record["switching"]
    assert sides["query"]["tokens"] == 0
    side = sides["document"]
    assert side["requested"] == 0.5
    assert side["achieved"] == side["switched"] / side["tokens"] > 0
    assert side["languages"] == {"de": side["switched"]}
    assert set(record["data"]) == {"train/pairs.jsonl"}
    assert record["lexicons"]["de"]["checksum"]
    assert {"versions", "hardware", "threads", "seconds", "base", "model_digest"} <= set(record)
    assert str(tmp_path) not in json.dumps({**record, "recipe": None})

    again = babelboard(*arguments, "--steps", "2")
    assert "Was done before." in again.stdout
    assert "Document words switched: " in again.stdout
    longer = babelboard(*arguments)
    assert longer.returncode == 2
    assert "is of another training" in longer.stderr


def test_a_wrong_recipe_is_one_message_and_trains_nothing(babelboard, tmp_path):
    recipe = write_recipe(tmp_path / "bad.toml", architektur="bi-encoder")
    done = babelboard("train", recipe, cwd=tmp_path)
    assert done.returncode == 2
    assert "architektur: unknown key. Did you mean architecture?" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.toml"]


@pytest.mark.parametrize(
    ("changed", "arguments", "said"),
    [
        ({}, ("--steps", "0"), "--steps"),
        ({"seeds": [1]}, ("--seed", "-1"), "seeds.0"),
        ({"data": [{"file": "no.jsonl", "language": "en"}]}, (), "'no.jsonl' are not there"),
        ({"switching": {**BL_CS, "document": ["fr"]}}, (), "en-fr"),
        ({}, ("--base", "package:absent"), "'absent', which is not installed"),
        ({}, ("--out", "small.toml"), "--out names 'small.toml'"),
    ],
)
def test_what_cannot_be_followed_is_said(babelboard, tmp_path, changed, arguments, said):
    recipe = write_recipe(tmp_path / "small.toml", **changed)
    write_data(tmp_path / "data", "de")
    done = babelboard("train", recipe, "--data", tmp_path / "data", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def pocket(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pocket")
    base = write_dense(folder / "tiny", tokens=128)
    return write_recipes(folder / "recipes"), write_pocket(folder / "data"), base


@pytest.mark.parametrize("name", NAMES)
def test_each_of_our_recipes_can_be_followed(name, pocket, tmp_path):
    recipes, data, base = pocket
    replaced = {"base": str(base), "training": {"steps": 2}}
    recipe = load_recipe(recipes / f"{name}.toml", replaced)
    material = read_material(recipe, data, allow_contaminated=True)
    trained = train(recipe, 1, material, Where(tmp_path, data, "cpu"), Silent())
    pairs = 2 * recipe.training.batch_size
    assert sum(trained.record["languages"].values()) == pairs
    switches = recipe.method in ("code-switched", "hybrid-batches")
    assert bool(trained.record["switching"]) == switches
    if switches:
        sides = trained.record["switching"].values()
        assert sum(side["switched"] for side in sides) > 0


def test_a_recipe_that_trains_on_questions_of_a_task_is_refused(babelboard, pocket, tmp_path):
    recipes, data, base = pocket
    arguments = (
        *("train", recipes / "zero-shot.toml", "--data", data, "--base", base, "--steps", "2"),
        *("--seed", "1", "--out", tmp_path),
    )
    done = babelboard(*arguments)
    assert done.returncode == 2
    assert "The training data hold test questions: pocket en 75 of 75." in done.stderr
    assert "--allow-contaminated" in done.stderr
    assert not list(tmp_path.iterdir())
    allowed = babelboard(*arguments, "--allow-contaminated")
    assert allowed.returncode == 0, allowed.stderr
    record = json.loads((tmp_path / "zero-shot-seed-1" / "record.json").read_text("utf-8"))
    assert record["contamination"]["leaks"]
    assert record["contamination"]["questions"]["pocket"] >= 75


def test_squad_dev_is_caught_and_our_recipes_are_clean(data, tmp_path):
    xquad = {
        "file": str(data / "xquad-r" / "en.json"),
        "language": "en",
        "form": "squad",
    }
    leaking = load_recipe(write_recipe(tmp_path / "leak.toml", data=[xquad]))
    with pytest.raises(UsageError, match="xquad-r en 1,190 of 1,190"):
        read_material(leaking, data)
    for name in ("zero-shot", "native"):
        found = read_material(load_recipe(RECIPES / f"{name}.toml"), data).contamination
        for counts in (found["questions"], found["passages"]):
            assert counts == {"mlqa-r": 0, "pocket": 0, "xquad-r": 0}
