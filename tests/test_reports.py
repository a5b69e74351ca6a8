"""Comparisons as JSON, CSV, LaTeX and text: complete, safe and readable."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from harness import Design, compare, from_arrays
from harness.paired_scores import PairedScores
from harness.reports.data import as_csv, as_json
from harness.reports.latex import as_latex
from harness.reports.text import print_comparison
from harness.reports.wording import number, p_value, what_intervals_are, what_may_be_claimed

if TYPE_CHECKING:
    from pathlib import Path

    from harness.comparison import Comparison

QUICK = Design(resamples=999, seed=7)
HOSTILE = ("a_b & 50%", "$x^2$ {#}", "\\input{x} ~<>", "[b]", "*c")


def scores_of(systems: tuple[str, ...], settings: tuple[str, ...] = ("clir",)) -> PairedScores:
    """Systems that get better from the first to the last."""
    rng = np.random.default_rng(0)
    common = rng.uniform(0, 0.4, (60, 1, 1))
    own = rng.uniform(0, 0.3, (60, len(settings), len(systems))) + 0.04 * np.arange(len(systems))
    questions = tuple(f"q{i}" for i in range(60))
    return PairedScores("AP", systems, settings, questions, common + own)


@pytest.fixture(scope="module")
def three() -> Comparison:
    return compare(scores_of(("bm25", "mine", "best"), ("moir", "clir")), QUICK)


def test_json_has_the_documented_keys(three: Comparison) -> None:
    found = as_json(three, of="pocket")
    assert list(found) == [
        *("schema_version", "unit", "of", "measure", "alpha", "interval", "family"),
        *("tests", "letters", "ranks", "notes"),
    ]
    assert (found["schema_version"], found["unit"], found["measure"]) == (1, "question", "AP")
    assert found["family"] == {"size": 6, "scope": "all", "correction": "max-t"}
    documented = {
        *("a", "b", "setting", "n", "mean_a", "mean_b", "difference", "ci", "p", "p_adjusted"),
        *("effect_size", "wins", "ties", "losses", "test", "resamples", "exact", "seed"),
    }
    for test in found["tests"]:
        assert documented <= set(test)
        assert (test["test"], test["resamples"], test["seed"]) == ("sign-flip", 999, 7)
    assert set(found["letters"]["clir"]) == {"bm25", "mine", "best"}
    assert all(low <= high for low, high in found["ranks"]["clir"].values())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_test_without_resamples_names_none() -> None:
    found = compare(scores_of(("A", "B")), Design(test="paired-t", correction="none"))
    (test,) = as_json(found)["tests"]
    assert (test["resamples"], test["seed"]) == (None, None)


def test_csv_reads_back(three: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(three))))
    assert len(rows) == len(three.tests) == 6
    for row, test in zip(rows, three.tests, strict=True):
        assert [row["a"], row["b"], row["setting"]] == [test.a, test.b, test.setting]
        for name in ("mean_a", "mean_b", "difference", "p", "p_setting", "p_adjusted"):
            assert float(row[name]) == getattr(test, name)
        assert (float(row["ci_low"]), float(row["ci_high"])) == test.ci
        assert row["p_equivalence"] == ""


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    names = ("=1+1", "+a", "-b", "@c", "d,e", 'f"g')
    rows = list(csv.DictReader(io.StringIO(as_csv(compare(scores_of(names), QUICK)))))
    assert [row["b"] for row in rows[:5]] == ["'+a", "'-b", "'@c", "d,e", 'f"g']
    assert rows[0]["a"] == "'=1+1"
    # Numbers stay numbers.
    assert float(rows[0]["difference"]) < 0


def test_latex_marks_the_best_and_says_what_was_tested(three: Comparison) -> None:
    table = as_latex(three, "pocket")
    means = {s.system: s for s in three.standings["clir"]}
    assert max(means, key=lambda name: means[name].mean) == "best"
    for name, standing in means.items():
        (line,) = (line for line in table.splitlines() if line.startswith(name))
        mean = f"{standing.mean:.4f}".removeprefix("0")
        assert (rf"\textbf{{{mean}}}" in line) == (name == "best")
        assert mean in line
        assert rf"\textsuperscript{{{standing.letters}}}" in line
    caption = table[table.index(r"\caption") : table.index(r"\begin{tabular}")]
    for word in ("pocket", "AP", "60 questions", "sign-flip", "max-T", "6 tests", "B = 999"):
        assert word in caption
    assert "seed 7" in caption
    assert "System & MoIR & CLIR" in table


def test_latex_marks_differences_to_the_baseline() -> None:
    scores = scores_of(("low", "base", "same", "high"))
    scores.values[:, 0, 2] = scores.values[:, 0, 1]
    scores.values[:, 0, 3] += 0.1
    scores.values[:, 0, 0] -= 0.1
    lines = as_latex(compare(scores, replace(QUICK, baseline="base")), "pocket").splitlines()
    row = {line.split(" & ")[0]: line for line in lines if " & " in line}
    assert r"\textsuperscript{$-$}" in row["low"]
    assert r"\textsuperscript{+}" in row["high"]
    assert "textsuperscript" not in row["base"] + row["same"]
    assert any("significantly better and worse than base" in line for line in lines)


def test_many_settings_go_down_the_page() -> None:
    settings = tuple(f"clir/de-{code}" for code in "abcdefghi")
    result = compare(scores_of(("A", "B"), settings), QUICK)
    table = as_latex(result, "t")
    assert r"Setting & B & A \\" in table
    assert r"\begin{tabular}{lrr}" in table
    assert all(f"\n{name} & " in table for name in settings)
    fewer = as_latex(compare(scores_of(("A", "B"), settings[:8]), QUICK), "t")
    assert r"\begin{tabular}{lrrrrrrrr}" in fewer


def test_latex_shows_hostile_names_literally() -> None:
    table = as_latex(compare(scores_of(HOSTILE), QUICK), "t_1 & more")
    assert r"a\_b \& 50\%" in table
    assert r"\$x\textasciicircum{}2\$ \{\#\}" in table
    assert r"\textbackslash{}input\{x\} \textasciitilde{}\textless{}\textgreater{}" in table
    assert r"\caption{t\_1 \& more" in table


@pytest.mark.parametrize("baseline", [None, "a_b & 50%"])
@pytest.mark.parametrize("names", [HOSTILE[:3], HOSTILE])
def test_latex_compiles(tmp_path: Path, names: tuple[str, ...], baseline: str | None) -> None:
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("needs pdflatex")
    table = as_latex(compare(scores_of(names), replace(QUICK, baseline=baseline)), "t_1 & more")
    head = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (tmp_path / "table.tex").write_text(f"{head}{table}\n\\end{{document}}\n", encoding="utf-8")
    finished = subprocess.run(
        [compiler, "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-1500:]
    assert (tmp_path / "table.pdf").stat().st_size > 1000


def printed(comparison: Comparison, width: int, title: str = "pocket") -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, color_system=None)
    print_comparison(console, comparison, title)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("margin", [None, 0.05])
def test_text_has_every_number_whatever_the_width(width: int, margin: float | None) -> None:
    names = ("bm25", "all-minilm-l6-v2", "a-model-with-a-rather-long-name-of-46-characters")
    result = compare(scores_of(names, ("moir", "clir")), replace(QUICK, margin=margin))
    text = printed(result, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for test in result.tests:
        (line,) = (line for line in text.splitlines() if f"{test.difference:+.4f}" in line)
        assert f"{test.ci[0]:+.4f} to {test.ci[1]:+.4f}" in line
        assert f"{test.wins}/{test.ties}/{test.losses}" in line
        assert p_value(test.p_adjusted) in line
        assert ("*" in line) == (test.p_adjusted < 0.05)
        if margin is not None:
            assert line.rstrip().endswith(p_value(test.p_equivalence))
    for found in result.standings.values():
        for standing in found:
            assert any(
                standing.system in line and f"{standing.mean:.4f}  {standing.letters}" in line
                for line in text.splitlines()
            )
    flat = " ".join(text.split())
    assert "pocket, CLIR average, AP (60 questions)" in flat
    assert "B = 999, seed 7, p adjusted by studentised step-down max-T over 6 tests" in flat
    assert "Systems that share a letter are not separated" in flat


def test_text_shows_names_that_look_like_markup() -> None:
    text = printed(compare(scores_of(("[bold]x[/bold]", "[/]", "y\\")), QUICK), 100, "[red]t")
    assert "[bold]x[/bold]" in text
    assert "[/]" in text
    assert "[red]t, CLIR average" in text


def test_text_of_no_bound_and_no_effect_size() -> None:
    text = printed(compare(from_arrays({"A": [1, 1, 1.0], "B": [0.5, 0.5, 0.5]})), 100)
    assert "+0.5000 to +0.5000 - 3/0/0" in " ".join(text.split())
    # All differences are of one size, so a quarter of the sign patterns has the largest t.
    few = compare(from_arrays({"A": [1, 1, 0], "B": [0, 0, 1]}))
    assert few.tests[0].ci is None
    assert "+0.3333 no bound +0.29 2/0/1" in " ".join(printed(few, 100).split())
    (row,) = csv.DictReader(io.StringIO(as_csv(few)))
    assert (row["ci_low"], row["ci_high"]) == ("", "")
    assert as_json(few)["tests"][0]["ci"] is None


def claims(design: Design, settings: tuple[str, ...] = ("moir", "clir")) -> str:
    return " ".join(what_may_be_claimed(compare(scores_of(("A", "B", "C"), settings), design)))


def test_what_may_be_claimed_depends_on_the_correction() -> None:
    t = Design(test="paired-t", correction="holm")
    assert "any mark is false is at most 5%" in claims(QUICK)
    assert "any mark is false is at most 5%" in claims(t)
    assert "exploratory" in claims(replace(t, correction="bh"))
    assert "expect 0.3 false marks" in claims(replace(t, correction="none"))
    assert "lies within 0.1" in claims(replace(QUICK, margin=0.1))
    assert "share a letter" not in claims(replace(QUICK, baseline="A"))


def test_what_holds_in_each_setting_is_not_claimed_of_all() -> None:
    every = compare(scores_of(("A", "B"), ("moir", "clir")), QUICK)
    each = replace(every, design=replace(QUICK, family="setting"))
    assert what_may_be_claimed(each) != what_may_be_claimed(every)
    assert what_intervals_are(each) != what_intervals_are(every)


def test_one_checkpoint_is_no_training_whatever_the_test() -> None:
    # No system has seeds here: the variance between trainings is unknown.
    result = compare(scores_of(("A", "B")), Design(test="seed-t", correction="holm"))
    said = " ".join([*what_may_be_claimed(result), *result.notes])
    assert "not about other trainings" in said or "this checkpoint, not its training" in said


def test_numbers_are_short() -> None:
    assert [number(x) for x in (0.78125, 1.0, 11_999.4)] == ["0.7812", "1.0000", "11,999"]
    assert [p_value(p) for p in (1e-9, 0.0234, 0.5, 1.0)] == ["< .001", ".023", ".500", "1"]
