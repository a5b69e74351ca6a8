"""``babelboard fuse``: TREC runs into a run, entries into an entry, and what is refused."""

from __future__ import annotations

import gzip
import json
import shlex
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from hand_made_tasks import rows_of

from harness.ranks import read_ranks
from harness.run_table import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conftest import RunsCommand

    from harness.run_table import RunTable

pytest.importorskip("ranx", reason="needs the extra 'score'")

A = "q1 Q0 a 1 9.0 A\nq1 Q0 b 2 5.0 A\nq1 Q0 c 3 1.0 A\nq2 Q0 x 1 1.0 A\n"
B = "q1 Q0 c 1 0.8 B\nq1 Q0 d 2 0.6 B\nq1 Q0 a 3 0.4 B\n"

SETTINGS = ("moir/de-de", "clir/de-en", "mlir/de-xx")
MEMBERS = ("bm25", "char-ngram")
DEPTH = 20


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    (tmp_path / "a.trec").write_text(A)
    (tmp_path / "b.trec").write_text(B)
    return tmp_path


@pytest.fixture(scope="module")
def scored(babelboard: RunsCommand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Entries of two systems that kept their rankings, and of one that did not."""
    root = tmp_path_factory.mktemp("scored")
    chosen = [word for setting in SETTINGS for word in ("--settings", setting)]
    for model in MEMBERS:
        options = ("--keep-runs", str(DEPTH), "--entries", root)
        done = babelboard("score", model, "--task", "pocket", *chosen, *options)
        assert done.returncode == 0, done.stderr
    copy(root, "bm25", "forgetful", lambda text: without(text, "runs = "))
    return root


@pytest.fixture
def entries(scored: Path, tmp_path: Path) -> Path:
    """A copy of the entries that a test may change."""
    return shutil.copytree(scored, tmp_path / "entries")


def copy(root: Path, entry: str, new: str, change: Callable[[str], str]) -> None:
    """Another entry with the same files and a manifest that differs."""
    shutil.copytree(root / entry, root / new)
    path = root / new / "submission.toml"
    text = path.read_text("utf-8").replace(f'id = "{entry}"', f'id = "{new}"')
    path.write_text(change(text), "utf-8")


def without(text: str, start: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(start))


# TREC runs.


def test_runs_become_a_run(babelboard: RunsCommand, runs: Path) -> None:
    fuse = ("fuse", "a.trec", "b.trec", "--method", "rrf", "--out", "out/fused.trec")
    done = babelboard(*fuse, cwd=runs)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "2 runs, 2 queries, 5 documents. 1 queries are not in every run. "
        "Written to out/fused.trec\n"
    )
    written = (runs / "out" / "fused.trec").read_text("utf-8")
    rows = [line.split() for line in written.splitlines()]
    assert [row[:4] + row[5:] for row in rows] == [
        ["q1", "Q0", "c", "1", "rrf"],
        ["q1", "Q0", "a", "2", "rrf"],
        ["q1", "Q0", "d", "3", "rrf"],
        ["q1", "Q0", "b", "4", "rrf"],
        ["q2", "Q0", "x", "1", "rrf"],
    ]
    assert float(rows[0][4]) == pytest.approx(1 / 61 + 1 / 63, rel=1e-6)
    assert float(rows[2][4]) == pytest.approx(1 / 62, rel=1e-6)


def test_a_fused_run_is_one_that_evaluate_reads(babelboard: RunsCommand, runs: Path) -> None:
    (runs / "qrels").write_text("q1 0 d 1\nq2 0 x 1\n")
    options = ("--method", "interpolation", "--alpha", "0", "--out", "fused.trec.gz", "--json")
    made = json.loads(babelboard("fuse", "a.trec", "b.trec", *options, cwd=runs).stdout)
    assert made == {
        "schema_version": 1,
        "run": "fused.trec.gz",
        "runs_fused": 2,
        "queries": 2,
        "queries_not_in_every_run": 1,
        "documents": 5,
    }
    assert gzip.decompress((runs / "fused.trec.gz").read_bytes()).startswith(
        b"q1 Q0 c 1 1.0 interp"
    )
    measured = babelboard(
        "evaluate", "fused.trec.gz", "--qrels", "qrels", "-m", "RR", "--json", cwd=runs
    )
    # Of the second run, d is the second; x, which it lacks, is all that there is.
    assert json.loads(measured.stdout)["measures"] == {"RR": 0.75}


def test_only_the_first_documents_are_fused_in_the_order_of_trec_eval(
    babelboard: RunsCommand, runs: Path
) -> None:
    # Equal in float32, so that a, with the lesser id, is the second.
    (runs / "a.trec").write_text("q Q0 a 1 1.000000001 A\nq Q0 b 2 1.0 A\n")
    (runs / "b.trec").write_text("q Q0 c 1 2.0 B\nq Q0 a 2 1.0 B\n")
    options = ("--method", "wsum", "--weight", "2", "--weight", "0.5", "--depth", "1")
    done = babelboard("fuse", "a.trec", "b.trec", *options, "--out", "f", cwd=runs)
    assert done.returncode == 0, done.stderr
    assert (runs / "f").read_text() == "q Q0 b 1 2.0 wsum\nq Q0 c 2 0.5 wsum\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.trec", "--method", "rrf", "--out", "f"), "needs two systems or more, found 1"),
        (("a.trec", "b.trec", "--method", "rrf"), "Name the run to write with --out"),
        (("a.trec", "b.trec", "--method", "rrf", "--out", "./b.trec"), "is one of the runs"),
        (("a.trec", "./a.trec", "--method", "rrf", "--out", "f"), "A run is named twice"),
        (("a.trec", "no.trec", "--method", "rrf", "--out", "f"), "There is no file no.trec"),
        (
            ("a.trec", "b.trec", "--method", "max", "--out", "f"),
            "'max' is not one of 'rrf', 'wsum'",
        ),
        (("a.trec", "b.trec", "--out", "f"), "Missing option '--method'"),
        (("a.trec", "b.trec", "--method", "wsum", "--weight", "1", "--out", "f"), "found 1: 1"),
        (
            ("a.trec", "b.trec", "--method", "interpolation", "--alpha", "1.5", "--out", "f"),
            "alpha must be in 0..1, found 1.5",
        ),
        (
            ("a.trec", "b.trec", "c.trec", "--method", "interpolation", "--out", "f"),
            "between two systems, found 3",
        ),
        (
            ("a.trec", "b.trec", "--method", "rrf", "--alpha", "0.5", "--out", "f"),
            "--alpha is not for the method rrf, which takes --k",
        ),
        (
            ("a.trec", "b.trec", "--method", "wsum", "--k", "60", "--out", "f"),
            "--k is not for the method wsum, which takes --weight and --norm",
        ),
        (
            ("a.trec", "b.trec", "--method", "rrf", "--out", "f", "--keep-runs", "5"),
            "--keep-runs is for entries, which are fused with --task",
        ),
        (
            ("a.trec", "b.trec", "--method", "rrf", "--task", "pocket"),
            "a.trec is a file: TREC runs are fused without --task",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    babelboard: RunsCommand, runs: Path, arguments: Sequence[str], message: str
) -> None:
    done = babelboard("fuse", *arguments, cwd=runs)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in runs.iterdir()) == ["a.trec", "b.trec"]
    assert (runs / "b.trec").read_text() == B


def test_a_faulty_run_is_named_with_its_line(babelboard: RunsCommand, runs: Path) -> None:
    (runs / "b.trec").write_text(B + "q1 Q0 a 4 0.1 B\n")
    done = babelboard("fuse", "a.trec", "b.trec", "--method", "rrf", "--out", "f", cwd=runs)
    assert done.returncode == 2
    assert "b.trec:4: document 'a' is there twice for query 'q1'" in done.stderr


# Entries.


def rankings(table: RunTable) -> dict[tuple[str, str, str], list[str]]:
    found: dict[tuple[str, str, str], list[str]] = {}
    columns = (table.setting, table.query_language, table.question, table.document)
    for *key, document in zip(
        *([column.names[code] for code in column.codes] for column in columns), strict=True
    ):
        found.setdefault(tuple(key), []).append(document)  # type: ignore[arg-type]
    return found


def test_entries_become_an_entry_with_the_ranks_of_the_formula(
    babelboard: RunsCommand, entries: Path
) -> None:
    options = ("--method", "rrf", "--k", "10", "--depth", "15", "--keep-runs", "8")
    fuse = (
        "fuse",
        *MEMBERS,
        "--task",
        "pocket",
        *options,
        "--entries",
        entries,
        "--entry",
        "hybrid",
    )
    done = babelboard(*fuse, "--name", "Words and letters", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["task"] == "pocket"
    assert made["complete"] is False
    expected: dict[tuple[str, str, str], dict[str, float]] = {}
    for member in MEMBERS:
        kept = rankings(read_runs(entries / member / "runs" / "pocket.parquet"))
        for key, documents in kept.items():
            for rank, document in enumerate(documents[:15], 1):
                scores = expected.setdefault(key, {})
                scores[document] = scores.get(document, 0.0) + 1 / (10 + rank)
    order = {
        key: sorted(scores, key=lambda d: (round(scores[d], 12), d.encode()), reverse=True)
        for key, scores in expected.items()
    }
    folder = entries / "hybrid"
    ranks = rows_of(read_ranks(folder / "ranks" / "pocket.parquet"))
    assert {key[0] for key in ranks} == set(SETTINGS)
    for (*query, document), (_, rank) in ranks.items():
        ranked = order.get(tuple(query), [])  # type: ignore[call-overload]
        assert rank == (ranked.index(document) + 1 if document in ranked else 0)
    kept = rankings(read_runs(folder / "runs" / "pocket.parquet"))
    assert kept == {key: documents[:8] for key, documents in order.items()}

    manifest = tomllib.loads((folder / "submission.toml").read_text("utf-8"))
    assert manifest["name"] == "Words and letters"
    model = manifest["model"]
    assert len(model.pop("digest")) == 64
    assert model == {
        "kind": "fusion",
        "name": "rrf(bm25, char-ngram)",
        "settings": {"method": "rrf", "k": 10, "depth": 15, "members": "bm25 char-ngram"},
    }
    assert "ranx" in manifest["runs"]["pocket"]["versions"]
    # The same command, as the entry has it, gives the same bytes.
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    again = shlex.split(manifest["runs"]["pocket"]["command"])[1:]
    extra = ("--entries", entries, "--entry", "hybrid", "--keep-runs", "8")
    assert babelboard(*again, *extra).returncode == 0
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_a_fusion_is_named_after_its_members(babelboard: RunsCommand, entries: Path) -> None:
    options = ("--task", "pocket", "--method", "interpolation", "--alpha", "0.3")
    done = babelboard("fuse", entries / "bm25", "char-ngram", *options, "--entries", entries)
    assert done.returncode == 0, done.stderr
    assert (
        "interpolation(bm25, char-ngram) on pocket: 3 settings from given rankings" in done.stdout
    )
    folder = entries / "interpolation-bm25-char-ngram"
    manifest = tomllib.loads((folder / "submission.toml").read_text("utf-8"))
    assert manifest["model"]["settings"] == {
        "method": "interpolation",
        "norm": "min-max",
        "alpha": 0.3,
        "depth": DEPTH,
        "members": "bm25 char-ngram",
    }
    command = manifest["runs"]["pocket"]["command"]
    assert command == (
        "babelboard fuse bm25 char-ngram --task pocket --method interpolation --norm min-max "
        f"--alpha 0.3 --depth {DEPTH}"
    )
    assert not (folder / "runs").exists()
    # Another weight is another system.
    done = babelboard("fuse", "bm25", "char-ngram", *options[:-1], "0.4", "--entries", entries)
    assert done.returncode == 2
    assert "was made by another model or with other settings" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bm25",), "needs two systems or more, found 1"),
        (("bm25", "bm25"), "The entry 'bm25' is named twice"),
        (("bm25", "bm52"), "Unknown entry: 'bm52'. Did you mean bm25"),
        (("bm25", "forgetful"), "'forgetful' has kept no rankings of pocket. Score it with --keep"),
        (("bm25", "char-ngram", "--depth", "21"), "--depth 21 is more than the entry 'bm25' kept"),
        (("bm25", "char-ngram", "--out", "f.trec"), "--out is for TREC runs"),
        (("bm25", "char-ngram", "--entry", "A B"), "What was said of the entry"),
        (("bm25", "char-ngram", "--entry", "bm25"), "was made by another model"),
    ],
)
def test_entries_that_cannot_be_fused_are_refused(
    babelboard: RunsCommand, scored: Path, arguments: Sequence[str], message: str
) -> None:
    options = ("--task", "pocket", "--method", "rrf", "--entries", scored)
    done = babelboard("fuse", *arguments, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in scored.iterdir()} == {*MEMBERS, "forgetful"}


def test_a_task_that_an_entry_lacks_is_refused(babelboard: RunsCommand, scored: Path) -> None:
    options = ("--task", "xquad-r", "--method", "rrf", "--entries", scored)
    done = babelboard("fuse", *MEMBERS, *options)
    assert done.returncode == 2
    assert "'bm25' has kept no rankings of xquad-r" in done.stderr


def test_settings_that_only_some_members_kept_are_named(
    babelboard: RunsCommand, entries: Path
) -> None:
    chosen = ("--settings", "moir/de-de", "--settings", "mlir/en-xx")
    options = ("--task", "pocket", "--entries", entries)
    done = babelboard("score", "bm25", *chosen, *options, "--keep-runs", "20", "--entry", "fewer")
    assert done.returncode == 0, done.stderr
    done = babelboard("fuse", "fewer", "bm25", *options, "--method", "rrf")
    assert done.returncode == 2
    assert "'fewer' kept no rankings of clir/de-en, mlir/de-xx" in done.stderr
    assert not (entries / "rrf-fewer-bm25").exists()


@pytest.mark.parametrize("members", [("bm25", "older"), ("older", "oldest")])
def test_rankings_of_other_data_are_refused(
    babelboard: RunsCommand, entries: Path, members: Sequence[str]
) -> None:
    sums = tomllib.loads((entries / "bm25" / "submission.toml").read_text("utf-8"))
    expected = sums["runs"]["pocket"]["data"]["de.json"]
    for name in ("older", "oldest"):
        copy(entries, "bm25", name, lambda text: text.replace(expected, "0" * 64))
    options = ("--task", "pocket", "--entries", entries, "--method", "rrf")
    done = babelboard("fuse", *members, *options)
    assert done.returncode == 2
    assert "de.json of pocket has sha256" in done.stderr
    assert "rankings of different data cannot be fused" in done.stderr


def test_runs_that_were_changed_are_refused(babelboard: RunsCommand, entries: Path) -> None:
    shutil.copy(
        entries / "char-ngram" / "runs" / "pocket.parquet",
        entries / "bm25" / "runs" / "pocket.parquet",
    )
    options = ("--task", "pocket", "--entries", entries, "--method", "rrf")
    done = babelboard("fuse", *MEMBERS, *options)
    assert done.returncode == 2
    assert "is not the file that was scored" in done.stderr


def test_help_starts_without_heavy_libraries() -> None:
    code = (
        "import sys; from harness.cli.app import build\n"
        "build('fuse')\n"
        "print(sorted({'ranx', 'numba', 'torch', 'mteb', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
