"""``babelboard compare`` on the committed entries: JSON, the printed tables, what is refused."""

from __future__ import annotations

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
    assert {key: found[key] for key in ("schema_version", "unit", "task", "measure", "alpha")} == {
        "schema_version": 1,
        "unit": "question",
        "task": "pocket",
        "measure": "AP",
        "alpha": 0.05,
    }
    assert found["family"] == {"size": 9, "correction": "bonferroni"}
    pairs = [("bm25", "char-ngram"), ("bm25", "all-minilm-l6-v2")]
    pairs.append(("char-ngram", "all-minilm-l6-v2"))
    assert [(test["setting"], test["a"], test["b"]) for test in found["tests"]] == [
        (kind, *pair) for kind in ("moir", "clir", "mlir") for pair in pairs
    ]
    for test in found["tests"]:
        assert list(test) == [
            *("a", "b", "setting", "n", "mean_a", "mean_b", "difference", "ci", "p", "p_adjusted"),
            *("effect_size", "wins", "ties", "losses", "test", "resamples", "exact", "seed"),
        ]
        # The unit is the question, however many languages ask it.
        assert test["n"] == test["wins"] + test["ties"] + test["losses"] == 75
        assert test["difference"] == pytest.approx(test["mean_a"] - test["mean_b"])
        assert test["p_adjusted"] == pytest.approx(min(1, 9 * test["p"]))
        low, high = test["ci"]
        assert low < test["difference"] < high
        assert (low > 0 or high < 0) == (test["p_adjusted"] < 0.05)
        assert (test["test"], test["resamples"], test["exact"], test["seed"]) == (
            "paired t", None, False, None,
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
        assert [test["a"], f"{test['mean_a']:.4f}", letters[test["a"]]] in lines
        assert [test["b"], f"{test['mean_b']:.4f}", letters[test["b"]]] in lines
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
    assert "Paired t-tests over questions, Bonferroni over 9 tests" in printed
    assert "* marks p adj. < 0.05." in printed
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
    assert found["task"] == "pocket"
    assert {(t["a"], t["b"], t["p"], t["ties"]) for t in found["tests"]} == {
        ("mine", "bm25", 1.0, 75)
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bm25", "chargram"], "Unknown entry: 'chargram'. Did you mean char-ngram?"),
        (["bm25", "./tests"], "Unknown entry: './tests'."),
        (["bm25", "submissions/entries/bm25"], "The entry 'bm25' is named twice."),
        (
            ["bm25", "char-ngram"],
            "Choose a task with --task: the entries share mlqa-r, pocket, xquad-r",
        ),
        (["bm25", "char-ngram", "--task", "pokcet"], "There is no rank file"),
        (["bm25", "--task", "pocket"], "A comparison needs at least two systems, found 1."),
        (
            ["bm25", "char-ngram", "--task", "pocket", "--settings", "clir/de-cn"],
            "Unknown setting: 'clir/de-cn'. Did you mean clir/de-",
        ),
        (
            ["bm25", "char-ngram", "--task", "pocket", "--measure", "nDGC@10"],
            "Unknown measure: 'nDGC@10'. Did you mean nDCG@10",
        ),
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
