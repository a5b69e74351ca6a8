"""A disk that is full, and one that may only be read: small ones, in a namespace of their own.

What is mounted there is seen by no other process, and goes with the last one.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from command_line import SCRIPT

from tests.faults.made_up_entries import write_entry
from tests.faults.made_up_task import write_task

if TYPE_CHECKING:
    from pathlib import Path

APART = ("unshare", "--map-root-user", "--mount")
PROGRAM = """
set -e
mount -t tmpfs -o size={size} tmpfs disk
cp -R start/. disk/
{then}
cd disk
set +e
{command} > ../first.out 2> ../first.err
echo $? > ../first.code
cd ..
cp -R disk first
mount -o remount,rw,size=64m disk
cd disk
{command} > ../second.out 2> ../second.err
echo $? > ../second.code
cd ..
cp -R disk second
"""
SITE = ("leaderboard", "--entries", "entries", "--out", "site", "--cache", "cache")
SCORE = ("score", "char-ngram", "--entry", "made-up", "--task", "task/own.toml", "--entries", "new")
COMPARE = ("compare", "system-0", "system-1", "--entries", "entries", "--resamples", "1000")
BUILT = ("site/", "entries/", "new/", "task/")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    try:
        tried = subprocess.run([*APART, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False)
    except FileNotFoundError:
        pytest.skip("needs unshare, of util-linux")
    if tried.returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    for number in range(2):
        write_entry(tmp_path / "start" / "entries", number)
    write_task(tmp_path / "start" / "task", turn=0)
    (tmp_path / "disk").mkdir()
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name.startswith(BUILT)}


def run(place: Path, words: tuple[str, ...], *, size: str = "64m", then: str = "") -> None:
    """Runs a command on a small disk, and again on one that is large enough."""
    command = " ".join([str(SCRIPT), *words])
    program = PROGRAM.format(size=size, command=command, then=then)
    subprocess.run([*APART, "sh", "-c", program], cwd=place, check=True, timeout=300)


def undisturbed(place: Path, words: tuple[str, ...]) -> dict[str, bytes]:
    """What a command leaves on a disk with room."""
    shutil.copytree(place / "start", place / "whole")
    subprocess.run([SCRIPT, *words], cwd=place / "whole", check=True, capture_output=True)
    return contents(place / "whole")


def code(place: Path, which: str) -> int:
    return int((place / f"{which}.code").read_text())


@pytest.mark.parametrize(
    ("words", "size"),
    [
        pytest.param(SITE, "100k", id="site-100k", marks=pytest.mark.long),
        pytest.param(SITE, "300k", id="site-300k"),
        pytest.param(SCORE, "48k", id="score-48k", marks=pytest.mark.long),
    ],
)
def test_a_full_disk_is_said_and_the_same_command_goes_on(
    place: Path, words: tuple[str, ...], size: str
) -> None:
    if words is SCORE:
        pytest.importorskip("sklearn", reason="needs the extra 'score'")
    run(place, words, size=size)
    said = (place / "first.err").read_text()
    assert code(place, "first") == 2
    assert "No space left on" in said
    assert "Traceback" not in said
    assert not list((place / "first").glob("new/*/submission.toml"))
    assert code(place, "second") == 0, (place / "second.err").read_text()
    assert contents(place / "second") == undisturbed(place, words)


@pytest.mark.parametrize(
    "words",
    [pytest.param(SITE, id="site", marks=pytest.mark.long), pytest.param(SCORE, id="score")],
)
def test_a_disk_that_may_only_be_read_is_said_and_left_as_it_is(
    place: Path, words: tuple[str, ...]
) -> None:
    if words is SCORE:
        pytest.importorskip("sklearn", reason="needs the extra 'score'")
    run(place, words, then="mount -o remount,ro disk")
    said = (place / "first.err").read_text()
    assert code(place, "first") == 2
    assert "Traceback" not in said
    assert "Read-only file system" in said or "cannot be written" in said
    assert contents(place / "first") == contents(place / "start")
    assert code(place, "second") == 0, (place / "second.err").read_text()
    assert contents(place / "second") == undisturbed(place, words)


def test_a_disk_that_may_only_be_read_is_enough_to_compare(place: Path) -> None:
    run(place, COMPARE, then="mount -o remount,ro disk")
    assert (code(place, "first"), code(place, "second")) == (0, 0)
    assert (place / "first.out").read_text() == (place / "second.out").read_text()
