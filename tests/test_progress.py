"""Progress goes to stderr: plain lines where there is no terminal, a bar where there is one."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

import pytest

from harness import progress
from harness.progress import OnStderr, Silent

if TYPE_CHECKING:
    from harness.progress import Reporter
    from tests.conftest import RunsCommand


class Terminal(io.StringIO):
    """A terminal that keeps what is shown on it."""

    def isatty(self) -> bool:
        return True


def work(reporter: Reporter) -> None:
    reporter.say("Loading a model")
    with reporter.track("Encoding", 12_000, "texts") as advance:
        for _ in range(3):
            advance(4_000)


def test_without_a_terminal_progress_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    work(OnStderr())
    printed = capsys.readouterr()
    assert printed.out == ""
    said, done = printed.err.splitlines()
    assert said == "Loading a model"
    assert re.fullmatch(r"Encoding: 12,000 texts in \d+\.\d s, [\d,]+/s", done)
    assert "\x1b" not in printed.err
    assert "\r" not in printed.err


def test_long_work_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    work(OnStderr())
    lines = capsys.readouterr().err.splitlines()[1:]
    assert [line.split(",")[0] for line in lines[:2]] == ["Encoding: 4", "Encoding: 8"]
    assert re.fullmatch(r"Encoding: 4,000 of 12,000 texts, [\d,]+/s", lines[0])
    assert re.fullmatch(r"Encoding: 12,000 texts in \d+\.\d s, [\d,]+/s", lines[2])
    assert len(lines) == 3


def test_a_line_stays_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    line = f"The cached embeddings in /{'a-long-folder/' * 12}0.npz [x] :smile: were damaged."
    OnStderr().say(line)
    assert capsys.readouterr().err == f"{line}\n"


def test_work_that_fails_is_not_said_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), OnStderr().track("Encoding", 5, "texts"):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == ""


def test_no_work_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    with OnStderr().track("Encoding", 0, "texts"):
        pass
    assert capsys.readouterr().err.startswith("Encoding: 0 texts in 0.0 s")


def test_on_a_terminal_there_is_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    work(OnStderr())
    shown = terminal.getvalue()
    assert "Loading a model" in shown
    assert "Encoding" in shown
    assert "12000/12000" in shown
    assert "texts/s" in shown
    assert capsys.readouterr().out == ""


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    work(Silent())
    assert capsys.readouterr() == ("", "")


def test_stdout_has_nothing_but_the_result(babelboard: RunsCommand) -> None:
    arguments = ("score", "char-ngram", "--task", "pocket", "--settings", "moir/en-en")
    done = babelboard(*arguments)
    assert done.returncode == 0
    assert "Ranking: 198 documents in" in done.stderr
    assert "Ranking:" not in done.stdout
    assert "Loading" not in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
