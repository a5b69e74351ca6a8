"""Entries that jobs wrote: what is checked of them, and how they come to their place."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_up_queue import contents, write_template

from harness.ranks import ranks_as_bytes, read_ranks
from submissions.entry import read_entry
from submissions.manifest import write_manifest
from submissions.queue.folder import move
from submissions.queue.job import Job
from submissions.queue.staged_entry import check_staged, digest_of, publish, sync
from tasks.errors import EntryError

if TYPE_CHECKING:
    from submissions.entry import Entry

COMMITTED = Path(__file__).parents[2] / "submissions" / "entries" / "bm25"


def job_of(entry: Entry) -> Job:
    tasks = tuple(entry.manifest.runs)
    return Job(schema_version=1, id=entry.manifest.id, model="bm25", tasks=tasks)


def test_a_real_entry_holds_together(tmp_path):
    folder = tmp_path / "bm25"
    shutil.copytree(COMMITTED, folder, ignore=shutil.ignore_patterns("README.md"))
    entry = read_entry(folder)
    assert any(run.shares for run in entry.manifest.runs.values())
    check_staged(folder, job_of(entry))
    shares = next(folder.glob("language_shares/*"))
    shares.write_bytes(shares.read_bytes() + b" ")
    with pytest.raises(EntryError, match="is not the file that was scored"):
        check_staged(folder, job_of(entry))


def test_ranks_of_another_task_are_refused(tmp_path):
    folder = write_template(tmp_path / "made-up-id")
    path = folder / "ranks" / "pocket.parquet"
    other = ranks_as_bytes(replace(read_ranks(path), task="xquad-r"))
    before = digest_of(folder)
    path.write_bytes(other)
    assert digest_of(folder) != before
    entry = read_entry(folder).manifest
    run = entry.runs["pocket"].model_copy(update={"ranks": hashlib.sha256(other).hexdigest()})
    manifest = entry.model_copy(update={"runs": {"pocket": run}})
    write_manifest(folder / "submission.toml", manifest)
    with pytest.raises(EntryError, match="those of the task 'xquad-r'"):
        check_staged(folder, job_of(read_entry(folder)))


@pytest.mark.parametrize(
    "missing", ["scores/pocket.json", "runs/pocket.parquet", "submission.toml"]
)
def test_an_entry_without_one_of_its_files_is_refused(tmp_path, missing):
    folder = write_template(tmp_path / "made-up-id")
    job = job_of(read_entry(folder))
    check_staged(folder, job)
    (folder / missing).unlink()
    with pytest.raises(EntryError):
        check_staged(folder, job)


def test_an_entry_moves_as_a_whole_and_replaces_nothing(tmp_path):
    staged = write_template(tmp_path / "staged" / "made-up-id")
    sync(staged)
    expected, digest = contents(staged), digest_of(staged)
    target = tmp_path / "entries" / "made-up-id"
    with pytest.raises(FileNotFoundError):  # of the folder of entries: the machine's fault
        publish(staged, target, digest)
    target.mkdir(parents=True)
    (target / "mine").write_text("x", "utf-8")
    with pytest.raises(EntryError, match="Give the job another id"):
        publish(staged, target, digest)
    assert contents(target) == {"mine": b"x"}
    (target / "mine").unlink()
    target.rmdir()
    target.write_text("a file", "utf-8")
    with pytest.raises(EntryError, match="Give the job another id"):
        publish(staged, target, digest)
    target.unlink()
    publish(staged, target, digest)
    assert contents(target) == expected
    publish(staged, target, digest)  # again, after a kill
    with pytest.raises(EntryError, match="is gone"):
        publish(staged, target, "0" * 64)


def test_what_is_gone_is_not_moved(tmp_path):
    assert not move(tmp_path / "nothing", tmp_path / "there")
