"""Queues worked off with made-up jobs: how each end is told, what is repeated, what is kept."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from made_up_queue import (
    LIMITS,
    MadeUp,
    contents,
    last_end,
    leave_running,
    outcomes,
    put,
    states,
    work_off,
)

from harness.progress import Silent
from submissions.queue import job_process, staged_entry
from submissions.queue.folder import find_queue
from submissions.queue.journal import Event, read
from submissions.queue.process_table import myself
from submissions.queue.status import counts, status_of
from submissions.queue.supervisor import QueueOptions, run_queue
from tasks.errors import BabelboardError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_each_job_ends_where_it_belongs(queue, template, monkeypatch):
    monkeypatch.setattr(job_process, "SECONDS_BETWEEN_SIZES", 0.1)
    runner = MadeUp(
        template,
        {
            "crashes": "crash",
            "raises": "fail:boom",
            "hangs": "hang",
            "large": "memory",
            "wide": "disk",
            "long": "one-large-file",
            "wrong": "wrong:Unknown task",
            "empty": "no-entry",
        },
    )
    for name in ("good", *runner.behaviours):
        put(queue, name)
    queue.manifest("waiting", "refused").write_text("nonsense", "utf-8")
    limits = replace(LIMITS, seconds=6)
    found = work_off(queue, runner, limits=limits, workers=3, retries=1)
    assert states(queue) == {
        "done": ["good"],
        "failed": sorted(runner.behaviours),
        "refused": ["refused"],
    }
    assert {name: one.attempts for name, one in found.items()} == {
        "good": 1,
        "crashes": 2,
        "raises": 2,
        "hangs": 1,
        "large": 1,
        "wide": 1,
        "long": 1,
        "wrong": 1,
        "empty": 1,
        "refused": 0,
    }
    reasons = {name: one.reason for name, one in found.items()}
    assert reasons["good"] == ""
    assert reasons["crashes"] == "2 attempts, the last: ended by SIGABRT"
    assert reasons["raises"] == "2 attempts, the last: exit code 1: ValueError: boom"
    assert reasons["hangs"] == "ran longer than 6 s (--time-limit)"
    assert reasons["large"] == "held more than 256 MB (--memory-limit)"
    assert reasons["wide"] == "wrote more than 64 MB (--disk-limit)"
    assert reasons["long"] == "wrote more than 64 MB (--disk-limit)"
    assert reasons["wrong"] == "Unknown task"
    assert "wrote no entry 'entry-empty'" in reasons["empty"]
    assert "not a TOML file" in reasons["refused"]
    assert queue.reason("refused").read_text("utf-8").strip() == reasons["refused"]
    assert [path.name for path in queue.entries.iterdir()] == ["entry-good"]
    assert contents(queue.entries / "entry-good").keys() == contents(template).keys()
    assert list((queue.root / "scratch").iterdir()) == []
    assert last_end(queue, "large").peak_memory > 2**28
    assert last_end(queue, "crashes").signal == signal.SIGABRT
    assert last_end(queue, "raises").exit == 1


def test_a_job_that_crashed_is_repeated_until_it_succeeds(queue, template, tmp_path):
    put(queue, "job")
    runner = MadeUp(template, {"job": f"crash-until:3@{tmp_path / 'attempts'}"})
    assert work_off(queue, runner)["job"].state == "done"
    assert outcomes(queue, "job") == ["crashed", "crashed", "scored"]
    assert [e.attempt for e in read(queue.journal("job")) if e.event == "started"] == [1, 2, 3]


def test_a_job_that_a_maintainer_puts_back_begins_anew(queue, template):
    put(queue, "job")
    assert work_off(queue, MadeUp(template, {"job": "crash"}), retries=1)["job"].state == "failed"
    queue.manifest("failed", "job").rename(queue.manifest("waiting", "job"))
    found = work_off(queue, MadeUp(template, {"job": "crash"}), retries=1)["job"]
    assert (found.state, found.attempts) == ("failed", 2)
    queue.manifest("failed", "job").rename(queue.manifest("waiting", "job"))
    found = work_off(queue, MadeUp(template), retries=0)["job"]
    assert (found.state, found.attempts) == ("done", 1)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("altered-ranks", "is not the file that was scored"),
        ("altered-scores:0", "has not the scores that follow from the ranks"),
        ("altered-scores:[", "has not the scores that follow from the ranks"),
        ("other-id", "it must be the folder's name"),
        ("extra-file", "does not have the files of an entry: extra.sh"),
        ("link", "README.md is neither a file nor a folder"),
        ("link-as-entry", "wrote no entry"),
    ],
)
def test_an_entry_that_does_not_hold_together_is_not_taken(queue, template, behaviour, reason):
    put(queue, "job")
    found = work_off(queue, MadeUp(template, {"job": behaviour}))["job"]
    assert (found.state, found.attempts) == ("failed", 1)
    assert reason in found.reason
    assert list(queue.entries.iterdir()) == []


def test_a_fault_in_reading_an_entry_stops_no_other_job(queue, template, monkeypatch):
    read_entry = staged_entry.read_entry

    def at_fault(folder: Path) -> object:
        if folder.name == "entry-bad":
            raise KeyError("column")
        return read_entry(folder)

    monkeypatch.setattr(staged_entry, "read_entry", at_fault)
    put(queue, "bad")
    put(queue, "good")
    found = work_off(queue, MadeUp(template))
    assert found["good"].state == "done"
    assert (found["bad"].state, found["bad"].reason) == ("failed", "KeyError: 'column'")


def test_an_entry_without_a_task_of_the_job_is_not_taken(queue, template):
    queue.manifest("waiting", "job").write_text(
        'schema_version = 1\nid = "x"\nmodel = "bm25"\ntasks = ["pocket", "xquad-r"]\n', "utf-8"
    )
    assert "lacks xquad-r" in work_off(queue, MadeUp(template))["job"].reason


def test_a_job_never_replaces_an_entry_or_a_job(queue, template):
    put(queue, "first", "same")
    work_off(queue, MadeUp(template))
    before = contents(queue.entries)
    put(queue, "second", "same")
    put(queue, "first", "new")
    found = work_off(queue, MadeUp(template))
    assert "There is an entry 'same'" in found["second"].reason
    assert "There is a job 'first' in done/ already" in found["first"].reason
    assert states(queue) == {"done": ["first"], "refused": ["first", "second"]}
    assert contents(queue.entries) == before


def test_of_two_jobs_for_one_entry_that_run_at_once_one_fails(queue, template):
    put(queue, "one", "same")
    put(queue, "two", "same")
    found = work_off(queue, MadeUp(template, {"one": "slow:0.3", "two": "slow:0.3"}), workers=2)
    assert sorted(one.state for one in found.values()) == ["done", "failed"]
    assert "There is an entry 'same'" in next(o.reason for o in found.values() if o.reason)


def test_names_that_no_job_has_are_refused_under_another(queue, template, tmp_path):
    waiting = queue.root / "waiting"
    (waiting / "Upper Case.toml").write_text("", "utf-8")
    (waiting / ("x" * 100 + ".toml")).write_text("", "utf-8")
    (waiting / "ünï.toml").write_text("", "utf-8")
    os.close(os.open(os.fsencode(waiting) + b"/\xff.toml", os.O_CREAT | os.O_WRONLY))
    (waiting / "link.toml").symlink_to(tmp_path / "nowhere")
    (waiting / "folder.toml").mkdir()
    os.mkfifo(waiting / "pipe.toml")
    (waiting / ".being-written.toml").write_text("", "utf-8")
    (waiting / "README.txt").write_text("", "utf-8")
    put(queue, "good")
    found = work_off(queue, MadeUp(template))
    assert sum(one.state == "refused" for one in found.values()) == 7
    assert found["good"].state == "done"
    assert sorted(path.name for path in waiting.iterdir()) == [".being-written.toml", "README.txt"]
    refused = sorted(path.name for path in (queue.root / "refused").iterdir())
    assert len(refused) == 14
    assert all(len(name) < 80 and name.isascii() for name in refused)
    # A folder of that name is there by now: it is not in the way of the next.
    (waiting / "folder.toml").mkdir()
    assert work_off(queue, MadeUp(template))["folder"].state == "refused"


def test_a_model_that_is_not_here_is_no_crash(queue):
    def no_such_model(*_: object) -> list[str]:
        raise BabelboardError("There is no such model.")

    put(queue, "job")
    found = work_off(queue, no_such_model)["job"]
    assert (found.state, found.reason) == ("failed", "There is no such model.")
    assert outcomes(queue, "job") == ["wrong"]


def test_status_tells_each_job(queue, template):
    put(queue, "good")
    put(queue, "bad")
    queue.manifest("waiting", "refused").write_text("x", "utf-8")
    work_off(queue, MadeUp(template, {"bad": "wrong:because"}))
    put(queue, "next")
    (queue.root / "waiting" / "No Name.toml").write_text("", "utf-8")
    leave_running(
        queue, "left", Event(event="taken", owner=myself().model_copy(update={"start": 1}))
    )
    leave_running(queue, "mine", Event(event="taken", owner=myself()))
    queue.manifest("refused", "bare").write_text("", "utf-8")
    before = contents(queue.root)
    found = {one.job: one for one in status_of(queue)}
    assert contents(queue.root) == before
    assert found["good"].entry == "entry-good"
    assert found["good"].attempts == 1
    assert found["bad"].reason == "because"
    assert found["next"].state == "waiting"
    assert "gone" in found["left"].reason
    assert found["mine"].reason == ""
    assert "not a TOML file" in found["refused"].reason
    assert found["bare"].reason == ""
    assert "will be refused" in found["No Name.toml"].reason
    assert counts(found.values()) == {
        "waiting": 2,
        "running": 2,
        "done": 1,
        "failed": 1,
        "refused": 2,
    }
    assert status_of(find_queue(queue.root)) == list(found.values())


def test_a_folder_that_is_no_queue_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"mkdir -p .*waiting"):
        find_queue(tmp_path)


def test_the_journal_is_lines_of_json_for_other_programs(queue, template):
    put(queue, "job")
    options = QueueOptions(LIMITS)
    assert run_queue(queue, options, MadeUp(template), Silent())[0].state == "done"
    lines = [json.loads(line) for line in queue.journal("job").read_text("utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["taken", "started", "ended", "done"]
    assert all(line["schema_version"] == 1 for line in lines)
    assert lines[0]["owner"]["pid"] == os.getpid()
    assert lines[2]["exit"] == 0
