"""``babelboard evaluate``: measures of a run, as a table and as JSON, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunsCommand

QRELS = "q1 0 d1 1\nq1 0 d2 2\nq2 0 d1 1\nq3 0 d9 1\n"
RUN = """\
q1 Q0 d3 1 0.9 tag
q1 Q0 d2 2 0.8 tag
q1 Q0 d1 3 0.8 tag
q2 Q0 d1 1 3.5 tag
q7 Q0 d1 1 1.0 tag
"""
# q1: d3, then the tied d2 and d1; q2: d1 first; q3 is not in the run; q7 is not judged.
AP = {"q1": (1 / 2 + 2 / 3) / 2, "q2": 1.0, "q3": 0.0}
RR = {"q1": 1 / 2, "q2": 1.0, "q3": 0.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run.txt").write_text(RUN, encoding="utf-8")
    (tmp_path / "qrels.txt").write_text(QRELS, encoding="utf-8")
    return tmp_path


def test_json_holds_means_and_every_judged_query(babelboard: RunsCommand, folder: Path) -> None:
    options = ("--qrels", "qrels.txt", "-m", "AP", "--measure", "RR@10", "--json")
    finished = babelboard("evaluate", "run.txt", *options, cwd=folder)
    assert (finished.returncode, finished.stderr) == (0, "")
    found = json.loads(finished.stdout)
    assert list(found) == ["schema_version", "measures", "per_query"]
    assert found["schema_version"] == 1
    # As trec_eval -c: a query that the run lacks counts 0.
    assert found["measures"] == pytest.approx(
        {"AP": sum(AP.values()) / 3, "RR@10": sum(RR.values()) / 3}
    )
    assert list(found["per_query"]) == ["q1", "q2", "q3"]
    for query, row in found["per_query"].items():
        assert row == pytest.approx({"AP": AP[query], "RR@10": RR[query]})


def test_common_averages_over_the_queries_of_the_run(babelboard: RunsCommand, folder: Path) -> None:
    options = ("--qrels", "qrels.txt", "-m", "AP", "--common", "--json")
    finished = babelboard("evaluate", "run.txt", *options, cwd=folder)
    found = json.loads(finished.stdout)
    assert found["measures"] == pytest.approx({"AP": (AP["q1"] + AP["q2"]) / 2})
    assert list(found["per_query"]) == ["q1", "q2"]


def rows_of(printed: str) -> list[list[str]]:
    return [line.split() for line in printed.splitlines()]


def test_without_options_the_usual_measures_are_printed(
    babelboard: RunsCommand, folder: Path
) -> None:
    finished = babelboard("evaluate", "run.txt", "--qrels", "qrels.txt", cwd=folder)
    assert (finished.returncode, finished.stderr) == (0, "")
    # nDCG@10 of q1: (2 / log2 3 + 1 / log2 4) / (2 / log2 2 + 1 / log2 3) = 0.6697
    assert rows_of(finished.stdout) == [
        ["Query", "AP", "RR@10", "nDCG@10", "R@100"],
        ["all", "3", "0.5278", "0.5000", "0.5566", "0.6667"],
    ]


def test_every_query_is_printed_on_request(babelboard: RunsCommand, folder: Path) -> None:
    options = ("--qrels", "qrels.txt", "-m", "AP", "-m", "P(rel=2)@5", "--per-query")
    finished = babelboard("evaluate", "run.txt", *options, cwd=folder)
    assert rows_of(finished.stdout) == [
        ["Query", "AP", "P(rel=2)@5"],
        ["q1", "0.5833", "0.2000"],
        ["q2", "1.0000", "0.0000"],
        ["q3", "0.0000", "0.0000"],
        ["all", "3", "0.5278", "0.0667"],
    ]


def test_the_values_are_those_of_trec_evals_own_test(babelboard: RunsCommand, data: Path) -> None:
    folder = data / "trec_eval"
    options = ("--qrels", folder / "qrels.test", "-m", "AP", "-m", "RR", "-m", "P@20")
    finished = babelboard("evaluate", folder / "results.test", *options)
    expected = {}
    for line in (folder / "out.test").read_text(encoding="utf-8").splitlines():
        name, _, value = line.split()
        expected[name] = value
    wanted = [expected["map"], expected["recip_rank"], expected["P_20"]]
    assert rows_of(finished.stdout)[-1] == ["all", expected["num_q"], *wanted]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run.txt", "--qrels", "qrels.txt", "-m", "APP"], "Unknown measure: 'APP'. Did you mean"),
        (["run.txt", "--qrels", "qrels.txt", "-m", "AP@'x'"], "Unknown measure: \"AP@'x'\"."),
        (["run.txt", "--qrels", "qrels.txt", "-m", "RankDistance"], "RankDistance needs the size"),
        (["run.txt", "--qrels", "others.txt"], "run.txt and others.txt share no query id."),
        (["run.txt", "--qrels", "others.txt", "--common"], "run.txt and others.txt share no query"),
        (["no.txt", "--qrels", "qrels.txt"], "There is no file no.txt."),
        (["run.txt", "--qrels", "no.txt"], "There is no file no.txt."),
        (["qrels.txt", "--qrels", "qrels.txt"], "qrels.txt:1: 4 columns, expected 6: query_id Q0"),
        (["picture.png", "--qrels", "qrels.txt"], "picture.png is not a text file in UTF-8"),
        ([".", "--qrels", "qrels.txt"], ". is not a text file in UTF-8"),
    ],
)
def test_bad_input_ends_with_one_message(
    babelboard: RunsCommand, folder: Path, arguments: list[str], message: str
) -> None:
    (folder / "others.txt").write_text("z1 0 d1 1\n", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\xff")
    finished = babelboard("evaluate", *arguments, cwd=folder)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"babelboard: {message}")
    assert finished.stderr.count("\n") == 1


def test_judgments_must_be_named(babelboard: RunsCommand, folder: Path) -> None:
    finished = babelboard("evaluate", "run.txt", cwd=folder)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "Missing option '--qrels'" in finished.stderr
    assert "Traceback" not in finished.stderr
