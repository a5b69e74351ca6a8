"""A search that is made in a second, with its data; needs the extras score and search."""

from __future__ import annotations

import json

from harness.progress import Silent
from submissions.baselines.policy_search import search_policy
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.search_file import HeldOutPart, Search
from submissions.baselines.training import Where
from tests.baselines.small_training import PLACES, THINGS, write_data, write_recipe

SWITCHING = {"lexicon": "muse", "document": ["de", "es"], "probability": 0.5}
SPACE = {
    "rates": {"stop": (0.0, 1.0), "content": (0.0, 1.0)},
    "sources": {"muse": (0.1, 1.0), "wiktionary": (0.0, 1.0)},
    "mix": (0.25, 4.0),
}
LINES = [f"A {thing} in the {place}" for thing in THINGS for place in PLACES]
PART = HeldOutPart(language="de", source="held/en.txt", target="held/de.txt")


def write_lines(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def write_place(folder, base):
    """A data folder with lexicons and held-out pairs, and a recipe beside it."""
    data = write_data(folder / "data", "de", "es")
    lists = data / "lexicons" / "wiktionary"
    lists.mkdir()
    (lists / "german.txt").write_text("river\tStrom\ncity\tStadt\n", "utf-8")
    write_lines(data / "held" / "en.txt", LINES)
    write_lines(data / "held" / "de.txt", [line.replace(" ", " de") for line in LINES])
    write_recipe(folder / "small.toml", base, switching=SWITCHING)
    return folder


def asked(trials=4, **changed):
    usual = {
        "schema_version": 1,
        "name": "policy-small",
        "title": "Small, policy found by search",
        "recipe": "small.toml",
        "seed": 5,
        "trials": trials,
        "steps": 2,
        "pairs": 30,
        "held_out": [PART.model_dump()],
        "space": SPACE,
    }
    return Search.model_validate({**usual, **changed})


def run(place, out, search=None, **where):
    recipe = load_recipe(place / "small.toml")
    habits = Where(place / out, place / "data", "cpu", **where)
    return search_policy(search or asked(), recipe, habits, Silent())


def lines_of(place, out):
    """The trials, without what a clock says."""
    lines = (place / out / "trials.jsonl").read_text("utf-8").splitlines()
    return [{**json.loads(line), "seconds": None} for line in lines]
