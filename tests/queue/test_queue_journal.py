"""Journals, and what follows from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.queue.attempts import attempts_made, is_open, next_step
from submissions.queue.journal import Event, append, read

TAKEN = Event(event="taken")
STARTED = Event(event="started", attempt=1)
DONE = Event(event="done")
FAILED = Event(event="failed", reason="why")


def ended(outcome: str, **more: str) -> Event:
    return Event(event="ended", attempt=1, outcome=outcome, **more)


@pytest.mark.parametrize(
    ("events", "step", "reason"),
    [
        ([], "waiting", ""),
        ([TAKEN], "waiting", ""),
        ([TAKEN, STARTED, ended("stopped")], "waiting", ""),
        ([TAKEN, STARTED, ended("crashed")], "waiting", ""),
        ([TAKEN, STARTED, ended("lost")], "waiting", ""),
        ([TAKEN, STARTED, ended("crashed", reason="r")] * 3, "failed", "3 attempts, the last: r"),
        ([TAKEN, STARTED, ended("lost")] * 2 + [TAKEN, STARTED, ended("crashed")], "failed", "3"),
        ([TAKEN, STARTED, ended("stopped")] * 9, "waiting", ""),
        ([TAKEN, STARTED, ended("crashed")] * 2, "waiting", ""),
        (
            [TAKEN, STARTED, ended("stopped")] * 9 + [TAKEN, STARTED, ended("crashed")],
            "waiting",
            "",
        ),
        ([TAKEN, STARTED, ended("over time", reason="r")], "failed", "r"),
        ([TAKEN, STARTED, ended("over memory", reason="r")], "failed", "r"),
        ([TAKEN, STARTED, ended("over disk", reason="r")], "failed", "r"),
        ([TAKEN, STARTED, ended("wrong", reason="r")], "failed", "r"),
        ([TAKEN, STARTED, ended("unusable entry")], "failed", "unusable entry"),
        ([TAKEN, STARTED, ended("scored", digest="d")], "publish", ""),
        ([TAKEN, STARTED, ended("scored", digest="d"), DONE], "done", ""),
        ([TAKEN, STARTED, ended("wrong"), FAILED], "failed", "why"),
        # Put back by a maintainer: earlier attempts no longer count.
        ([TAKEN, STARTED, ended("crashed")] * 3 + [FAILED, TAKEN], "waiting", ""),
        ([TAKEN, STARTED, ended("crashed")] * 3 + [FAILED, TAKEN, ended("lost")], "waiting", ""),
    ],
)
def test_what_follows_from_a_journal(events, step, reason):
    found = next_step(events, retries=2)
    assert found.to == step
    assert reason in found.reason
    assert found.digest == ("d" if step == "publish" else "")


def test_without_retries_the_first_crash_is_the_last():
    found = next_step([TAKEN, STARTED, ended("crashed", reason="r")], retries=0)
    assert (found.to, found.reason) == ("failed", "r")


def test_attempts_are_those_since_a_maintainer_put_the_job_back():
    before = [TAKEN, STARTED, ended("crashed"), FAILED]
    assert attempts_made(before) == 1
    assert attempts_made([*before, TAKEN]) == 0
    assert attempts_made([*before, TAKEN, STARTED, ended("crashed"), TAKEN, STARTED]) == 2
    assert is_open([TAKEN, STARTED])
    assert not is_open(before)
    assert not is_open([])


def test_events_come_back_in_order(tmp_path):
    path = tmp_path / "job.jsonl"
    assert read(path) == []
    events = [TAKEN, STARTED, ended("crashed", reason='"quoted"\nü'), FAILED]
    for event in events:
        append(path, event)
    assert read(path) == events
    assert len(path.read_bytes().splitlines()) == 4


def test_a_line_that_was_cut_harms_no_other(tmp_path):
    path = tmp_path / "job.jsonl"
    append(path, TAKEN)
    append(path, STARTED)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        append(path, DONE)
        found = read(path)
        assert found[-1] == DONE
        assert found[:-1] == [TAKEN, STARTED][: len(found) - 1]


@given(st.binary(max_size=200))
def test_damage_is_passed_over(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.jsonl"
    path.write_bytes(content)
    assert read(path) == []
    append(path, DONE)
    assert read(path) == [DONE]


def test_times_are_utc():
    assert Event(event="taken").at.endswith("+00:00")
