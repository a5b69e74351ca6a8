"""The table of docs/code_switching.md has the means of the entries in the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import mean

import pytest

ROOT = Path(__file__).parents[1]
ENTRIES = ROOT / "submissions" / "entries"
RECIPES = {
    "Zero-shot": "zero-shot",
    "ML-CS, p = .25": "ml-cs-p025",
    "ML-CS, p = .5": "ml-cs-p050",
    "ML-CS, p = 1": "ml-cs-p100",
    "BL-CS EN-DE": "bl-cs-en-de",
    "BL-CS EN-ES": "bl-cs-en-es",
    "BL-CS DE-ES": "bl-cs-de-es",
    "CLDR-CS": "cldr-cs",
    "Native QA": "native",
    "X-X-mono": "x-x-mono",
    "X-Y": "x-y",
    "Hybrid": "hybrid",
    "Zero-shot, translate-test": "zero-shot-translate-test",
    "ML-CS, p = .5, translate-test": "ml-cs-p050-translate-test",
}
TASKS = ("xquad-r", "mlqa-r")
KINDS = ("moir", "clir", "mlir")


def rows() -> dict[str, list[float]]:
    """Numbers of the table, by recipe."""
    text = (ROOT / "docs" / "code_switching.md").read_text("utf-8")
    found = re.findall(r"^\| ([^|]+?) \|((?: [\d.,]+ \|){8})$", text, re.MULTILINE)
    return {
        name: [float(cell.replace(",", "")) for cell in cells.strip("| ").split(" | ")]
        for name, cells in found
    }


def published(recipe: str, task: str) -> list[float]:
    """MoIR, CLIR, MLIR and rank distance, as means over three seeds."""
    seeds = sorted(ENTRIES.glob(f"{recipe}-seed-*/scores/{task}.json"))
    assert len(seeds) == 3
    classes = [json.loads(path.read_text("utf-8"))["classes"] for path in seeds]
    scores = [mean(c[k]["AP"]["micro_over_questions"] for c in classes) for k in KINDS]
    distance = mean(c["mlir"]["RankDistance"]["micro_over_questions"] for c in classes)
    return [*scores, distance]


def test_every_recipe_has_a_row() -> None:
    assert list(rows()) == list(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_numbers_are_those_of_the_entries(name: str) -> None:
    expected = [value for task in TASKS for value in published(RECIPES[name], task)]
    for written, value in zip(rows()[name], expected, strict=True):
        assert written == pytest.approx(value, abs=0.5 if value > 1 else 0.0005)
