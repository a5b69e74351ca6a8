"""Entries: what is written is read back, and nothing is lost or mixed up."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.bias.language_shares import LanguageShares
from harness.models.description import ModelDescription
from harness.ranks import Column, RankTable, ranks_as_bytes
from harness.run_table import RunTable
from harness.score import Cost, Scored
from submissions.entry import (
    Submission,
    check_can_write,
    ranks_path,
    read_entries,
    read_entry,
    write_run,
)
from submissions.manifest import (
    FILE_NAME,
    NOT_ON_A_LINE,
    Manifest,
    MethodPart,
    ModelPart,
    RunPart,
    Training,
    read_manifest,
    write_manifest,
)
from tasks.errors import EntryError

COMMITTED = Path(__file__).parents[1] / "submissions" / "entries"
ENTRIES = sorted(path.parent.name for path in COMMITTED.glob(f"*/{FILE_NAME}"))
SHA256 = "0123456789abcdef" * 4

MODEL = ModelDescription(
    kind="dense",
    name="encoder",
    digest=SHA256,
    parameters=34_464,
    settings={"query_prompt": "Instruct: find\nQuery: ", "normalised": True, "dimension": 32},
)


def table(task: str = "toy", ranks: tuple[int, ...] = (1, 3, 2, 0)) -> RankTable:
    """Two queries of one setting, two judged documents each."""
    return RankTable(
        task=task,
        pool_sizes={"moir/en-en": 5},
        setting=Column(("moir/en-en",), np.zeros(4, dtype=np.int64)),
        query_language=Column(("en",), np.zeros(4, dtype=np.int64)),
        question=Column(("q1", "q2"), np.array([0, 0, 1, 1])),
        document=Column(("d1", "d2"), np.array([0, 1, 0, 1])),
        relevance=np.ones(4, dtype=np.int64),
        rank=np.array(ranks),
    )


def scored(**changes: Any) -> Scored:
    made = Scored(
        table=table(),
        runs=None,
        shares=None,
        model=MODEL,
        complete=True,
        data={"en.json": SHA256},
        versions={"babelboard": "0.1.0", "numpy": "2.4.6"},
        hardware={"processor": "a processor", "cores": "2", "device": "cpu"},
        cost=Cost(
            texts=9, distinct_texts=9, encoded_texts=9, padding=0.0, pairs=0, seconds={"rank": 0.1}
        ),
    )
    return replace(made, **changes)


COMMAND = "babelboard score my-model --task toy"


def submission(name: str = "my-model") -> Submission:
    method = MethodPart(training="code-switched", training_data="SQuAD", seeds=(1, 2))
    return Submission(id=name, name="My model", method=method)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_run_is_written_and_read_back(tmp_path: Path) -> None:
    written = write_run(tmp_path, submission(), COMMAND, scored())
    entry = read_entry(tmp_path / "my-model")
    assert entry == written
    assert set(contents(entry.folder)) == {FILE_NAME, "ranks/toy.parquet", "scores/toy.json"}
    manifest = entry.manifest
    assert (manifest.id, manifest.name) == ("my-model", "My model")
    assert manifest.model.settings == MODEL.settings
    assert manifest.method.seeds == (1, 2)
    run = manifest.runs["toy"]
    assert (run.complete, run.settings, run.data) == (True, 1, {"en.json": SHA256})
    assert (
        run.ranks == hashlib.sha256((entry.folder / "ranks/toy.parquet").read_bytes()).hexdigest()
    )
    read = entry.ranks("toy")
    assert ranks_as_bytes(read) == ranks_as_bytes(table())
    scores = json.loads((entry.folder / "scores/toy.json").read_text("utf-8"))
    # (1 + 2/3) / 2 and (1/2 + 0) / 2, of two relevant documents each.
    expected = ((1 / 1 + 2 / 3) / 2 + (1 / 2) / 2) / 2
    assert scores["settings"]["moir/en-en"]["AP"] == pytest.approx(expected)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    write_run(tmp_path / "a", submission(), COMMAND, scored())
    write_run(tmp_path / "b", submission(), COMMAND, scored())
    write_run(tmp_path / "b", submission(), COMMAND, scored())
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_second_task_leaves_the_first(tmp_path: Path) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    before = contents(tmp_path / "my-model")
    other = scored(table=table("another", (2, 1, 1, 2)))
    write_run(tmp_path, submission(), "babelboard score my-model --task another", other)
    after = contents(tmp_path / "my-model")
    for name in ("ranks/toy.parquet", "scores/toy.json"):
        assert after[name] == before[name]
    entry = read_entry(tmp_path / "my-model")
    assert list(entry.manifest.runs) == ["another", "toy"]
    assert entry.manifest.runs["toy"].command.endswith("--task toy")
    assert entry.ranks("toy").rank.tolist() == [1, 3, 2, 0]
    assert entry.ranks("another").rank.tolist() == [2, 1, 1, 2]


def test_the_order_of_tasks_does_not_matter(tmp_path: Path) -> None:
    one, two = scored(), scored(table=table("another"))
    for folder, order in (("a", (one, two)), ("b", (two, one))):
        for run in order:
            write_run(tmp_path / folder, submission(), COMMAND, run)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize(
    "other",
    [
        replace(MODEL, digest="f" * 64),
        replace(MODEL, kind="bm25"),
        replace(MODEL, settings={**MODEL.settings, "query_prompt": ""}),
        replace(MODEL, digest=None, revision="0" * 40),
    ],
)
def test_another_model_under_the_same_id_is_refused(
    tmp_path: Path, other: ModelDescription
) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    before = contents(tmp_path)
    with pytest.raises(EntryError, match=r"another model.*--entry"):
        write_run(tmp_path, submission(), COMMAND, scored(model=other, table=table("another")))
    assert contents(tmp_path) == before


def test_a_partial_run_never_replaces_a_complete_one(tmp_path: Path) -> None:
    check_can_write(tmp_path, submission(), "toy", complete=False)
    write_run(tmp_path, submission(), COMMAND, scored(complete=False))
    check_can_write(tmp_path, submission(), "toy", complete=False)
    check_can_write(tmp_path, submission(), "toy", complete=True)
    write_run(tmp_path, submission(), COMMAND, scored())
    with pytest.raises(EntryError, match=r"complete run of toy.*--entry"):
        check_can_write(tmp_path, submission(), "toy", complete=False)
    check_can_write(tmp_path, submission(), "toy", complete=True)
    check_can_write(tmp_path, submission(), "another", complete=False)
    check_can_write(tmp_path, submission("other-model"), "toy", complete=False)


@pytest.mark.parametrize(
    "bad", ["", ".", "..", "../x", "a/b", "A", "-a", ".a", "_a", "a b", "ä", "a\n", "a" * 65]
)
def test_ids_that_cannot_be_a_folders_name(bad: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        submission(bad)


@pytest.mark.parametrize("good", ["a", "0", "all-minilm-l6-v2", "a.b_c-d", "a" * 64])
def test_ids_that_can(tmp_path: Path, good: str) -> None:
    check_can_write(tmp_path, submission(good), "toy", complete=True)
    write_run(tmp_path, submission(good), COMMAND, scored())
    assert read_entry(tmp_path / good).manifest.id == good


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    for root in (tmp_path / "file", tmp_path / "file" / "entries"):
        with pytest.raises(EntryError):
            check_can_write(root, submission(), "toy", complete=True)


def test_a_renamed_folder_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    (tmp_path / "my-model").rename(tmp_path / "renamed")
    with pytest.raises(EntryError, match=r"'my-model'.*must be the folder's name"):
        read_entry(tmp_path / "renamed")
    with pytest.raises(EntryError, match="must be the folder's name"):
        read_entries(tmp_path)


def test_an_entry_is_read_from_any_path_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    monkeypatch.chdir(tmp_path / "my-model")
    assert read_entry(Path()).manifest.id == "my-model"
    assert read_entry(Path("..") / "my-model").manifest.id == "my-model"


def test_entries_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    for name in ("b", "c", "a"):
        write_run(tmp_path, submission(name), COMMAND, scored())
    (tmp_path / "no-entry").mkdir()
    (tmp_path / "notes.txt").write_text("", "utf-8")
    assert [entry.manifest.id for entry in read_entries(tmp_path)] == ["a", "b", "c"]
    assert read_entries(tmp_path / "no-entry") == []
    with pytest.raises(EntryError, match="no folder of entries"):
        read_entries(tmp_path / "missing")


def test_a_folder_without_a_manifest_is_no_entry(tmp_path: Path) -> None:
    with pytest.raises(EntryError, match="is not an entry"):
        read_entry(tmp_path)


def test_ranks_that_were_altered_are_refused_with_both_checksums(tmp_path: Path) -> None:
    entry = write_run(tmp_path, submission(), COMMAND, scored())
    path = ranks_path(entry.folder, "toy")
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    better = ranks_as_bytes(table(ranks=(1, 2, 1, 2)))
    path.write_bytes(better)
    with pytest.raises(EntryError) as raised:
        entry.ranks("toy")
    assert expected in str(raised.value)
    assert hashlib.sha256(better).hexdigest() in str(raised.value)
    assert str(path) in str(raised.value)
    path.unlink()
    with pytest.raises(EntryError, match="no file"):
        entry.ranks("toy")


def test_a_full_disk_leaves_the_entry_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    before = contents(tmp_path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    for run in (scored(table=table(ranks=(4, 4, 4, 4))), scored(table=table("another"))):
        with pytest.raises(OSError, match="No space left"):
            write_run(tmp_path, submission(), COMMAND, run)
    assert contents(tmp_path) == before


# The manifest.


def changed_manifest(tmp_path: Path, text: str) -> Path:
    path = tmp_path / FILE_NAME
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", ENTRIES)
def test_committed_manifests_survive_a_round_trip_byte_for_byte(tmp_path: Path, name: str) -> None:
    committed = COMMITTED / name / FILE_NAME
    write_manifest(tmp_path / FILE_NAME, read_manifest(committed))
    assert (tmp_path / FILE_NAME).read_bytes() == committed.read_bytes()


@pytest.mark.parametrize("name", ENTRIES)
def test_committed_entries_are_whole(name: str) -> None:
    entry = read_entry(COMMITTED / name)
    assert entry.manifest.runs
    for task, run in entry.manifest.runs.items():
        assert len(entry.ranks(task).pool_sizes) == run.settings
        assert "/" not in run.command


LINES = st.text(
    st.characters(codec="utf-8", exclude_categories=NOT_ON_A_LINE), min_size=1, max_size=40
)
MANIFESTS = st.builds(
    Manifest,
    schema_version=st.just(1),
    id=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True),
    name=LINES,
    model=st.builds(
        ModelPart,
        kind=st.sampled_from(["dense", "bm25", "char-ngram"]),
        name=LINES,
        revision=st.none() | st.just("0a" * 20),
        digest=st.none() | st.just(SHA256),
        parameters=st.none() | st.integers(0, 2**40),
        settings=st.dictionaries(
            st.text(st.characters(codec="utf-8"), max_size=10),
            st.text(st.characters(codec="utf-8"))
            | st.booleans()
            | st.integers(-(2**62), 2**62)
            | st.floats(allow_nan=False),
            max_size=4,
        ),
    ),
    method=st.builds(
        MethodPart,
        training=st.sampled_from(Training.__args__),  # type: ignore[attr-defined]
        training_data=LINES,
        seeds=st.lists(st.integers(0, 2**32)).map(tuple),
    ),
    runs=st.dictionaries(
        st.sampled_from(["pocket", "xquad-r", "xquad-r+context"]),
        st.builds(
            RunPart,
            command=LINES,
            complete=st.booleans(),
            settings=st.integers(1, 200),
            ranks=st.just(SHA256),
            data=st.just({"en.json": SHA256}),
            versions=st.dictionaries(LINES, LINES, max_size=3),
            hardware=st.dictionaries(LINES, LINES, max_size=3),
        ),
    ),
)


@given(MANIFESTS)
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_manifest_survives_a_round_trip(tmp_path: Path, manifest: Manifest) -> None:
    path = tmp_path / FILE_NAME
    write_manifest(path, manifest)
    first = path.read_bytes()
    assert read_manifest(path) == manifest
    write_manifest(path, read_manifest(path))
    assert path.read_bytes() == first


def test_every_wrong_place_is_named(tmp_path: Path) -> None:
    shutil.copytree(COMMITTED / "bm25", tmp_path / "bm25")
    path = tmp_path / "bm25" / FILE_NAME
    content = tomllib.loads(path.read_text("utf-8"))
    content["id"] = "BM 25"
    content["model"]["kind"] = "magic"
    content["surprise"] = 1
    content["runs"]["pocket"]["ranks"] = "abc"
    del content["runs"]["pocket"]["command"]
    path.write_text(tomli_w.dumps(content), "utf-8")
    with pytest.raises(EntryError) as raised:
        read_manifest(path)
    message = str(raised.value)
    assert message.startswith(f"{path} is not as expected:")
    for place in ("id:", "model.kind:", "surprise:", "runs.pocket.ranks:", "runs.pocket.command:"):
        assert f"  {place}" in message
    for found in ("'BM 25'", "'magic'", "'abc'"):
        assert found in message


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"method": {"training": "by hand"}}, "method.training"),
        ({"method": {"seeds": ["one"]}}, "method.seeds"),
        ({"model": {"kind": "dense"}}, "model.name"),
        ({"model": {"kind": "dense", "name": "x", "digest": "A" * 64}}, "model.digest"),
        ({"model": {"kind": "dense", "name": "x", "revision": "main"}}, "model.revision"),
        ({"model": {"kind": "dense", "name": "x", "parameters": -1}}, "model.parameters"),
    ],
)
def test_what_a_manifest_must_not_say(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    content = tomllib.loads((COMMITTED / "bm25" / FILE_NAME).read_text("utf-8"))
    path = changed_manifest(tmp_path, tomli_w.dumps(content | change))
    with pytest.raises(EntryError, match=rf"  {place}[.:\w]*"):
        read_manifest(path)


@pytest.mark.parametrize("text", ["id = ", "id = 'a'\nid = 'b'", "\x00", "[model"])
def test_a_manifest_that_is_not_toml(tmp_path: Path, text: str) -> None:
    with pytest.raises(EntryError, match="is not a TOML file"):
        read_manifest(changed_manifest(tmp_path, text))


def test_a_manifest_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b'id = "\xff"')
    with pytest.raises(EntryError, match="is not a TOML file"):
        read_manifest(tmp_path / FILE_NAME)


def test_a_second_task_keeps_what_was_said_of_the_method(tmp_path: Path) -> None:
    write_run(tmp_path, submission(), COMMAND, scored())
    silent = Submission(id="my-model")
    write_run(tmp_path, silent, COMMAND, scored(table=table("another")))
    manifest = read_entry(tmp_path / "my-model").manifest
    assert manifest.name == "My model"
    assert manifest.method.training == "code-switched"


SHARES = LanguageShares.from_counts(
    "toy", ("de", "en"), {("mlir/en-xx", "en", 10): np.array([[3, 1]])}
)
RUNS = RunTable(
    task="toy",
    depth=2,
    setting=Column(("moir/en-en",), np.zeros(2, dtype=np.int64)),
    query_language=Column(("en",), np.zeros(2, dtype=np.int64)),
    question=Column(("q1",), np.zeros(2, dtype=np.int64)),
    document=Column(("d1", "d7"), np.array([1, 0])),
    score=np.array([2.5, 1.0]),
)


def test_rankings_and_language_shares_are_kept_where_there_are_any(tmp_path: Path) -> None:
    entry = write_run(tmp_path, submission(), COMMAND, scored(runs=RUNS, shares=SHARES))
    assert entry.shares("toy") == SHARES
    kept = entry.kept_runs("toy")
    assert [kept.document.names[code] for code in kept.document.codes] == ["d7", "d1"]
    assert kept.score.tolist() == [2.5, 1.0]


def test_what_an_earlier_run_kept_goes_with_it(tmp_path: Path) -> None:
    write_run(tmp_path, submission(), COMMAND, scored(runs=RUNS, shares=SHARES))
    entry = write_run(tmp_path, submission(), COMMAND, scored())
    assert entry.shares("toy") is None
    assert not (entry.folder / "runs" / "toy.parquet").exists()
    assert not (entry.folder / "language_shares" / "toy.json").exists()
    with pytest.raises(EntryError, match="--keep-runs"):
        entry.kept_runs("toy")


@pytest.mark.parametrize("name", ["runs/toy.parquet", "language_shares/toy.json"])
def test_another_file_than_the_one_that_was_scored_is_refused(tmp_path: Path, name: str) -> None:
    entry = write_run(tmp_path, submission(), COMMAND, scored(runs=RUNS, shares=SHARES))
    path = entry.folder / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(EntryError, match="not the file that was scored"):
        entry.kept_runs("toy") if name.startswith("runs") else entry.shares("toy")


def test_a_run_does_not_join_reported_numbers(tmp_path: Path) -> None:
    (tmp_path / "my-model").mkdir()
    (tmp_path / "my-model" / "reported.toml").write_text("", encoding="utf-8")
    with pytest.raises(EntryError, match="reported numbers"):
        check_can_write(tmp_path, submission(), "toy", complete=True)
