"""What a job is given, what it may take, and what is left of it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_queue import (
    LIMITS,
    MadeUp,
    put,
    work_off,
)

from submissions.queue import process_table
from submissions.queue.environment import job_environment
from submissions.queue.process_table import check_machine, is_alive, myself
from tasks.errors import UsageError


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_environment_of_a_job_has_no_secrets(queue, template, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-2")
    monkeypatch.setenv("GITHUB_TOKEN", "secret-3")
    monkeypatch.setenv("https_proxy", "http://user:secret-4@proxy")
    monkeypatch.setenv("BABELBOARD_DATA", "data")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    put(queue, "job")
    work_off(queue, MadeUp(template, {"job": "environment"}))
    log = queue.log("job").read_text("utf-8")
    assert "secret" not in log
    said = dict(line.partition("=")[::2] for line in log.splitlines() if "=" in line)
    work = queue.work("job")
    assert said["HOME"] == str(work / "home")
    assert said["TMPDIR"] == str(work / "tmp")
    assert said["HF_HUB_OFFLINE"] == said["TRANSFORMERS_OFFLINE"] == "1"
    assert said["BABELBOARD_DATA"] == str(Path.cwd() / "data")
    assert said["https_proxy"] == "http://127.0.0.1:9"
    assert said["OMP_NUM_THREADS"] == "1"
    assert "stdin: ''" in log
    assert f"session: True folder: {work}" in log


def test_with_the_network_proxies_are_passed_on_and_tokens_are_not(queue):
    around = {"HOME": "/home/me", "https_proxy": "http://proxy", "HF_TOKEN": "secret"}
    found = job_environment(queue, "job", "t", network=True, around=around)
    assert found["https_proxy"] == "http://proxy"
    assert "HF_HUB_OFFLINE" not in found
    assert "secret" not in "".join(found.values())
    assert found["HF_HUB_CACHE"] == "/home/me/.cache/huggingface/hub"
    assert not found["HF_HOME"].startswith("/home/me")  # where a token would be looked for


def test_a_job_whose_child_outlives_it_leaves_nothing_behind(queue, template, tmp_path):
    put(queue, "job")
    note = tmp_path / "pid"
    assert (
        work_off(queue, MadeUp(template, {"job": f"leave-a-child:{note}"}))["job"].state == "done"
    )
    assert gone(int(note.read_text()))


def test_memory_of_children_counts_and_mapped_files_do_not(queue, template):
    put(queue, "child")
    put(queue, "mapped")
    runner = MadeUp(template, {"child": "memory-of-a-child", "mapped": "mapped"})
    limits = replace(LIMITS, memory=2**26, disk=2**30)
    found = work_off(queue, runner, limits=limits)
    assert found["child"].reason == "held more than 64 MB (--memory-limit)"
    assert found["mapped"].state == "done"


def test_a_flood_of_output_is_kept_in_part(queue, template):
    put(queue, "job")
    assert work_off(queue, MadeUp(template, {"job": "flood"}))["job"].state == "done"
    log = queue.log("job").read_bytes()
    assert log.startswith(b"first words\nyyy")
    assert log.endswith(b"yyy\nlast words\n")
    assert b" bytes left out ..." in log
    assert LIMITS.log < len(log) < LIMITS.log + 100


def test_a_job_that_closes_its_output_is_still_watched(queue, template):
    put(queue, "job")
    assert work_off(queue, MadeUp(template, {"job": "silent:0.4"}))["job"].state == "done"


def test_another_process_with_the_same_number_is_another(monkeypatch):
    me = myself()
    assert is_alive(me)
    assert not is_alive(me.model_copy(update={"start": me.start + 1}))
    assert not is_alive(me.model_copy(update={"boot": "other"}))
    monkeypatch.setattr(process_table, "_read", lambda pid: None)  # noqa: ARG005
    assert not is_alive(me)
    with pytest.raises(ProcessLookupError):
        myself()


def test_a_machine_without_proc_is_refused(tmp_path):
    with pytest.raises(UsageError, match="run-queue needs Linux"):
        check_machine(tmp_path)


def test_killing_gives_up_on_what_does_not_die(monkeypatch):
    monkeypatch.setattr(process_table, "marked", lambda processes, token: [2**22 + 1])  # noqa: ARG005
    assert not process_table.kill_all("token", patience=0)


def test_what_ended_meanwhile_is_nobodys():
    ended = process_table.Process(2**22 + 1, 1, 1)
    assert process_table.marked([ended], "token") == []
    assert process_table.memory_of([ended.pid]) == 0
