"""Locks: one writer at a time, and no lock that a dead process holds."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness import locks
from harness.locks import lock_path, only_writer
from tasks.errors import InUseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from harness.locks import only_writer
with only_writer(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""
TAKER = """
import sys
from pathlib import Path
from harness.locks import only_writer
counter = Path(sys.argv[2])
for _ in range(200):
    while True:
        try:
            with only_writer(Path(sys.argv[1])):
                counter.write_text(str(int(counter.read_text()) + 1))
            break
        except Exception:
            pass
"""


@contextmanager
def another_writer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the lock of a folder."""
    words = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(words, stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            yield holder
        finally:
            if holder.stdin is not None and not holder.stdin.closed:
                holder.stdin.close()


def test_a_second_writer_is_refused_with_folder_and_process(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    with another_writer(folder) as holder:
        said = rf"{folder} is being written by the process {holder.pid}\. Wait"
        with pytest.raises(InUseError, match=said), only_writer(folder):
            pytest.fail("two have the lock")
        with only_writer(tmp_path / "other"):  # the lock is of one folder alone
            pass
    with only_writer(folder):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_dead_process_blocks_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    with another_writer(folder) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert lock_path(folder).read_text() == f"{holder.pid}\n"
    with only_writer(folder):
        assert lock_path(folder).read_text() == f"{os.getpid()}\n"
    assert not lock_path(folder).exists()


def test_a_process_may_take_its_lock_again(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    with only_writer(folder):
        with only_writer(folder):
            pass
        assert lock_path(folder).exists(), "the outer block still has it"
        with pytest.raises(RuntimeError, match="within"), only_writer(folder):
            raise RuntimeError("within")
        assert lock_path(folder).exists()
    assert not lock_path(folder).exists()


def test_a_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="within"), only_writer(tmp_path / "site"):
        raise RuntimeError("within")
    with only_writer(tmp_path / "site"):
        pass


def test_names_that_lead_to_one_folder_have_one_lock(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert lock_path(tmp_path / "link") == lock_path(tmp_path / "link" / ".." / "real")


def test_folders_that_were_made_for_the_lock_alone_go_with_it(tmp_path: Path) -> None:
    with only_writer(tmp_path / "a" / "b" / "entry"):
        pass
    assert list(tmp_path.iterdir()) == []
    with only_writer(tmp_path / "a" / "b" / "entry"):
        (tmp_path / "a" / "b" / "entry").mkdir()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["entry"]


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("years of work")
    lock_path(tmp_path / "site").symlink_to("thesis")
    with pytest.raises(OSError, match="symbolic link") as caught, only_writer(tmp_path / "site"):
        pass
    assert caught.value.errno == errno.ELOOP
    assert (tmp_path / "thesis").read_text() == "years of work"


def refuse_lock_files(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number), str(path))
        return real(path, flags, mode)

    monkeypatch.setattr(locks.os, "open", refusing)


def test_where_no_file_may_be_made_the_folder_itself_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    refuse_lock_files(monkeypatch, errno.EACCES)
    with only_writer(folder):
        assert list(tmp_path.iterdir()) == [folder]
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(InUseError, match="written by another process"), only_writer(folder):
        pass
    os.close(other)
    with pytest.raises(PermissionError), only_writer(tmp_path / "none"):
        pass


def test_a_full_disk_is_said_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_lock_files(monkeypatch, errno.ENOSPC)
    with pytest.raises(OSError, match="No space left") as caught, only_writer(tmp_path / "site"):
        pass
    assert caught.value.filename == str(lock_path(tmp_path / "site"))


def test_a_disk_without_locks_is_said_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", none)
    with pytest.raises(OSError, match="No locks available") as caught, only_writer(tmp_path / "s"):
        pass
    assert caught.value.filename == str(lock_path(tmp_path / "s"))


@pytest.mark.parametrize("said", [b"", b"not a number", b"\xff"])
def test_a_lock_file_that_says_nothing_yet(tmp_path: Path, said: bytes) -> None:
    path = lock_path(tmp_path / "site")
    path.write_bytes(said)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(InUseError, match="written by another process"),
            only_writer(tmp_path / "site"),
        ):
            pass


def test_two_that_take_turns_never_have_it_at_once(tmp_path: Path) -> None:
    """A lock file is removed while others have it open: they must not take that for the lock."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    words = [sys.executable, "-c", TAKER, str(tmp_path / "site"), str(counter)]
    both = [subprocess.Popen(words) for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    assert counter.read_text() == "400"
