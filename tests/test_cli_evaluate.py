"""``babelboard evaluate``: measures of a run, as a table and as JSON, and what is refused."""

from __future__ import annotations

import gzip
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
    assert finished.returncode == 0
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
    assert finished.stderr == ""
    found = json.loads(finished.stdout)
    assert found["measures"] == pytest.approx({"AP": (AP["q1"] + AP["q2"]) / 2})
    assert list(found["per_query"]) == ["q1", "q2"]


def test_queries_that_the_run_lacks_are_told(babelboard: RunsCommand, folder: Path) -> None:
    finished = babelboard("evaluate", "run.txt", "--qrels", "qrels.txt", cwd=folder)
    assert finished.stderr == (
        "1 of 3 queries of the qrels are not in the run, such as q3: they count 0 (--common leaves "
        "them out).\n"
    )


def test_counts_are_summed_and_whole(babelboard: RunsCommand, folder: Path) -> None:
    names = ("NumQ", "NumRel", "NumRet", "NumRelRet", "NumRet(rel=2)")
    asked = [part for name in names for part in ("-m", name)]
    finished = babelboard(
        "evaluate", "run.txt", "--qrels", "qrels.txt", "--json", *asked, cwd=folder
    )
    found = json.loads(finished.stdout)
    assert found["measures"] == dict(zip(names, [3, 4, 4, 3, 1], strict=True))
    assert found["per_query"]["q1"] == dict(zip(names, [1, 2, 3, 2, 1], strict=True))
    assert {type(value) for value in found["measures"].values()} == {int}


def test_trec_evals_lines(babelboard: RunsCommand, folder: Path) -> None:
    asked = ("--qrels", "qrels.txt", "-m", "AP", "-m", "NumRet", "--format", "trec")
    assert babelboard("evaluate", "run.txt", *asked, cwd=folder).stdout == (
        "AP                    \tall\t0.5278\nNumRet                \tall\t4\n"
    )
    printed = babelboard("evaluate", "run.txt", *asked, "-q", cwd=folder).stdout
    assert [line.split("\t")[1:] for line in printed.splitlines()] == [
        *(["q1", "0.5833"], ["q1", "3"], ["q2", "1.0000"], ["q2", "1"]),
        *(["q3", "0.0000"], ["q3", "0"], ["all", "0.5278"], ["all", "4"]),
    ]


def test_json_is_one_of_the_forms(babelboard: RunsCommand, folder: Path) -> None:
    asked = ("evaluate", "run.txt", "--qrels", "qrels.txt")
    printed = [
        babelboard(*asked, *options, cwd=folder).stdout
        for options in (("--json",), ("--format", "json"), ("--json", "--format", "json"))
    ]
    assert json.loads(printed[0])["schema_version"] == 1
    assert printed[0] == printed[1] == printed[2]
    refused = babelboard(*asked, "--json", "--format", "trec", cwd=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("babelboard: --json and --format trec are two forms")


def test_a_wide_table_is_not_cut_and_ids_are_no_markup(
    babelboard: RunsCommand, folder: Path
) -> None:
    names = [f"P@{k}" for k in range(1, 30)]
    (folder / "marked.txt").write_text("[bold]q 0 d 1\n:smile: 0 d 1\n", encoding="utf-8")
    (folder / "found.txt").write_text("[bold]q Q0 d 1 1 t\n:smile: Q0 d 1 1 t\n", encoding="utf-8")
    asked = ("--qrels", "marked.txt", "-q", *(part for name in names for part in ("-m", name)))
    finished = babelboard("evaluate", "found.txt", *asked, cwd=folder)
    shown = [f"{1 / k:.4f}" for k in range(1, 30)]
    assert rows_of(finished.stdout) == [
        ["Query", *names],
        ["[bold]q", *shown],
        [":smile:", *shown],
        ["all", "2", *shown],
    ]


def test_gzip_and_unknown_documents_are_fine(babelboard: RunsCommand, folder: Path) -> None:
    (folder / "run.txt.gz").write_bytes(gzip.compress(RUN.encode()))
    (folder / "qrels.gz").write_bytes(gzip.compress(QRELS.encode()))
    asked = ("-m", "AP", "-m", "Judged@1")
    plain = babelboard("evaluate", "run.txt", "--qrels", "qrels.txt", *asked, cwd=folder)
    packed = babelboard("evaluate", "run.txt.gz", "--qrels", "qrels.gz", *asked, cwd=folder)
    assert plain.stdout == packed.stdout
    # d3 heads the ranking of q1 and is in no qrels.
    assert rows_of(plain.stdout)[-1] == ["all", "3", "0.5278", "0.3333"]


def rows_of(printed: str) -> list[list[str]]:
    return [line.split() for line in printed.splitlines()]


def test_without_options_the_usual_measures_are_printed(
    babelboard: RunsCommand, folder: Path
) -> None:
    finished = babelboard("evaluate", "run.txt", "--qrels", "qrels.txt", cwd=folder)
    assert finished.returncode == 0
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
        (["picture.png", "--qrels", "qrels.txt"], "picture.png:1: not a text file in UTF-8"),
        ([".", "--qrels", "qrels.txt"], ". is a folder; expected a file."),
        (
            ["run.txt", "--qrels", "qrels.txt", "-m", "map"],
            "Unknown measure: 'map'. Did you mean AP",
        ),
        (["twice.txt", "--qrels", "qrels.txt"], "twice.txt:6: query 'q1' is there twice"),
        (["short.gz", "--qrels", "qrels.txt"], "short.gz:5: the gzip file is cut short or damaged"),
        (["marco.tsv", "--qrels", "qrels.txt"], "marco.tsv:1: 3 columns, expected 6: query_id Q0 "),
    ],
)
def test_bad_input_ends_with_one_message(
    babelboard: RunsCommand, folder: Path, arguments: list[str], message: str
) -> None:
    (folder / "others.txt").write_text("z1 0 d1 1\n", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\xff")
    (folder / "twice.txt").write_text(RUN + RUN, encoding="utf-8")
    (folder / "marco.tsv").write_text("q1\td1\t1\n", encoding="utf-8")
    (folder / "short.gz").write_bytes(gzip.compress(RUN.encode())[:-10])
    finished = babelboard("evaluate", *arguments, cwd=folder)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"babelboard: {message}")
    assert finished.stderr.count("\n") == 1


def test_judgments_must_be_named(babelboard: RunsCommand, folder: Path) -> None:
    finished = babelboard("evaluate", "run.txt", cwd=folder)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "Missing option '--qrels'" in finished.stderr
    assert "Traceback" not in finished.stderr
