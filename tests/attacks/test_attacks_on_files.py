"""Attacks by files: what an entry's folder must not hold, and how that is said."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

import pytest
from honest_entry import HONEST, RANKS, SCORES, TASK, put

from submissions.checks.folder_checks import MOST_FILES
from submissions.entry import read_entry
from submissions.structured_text import MOST_TOML_BYTES
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Checks

Attack = tuple[str, str, "Callable[[Path], object]"]
"""Code, file that is named, and what the attacker does."""


def link(path: str, target: str) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        place = folder / path
        if place.is_dir():
            place.rename(folder.parent / "elsewhere")
        else:
            place.unlink(missing_ok=True)
        place.symlink_to(target)

    return do


def write(path: str, content: bytes) -> Callable[[Path], object]:
    def do(folder: Path) -> None:
        place = os.fsencode(folder) + b"/" + path.encode("utf-8", "surrogateescape")
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120  # of bytes
        with open(place, "wb") as file:  # noqa: PTH123  # of bytes
            file.write(content)

    return do


PICKLE = pickle.dumps({"weights": [0.5]})

ATTACKS: dict[str, Attack] = {
    # A link to a file of the machine that builds the site would be published.
    "manifest-is-a-link": ("E001", "submission.toml", link("submission.toml", "/etc/passwd")),
    "ranks-are-a-link": ("E001", RANKS, link(RANKS, "/etc/passwd")),
    "folder-is-a-link-out": ("E001", "ranks", link("ranks", "../elsewhere")),
    "link-to-nothing": ("E001", "README.md", link("README.md", "nowhere")),
    "link-in-a-circle": ("E001", "README.md", link("README.md", "README.md")),
    # Reading a pipe waits for ever.
    "named-pipe": ("E001", "README.md", lambda folder: os.mkfifo(folder / "README.md")),
    "named-pipe-as-ranks": (
        "E001",
        RANKS,
        lambda folder: ((folder / RANKS).unlink(), os.mkfifo(folder / RANKS)),
    ),
    # Whoever loads a pickle runs it.
    "pickle-weights": ("E007", "pytorch_model.bin", write("pytorch_model.bin", PICKLE)),
    "pickle-of-another-name": ("E007", "notes.txt", write("notes.txt", PICKLE)),
    "torch-zip-of-another-name": ("E007", "data", write("data", b"PK\x03\x04 archive")),
    "numpy-objects": ("E007", "scores.npy", write("scores.npy", b"\x93NUMPY")),
    "safetensors": ("E007", "model.safetensors", write("model.safetensors", b"{}")),
    # Code that something might import or run.
    "python-code": ("E003", "conftest.py", write("conftest.py", b"import os")),
    "shell-script": ("E003", "install.sh", write("install.sh", b"rm -rf /")),
    "page-of-its-own": ("E003", "index.html", write("index.html", b"<script>")),
    "folder-of-its-own": ("E003", "pages", write("pages/index.html", b"<script>")),
    "file-in-a-folder-of-data": ("E003", "scores/x.html", write("scores/x.html", b"<script>")),
    "hidden-workflow": ("E002", ".github", write(".github/workflows/run.yml", b"on: push")),
    "hidden-file": ("E002", ".env", write(".env", b"TOKEN=1")),
    "hidden-half-written": ("E002", ".submission.toml.x", write(".submission.toml.x", b"")),
    # On many machines these would be one file, and on Windows none.
    "case-collision": ("E004", "", write("Readme.MD", b"x")),
    "case-collision-of-ranks": ("E004", "", write(f"ranks/{TASK.upper()}.parquet", b"x")),
    "reserved-name": ("E008", "ranks/con.parquet", write("ranks/con.parquet", b"x")),
    "name-ends-with-a-dot": ("E008", "README.", write("README.", b"x")),
    "name-with-a-backslash": ("E008", "", write("a\\..\\harm.toml", b"x")),
    "name-with-a-line-end": ("E008", "", write("a\nE999 fake", b"x")),
    "name-that-colours": ("E008", "", write("\x1b[31mred", b"x")),
    "name-that-turns": ("E008", "", write("\u202etxt.exe", b"x")),
    "name-in-other-letters": ("E008", "", write("ranks/росket.parquet", b"x")),
    "name-not-utf-8": ("E008", "", write("\udcff\udcfe", b"x")),
    "name-like-an-option": ("E008", "--help", write("--help", b"x")),
    "name-too-long": ("E008", "", write("a" * 200, b"x")),
    # What nobody can read in full.
    "manifest-of-10-megabytes": (
        "E005",
        "submission.toml",
        lambda folder: (folder / "submission.toml").write_bytes(b"#" * 10_000_000),
    ),
    "readme-of-a-megabyte": ("E005", "README.md", write("README.md", b"x" * 2**20)),
    "sparse-ranks-of-a-terabyte": (
        "E005",
        RANKS,
        lambda folder: os.truncate(folder / RANKS, 2**40),
    ),
    "too-many-files": (
        "E006",
        "ranks",
        lambda folder: [(folder / "ranks" / f"{n}.parquet").touch() for n in range(MOST_FILES)],
    ),
    "ranks-of-no-run": ("E003", "ranks/xquad-r.parquet", write("ranks/xquad-r.parquet", b"x")),
    "rankings-of-no-run": ("E003", f"runs/{TASK}.parquet", write(f"runs/{TASK}.parquet", b"x")),
    "scores-of-no-run": ("E003", "scores/mlqa-r.json", write("scores/mlqa-r.json", b"{}")),
    # A picture that is opened is a page.
    "script-in-the-picture": (
        "E073",
        "loss.svg",
        write("loss.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script>'),
    ),
    "handler-in-the-picture": (
        "E073",
        "loss.svg",
        write("loss.svg", b"<svg onload='alert(1)'/>"),
    ),
    "entities-in-the-picture": (
        "E073",
        "loss.svg",
        write("loss.svg", b'<!DOCTYPE svg [<!ENTITY a "aa">]><svg>&a;</svg>'),
    ),
    "picture-that-loads": (
        "E073",
        "loss.svg",
        write("loss.svg", b'<svg><image href="https://example.org/spy"/></svg>'),
    ),
    "ranks-are-gone": ("E009", RANKS, lambda folder: (folder / RANKS).unlink()),
    "manifest-is-gone": (
        "E009",
        "submission.toml",
        lambda folder: (folder / "submission.toml").unlink(),
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_that_does_harm_is_an_error(entry: Path, problems: Checks, attack: str) -> None:
    code, path, do = ATTACKS[attack]
    if attack == "case-collision":
        (entry / "README.md").write_text("x")
    do(entry)
    found = [one for one in problems(entry) if one["code"] == code]
    assert found
    assert path in {one["path"] for one in found} or (not path and found)
    for one in found:
        assert one["path"].isprintable(), "it would act on the terminal"


def test_an_honest_entry_has_no_problem(entry: Path, problems: Checks, ours: Path) -> None:
    assert problems(entry, "--entries", ours) == []


@pytest.mark.parametrize("attack", ["ranks-are-a-link", "folder-is-a-link-out"])
def test_a_link_is_not_followed_by_the_site(entry: Path, attack: str) -> None:
    ATTACKS[attack][2](entry)
    with pytest.raises(EntryError, match="not the file that was scored"):
        read_entry(entry).check_ranks(TASK)


@pytest.mark.parametrize("attack", ["manifest-is-a-link", "manifest-of-10-megabytes"])
def test_a_manifest_that_does_harm_is_not_read_by_the_site(entry: Path, attack: str) -> None:
    ATTACKS[attack][2](entry)
    with pytest.raises(EntryError, match=r"submission\.toml (is not a plain file|has more than)"):
        read_entry(entry)


def test_a_manifest_of_the_most_bytes_is_read(entry: Path, problems: Checks) -> None:
    content = (entry / "submission.toml").read_bytes()
    comment = b"#" * (MOST_TOML_BYTES - len(content) - 1) + b"\n"
    (entry / "submission.toml").write_bytes(comment + content)
    assert problems(entry) == []


def test_what_maintainers_write_is_a_warning(entry: Path, problems: Checks) -> None:
    (entry / "status.toml").write_text(
        'schema_version = 1\n[[flags]]\nflag = "disputed"\ndate = 2026-01-01\nreason = "x"\n'
    )
    (one,) = problems(entry)
    assert (one["code"], one["severity"], one["path"]) == ("W010", "warning", "status.toml")


def test_scores_that_are_gone_are_a_warning(entry: Path, problems: Checks) -> None:
    (entry / SCORES).unlink()
    assert [one["code"] for one in problems(entry)] == ["W009"]


def test_an_entry_in_a_folder_of_another_name_is_an_error(entry: Path, problems: Checks) -> None:
    found = problems(entry.rename(entry.with_name("other")))
    assert {(one["code"], one["path"]) for one in found} == {
        ("E023", "about.toml"),
        ("E023", "submission.toml"),
    }
    assert HONEST in found[0]["found"]


@pytest.mark.parametrize("identity", ["../../harm", "/etc/harm", "HONEST", "a" * 65, "", "hоnest"])
def test_an_id_that_is_none_is_an_error(entry: Path, problems: Checks, identity: str) -> None:
    put(entry, "id", identity)
    found = [one for one in problems(entry) if one["path"] == "submission.toml"]
    assert {one["code"] for one in found} == {"E023"}
    assert {one["line"] for one in found} == {2}
