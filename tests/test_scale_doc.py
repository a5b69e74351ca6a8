"""docs/scale.md: its tables are those of the rates, and its commands run."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import scale_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import RunsCommand

DOCUMENT = (Path(__file__).parents[1] / "docs" / "scale.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"^```sh\n(.*?)^```", DOCUMENT, re.M | re.S)
    for line in block.splitlines()
]
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
needs_ray = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("ray", "sentence_transformers")),
    reason="needs the extras 'score' and 'ray'",
)


def test_the_tables_are_computed_from_the_rates() -> None:
    for table in (scale_table.encoding(), scale_table.ranking()):
        assert "\n".join(table) in DOCUMENT
    assert f"{scale_table.DRIVER:,.0f}"[:3] == "409"  # 410,000 in the text
    assert "min(GPUs x rate, 410,000)" in DOCUMENT


@pytest.fixture
def work(tmp_path: Path) -> Path:
    from tests.tiny_models import write_dense

    write_dense(tmp_path / "my-encoder")
    return tmp_path


@pytest.fixture
def first(tmp_path: Path) -> Iterator[str]:
    """The address of a cluster that is started as the document says, on a free port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = str(one.getsockname()[1])
    (start,) = (words for words in COMMANDS if words[:3] == ["ray", "start", "--head"])
    words = [port if word == "6379" else word for word in start]
    # Only for the test: two cores, nothing on other ports, and an end that ends this one alone.
    only = ["--num-cpus", "2", "--include-dashboard", "false", "--block"]
    ray = Path(sys.executable).with_name("ray")
    folder = Path("/tmp") / f"ray-test-{port}"  # noqa: S108  # a socket's path must be short
    running = subprocess.Popen(
        [ray, *words[1:], *only, "--temp-dir", folder, "--object-store-memory", "100000000"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", **TOKEN},
    )
    ends = time.monotonic() + 120
    while time.monotonic() < ends and running.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", int(port))) == 0:
                break
        time.sleep(0.2)
    yield f"127.0.0.1:{port}"
    os.killpg(running.pid, signal.SIGTERM)
    running.wait()
    shutil.rmtree(folder, ignore_errors=True)


@needs_ray
@pytest.mark.long
def test_the_commands_run(babelboard_apart: RunsCommand, work: Path, first: str) -> None:
    commands = [words for words in COMMANDS if words[0] == "babelboard"]
    assert commands[0][-4:-2] == ["--ray", "local"]
    assert len(commands) == 2
    entries = []
    for number, words in enumerate(commands):
        # What this machine has in place of a cluster's.
        here = {"FIRST:6379": first, "16": "2", "s3://bucket/folder": f"file://{work}/shards"}
        words = [here.get(word, word) for word in words[1:]]  # noqa: PLW2901
        if "--ray-gpus" in words:
            words[words.index("--ray-gpus") + 1] = "0"
        more = ("--settings", "*/de-*", "--entries", work / str(number))
        done = babelboard_apart(
            *words, *more, "--cache", work / f"cache-{number}", cwd=work, env=TOKEN
        )
        assert done.returncode == 0, done.stderr
        (ranks,) = (work / str(number)).glob("*/ranks/*.parquet")
        entries.append(ranks.read_bytes())
    assert entries[0] == entries[1]


@needs_ray
@pytest.mark.long
def test_a_cluster_with_too_little_room_is_refused(
    babelboard_apart: RunsCommand, work: Path, first: str
) -> None:
    task = ("score", "./my-encoder", "--task", "pocket", "--entries", "entries", "--ray", first)
    for options, message in (
        (("--ray-workers", "3"), "3 workers take 3 CPUs, and the cluster has 2."),
        (("--ray-gpus", "1"), "1 workers take 1 GPUs, and the cluster has 0."),
    ):
        done = babelboard_apart(*task, *options, cwd=work, env=TOKEN)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
