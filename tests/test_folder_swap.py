"""Folders that are replaced as a whole, at whatever moment the replacing stops."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from harness import folder_swap
from harness.folder_swap import new_folder, recover_folder

if TYPE_CHECKING:
    from pathlib import Path

OLD = {"a.txt": "a", "in/b.txt": "b"}
NEW = {"a.txt": "other", "in/b.txt": "b", "c.txt": "c"}


def write_old(folder: Path) -> Path:
    for name, text in OLD.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def change(fresh: Path) -> None:
    (fresh / "c.txt").write_text("c")
    (fresh / "new").write_text("other")
    (fresh / "new").replace(fresh / "a.txt")


def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_swap, "_exchange", lambda *_: False)


@pytest.mark.parametrize("way", ["exchange", "two steps", "no function", "no support"])
def test_the_new_folder_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    folder = write_old(tmp_path / "entry")
    if way == "two steps":
        no_exchange(monkeypatch)
    elif way == "no function":
        monkeypatch.setattr(folder_swap.ctypes, "CDLL", lambda *_, **__: object())
    elif way == "no support":
        failing_exchange(monkeypatch, errno.EINVAL)
    with new_folder(folder) as fresh:
        assert texts(fresh) == OLD
        change(fresh)
        assert texts(folder) == OLD, "nothing has changed yet"
    assert texts(folder) == NEW
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_was_not_there(tmp_path: Path) -> None:
    with new_folder(tmp_path / "deep" / "entry") as fresh:
        change(fresh)
    assert texts(tmp_path / "deep" / "entry") == {"a.txt": "other", "c.txt": "c"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["entry"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    folder = write_old(tmp_path / "entry")
    with pytest.raises(NotADirectoryError), new_folder(folder) as fresh:
        (fresh / "a.txt" / "below").write_text("a file is no folder")
    assert texts(folder) == OLD
    assert list(tmp_path.iterdir()) == [folder]


def test_the_folder_that_a_link_leads_to_is_replaced(tmp_path: Path) -> None:
    folder = write_old(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    with new_folder(tmp_path / "link") as fresh:
        change(fresh)
    assert (tmp_path / "link").is_symlink()
    assert texts(folder) == NEW


def test_files_are_shared_until_they_are_replaced(tmp_path: Path) -> None:
    folder = write_old(tmp_path / "entry")
    with new_folder(folder) as fresh:
        assert (fresh / "a.txt").samefile(folder / "a.txt")


def test_files_are_copied_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_old(tmp_path / "entry")

    def no_link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(folder_swap.os, "link", no_link)
    with new_folder(folder) as fresh:
        assert texts(fresh) == OLD
        assert not (fresh / "a.txt").samefile(folder / "a.txt")


def test_another_fault_of_a_link_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_old(tmp_path / "entry")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(folder_swap.os, "link", full)
    with pytest.raises(OSError, match="full"), new_folder(folder):
        pass
    assert texts(folder) == OLD
    assert list(tmp_path.iterdir()) == [folder]


def failing_exchange(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    class Library:
        @staticmethod
        def renameat2(*_: object) -> int:
            return -1

        renameatx_np = renameat2

    monkeypatch.setattr(folder_swap.ctypes, "CDLL", lambda *_, **__: Library)
    monkeypatch.setattr(folder_swap.ctypes, "get_errno", lambda: number)


def test_an_exchange_that_fails_is_said_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_old(tmp_path / "entry")
    failing_exchange(monkeypatch, errno.EACCES)
    with pytest.raises(PermissionError) as caught, new_folder(folder) as fresh:
        change(fresh)
    assert caught.value.filename == str(folder)
    assert texts(folder) == OLD


def test_what_a_kill_between_two_steps_leaves_is_put_right(tmp_path: Path) -> None:
    folder = write_old(tmp_path / "entry")
    (tmp_path / ".entry.old").mkdir()
    shutil.copytree(folder, tmp_path / ".entry.new" / "entry")
    folder.rename(tmp_path / ".entry.old" / "entry")
    recover_folder(folder)
    assert texts(folder) == OLD
    assert list(tmp_path.iterdir()) == [folder]


def test_what_a_kill_after_the_second_step_leaves_goes(tmp_path: Path) -> None:
    folder = write_old(tmp_path / "entry")
    shutil.copytree(folder, tmp_path / ".entry.old" / "entry")
    (folder / "a.txt").write_text("other")
    recover_folder(folder)
    assert texts(folder) == OLD | {"a.txt": "other"}
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("stopped", ["old", "before", "after"])
def test_a_stop_within_the_two_steps_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: str
) -> None:
    folder = write_old(tmp_path / "entry")
    no_exchange(monkeypatch)
    rename, calls = os.rename, []

    class Killed(BaseException):
        pass

    def renaming(source: object, target: object) -> None:
        calls.append(source)
        if len(calls) == {"old": 1, "before": 2, "after": 9}[stopped]:
            raise Killed
        rename(source, target)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", renaming)
        patch.setattr(folder_swap.shutil, "rmtree", killed_if(stopped == "after", Killed))
        with pytest.raises(Killed), new_folder(folder) as fresh:
            change(fresh)
    recover_folder(folder)
    assert texts(folder) == (NEW if stopped == "after" else OLD)
    assert list(tmp_path.iterdir()) == [folder]


def killed_if(whether: bool, error: type[BaseException]) -> object:
    """In place of removing: a process that was killed removes nothing."""

    def removes(*_: object, **__: object) -> None:
        if whether:
            raise error

    return removes
