"""Attacks by archive: what is opened must not lead out, explode, or be other than was packed."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from honest_entry import HONEST, RANKS
from hypothesis import given, settings
from hypothesis import strategies as st

from submissions import archives
from submissions.archives import SUMS, open_archive, write_archive
from tasks.errors import ArchiveError, EntryError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Checks, RunsCommand

GOOD = b"schema_version = 1\n"


def sums(files: dict[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    return "".join(lines).encode()


def member(name: str, content: bytes = GOOD, **how: Any) -> bytes:
    """A file of a tar with its content, as Python writes it."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in how.items():
        setattr(info, key, value)
    padding = bytes(-len(content) % 512)
    return info.tobuf(tarfile.USTAR_FORMAT, "utf-8") + content + padding


def tar(*members: bytes) -> bytes:
    return b"".join(members) + bytes(1024)


def packed(files: dict[str, bytes], *more: bytes, top: str = "x") -> bytes:
    """A tar with files and their checksums, and more members that these do not name."""
    parts = [member(f"{top}/{SUMS}", sums(files))]
    parts += [member(f"{top}/{name}", data) for name, data in files.items()]
    return tar(*parts, *more)


def link(name: str, target: str, kind: bytes) -> bytes:
    return member(name, b"", type=kind, linkname=target)


FILES = {"submission.toml": GOOD}
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    # Out of the folder.
    "parent": ("E082", lambda: packed(FILES, member("x/../../harm"))),
    "parent-at-once": ("E082", lambda: packed(FILES, member("../harm"))),
    "parent-at-the-end": ("E082", lambda: packed(FILES, member("x/.."))),
    "absolute": ("E082", lambda: packed(FILES, member("/etc/harm"))),
    "absolute-of-windows": ("E082", lambda: packed(FILES, member("C:\\harm"))),
    "backslashes": ("E082", lambda: packed(FILES, member("x\\..\\..\\harm"))),
    "home": ("E082", lambda: packed(FILES, member("~/harm"))),
    "dot": ("E082", lambda: packed(FILES, member("./x/a"))),
    "two-slashes": ("E082", lambda: packed(FILES, member("x//a"))),
    "hidden": ("E082", lambda: packed(FILES, member("x/.git/config"))),
    "another-folder": ("E082", lambda: packed(FILES, member("y/a"))),
    "no-folder": ("E082", lambda: packed(FILES, member("a"))),
    "too-deep": ("E082", lambda: packed(FILES, member("x/a/b/c"))),
    "not-ascii": ("E082", lambda: packed(FILES, member("x/\u00fc"))),
    "line-end": ("E082", lambda: packed(FILES, member("x/a\nb"))),
    "folder-that-is-no-id": ("E082", lambda: packed(FILES, top="X")),
    "long-path": ("E082", lambda: packed(FILES, member(f"x/{'b' * 153}/{'a' * 100}"))),
    # Not plain files.
    "symbolic-link": ("E083", lambda: packed(FILES, link("x/a", "/etc/passwd", b"2"))),
    "hard-link": ("E083", lambda: packed(FILES, link("x/a", "x/submission.toml", b"1"))),
    "link-name-of-a-file": ("E083", lambda: packed(FILES, link("x/a", "/etc/passwd", b"0"))),
    "folder": ("E083", lambda: packed(FILES, link("x/a/", "", b"5"))),
    "device": ("E083", lambda: packed(FILES, link("x/a", "", b"3"))),
    "block-device": ("E083", lambda: packed(FILES, link("x/a", "", b"4"))),
    "pipe": ("E083", lambda: packed(FILES, link("x/a", "", b"6"))),
    "old-kind-of-file": ("E083", lambda: packed(FILES, link("x/a", "", b"\0"))),
    "sparse-file": ("E083", lambda: packed(FILES, link("x/a", "", b"S"))),
    "long-name-of-gnu": ("E083", lambda: packed(FILES, link("x/a", "", b"L"))),
    "extended-header": ("E083", lambda: packed(FILES, link("x/a", "", b"x"))),
    # One file in place of another.
    "twice": ("E084", lambda: packed(FILES, member("x/submission.toml", b"other"))),
    "case": ("E084", lambda: packed(FILES, member("x/Submission.TOML"))),
    "file-and-folder": ("E084", lambda: packed(FILES, member("x/submission.toml/a"))),
    "folder-and-file": ("E084", lambda: packed({"a/b": GOOD}, member("x/a"))),
    "sums-twice": ("E084", lambda: packed(FILES, member(f"x/{SUMS}"))),
    # Other than was packed.
    "changed": (
        "E085",
        lambda: tar(member(f"x/{SUMS}", sums(FILES)), member("x/submission.toml", b"other")),
    ),
    "more-than-packed": ("E085", lambda: packed(FILES, member("x/more"))),
    "less-than-packed": ("E085", lambda: tar(member(f"x/{SUMS}", sums(FILES)))),
    "no-sums": ("E085", lambda: tar(member("x/submission.toml"))),
    "sums-are-none": ("E085", lambda: tar(member(f"x/{SUMS}", b"<html>"))),
    "sums-twice-of-one": ("E085", lambda: tar(member(f"x/{SUMS}", sums(FILES) * 2))),
    # Not such an archive.
    "nothing": ("E080", tar),
    "no-tar": ("E080", lambda: b"<html>" * 1000),
    "half": ("E080", lambda: packed(FILES)[:-1500]),
    "no-end": ("E080", lambda: packed(FILES)[:-1024]),
    "something-after-the-end": ("E080", lambda: packed(FILES) + b"x" * 512),
    "wrong-checksum-of-a-header": (
        "E080",
        lambda: packed(FILES).replace(b"0000644", b"0000777", 1),
    ),
    "form-of-gnu": (
        "E080",
        lambda: tar(tarfile.TarInfo("x/a").tobuf(tarfile.GNU_FORMAT)),
    ),
    "size-in-base-256": (
        "E080",
        lambda: packed(FILES, repaired(member("x/a"), 124, b"\x80" + bytes(10) + b"\1")),
    ),
    "size-negative": (
        "E080",
        lambda: packed(FILES, repaired(member("x/a"), 124, b"-0000000001\0")),
    ),
    "name-after-nul": ("E080", lambda: packed(FILES, repaired(member("x/a"), 0, b"x/a\0../b"))),
    # Bombs.
    "terabyte-that-is-not-there": (
        "E081",
        lambda: packed(FILES, repaired(member("x/a"), 124, b"77777777777\0")),
    ),
    "gigabyte-of-zeros": ("E081", lambda: packed({"a": bytes(2**27)})),
    "sums-of-megabytes": ("E081", lambda: tar(member(f"x/{SUMS}", b"a" * 2**19))),
    "a-thousand-files": ("E081", lambda: packed({f"a{n}": b"" for n in range(1000)})),
}


def repaired(content: bytes, place: int, text: bytes) -> bytes:
    """A member with other bytes in its header, whose checksum is right again."""
    changed = content[:place] + text + content[place + len(text) :]
    total = sum(changed[:148]) + 8 * 32 + sum(changed[156:512])
    return changed[:148] + f"{total:06o}\0 ".encode() + changed[156:]


@pytest.mark.parametrize("attack", REFUSED)
def test_an_archive_that_does_harm_is_refused(
    tmp_path: Path, problems: Checks, attack: str
) -> None:
    code, make = REFUSED[attack]
    path = tmp_path / "far" / "down" / "x.tar.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(make(), mtime=0))
    (one,) = problems(path)
    assert (one["code"], one["path"]) == (code, "x.tar.gz")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path], "nothing is left"
    inside = tmp_path / "far" / "down" / "in"
    inside.mkdir()
    with pytest.raises(ArchiveError):
        open_archive(path, inside)
    outside = {p for p in tmp_path.rglob("*") if p.is_file() and inside not in p.parents}
    assert outside == {path}
    assert not any(p.is_symlink() for p in inside.rglob("*"))


GZIP: dict[str, Callable[[bytes], bytes]] = {
    "not-gzip": lambda good: good,
    "zip": lambda _: b"PK\x03\x04",
    "two-members": lambda good: gzip.compress(good) + gzip.compress(b"more"),
    "rest": lambda good: gzip.compress(good) + b"rest",
    "in-gzip-again": lambda good: gzip.compress(gzip.compress(good)),
    "cut-off": lambda good: gzip.compress(good)[:-20],
    "wrong-checksum": lambda good: gzip.compress(good)[:-8] + b"\0" * 8,
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("attack", GZIP)
def test_what_is_not_one_whole_gzip_is_refused(
    tmp_path: Path, problems: Checks, attack: str
) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(GZIP[attack](packed(FILES)))
    (one,) = problems(path)
    assert one["code"] == "E080"


@pytest.mark.parametrize(
    ("cap", "value"), [("MOST_BYTES", 100), ("MOST_UNPACKED", 3000), ("MOST_RATIO", 2)]
)
def test_each_cap_of_an_archive_holds(
    honest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cap: str, value: int
) -> None:
    path = pack(honest, tmp_path)
    (tmp_path / "one").mkdir()
    open_archive(path, tmp_path / "one")
    monkeypatch.setattr(archives, cap, value)
    monkeypatch.setattr(archives, "FREE_OF_RATIO", 1000)
    (tmp_path / "two").mkdir()
    with pytest.raises(ArchiveError) as raised:
        open_archive(path, tmp_path / "two")
    assert raised.value.code == "E081"


def pack(folder: Path, into: Path) -> Path:
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    path = into / f"{folder.name}.tar.gz"
    with path.open("wb") as file:
        write_archive(file, folder.name, files)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_what_is_packed_comes_out_again(honest: Path, tmp_path: Path) -> None:
    opened = open_archive(pack(honest, tmp_path), tmp_path)
    assert opened == tmp_path / HONEST
    assert contents(opened) == contents(honest)


def test_a_long_path_is_packed_as_far_as_tar_has_room(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOOD)
    path = tmp_path / "x.tar.gz"
    name = f"history/{'a' * 100}"
    with path.open("wb") as file:
        write_archive(file, "x", {name: tmp_path / "file"})
    assert (open_archive(path, tmp_path) / name).read_bytes() == GOOD
    with path.open("wb") as file, pytest.raises(EntryError, match="too long to be packed"):
        write_archive(file, "x", {f"{name}a": tmp_path / "file"})


def test_tar_and_sha256sum_read_it_too(honest: Path, tmp_path: Path) -> None:
    with tarfile.open(pack(honest, tmp_path)) as archive:
        members = archive.getmembers()
        names = [one.name for one in members]
        assert names == [f"{HONEST}/{SUMS}", *sorted(f"{HONEST}/{n}" for n in contents(honest))]
        assert {(one.mtime, one.uid, one.gid, one.uname, one.mode) for one in members} == {
            (0, 0, 0, "", 0o644)
        }
        said = archive.extractfile(f"{HONEST}/{SUMS}")
        assert said
        assert said.read() == sums(dict(sorted(contents(honest).items())))


def test_the_same_entry_gives_the_same_archive(
    entry: Path, honest: Path, tmp_path: Path, babelboard: RunsCommand
) -> None:
    archives_made = []
    for number, folder in enumerate((entry, honest)):
        out = tmp_path / f"{number}.tar.gz"
        done = babelboard("submit", "pack", folder, "--out", out)
        assert done.returncode == 0, done.stderr
        archives_made.append(out.read_bytes())
        assert hashlib.sha256(archives_made[-1]).hexdigest() in done.stdout
    assert archives_made[0] == archives_made[1]
    assert archives_made[0][4:8] == bytes(4), "no time"


def test_an_archive_is_checked_as_the_folder_is(
    entry: Path, tmp_path: Path, problems: Checks, babelboard: RunsCommand, ours: Path
) -> None:
    done = babelboard("submit", "pack", entry, "--entries", ours, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / f"{HONEST}.tar.gz"
    assert path.is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["entries", path.name], "no rest"
    assert problems(path, "--entries", ours) == []


def test_an_entry_that_does_not_pass_is_not_packed(
    entry: Path, tmp_path: Path, babelboard: RunsCommand
) -> None:
    (entry / RANKS).write_bytes(b"x")
    done = babelboard("submit", "pack", entry, "--out", tmp_path / "x.tar.gz")
    assert done.returncode == 1
    assert "E030" in done.stderr
    assert "E040" in done.stderr
    assert not (tmp_path / "x.tar.gz").exists()


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("x.zip", "must end in .tar.gz"),
        ("nowhere/x.tar.gz", "folder that exists"),
        ("entries/honest/x.tar.gz", "file of the entry itself"),
        ("folder.tar.gz", "folder that exists"),
    ],
)
def test_an_archive_goes_where_one_may_be(
    entry: Path, tmp_path: Path, babelboard: RunsCommand, out: str, said: str
) -> None:
    (tmp_path / "folder.tar.gz").mkdir()
    done = babelboard("submit", "pack", entry, "--out", tmp_path / out)
    assert done.returncode == 2
    assert said in done.stderr


@given(st.binary(max_size=2000), st.integers(0, 3000))
@settings(deadline=None, max_examples=60)
def test_whatever_comes_is_opened_or_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int
) -> None:
    good = packed(FILES)
    folder = tmp_path_factory.mktemp("any")
    path = folder / "x.tar.gz"
    path.write_bytes(gzip.compress(good[:place] + noise + good[place + len(noise) :]))
    (folder / "in").mkdir()
    said = ""
    try:
        open_archive(path, folder / "in")
    except ArchiveError as error:
        said = str(error)
    assert said.isprintable(), "it would act on the terminal"
    assert (folder / "in" / "x").is_dir() or said


def test_the_end_of_what_is_packed_well_is_not_lost(tmp_path: Path) -> None:
    """zlib may still have output when all of its input is gone."""
    content = {"a": b"ab" * 300_000}
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    path = tmp_path / "x.tar.gz"
    path.write_bytes(compressor.compress(packed(content)) + compressor.flush())
    assert (open_archive(path, tmp_path) / "a").read_bytes() == content["a"]


def test_a_folder_that_is_no_entry_is_wrong_use(tmp_path: Path, babelboard: RunsCommand) -> None:
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(packed({"a.txt": GOOD})))
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "x.tar.gz"):
        done = babelboard("submit", "check", path)
        assert done.returncode == 2
        assert done.stdout == ""
        assert "no entry" in done.stderr
    done = babelboard("submit", "check", tmp_path, "--entries", tmp_path / "nothing")
    assert (done.returncode, "--entries names" in done.stderr) == (2, True)


def test_json_is_of_version_1(entry: Path, babelboard: RunsCommand) -> None:
    done = babelboard("submit", "check", entry, entry, "--json")
    content = json.loads(done.stdout)
    assert (content["schema_version"], content["errors"], content["warnings"]) == (1, 0, 0)
    assert [one["path"] for one in content["entries"]] == [str(entry)]
    assert done.stdout.isascii()
