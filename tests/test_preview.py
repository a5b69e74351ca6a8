"""The preview of a site: its files, on this machine alone."""

from __future__ import annotations

import signal
import subprocess
import threading
import urllib.request
from typing import TYPE_CHECKING

import pytest
from command_line import SCRIPT

from leaderboard.preview import HOST, server
from tasks.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_it_serves_the_files_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>here</h1>", "utf-8")
    with server(tmp_path, 0) as running:
        assert running.server_address[0] == "127.0.0.1"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            with urllib.request.urlopen(f"http://{HOST}:{running.server_port}/") as answer:
                assert answer.read() == b"<h1>here</h1>"
        finally:
            running.shutdown()
            thread.join()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with (
        server(tmp_path, 0) as running,
        pytest.raises(UsageError, match=rf"Port {running.server_port} cannot be used: .*--port"),
        server(tmp_path, running.server_port),
    ):
        pass


def test_the_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "entries").mkdir()
    command = [SCRIPT, "leaderboard", "--entries", "entries", "--out", "site", "--serve"]
    command += ["--port", "0", "--cache", "cache"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        address = next(line for line in lines if line.startswith("Serving ")).split()[1]
        assert address.startswith(f"http://{HOST}:")
        with urllib.request.urlopen(f"{address}index.html") as answer:  # noqa: S310  # see above
            assert b"No system has been scored yet" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
