"""``submit check``: what it prints for people, where it finds lines, and what it lets pass."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from harness.ranks import read_ranks
from submissions.checks.entry_check import Surroundings, check_entry
from submissions.checks.other_entries import skeleton
from submissions.checks.problems import Problem, Problems, shown
from submissions.checks.score_checks import check_scores
from submissions.checks.toml_lines import key_lines, line_of
from submissions.structured_text import parse_json, parse_toml
from tasks.errors import StructureError

if TYPE_CHECKING:
    from conftest import RunsCommand

OURS = Path(__file__).parents[1] / "submissions" / "entries"
SHARES = "language_shares/mlqa-r.json"


@pytest.mark.parametrize("name", ["char-ngram", "colbert-xm-2024-dpr-x", "zero-shot-seed-1"])
def test_our_own_entries_have_no_errors(name: str, data: Path) -> None:
    found = check_entry(OURS / name, Surroundings(OURS, data))
    assert [one for one in found.found if one.severity == "error"] == []
    assert {one.code for one in found.found} <= {"W001"}


def test_without_the_data_ids_are_not_compared(babelboard: RunsCommand) -> None:
    done = babelboard("submit", "check", OURS / "char-ngram", "--json")
    assert done.returncode == 0
    (found,) = json.loads(done.stdout)["entries"]
    assert {one["code"] for one in found["problems"]} == {"W001", "W005"}
    assert "xquad-r" in json.dumps(found["problems"])


def test_people_read_a_block_for_each_problem(tmp_path: Path, babelboard: RunsCommand) -> None:
    folder = shutil.copytree(OURS / "lareqa-2020-mbert-x-y", tmp_path / "lareqa-2020-mbert-x-y")
    done = babelboard("submit", "check", folder)
    assert (done.returncode, done.stdout) == (0, f"{folder}: nothing is wrong\n")
    text = (folder / "reported.toml").read_text("utf-8")
    (folder / "reported.toml").write_text(text.replace('kind = "', 'kind = "x', 1), "utf-8")
    line = text[: text.index('kind = "')].count("\n") + 1
    done = babelboard("submit", "check", folder)
    assert done.returncode == 1
    head, _, code, meaning, found, allowed, fix = done.stdout.splitlines()
    assert head == f"{folder}: 1 error"
    assert code == f"  E022 reported.toml:{line} model.kind"
    assert meaning == "    A value that is not allowed"
    assert found == "    found:   'xdense'"
    assert allowed.startswith("    allowed: dense, sparse, ")
    assert fix == "    fix:     Did you mean dense?"


def test_the_group_names_its_commands_and_loads_none(babelboard: RunsCommand) -> None:
    before = set(sys.modules)
    done = babelboard("submit", "--help")
    assert done.returncode == 0
    for name in ("new", "check", "verify", "pack"):
        assert name in done.stdout
    assert not {m for m in set(sys.modules) - before if m.startswith("submissions.cli.submit_")}
    assert babelboard("submit", "chekc").returncode == 2


# What follows from ranks, on an entry of ours with language shares.


@pytest.fixture
def sharing(tmp_path: Path) -> Path:
    """An entry with the smaller of its runs alone."""
    folder = tmp_path / "zero-shot-seed-1"
    for path in ("ranks/mlqa-r.parquet", "scores/mlqa-r.json", SHARES):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(OURS / folder.name / path, folder / path)
    content = tomllib.loads((OURS / folder.name / "submission.toml").read_text("utf-8"))
    content["runs"] = {"mlqa-r": content["runs"]["mlqa-r"]}
    (folder / "submission.toml").write_text(tomli_w.dumps(content), "utf-8")
    return folder


def change_shares(folder: Path, change: Any) -> list[Problem]:
    content = json.loads((folder / SHARES).read_text("utf-8"))
    change(content)
    (folder / SHARES).write_text(json.dumps(content), "utf-8")
    manifest = tomllib.loads((folder / "submission.toml").read_text("utf-8"))
    sha256 = hashlib.sha256((folder / SHARES).read_bytes()).hexdigest()
    manifest["runs"]["mlqa-r"]["shares"] = sha256
    (folder / "submission.toml").write_text(tomli_w.dumps(manifest), "utf-8")
    return [one for one in check_entry(folder).found if one.path == SHARES]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["rows"][0].update(queries=c["rows"][0]["queries"] + 1), "queries of mlir/"),
        (lambda c: c["rows"][0].update(setting="mlir/ru-xx"), "mlir/ru-xx asked in"),
        (lambda c: c["rows"][0]["shares"].update(de=0.99), "must sum to 1"),
        (lambda c: c.update(task="xquad-r"), "'xquad-r'"),
        (
            lambda c: (
                c["languages"].append("xx"),
                [row["shares"].update(xx=0.0) for row in c["rows"]],
            ),
            "the language xx",
        ),
    ],
    ids=["more-queries", "unknown-setting", "sum", "task", "language"],
)
def test_shares_that_cannot_be_are_an_error(sharing: Path, change: Any, said: str) -> None:
    first, *_ = change_shares(sharing, change)
    assert first.code == "E063"
    assert said in first.found


def test_shares_that_can_be_are_fine(sharing: Path) -> None:
    assert change_shares(sharing, lambda _: None) == []


def test_a_run_that_is_not_whole_is_a_warning_until_it_says_it_is(
    babelboard: RunsCommand, tmp_path: Path
) -> None:
    options = ("--task", "pocket", "--settings", "moir/*", "--entry", "part", "--entries", tmp_path)
    assert babelboard("score", "bm25", *options).returncode == 0
    found = check_entry(tmp_path / "part").found
    assert {one.code for one in found} == {"W001", "W008"}
    (missing,) = (one for one in found if one.code == "W008")
    assert "clir/ar-de" in missing.found
    manifest = tmp_path / "part" / "submission.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("complete = false", "complete = true"))
    assert "E045" in {one.code for one in check_entry(tmp_path / "part").found}


FLAGS = 'schema_version = 1\n[[flags]]\nflag = "{}"\ndate = 2026-11-01\nreason = "x"\n'


def test_the_files_beside_a_manifest_are_read_by_their_readers(sharing: Path) -> None:
    (sharing / "history").mkdir()
    (sharing / "history" / "mlqa-r.json").write_text("[]")
    (sharing / "status.toml").write_text(FLAGS.format("deleted"))
    (sharing / "verification.toml").write_text('schema_version = 1\ntasks = "all"\n')
    found = {(one.code, one.path) for one in check_entry(sharing).found}
    assert found - {("W005", "ranks/mlqa-r.parquet")} == {
        ("E022", "history/mlqa-r.json"),
        ("E022", "status.toml"),
        ("E022", "verification.toml"),
        ("W001", "about.toml"),
        ("W010", "status.toml"),
        ("W010", "verification.toml"),
    }


def test_a_form_that_a_task_does_not_have_is_named(sharing: Path) -> None:
    path = sharing / "submission.toml"
    text = path.read_text("utf-8").replace("[runs.mlqa-r", '[runs."mlqa-r+paper-draw"')
    path.write_text(text, "utf-8")
    (one,) = (one for one in check_entry(sharing).found if one.code == "E024")
    assert "sentence+context" in one.fix


def test_data_that_are_damaged_are_not_compared(sharing: Path, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "data" / "mlqa-r"
    other.mkdir(parents=True)
    for file in (data / "mlqa-r").glob("*.json"):
        shutil.copy(file, other)
    (other / "de.json").write_text("{}")
    found = check_entry(sharing, Surroundings(None, tmp_path / "data")).found
    (one,) = (one for one in found if one.code == "W005")
    assert "not the file" in one.found


def test_an_entry_that_was_only_begun_lacks_its_runs(tmp_path: Path) -> None:
    folder = tmp_path / "begun"
    folder.mkdir()
    about = {
        "schema_version": 1,
        "id": "begun",
        "name": "Begun",
        "contact": "Jane Doe",
        "licence": "MIT",
        "model": {"source": "org/model"},
        "method": {},
    }
    (folder / "about.toml").write_text(tomli_w.dumps(about))
    assert [(one.code, one.path) for one in check_entry(folder).found] == [
        ("E009", "submission.toml")
    ]


def test_a_dense_model_that_nobody_can_name_is_a_warning(sharing: Path) -> None:
    path = sharing / "submission.toml"
    content = tomllib.loads(path.read_text("utf-8"))
    del content["model"]["digest"]
    path.write_text(tomli_w.dumps(content), "utf-8")
    assert "W007" in {one.code for one in check_entry(sharing).found}


def test_scores_in_a_measure_that_is_none_are_an_error() -> None:
    table = replace(read_ranks(OURS / "char-ngram" / "ranks" / "pocket.parquet"), measures=("x",))
    problems = Problems()
    check_scores("scores/pocket.json", {}, table, problems)
    (one,) = problems.found
    assert (one.code, "Unknown measure" in one.found) == ("E043", True)


# Lines of keys.

words = st.text("abcdefghij_-", min_size=1, max_size=5)
names = words | st.text(min_size=1, max_size=5)
values = st.integers(-5, 5) | st.text(max_size=8) | st.lists(st.text(max_size=5), max_size=3)
tables = st.recursive(
    st.dictionaries(names, values, max_size=3),
    lambda inner: st.dictionaries(names, values | inner | st.lists(inner, max_size=2), max_size=3),
    max_leaves=8,
)


@given(tables)
def test_every_key_of_a_file_has_its_line(content: dict[str, Any]) -> None:
    text = tomli_w.dumps(content)
    lines = key_lines(text)
    split = text.split("\n")

    def look(part: Any, place: tuple[str | int, ...]) -> None:
        inner = part.items() if isinstance(part, dict) else enumerate(part)
        for key, value in inner:
            here = (*place, key)
            if isinstance(key, str) and not isinstance(value, dict) and here in lines:
                assert "=" in split[lines[here] - 1] or "[[" in split[lines[here] - 1]
            if isinstance(value, dict) or (isinstance(value, list) and place == here[:-1]):
                look(value, here)

    look(content, ())
    for key, value in content.items():
        if not isinstance(value, dict | list):
            only = tomllib.loads(split[lines[(key,)] - 1]) if "\n" not in str(value) else {key: 0}
            assert key in only


def test_lines_of_keys_by_hand() -> None:
    text = (
        "a = 1\n"
        '"b.c" = """x\n[no]\nn = 2"""\n'
        '[runs."x y".data]\n'
        "k = [\n '''] ''', # ]\n 1]\n"
        "'q' = {z = 1}\n"
        "[[results]]\ntask = 1\n[results.values]\n"
        '"moir/*" = 2\n[[results]]\nd.e = """ a\\""" [x\ny = 5 """\nf = 1\n'
        "[last]"
    )
    tomllib.loads(text)
    assert key_lines(text) == {
        ("a",): 1,
        ("b.c",): 2,
        ("runs", "x y", "data"): 5,
        ("runs", "x y", "data", "k"): 6,
        ("runs", "x y", "data", "q"): 9,
        ("results", 0): 10,
        ("results", 0, "task"): 11,
        ("results", 0, "values"): 12,
        ("results", 0, "values", "moir/*"): 13,
        ("results", 1): 14,
        ("results", 1, "d"): 15,
        ("results", 1, "d", "e"): 15,
        ("results", 1, "f"): 17,
        ("last",): 18,
    }
    assert line_of(key_lines(text), ("runs", "x y", "data", "k", 1)) == 6
    assert line_of(key_lines(text), ("nothing",)) is None


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    text = content.decode("utf-8", "ignore")
    for parse in (parse_toml, parse_json):
        try:
            parse(text, "it")
        except StructureError as error:
            assert error.reason in ("syntax", "depth")  # noqa: PT017  # both ways are right


@given(st.text(max_size=200))
def test_what_is_shown_acts_on_no_terminal(text: str) -> None:
    assert shown(text).isprintable()


def test_problems_are_listed_once_and_counted() -> None:
    problems = Problems()
    for row in (*range(25), 3):
        problems.add(Problem("E051", "ranks/x", "f", "a", "x", row=row))
        problems.add(Problem("W002", "README.md", "f", "a", "x", line=row))
    assert (problems.errors, problems.warnings) == (26, 26)
    assert [one.severity for one in problems.ordered()] == ["error"] * 20 + ["warning"] * 20
    assert problems.ordered()[3].place == "ranks/x, row 3"


@pytest.mark.parametrize(
    ("one", "other"),
    [("bm25", "brn25"), ("seed-1", "seed-l"), ("model", "MODEL"), ("vv", "w"), ("а", "a")],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("seed-1", "seed-2"), ("bm25", "bm25-rrf"), ("ar-de", "de-ar"), ("n", "h")]
)
def test_names_that_differ_have_two(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)
