"""Writing a site: what is as it was stays, what is not needed goes, and a stop does no harm."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from leaderboard.site_files import INVENTORY, UNFINISHED, SiteWriter, check_out
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILES = {"index.html": b"<p>one", "data/a.json": b"{}", "data/b.json": b"[]"}
PART = "page a"


def write(out: Path, files: Mapping[str, bytes]) -> SiteWriter:
    writer = SiteWriter(out, None)
    writer.put_all(files.items())
    writer.finish()
    return writer


def write_part(
    out: Path, memory: Path | None, key: str = "k", files: Mapping[str, bytes] = FILES
) -> bool:
    """Writes a site of one part; whether the part had to be made."""
    writer = SiteWriter(out, memory)
    made = not writer.is_there(PART, key)
    if made:
        writer.put_part(PART, key, files.items())
    writer.finish()
    assert contents(out) == dict(files)
    return made


def contents(out: Path) -> dict[str, bytes]:
    """All files but the inventory, which must be right."""
    found = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    inventory = json.loads(found.pop(INVENTORY))
    assert inventory == {n: hashlib.sha256(one).hexdigest() for n, one in found.items()}
    assert list(inventory) == sorted(inventory)
    return found


def times(out: Path) -> dict[str, int]:
    return {name: (out / name).stat().st_mtime_ns for name in contents(out)}


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "a\\..\\x"])
def test_a_path_outside_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file within the site"):
        SiteWriter(tmp_path / "out", None).put(path, b"")
    assert list(tmp_path.rglob("*")) == []


def test_a_second_file_of_one_name_is_refused(tmp_path: Path) -> None:
    writer = SiteWriter(tmp_path / "out", tmp_path / "memory.json")
    writer.put("a.html", b"first")
    with pytest.raises(ValueError, match=r"a\.html is there already"):
        writer.put("a.html", b"first")
    with pytest.raises(ValueError, match=r"a\.html is there already"):
        writer.put_part(PART, "k", [("a.html", b"second")])
    assert (tmp_path / "out" / "a.html").read_bytes() == b"first"


def test_a_file_of_a_part_that_stays_cannot_be_put_again(tmp_path: Path) -> None:
    out, memory = tmp_path / "out", tmp_path / "memory.json"
    write_part(out, memory)
    writer = SiteWriter(out, memory)
    assert writer.is_there(PART, "k")
    with pytest.raises(ValueError, match=r"index\.html is there already"):
        writer.put("index.html", b"another")


def test_only_what_changed_is_written_and_what_is_not_needed_goes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert write(out, FILES).changed == len(FILES)
    (out / "CNAME").write_text("example.org")
    before = {name: (out / name).stat().st_mtime_ns for name in FILES}
    changed = {"index.html": b"<p>two", "data/a.json": FILES["data/a.json"], "new.html": b""}
    writer = write(out, changed)
    assert (writer.changed, writer.pages) == (2, 2)
    assert (out / "data/a.json").stat().st_mtime_ns == before["data/a.json"]
    assert (out / "index.html").stat().st_mtime_ns > before["index.html"]
    assert (out / "CNAME").read_text() == "example.org", "it is not a file of the site"
    (out / "CNAME").unlink()
    assert contents(out) == changed
    assert write(out, changed).changed == 0


def test_a_file_that_is_gone_is_written_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, FILES)
    (out / "data/a.json").unlink()
    assert write(out, FILES).changed == 1
    assert contents(out) == FILES


def test_what_an_inventory_says_of_files_outside_is_passed_over(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, FILES)
    (tmp_path / "thesis.tex").write_text("years of work")
    inventory = json.loads((out / INVENTORY).read_text())
    (out / INVENTORY).write_text(json.dumps(inventory | {"../thesis.tex": "0" * 64}))
    write(out, FILES)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    assert contents(out) == FILES


def test_a_part_that_is_made_from_the_same_is_left_alone(tmp_path: Path) -> None:
    out, memory = tmp_path / "out", tmp_path / "cache" / "memory.json"
    assert write_part(out, memory)
    before = times(out)
    assert not write_part(out, memory)
    assert times(out) == before


@pytest.mark.parametrize(
    "change", ["key", "file", "inventory", "no inventory", "no memory", "folder", "without cache"]
)
def test_a_part_is_made_again_when_anything_is_not_as_it_was(change: str, tmp_path: Path) -> None:
    out, memory = tmp_path / "out", tmp_path / "memory.json"
    write_part(out, memory)
    if change == "file":
        (out / "data/b.json").unlink()
    elif change == "inventory":
        text = (out / INVENTORY).read_text()
        digest = hashlib.sha256(FILES["data/b.json"]).hexdigest()
        (out / INVENTORY).write_text(text.replace(digest, "0" * 64))
    elif change == "no inventory":
        (out / INVENTORY).unlink()
    elif change == "no memory":
        memory.unlink()
    elif change == "folder":
        shutil.rmtree(out)
    again = None if change == "without cache" else memory
    assert write_part(out, again, "other" if change == "key" else "k")


@pytest.mark.parametrize(
    "damaged",
    ["", "{", "[]", '{"page a": 3}', '{"page a": {}}', '{"page a": {"key": "k", "files": 3}}'],
)
def test_a_damaged_memory_says_nothing(damaged: str, tmp_path: Path) -> None:
    out, memory = tmp_path / "out", tmp_path / "memory.json"
    write_part(out, memory)
    memory.write_text(damaged)
    assert write_part(out, memory)
    assert not write_part(out, memory)


def test_a_memory_of_bytes_that_are_no_text_says_nothing(tmp_path: Path) -> None:
    out, memory = tmp_path / "out", tmp_path / "memory.json"
    write_part(out, memory)
    memory.write_bytes(memory.read_bytes()[:30] + b"\xff\xfe")
    assert write_part(out, memory)


def test_a_part_whose_files_are_fewer_leaves_none_behind(tmp_path: Path) -> None:
    out, memory = tmp_path / "out", tmp_path / "memory.json"
    write_part(out, memory)
    assert write_part(out, memory, "other", {"index.html": b"<p>one"})


def stopped(out: Path, files: Mapping[str, bytes], memory: Path | None = None) -> None:
    """A build that ends before it is finished."""
    writer = SiteWriter(out, memory)
    writer.put_part(PART, "stopped", files.items())


def test_the_first_build_may_be_stopped(tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped(out, FILES | {"not-needed.html": b""})
    check_out(out)
    writer = write(out, FILES)
    assert writer.changed == 0, "what is there as it should be is not written again"
    assert contents(out) == FILES
    assert not (out / UNFINISHED).exists()


def test_a_stopped_build_does_not_pass_for_the_one_before(tmp_path: Path) -> None:
    """It wrote b over a; then a is wanted again, and the inventory speaks of a."""
    out, memory = tmp_path / "out", tmp_path / "memory.json"
    write_part(out, memory)
    stopped(out, {"index.html": b"<p>two", "more.html": b""}, memory)
    assert write_part(out, memory)
    assert not write_part(out, memory)
    stopped(out, {"index.html": b"<p>two"})
    stopped(out, {"data/a.json": b"stopped twice"})
    assert write(out, FILES).changed == 2
    assert contents(out) == FILES


def test_a_build_that_is_stopped_while_it_clears_up_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(out, FILES)
    with monkeypatch.context() as patch:
        patch.setattr("leaderboard.site_files._inventory", fails)
        with pytest.raises(OSError, match="full"):
            write(out, {"index.html": b"<p>one"})
    write(out, {"index.html": b"<p>one"})
    assert contents(out) == {"index.html": b"<p>one"}


def fails(_: object) -> bytes:
    raise OSError("the disk is full")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    check_out(tmp_path / "none")
    check_out(tmp_path)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="something else than a site"):
        check_out(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        check_out(tmp_path / "thesis.tex")


def test_two_sites_with_a_memory_each(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert write_part(one, tmp_path / "1.json")
    assert write_part(other, tmp_path / "2.json")
    assert not write_part(one, tmp_path / "1.json")
    assert not write_part(other, tmp_path / "2.json")
