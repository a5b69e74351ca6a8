"""Two writers at once, and clocks that go wrong."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from command_line import SCRIPT
from test_locks import another_writer

from tests.faults.made_up_entries import write_entry
from tests.faults.made_up_task import write_task

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunsCommand

SCORE = ("score", "char-ngram", "--entry", "made-up", "--task", "task/own.toml")
SITE = ("leaderboard", "--entries", "entries", "--out", "site", "--cache", "cache")


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for number in range(3):
        write_entry(tmp_path / "entries", number)
    return tmp_path


def test_an_entry_that_is_being_written_is_left_alone(
    babelboard: RunsCommand, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn", reason="needs the extra 'score'")
    write_task(tmp_path / "task", turn=0)
    words = (*SCORE, "--entries", "entries")
    with another_writer(tmp_path / "entries" / "made-up") as holder:
        done = babelboard(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    said = f"entries/made-up is being written by the process {holder.pid}."
    assert said in done.stderr
    assert not (tmp_path / "entries" / "made-up").exists()
    assert babelboard(*words, cwd=tmp_path).returncode == 0
    assert [path.name for path in (tmp_path / "entries").iterdir()] == ["made-up"]


def test_a_site_that_is_being_built_is_left_alone(babelboard: RunsCommand, place: Path) -> None:
    assert babelboard(*SITE, cwd=place).returncode == 0
    before = contents(place / "site")
    write_entry(place / "entries", 3)
    with another_writer(place / "site") as holder:
        done = babelboard(*SITE, cwd=place)
    assert done.returncode == 2
    assert f"site is being written by the process {holder.pid}." in done.stderr
    assert contents(place / "site") == before
    assert babelboard(*SITE, cwd=place).returncode == 0
    assert contents(place / "site") != before


def test_of_two_builds_at_once_each_ends_well_or_is_refused(
    babelboard: RunsCommand, place: Path
) -> None:
    both = [
        subprocess.Popen([SCRIPT, *SITE], cwd=place, stdout=-1, stderr=-1, text=True)
        for _ in range(2)
    ]
    ended = [(one.communicate(timeout=300), one.returncode) for one in both]
    assert sorted(code for _, code in ended) in ([0, 0], [0, 2])
    assert all("Traceback" not in said[1] for said, _ in ended)
    found = contents(place / "site")
    again = ("leaderboard", "--entries", "entries", "--out", "other", "--cache", "other-cache")
    assert babelboard(*again, cwd=place).returncode == 0
    assert found == contents(place / "other")


def test_a_training_and_a_search_that_go_on_are_left_alone(
    tmp_path: Path, tiny_encoder: Path
) -> None:
    pytest.importorskip("optuna", reason="needs the extra 'search'")
    from tasks.errors import InUseError
    from tests.baselines.small_search import run, write_place
    from tests.baselines.training_place import Place

    place = Place(tmp_path / "train", tiny_encoder)
    with another_writer(tmp_path / "train" / "out" / "small-seed-1") as holder:
        with pytest.raises(InUseError, match=f"by the process {holder.pid}"):
            place.train()
        assert place.train(seed=2).is_new
    searched = write_place(tmp_path / "search", tiny_encoder)
    with (
        another_writer(searched / "out") as holder,
        pytest.raises(InUseError, match=f"by the process {holder.pid}"),
    ):
        run(searched, "out")


YEARS = {"in the past": -40, "in the future": 60}


@pytest.mark.parametrize("when", YEARS)
def test_times_of_files_decide_nothing(
    babelboard: RunsCommand, place: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither those of files that are there, nor what the clock says now."""
    assert babelboard(*SITE, cwd=place).returncode == 0
    write_entry(place / "entries", 1, draw=1)
    shift = YEARS[when] * 365 * 24 * 60 * 60
    for path in place.rglob("*"):
        changed = path.stat().st_mtime + shift
        os.utime(path, (changed, changed))
    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: 1_800_000_000.0 - shift)
        assert babelboard(*SITE, cwd=place).returncode == 0
    again = ("leaderboard", "--entries", "entries", "--out", "other", "--cache", "other-cache")
    assert babelboard(*again, cwd=place).returncode == 0
    assert contents(place / "site") == contents(place / "other")
