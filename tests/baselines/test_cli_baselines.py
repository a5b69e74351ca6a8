"""``babelboard baselines``: each entry is made once, and made anew when its training changes."""

from __future__ import annotations

import json
import shutil

import pytest

pytest.importorskip("torch", reason="needs the extra 'score'")

from tiny_models import write_dense

from submissions.entry import read_entry
from tests.baselines.pocket_recipes import write_data as write_pocket
from tests.baselines.pocket_recipes import write_recipes

SEEDS = (1, 2)
NAMES = ("cross-encoder-ml-cs", "zero-shot")
ENTRIES = [f"{name}-seed-{seed}" for name in NAMES for seed in SEEDS]


@pytest.fixture(scope="module")
def pocket(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pocket")
    base = write_dense(folder / "tiny", tokens=128)
    return write_recipes(folder / "recipes"), write_pocket(folder / "data"), base


@pytest.fixture(scope="module")
def grid(babelboard, pocket, tmp_path_factory):
    """The folder of a small grid, and the command that made it; what it said."""
    recipes, data, base = pocket
    folder = tmp_path_factory.mktemp("grid")
    arguments = (
        *("baselines", *reversed(NAMES), "--recipes", recipes, "--data", data),
        *("--base", base, "--task", "pocket", "--cache", folder / "cache"),
        *("--out", folder / "models", "--entries", folder / "entries"),
        *("--seed", "1", "--seed", "2", "--threads", "1", "--allow-contaminated"),
        *("--depth", "3", "--rerank-settings", "moir/de-de"),
    )
    done = babelboard(*arguments, "--steps", "2")
    assert done.returncode == 0, done.stderr
    return folder, arguments, done.stderr


@pytest.fixture
def entries(grid, tmp_path):
    """A copy of the entries that a test may change."""
    return shutil.copytree(grid[0] / "entries", tmp_path / "entries")


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_each_seed_becomes_an_entry(grid):
    folder, _, _ = grid
    assert sorted(path.name for path in (folder / "entries").iterdir()) == ENTRIES
    for name in ENTRIES:
        entry = folder / "entries" / name
        manifest = read_entry(entry).manifest
        record = json.loads((entry / "training.json").read_text("utf-8"))
        assert manifest.model.digest == record["model_digest"]
        assert manifest.method.seeds == (record["seed"],)
        assert manifest.method.training_data == record["recipe"]["summary"]
        assert manifest.runs["pocket"].complete == name.startswith("zero-shot")
        assert (entry / "loss.svg").is_file()
        assert str(folder) not in (entry / "submission.toml").read_text("utf-8")


def trained(said):
    """The models that were trained, in their order."""
    lines = [line.split(":")[0] for line in said.splitlines() if " steps on " in line]
    assert len(lines) == len(set(lines))
    return lines


def test_all_recipes_have_their_first_seed_before_one_has_its_second(grid):
    assert trained(grid[2]) == [f"{name}-seed-{n}" for n in SEEDS for name in reversed(NAMES)]


def test_what_is_done_is_left_alone(babelboard, grid):
    folder, arguments, _ = grid
    before = contents(folder)
    again = babelboard(*arguments, "--steps", "2")
    assert again.returncode == 0, again.stderr
    assert again.stderr == f"Done: 4 entries in {folder / 'entries'}, 4 of them before\n"
    assert contents(folder) == before


def test_an_entry_of_another_machine_is_left_alone(babelboard, grid, entries, tmp_path):
    """There is no model, and the record names other versions and another device."""
    for name in ENTRIES:
        path = entries / name / "training.json"
        record = json.loads(path.read_text("utf-8"))
        record["plan"] |= {"torch": "1.0", "numpy": "1.0", "device": "cuda"}
        record["versions"] = {"torch": "1.0"}
        path.write_text(json.dumps(record), "utf-8")
    before = contents(entries)
    there = ("--entries", entries, "--out", tmp_path / "models", "--steps", "2")
    done = babelboard(*grid[1], *there)
    assert done.returncode == 0, done.stderr
    assert "4 of them before" in done.stderr
    assert contents(entries) == before
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("what", ["recipe", "seed", "base", "data train/squad.en.jsonl"])
def test_an_entry_with_another_plan_is_refused(babelboard, grid, entries, tmp_path, what):
    path = entries / "zero-shot-seed-1" / "training.json"
    record = json.loads(path.read_text("utf-8"))
    assert what in record["plan"]
    record["plan"][what] = "0"
    path.write_text(json.dumps(record), "utf-8")
    there = ("--entries", entries, "--out", tmp_path / "models", "--steps", "2")
    refused(babelboard(*grid[1], *there), "zero-shot-seed-1")


def test_other_lexicons_are_another_training(babelboard, grid, pocket, entries, tmp_path):
    data = shutil.copytree(pocket[1], tmp_path / "data")
    lexicon = data / "lexicons" / "muse" / "en-th.txt"
    lexicon.write_text(lexicon.read_text("utf-8") + "zzz\tthzzz\n", "utf-8")
    there = ("--entries", entries, "--out", tmp_path / "models", "--steps", "2", "--data", data)
    refused(babelboard(*grid[1], *there), "cross-encoder-ml-cs-seed-1")


def refused(done, entry):
    assert done.returncode == 2
    assert trained(done.stderr) == []
    assert f"{entry} was made by another training" in done.stderr
    assert "Remove it to make it anew" in done.stderr


def test_an_entry_of_another_training_is_refused_before_anything_is_trained(
    babelboard, grid, entries, tmp_path
):
    before = contents(entries)
    there = ("--entries", entries, "--out", tmp_path / "models", "--steps", "3")
    refused(babelboard(*grid[1], *there), "zero-shot-seed-1")
    assert contents(entries) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("zero-shto", "--task", "pocket"), "Did you mean zero-shot or"),
        (("zero-shot", "--task", "pokcet"), "Did you mean pocket?"),
        (("zero-shot", "--task", "pocket", "--recipes", "no"), "--recipes names 'no'"),
    ],
)
def test_names_of_the_grid_that_do_not_exist(babelboard, arguments, said):
    done = babelboard("baselines", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
