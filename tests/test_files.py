"""Files that are written whole or not at all, and what killed processes leave of them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from harness import files
from harness.files import remove_left_behind, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

DAY = 24 * 60 * 60


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b.txt", b"one")
    write_atomically(tmp_path / "a" / "b.txt", b"two")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"two"
    assert (tmp_path / "a" / "b.txt").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_the_folder_is_synced_after_the_move_where_it_must_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool]] = []
    real = os.fsync

    def seeing(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        seen.append((is_folder, (tmp_path / "a.txt").exists()))
        real(handle)

    monkeypatch.setattr(files.os, "fsync", seeing)
    write_atomically(tmp_path / "a.txt", b"one")
    assert seen == [(False, False), (True, True)]
    write_atomically(tmp_path / "a.txt", b"two", durable=False)
    assert len(seen) == 2


def test_an_error_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(tmp_path / "a.txt", b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "a.txt", b"two")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.txt": b"one"}


def left_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a process leaves that is killed before it moves a file into its place."""
    with monkeypatch.context() as patch:
        patch.setattr(files.Path, "unlink", lambda *_, **__: None)
        patch.setattr(files.Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write_atomically(folder / "in" / "a.txt", b"half")
    (found,) = (folder / "in").iterdir()
    return found


@pytest.mark.parametrize(
    ("age", "older_than", "goes"),
    [
        (0, DAY, False),
        (2 * DAY, DAY, True),
        (-365 * DAY, DAY, False),  # the clock has been put back since
        (-365 * DAY, 0, True),
        (0, 0, True),
    ],
)
def test_what_is_left_behind_goes_once_it_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int, older_than: float, goes: bool
) -> None:
    left = left_behind(tmp_path, monkeypatch)
    kept = [tmp_path / "in" / name for name in ("a.part", ".a", "b.txt")]
    now = left.stat().st_mtime
    for path in (left, *kept):
        path.touch()
        os.utime(path, (now - age, now - age))
    remove_left_behind(tmp_path, older_than)
    assert left.exists() is not goes
    assert all(path.exists() for path in kept)


def test_a_folder_that_is_not_there_has_nothing_left_behind(tmp_path: Path) -> None:
    remove_left_behind(tmp_path / "none")
