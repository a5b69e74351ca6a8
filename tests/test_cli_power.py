"""``babelboard power``: from a standard deviation or from scores, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

if TYPE_CHECKING:
    from conftest import RunsCommand

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "scores.csv"


def test_questions_that_a_difference_needs(babelboard: RunsCommand) -> None:
    options = ("--sd", "0.25", "--effect", "0.02", "--effect", "0.05", "--family", "10")
    finished = babelboard("power", *options, "--n", "500", "--json")
    assert (finished.returncode, finished.stderr) == (0, "")
    found = json.loads(finished.stdout)
    assert {k: found[k] for k in ("schema_version", "alpha", "power", "family")} == {
        "schema_version": 1,
        "alpha": 0.05,
        "power": 0.8,
        "family": 10,
    }
    (row,) = found["rows"]
    solve = TTestPower().solve_power
    for effect, needed in row["questions_needed"].items():
        expected = solve(float(effect) / 0.25, alpha=0.005, power=0.8)
        assert needed == np.ceil(expected)
    smallest = solve(nobs=500, alpha=0.005, power=0.8) * 0.25
    assert row["smallest_difference"] == pytest.approx(smallest, rel=1e-5)
    assert (row["n"], row["sd"]) == (500, 0.25)


def test_the_deviation_is_taken_from_the_scores(babelboard: RunsCommand) -> None:
    finished = babelboard("power", EXAMPLE, "--json")
    first, second = json.loads(finished.stdout)["rows"]
    assert (first["setting"], second["setting"], first["n"]) == ("en-de", "de-en", 5)
    differences = [0.5 - 1, 0.25 - 0.5, 0, -0.3333, 0.1]
    assert first["sd"] == pytest.approx(np.std(differences, ddof=1))
    assert list(first["questions_needed"]) == ["0.01", "0.02", "0.05"]


def test_entries_and_the_printed_table(babelboard: RunsCommand) -> None:
    arguments = ("power", "bm25", "char-ngram", "--task", "pocket", "--effect", "0.03")
    finished = babelboard(*arguments, cwd=ROOT, env={"COLUMNS": "80"})
    assert (finished.returncode, finished.stderr) == (0, "")
    lines = finished.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = json.loads(babelboard(*arguments, "--json", cwd=ROOT).stdout)["rows"]
    assert [row["setting"] for row in rows] == ["MoIR average", "CLIR average", "MLIR average"]
    for line, row in zip(lines[1:], rows, strict=False):
        assert line.split()[2:] == [
            f"{row['sd']:.4f}",
            "75",
            f"{row['smallest_difference']:.4f}",
            f"{row['questions_needed']['0.03']:,}",
        ]
    assert "chance of 0.8" in " ".join(finished.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give either --sd or two systems"),
        ([str(EXAMPLE), "--sd", "0.2"], "Give either --sd or two systems"),
        (["--sd", "0"], "The standard deviation of differences must be above 0, found 0."),
        (["--sd", "nan"], "The standard deviation of differences must be above 0"),
        (["--sd", "0.2", "--effect", "0"], "No number of questions shows an effect of 0."),
        (["--sd", "0.2", "--effect", "1e-9"], "More than 1,000,000,000 questions are needed"),
        (["--sd", "0.2", "--alpha", "1"], "alpha must be between 0 and 1"),
        (["--sd", "0.2", "--power", "1"], "Power must be above the level of a test"),
        (["bm25", "--task", "pocket"], "Give two systems, found 1."),
        (["bm25", "chargram"], "Unknown entry: 'chargram'. Did you mean char-ngram?"),
        (["none.csv"], "There is no file none.csv."),
    ],
)
def test_bad_input_ends_with_one_message(
    babelboard: RunsCommand, arguments: list[str], message: str
) -> None:
    finished = babelboard("power", *arguments, cwd=ROOT)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"babelboard: {message}")
    assert finished.stderr.count("\n") == 1


def test_systems_that_are_the_same_are_refused(babelboard: RunsCommand, tmp_path: Path) -> None:
    path = tmp_path / "same.csv"
    path.write_text("question_id,A,B\nq1,1,1\nq2,0,0\n", encoding="utf-8")
    finished = babelboard("power", path)
    assert finished.returncode == 2
    assert "have the same scores" in finished.stderr
