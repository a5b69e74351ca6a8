"""``babelboard compare`` on entries, runs and tables: every form of output, what is refused."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

if TYPE_CHECKING:
    from conftest import RunsCommand

ROOT = Path(__file__).parents[1]
ENTRIES = ROOT / "submissions" / "entries"
THREE = ("bm25", "char-ngram", "all-minilm-l6-v2")


def committed_scores(entry: str, task: str) -> dict[str, Any]:
    """The means that the entry keeps for readers without Parquet."""
    text = (ENTRIES / entry / "scores" / f"{task}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def reciprocal_ranks(entry: str, task: str, setting: str, cutoff: int) -> dict[str, float]:
    """RR of every question of a setting, from the rank file as any reader sees it."""
    rows = pq.read_table(
        ENTRIES / entry / "ranks" / f"{task}.parquet", filters=[("setting", "=", setting)]
    ).to_pylist()
    found = {row["question_id"]: 0.0 for row in rows}
    for row in rows:
        if row["relevance"] > 0 and row["rank"] is not None and row["rank"] <= cutoff:
            found[row["question_id"]] = max(found[row["question_id"]], 1 / row["rank"])
    return found


@pytest.fixture(scope="module")
def three_on_pocket(babelboard: RunsCommand) -> dict[str, Any]:
    """The class averages of three systems on pocket, as JSON."""
    finished = babelboard("compare", *THREE, "--task", "pocket", "--format", "json", cwd=ROOT)
    assert (finished.returncode, finished.stderr) == (0, "")
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def test_json_names_the_family_and_every_test_of_it(three_on_pocket: dict[str, Any]) -> None:
    found = three_on_pocket
    assert {key: found[key] for key in ("schema_version", "unit", "of", "measure", "alpha")} == {
        "schema_version": 1,
        "unit": "question",
        "of": "pocket",
        "measure": "AP",
        "alpha": 0.05,
    }
    assert found["family"] == {"size": 9, "scope": "all", "correction": "max-t"}
    pairs = [("bm25", "char-ngram"), ("bm25", "all-minilm-l6-v2")]
    pairs.append(("char-ngram", "all-minilm-l6-v2"))
    assert [(test["setting"], test["a"], test["b"]) for test in found["tests"]] == [
        (kind, *pair) for kind in ("moir", "clir", "mlir") for pair in pairs
    ]
    for test in found["tests"]:
        assert list(test) == [
            *("a", "b", "setting", "n", "mean_a", "mean_b", "difference", "ci", "p", "p_setting"),
            *("p_adjusted", "effect_size", "wins", "ties", "losses", "p_equivalence", "test"),
            *("resamples", "exact", "seed"),
        ]
        # The unit is the question, however many languages ask it.
        assert test["n"] == test["wins"] + test["ties"] + test["losses"] == 75
        assert test["difference"] == pytest.approx(test["mean_a"] - test["mean_b"])
        assert 0 < test["p"] <= test["p_setting"] <= test["p_adjusted"] <= 1
        low, high = test["ci"]
        assert low < test["difference"] < high
        # An interval that leaves 0 out is significant; step-down tests may find more.
        assert not (low > 0 or high < 0) or test["p_adjusted"] < 0.05
        assert (test["test"], test["resamples"], test["exact"], test["seed"]) == (
            "sign-flip", 100_000, False, 0,
        )  # fmt: skip


def test_means_are_the_averages_over_questions_that_the_entries_publish(
    three_on_pocket: dict[str, Any],
) -> None:
    for test in three_on_pocket["tests"]:
        for side in ("a", "b"):
            published = committed_scores(test[side], "pocket")["classes"][test["setting"]]["AP"]
            assert test[f"mean_{side}"] == pytest.approx(
                published["micro_over_questions"], abs=1e-9
            )


def test_systems_share_a_letter_unless_their_test_separates_them(
    three_on_pocket: dict[str, Any],
) -> None:
    letters = three_on_pocket["letters"]
    assert list(letters) == ["moir", "clir", "mlir"]
    for test in three_on_pocket["tests"]:
        a, b = (set(letters[test["setting"]][test[side]]) for side in ("a", "b"))
        assert bool(a & b) == (test["p_adjusted"] >= 0.05)
    means = {(t["setting"], t[s]): t[f"mean_{s}"] for t in three_on_pocket["tests"] for s in "ab"}
    for kind, found in letters.items():
        assert list(found) == sorted(found, key=lambda name: -means[kind, name])


def test_one_setting_gives_the_t_test_of_scipy(babelboard: RunsCommand) -> None:
    options = ("--task", "mlqa-r", "--measure", "RR@10", "--settings", "clir/de-es")
    options = (*options, "--test", "paired-t")
    finished = babelboard("compare", "char-ngram", "bm25", *options, "--format", "json", cwd=ROOT)
    found = json.loads(finished.stdout)
    assert found["family"]["size"] == 1
    (test,) = found["tests"]
    a, b = (reciprocal_ranks(e, "mlqa-r", "clir/de-es", 10) for e in ("char-ngram", "bm25"))
    assert list(a) == list(b)
    # Not every German question has an answer in Spanish.
    assert test["n"] == len(a) == committed_scores("bm25", "mlqa-r")["settings"]["clir/de-es"]["n"]
    assert test["n"] < 500
    expected = stats.ttest_rel(list(a.values()), list(b.values()))
    differences = np.array(list(a.values())) - np.array(list(b.values()))
    assert test["p"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert test["ci"] == pytest.approx(list(expected.confidence_interval(0.95)))
    assert test["mean_a"] == pytest.approx(np.mean(list(a.values())))
    assert test["mean_b"] == pytest.approx(np.mean(list(b.values())))
    assert test["wins"] == (differences > 0).sum()
    assert test["losses"] == (differences < 0).sum()


def test_globs_name_settings_and_kinds_name_their_averages(babelboard: RunsCommand) -> None:
    options = ("--task", "pocket", "--settings", "clir/*-de", "--settings", "mlir")
    finished = babelboard(
        *("compare", *THREE, *options, "--baseline", "bm25", "--format", "json"), cwd=ROOT
    )
    found = json.loads(finished.stdout)
    named = list(dict.fromkeys(test["setting"] for test in found["tests"]))
    assert len(named) == 11
    assert named[-1] == "mlir"
    assert all(name.startswith("clir/") and name.endswith("-de") for name in named[:-1])
    assert found["family"]["size"] == len(found["tests"]) == 11 * 2
    assert {test["b"] for test in found["tests"]} == {"bm25"}
    assert found["letters"] == {}


def test_the_printed_tables_show_means_differences_and_what_they_mean(
    babelboard: RunsCommand, three_on_pocket: dict[str, Any]
) -> None:
    finished = babelboard("compare", *THREE, "--task", "pocket", cwd=ROOT, env={"COLUMNS": "120"})
    assert (finished.returncode, finished.stderr) == (0, "")
    printed = finished.stdout
    lines = [line.split() for line in printed.splitlines()]
    for kind in ("MoIR", "CLIR", "MLIR"):
        assert f"pocket, {kind} average, AP (75 questions)" in printed
    for test in three_on_pocket["tests"]:
        letters = three_on_pocket["letters"][test["setting"]]
        for side in ("a", "b"):
            name = test[side]
            best, worst = three_on_pocket["ranks"][test["setting"]][name]
            ranks = ["rank", str(best)] + (["to", str(worst)] if worst > best else [])
            assert [name, f"{test[f'mean_{side}']:.4f}", letters[name], *ranks] in lines
        (row,) = (line for line in lines if f"{test['difference']:+.4f}" in line)
        low, high = test["ci"]
        p = test["p_adjusted"]
        assert row == [
            *(test["a"], "-", test["b"], f"{test['difference']:+.4f}"),
            *(f"{low:+.4f}", "to", f"{high:+.4f}", f"{test['effect_size']:+.2f}"),
            f"{test['wins']}/{test['ties']}/{test['losses']}",
            *(["<", ".001"] if p < 0.001 else ["1"] if p == 1 else [f"{p:.3f}".lstrip("0")]),
            *(["*"] if p < 0.05 else []),
        ]
    flat = " ".join(printed.split())
    assert "sign-flip randomisation test over questions, B = 100,000, seed 0" in flat
    assert "p adjusted by studentised step-down max-T over 9 tests" in flat
    assert "* marks p adj. < 0.05:" in printed
    assert "Systems that share a letter are not separated" in printed
    assert "not about other trainings of the same models" in printed


def test_rank_distance_is_ordered_with_the_least_biased_first(babelboard: RunsCommand) -> None:
    options = ("--task", "pocket", "--measure", "RankDistance", "--alpha", "0.01")
    finished = babelboard("compare", "char-ngram", "bm25", *options, cwd=ROOT)
    lines = [line.split() for line in finished.stdout.splitlines()]
    means = {
        name: committed_scores(name, "pocket")["classes"]["mlir"]["RankDistance"]
        for name in ("bm25", "char-ngram")
    }
    best_first = sorted(means, key=lambda name: means[name]["micro_over_questions"])
    assert [line[0] for line in lines[1:3]] == best_first
    assert [line[1] for line in lines[1:3]] == [
        f"{means[name]['micro_over_questions']:,.0f}" for name in best_first
    ]
    # It is defined for pools of several languages only.
    assert "MoIR" not in finished.stdout
    assert "99% interval" in finished.stdout


def test_a_folder_is_an_entry_and_a_task_that_all_share_alone_need_not_be_named(
    babelboard: RunsCommand, tmp_path: Path
) -> None:
    (tmp_path / "mine" / "ranks").mkdir(parents=True)
    shutil.copy(ENTRIES / "bm25" / "ranks" / "pocket.parquet", tmp_path / "mine" / "ranks")
    arguments = ("compare", tmp_path / "mine", "bm25", "--entries", ENTRIES)
    finished = babelboard(*arguments, "--baseline", "bm25", "--format", "json")
    assert (finished.returncode, finished.stderr) == (0, "")
    found = json.loads(finished.stdout)
    assert found["of"] == "pocket"
    assert {(t["a"], t["b"], t["p"], t["ties"]) for t in found["tests"]} == {
        ("mine", "bm25", 1.0, 75)
    }


def test_the_same_command_gives_the_same_p_alone_and_among_others(
    babelboard: RunsCommand, three_on_pocket: dict[str, Any]
) -> None:
    options = ("--task", "pocket", "--settings", "clir", "--format", "json")
    finished = babelboard("compare", "all-minilm-l6-v2", "bm25", *options, cwd=ROOT)
    (test,) = json.loads(finished.stdout)["tests"]
    (among,) = (
        t
        for t in three_on_pocket["tests"]
        if (t["a"], t["b"], t["setting"]) == ("bm25", "all-minilm-l6-v2", "clir")
    )
    assert test["p"] == among["p"]


EXAMPLES = ROOT / "docs" / "examples"


def test_a_table_of_scores_in_every_form(babelboard: RunsCommand) -> None:
    table = EXAMPLES / "scores.csv"
    finished = babelboard("compare", table, "--format", "json")
    found = json.loads(finished.stdout)
    assert (found["of"], found["measure"]) == ("scores", "score")
    assert [(t["setting"], t["n"], t["exact"]) for t in found["tests"]] == [
        ("en-de", 5, True),
        ("de-en", 5, True),
    ]
    # Three gains of three, and three gains with one loss that is the smallest.
    assert [t["p"] for t in found["tests"]] == [0.25, 0.25]
    finished = babelboard("compare", table, "--format", "csv", "-m", "RR")
    rows = list(csv.DictReader(io.StringIO(finished.stdout)))
    assert [float(row["p"]) for row in rows] == [0.25, 0.25]
    finished = babelboard("compare", table, "--format", "latex", "-m", "RR")
    assert finished.stdout.startswith("\\begin{table}")
    assert "scores, RR, 5 questions" in finished.stdout
    finished = babelboard("compare", table, env={"COLUMNS": "80"})
    assert "scores, de-en, score (5 questions)" in finished.stdout
    assert (finished.returncode, finished.stderr) == (0, "")


def test_runs_are_compared_on_all_judged_queries(babelboard: RunsCommand, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("q1 Q0 de_7_0 1 2 x\nq1 Q0 de_3_1 2 1 x\n", encoding="utf-8")
    arguments = ("compare", EXAMPLES / "run.txt", other, "--qrels", EXAMPLES / "qrels.txt")
    finished = babelboard(*arguments, "--format", "json")
    assert (finished.returncode, finished.stderr) == (0, "")
    found = json.loads(finished.stdout)
    assert (found["measure"], found["of"]) == ("AP", "qrels")
    (test,) = found["tests"]
    assert (test["a"], test["b"], test["n"]) == ("run", "other", 2)
    assert test["mean_a"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2)
    # The run that lacks q2 has 0 there.
    assert test["mean_b"] == pytest.approx(1 / 2)


def test_seeds_are_one_system(babelboard: RunsCommand) -> None:
    sources = ("mine=bm25,char-ngram", "all-minilm-l6-v2")
    options = ("--task", "pocket", "--settings", "clir", "--format", "json")
    finished = babelboard("compare", *sources, *options, cwd=ROOT)
    assert (finished.returncode, finished.stderr) == (0, "")
    found = json.loads(finished.stdout)
    (test,) = found["tests"]
    assert (test["a"], test["b"], test["test"]) == ("mine", "all-minilm-l6-v2", "seed-t")
    means = [committed_scores(e, "pocket")["classes"]["clir"]["AP"] for e in THREE[:2]]
    expected = np.mean([mean["micro_over_questions"] for mean in means])
    assert test["mean_a"] == pytest.approx(expected, abs=1e-9)
    assert "seeds: mine 2, all-minilm-l6-v2 1" in found["notes"][0]


@pytest.mark.parametrize("test", ["sign-flip-exact", "wilcoxon", "tukey", "mcnemar", "seed-t"])
def test_every_test_runs_on_entries(babelboard: RunsCommand, test: str) -> None:
    measure = "Success@1" if test == "mcnemar" else "RR@10"
    options = ("--task", "pocket", "--settings", "moir/de-de", "--resamples", "999")
    finished = babelboard(
        *("compare", *THREE, *options, "--test", test, "-m", measure, "--format", "json"), cwd=ROOT
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    found = json.loads(finished.stdout)
    assert found["family"]["correction"] == ("tukey" if test == "tukey" else "holm")
    assert {t["test"] for t in found["tests"]} == {test}
    assert all(0 < t["p"] <= 1 for t in found["tests"])


def test_missing_scores_are_noted_or_refused(babelboard: RunsCommand, tmp_path: Path) -> None:
    table = tmp_path / "gaps.csv"
    table.write_text("question_id,A,B\nq1,1,0\nq2,,1\nq3,0,1\nq4,1,\nq5,1,0.5\n", "utf-8")
    finished = babelboard("compare", table)
    assert "(3 questions)" in finished.stdout
    assert "Note: Some systems lack questions that others have (A lacks 1, B lacks 1)" in " ".join(
        finished.stdout.split()
    )
    finished = babelboard("compare", table, "--strict")
    assert finished.returncode == 2
    assert "'A' lacks 1 questions of 'all'" in finished.stderr


def test_a_baseline_may_be_a_system_with_a_slash(babelboard: RunsCommand, tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    table.write_text("question_id,org/model,mine\nq1,1,0\nq2,0,1\nq3,0,1\n", "utf-8")
    finished = babelboard("compare", table, "--baseline", "org/model", "--format", "csv")
    assert (finished.returncode, finished.stderr) == (0, "")


def test_settings_of_a_table_are_chosen_or_the_option_is_refused(babelboard: RunsCommand) -> None:
    arguments = ("compare", EXAMPLES / "scores.csv", "--settings", "en-de", "--format", "json")
    finished = babelboard(*arguments)
    # To take everything, and say nothing, would be another family than was asked for.
    if finished.returncode == 0:
        assert {t["setting"] for t in json.loads(finished.stdout)["tests"]} == {"en-de"}
    else:
        assert finished.returncode == 2
        assert "--settings" in finished.stderr


TABLE = str(EXAMPLES / "scores.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bm25", "chargram"], "Unknown entry: 'chargram'. Did you mean char-ngram?"),
        (["bm25", "./tests"], "Unknown entry: './tests'."),
        (["bm25", "submissions/entries/bm25"], "The system 'bm25' is named twice."),
        (
            ["bm25", "char-ngram"],
            "Choose a task with --task: the entries share mlqa-r, pocket, xquad-r",
        ),
        (
            ["bm25", "char-ngram", "--task", "pokcet"],
            "Unknown task that the entries share: 'pokcet'. Did you mean pocket?",
        ),
        (["bm25", "--task", "pocket"], "A comparison needs at least two systems, found 1: bm25."),
        (
            ["bm25", "char-ngram", "--task", "pocket", "--settings", "clir/de-cn"],
            "Unknown setting: 'clir/de-cn'. Did you mean clir/de-",
        ),
        (
            ["bm25", "char-ngram", "--task", "pocket", "--measure", "nDGC@10"],
            "Unknown measure: 'nDGC@10'. Did you mean nDCG@10",
        ),
        (
            [TABLE, "--test", "wilcoxon", "--correction", "max-t"],
            "The correction max-t goes with the test sign-flip, not with wilcoxon; choose",
        ),
        (
            [TABLE, "--test", "tukey", "--baseline", "zero-shot"],
            "Tukey's test compares all pairs; leave the baseline out.",
        ),
        ([TABLE, "--baseline", "zeroshot"], "Unknown baseline: 'zeroshot'. Did you mean zero-shot"),
        ([TABLE, "--alpha", "0"], "alpha must be between 0 and 1, found 0."),
        ([TABLE, "--resamples", "19"], "With 19 resamples no corrected p-value of"),
        ([TABLE, "--seed", str(2**64)], "The seed must be from 0 to 2^64 - 1"),
        ([TABLE, "--equivalence-margin", "0"], "The equivalence margin must be above 0, found 0."),
        ([TABLE, TABLE], "One CSV holds all systems, a column each; found several files."),
        (["none.csv"], "There is no file none.csv."),
        (["docs/examples/run.txt", "bm25"], "docs/examples/run.txt is a file: a TREC run needs"),
        (
            ["docs/examples/run.txt", "--qrels", "docs/examples/qrels.txt"],
            "A comparison needs at least two systems, found 1: run.",
        ),
        (["=bm25", "char-ngram", "--task", "pocket"], "Seeds are given as NAME=ENTRY,ENTRY"),
        (["x=bm25", "y=bm25", "--task", "pocket"], "The entry 'bm25' is named twice."),
        (["x=", "char-ngram", "--task", "pocket"], "Seeds are given as NAME=ENTRY,ENTRY"),
    ],
)
def test_bad_input_ends_with_one_message(
    babelboard: RunsCommand, arguments: list[str], message: str
) -> None:
    finished = babelboard("compare", *arguments, cwd=ROOT)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"babelboard: {message}")
    assert finished.stderr.count("\n") == 1


def test_entries_that_cannot_be_compared_are_refused(
    babelboard: RunsCommand, tmp_path: Path
) -> None:
    for name, task in (("mine", "pocket"), ("yours", "mlqa-r"), ("broken", "pocket")):
        (tmp_path / name / "ranks").mkdir(parents=True)
        shutil.copy(ENTRIES / "bm25" / "ranks" / f"{task}.parquet", tmp_path / name / "ranks")
    finished = babelboard("compare", "mine", "yours", "--entries", tmp_path)
    assert finished.returncode == 2
    assert finished.stderr == "babelboard: No task was scored for all of mine, yours.\n"
    path = tmp_path / "broken" / "ranks" / "pocket.parquet"
    path.write_bytes(path.read_bytes()[:1000])
    finished = babelboard("compare", "mine", "broken", "--entries", tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"babelboard: {path} cannot be read as Parquet")
    assert "Traceback" not in finished.stderr
