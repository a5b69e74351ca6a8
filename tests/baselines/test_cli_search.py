"""What a search leaves, and ``babelboard search``."""

from __future__ import annotations

import json

import pytest
import tomli_w

pytest.importorskip("torch", reason="needs the extra 'score'")
pytest.importorskip("optuna", reason="needs the extra 'search'")

from harness.progress import Silent
from submissions.baselines.policy_recipe import summary, write_winner
from submissions.baselines.policy_search import search_policy
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.training import Where, read_material, train
from tests.baselines.small_search import PART, SWITCHING, asked, run, write_place
from tests.baselines.small_training import write_recipe


@pytest.fixture
def place(tmp_path, tiny_encoder):
    return write_place(tmp_path, tiny_encoder)


def test_the_winner_is_a_recipe_that_trains_as_its_trial_did(place):
    search = asked(trials=3)
    found = run(place, "out", search)
    written = write_winner(place / "out", search, place / "small.toml", found)
    recipe = load_recipe(written, {"training": {"steps": 2}})
    assert written.name == "policy-small.toml"
    assert recipe.name == "policy-small"
    assert recipe.title == search.title
    part, best = recipe.switching, found.best.policy
    assert set(part.rates) == {"stop", "name", "content"}
    for key in ("rates", "sources", "mix"):
        assert getattr(part, key) == best[key]
    sides = found.best.switching.values()
    switched = sum(side["switched"] for side in sides) / sum(side["covered"] for side in sides)
    assert part.probability == pytest.approx(switched, abs=1e-4)
    assert load_recipe(written).training == load_recipe(place / "small.toml").training

    material = read_material(recipe, place / "data")
    trained = train(recipe, 5, material, Where(place / "b", place / "data", "cpu"), Silent())
    assert trained.record["loss"][-1] == round(found.best.loss, 6)


def test_the_winner_shares_what_its_base_shared(place):
    base = place / "recipes" / "own.toml"
    base.parent.mkdir()
    (place / "small.toml").rename(base.parent / "grid.toml")
    found_in = base.parent / "grid.toml"
    common = load_recipe(found_in)
    plain = write_recipe(found_in, common.base)
    base.write_text(tomli_w.dumps({"shared": plain.name, "switching": SWITCHING}), "utf-8")
    habits = Where(place / "out", place / "data", "cpu")
    search = asked(trials=2)
    found = search_policy(search, load_recipe(base), habits, Silent())
    text = write_winner(place / "out", search, base, found).read_text("utf-8")
    assert 'shared = "grid.toml"' in text
    assert "steps" not in text
    assert load_recipe(place / "out" / "policy-small.toml").digest() != load_recipe(base).digest()
    beside = write_winner(base.parent, search, base, found)
    assert load_recipe(beside) == load_recipe(place / "out" / "policy-small.toml")

    # A [switching] that is shared would come back into the policy.
    write_recipe(found_in, common.base, switching={**SWITCHING, "choice": "best"})
    whole = write_winner(place / "whole", search, base, found)
    assert "shared" not in whole.read_text("utf-8")
    assert load_recipe(whole).switching.sources == found.best.policy["sources"]


def test_the_summary_says_what_and_from_where_in_one_line(place):
    found = run(place, "out", asked(trials=2))
    said = summary(asked(trials=2), found)
    assert said.startswith("36 pairs in en (train/pairs.jsonl); switched with p = stop words 0.")
    assert said.endswith("of 2 of the search policy-small, seed 5, from small")
    assert len(said) <= 500


def test_the_command(babelboard, place):
    search = place / "search.toml"
    search.write_text(tomli_w.dumps(asked(trials=2).model_dump(exclude_none=True)), "utf-8")
    arguments = ("search", search, "--data", place / "data", "--device", "cpu")
    done = babelboard(*arguments, "--out", place / "out", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["trials"] == 2
    assert found["winner"]["searched"] == found["best"]["objective"]
    assert set(found["untrained"]) == set(found["base"]) == {"searched", "reported"}
    assert "Trial 2 of 2: RR@10" in done.stderr
    record = json.loads((place / "out" / "search.json").read_text("utf-8"))
    assert [trial["trial"] for trial in record["trials"]] == [1, 2]
    assert record["best"] == found["best"]["trial"]
    assert sum(sum(half.values()) for half in record["sentences"].values()) == 30
    assert str(place) not in json.dumps({**record, "base": None})

    again = babelboard(*arguments, "--out", place / "out", "--trials", "3")
    assert again.returncode == 0, again.stderr
    assert "Going on after 2 trials" in again.stderr
    assert "Trial 2 of" not in again.stderr
    assert "not chosen on" in again.stdout
    assert "best, trial" in again.stdout

    recipe = place / "out" / "policy-small.toml"
    trained = babelboard(
        *("train", recipe, "--data", place / "data", "--out", place / "b", "--steps", "1"),
        cwd=place,
    )
    assert trained.returncode == 0, trained.stderr


@pytest.mark.parametrize(
    ("changed", "arguments", "said"),
    [
        ({"recipe": "absent.toml"}, (), "There is no recipe"),
        ({"trails": 1}, (), "trails: unknown key. Did you mean trials?"),
        ({}, ("--trials", "0"), "--trials"),
        ({}, ("--out", "small.toml"), "which is not a folder"),
        (
            {"space": {"sources": {"muse": [0.1, 1.0], "wiktionry": [0.0, 1.0]}}},
            (),
            "Unknown kind of lexicon: 'wiktionry'. Did you mean wiktionary?",
        ),
        ({"held_out": [{**PART.model_dump(), "target": "no.txt"}]}, (), "'no.txt' is not there"),
    ],
)
def test_what_is_wrong_is_one_message(babelboard, place, changed, arguments, said):
    content = {**asked().model_dump(exclude_none=True), **changed}
    (place / "search.toml").write_text(tomli_w.dumps(content), "utf-8")
    done = babelboard("search", "search.toml", "--data", "data", *arguments, cwd=place)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not list(place.rglob("trials.jsonl"))
