"""``babelboard run-queue`` on the command line, with real scoring."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_up_queue import contents, put

pytest.importorskip("bm25s", reason="needs the extra 'score'")

from submissions.entry import read_entry
from submissions.queue.journal import read

if TYPE_CHECKING:
    from submissions.queue.folder import QueueFolder
    from tests.conftest import RunsCommand

FEW = "settings = ['moir/de-de']\n"


def in_json(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, object]]:
    content = json.loads(done.stdout)
    assert content["schema_version"] == 1
    return {job["job"]: job for job in content["jobs"]}


def test_a_queue_of_real_models(babelboard: RunsCommand, queue: QueueFolder, tiny_encoder):
    shutil.copytree(tiny_encoder, queue.models / "tiny")
    put(queue, "good", "mine", FEW + "name = 'Mine'\nkeep_runs = 3\n")
    put(queue, "wrong", "wrong", "settings = ['moir/zz-zz']\n")
    tiny = 'schema_version = 1\nid = "tiny"\nmodel = "models/tiny"\ntasks = ["pocket"]\n'
    queue.manifest("waiting", "tiny").write_text(tiny + FEW + "max_tokens = 32\n", "utf-8")
    absent = tiny.replace("tiny", "absent")
    queue.manifest("waiting", "absent").write_text(absent, "utf-8")
    queue.manifest("waiting", "unknown").write_text("modle = 1", "utf-8")
    done = babelboard("run-queue", queue.root, "--json", "--device", "cpu", "--workers", "2")
    assert done.returncode == 1
    found = in_json(done)
    states = {name: job["state"] for name, job in found.items()}
    assert states == {
        "good": "done",
        "tiny": "done",
        "wrong": "failed",
        "absent": "failed",
        "unknown": "refused",
    }
    assert "Did you mean moir/zh-zh" in str(found["wrong"]["reason"])
    assert "no folder 'absent' among the queue's models" in str(found["absent"]["reason"])
    assert "good: attempt 1 of bm25 on pocket" in done.stderr
    entry = read_entry(queue.entries / "mine")
    assert entry.manifest.name == "Mine"
    assert len(entry.kept_runs("pocket")) > 0
    command = entry.manifest.runs["pocket"].command
    assert command == "babelboard score bm25 --task pocket --settings moir/de-de"
    scored = read_entry(queue.entries / "tiny").manifest.model
    assert (scored.name, scored.settings["max_tokens"]) == ("tiny", 32)
    assert str(queue.root) not in json.dumps(tomllib.loads(_manifest(queue, "tiny")))

    shown = babelboard("run-queue", queue.root, "--status")
    assert shown.returncode == 0
    assert "0 waiting, 0 running, 2 done, 2 failed, 1 refused" in shown.stdout
    assert "Did you mean model?" in " ".join(shown.stdout.split())
    again = babelboard("run-queue", queue.root)
    assert (again.returncode, again.stderr) == (0, "")


def _manifest(queue: QueueFolder, entry: str) -> str:
    return (queue.entries / entry / "submission.toml").read_text("utf-8")


def test_an_entry_of_the_queue_is_the_one_that_score_writes(babelboard, queue, tmp_path):
    put(queue, "job", "same", FEW)
    assert babelboard("run-queue", queue.root).returncode == 0
    arguments = ("bm25", "--task", "pocket", "--settings", "moir/de-de", "--entry", "same")
    assert babelboard("score", *arguments, "--entries", tmp_path / "by-hand").returncode == 0
    assert contents(queue.entries) == contents(tmp_path / "by-hand")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_leaves_the_job_waiting(queue, tmp_path, number):
    put(queue, "job")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    one = subprocess.Popen(
        [Path(sys.executable).with_name("babelboard"), "run-queue", queue.root, "--watch"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    until = time.monotonic() + 60
    while not read(queue.journal("job"))[-1:] or read(queue.journal("job"))[-1].event != "started":
        assert time.monotonic() < until
        time.sleep(0.02)
    one.send_signal(number)
    out, err = one.communicate(timeout=60)
    assert one.returncode == 130
    assert "1 waiting, 0 running" in out
    assert "Stopped." in err
    assert queue.manifest("waiting", "job").is_file()
    assert [e.outcome for e in read(queue.journal("job")) if e.outcome] == ["stopped"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--time-limit", "6"), "--time-limit '6': give a time such as 90s"),
        (("--memory-limit", "1K"), "--memory-limit '1K': give a size"),
        (("--disk-limit", "lots"), "--disk-limit 'lots': give a size"),
        (("--data", "nowhere"), "--data names 'nowhere', which is not a folder"),
        (("--status", "--watch"), "leave out --watch"),
        (("--workers", "0"), "workers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_options_are_refused(babelboard, queue, options, message):
    put(queue, "job")
    done = babelboard("run-queue", queue.root, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert queue.manifest("waiting", "job").is_file()


def test_an_empty_queue_is_shown(babelboard, queue):
    assert babelboard("run-queue", queue.root).stdout == (
        "0 waiting, 0 running, 0 done, 0 failed, 0 refused\n"
    )
    put(queue, "job")
    done = babelboard("run-queue", queue.root, "--status", "--json")
    assert done.returncode == 0
    assert in_json(done)["job"] == {
        "job": "job",
        "state": "waiting",
        "entry": "entry-job",
        "attempts": 0,
        "reason": "",
    }


def test_a_folder_that_is_no_queue_is_left_alone(babelboard, tmp_path):
    for options in ((), ("--status",)):
        done = babelboard("run-queue", tmp_path, *options)
        assert done.returncode == 2
        assert "mkdir -p" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_reasons_do_not_steer_the_terminal(babelboard, queue):
    queue.manifest("waiting", "job").write_text('"\\u001b[2J\\u202E" = 1\n', "utf-8")
    done = babelboard("run-queue", queue.root)
    shown = babelboard("run-queue", queue.root, "--status").stdout
    for text in (done.stdout, done.stderr, shown):
        assert "\x1b" not in text
        assert "\u202e" not in text
