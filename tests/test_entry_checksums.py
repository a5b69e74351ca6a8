"""Results of entries that are read without their manifest's room: held against its checksums."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from harness.entry_checksums import MANIFEST, check_scored
from tasks.errors import EntryError
from tests.faults.made_up_entries import TASK, write_entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RunsCommand


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(2):
        write_entry(tmp_path / "entries", number)
    return tmp_path / "entries"


def compare(babelboard: RunsCommand, root: Path) -> tuple[int, str]:
    words = ("compare", "system-0", "system-1", "--entries", root, "--resamples", "100")
    done = babelboard(*words, "--format", "json")
    return done.returncode, done.stderr if done.returncode else done.stdout


def other_ranks(root: Path) -> None:
    """The ranks of another system: a whole rank file, which nothing but the checksum tells."""
    other = write_entry(root.parent / "others", 1, draw=5)
    there = root / "system-1" / "ranks" / f"{TASK}.parquet"
    there.write_bytes((other / "ranks" / f"{TASK}.parquet").read_bytes())


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / "system-1" / MANIFEST
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return change


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "other ranks": (other_ranks, r"is not the file that was scored: submission\.toml says sha256"),
    "no TOML": (replaced("[runs.own]", "[runs.own"), r"submission\.toml is damaged: "),
    "no table": (replaced("[runs.own]", "[[runs.own]]"), r"has no runs that can be read"),
    "too large": (replaced("System 1", "x" * 2**18), r"more than 262,144 bytes"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_comparison_refuses_what_was_damaged(
    babelboard: RunsCommand, root: Path, damage: str
) -> None:
    assert compare(babelboard, root)[0] == 0
    change, said = DAMAGES[damage]
    change(root)
    code, message = compare(babelboard, root)
    assert code == 2
    assert re.search(said, message)


def test_bias_refuses_other_ranks_too(babelboard: RunsCommand, root: Path) -> None:
    words = ("bias", "system-1", "--entries", root, "--json")
    assert babelboard(*words).returncode == 0
    other_ranks(root)
    done = babelboard(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not the file that was scored" in done.stderr


def test_ranks_without_a_manifest_are_held_against_nothing(
    babelboard: RunsCommand, root: Path
) -> None:
    before = json.loads(compare(babelboard, root)[1])
    (root / "system-1" / MANIFEST).unlink()
    assert json.loads(compare(babelboard, root)[1]) == before


def test_a_file_that_is_gone_and_one_that_the_manifest_does_not_name(root: Path) -> None:
    entry = root / "system-1"
    path = entry / "ranks" / f"{TASK}.parquet"
    check_scored(entry, TASK, "shares", entry / "none")
    check_scored(entry, "another", "ranks", entry / "none")
    check_scored(entry, TASK, "ranks", path)
    path.unlink()
    with pytest.raises(EntryError, match="found no file"):
        check_scored(entry, TASK, "ranks", path)
