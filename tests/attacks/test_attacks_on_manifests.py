"""Attacks by text: what a manifest and the files beside it must not say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from honest_entry import RANKS, TASK, edit, put

from submissions.manifest import read_manifest
from submissions.reported import read_reported
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Checks

MANIFEST = "submission.toml"
OURS = Path(__file__).parents[2] / "submissions" / "entries"


def append(text: str | bytes) -> Callable[[Path], object]:
    content = text if isinstance(text, bytes) else text.encode()
    return lambda file: file.write_bytes(file.read_bytes() + content)


def prepend(content: bytes) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(content + file.read_bytes())


UNREADABLE: dict[str, tuple[str, Callable[[Path], object]]] = {
    # Bombs: a few bytes that take hours, or all of the memory, or the whole stack.
    "toml-lists-in-lists": ("E012", append("x = " + "[" * 100_000)),
    "toml-tables-in-tables": ("E012", append("x = " + "{a=" * 50_000)),
    "toml-dotted-key": ("E012", prepend(b"a." * 100_000 + b"a = 1\n")),
    "toml-dotted-header": ("E012", append("\n[" + "a." * 100_000 + "a]\n")),
    "toml-quoted-dotted-key": ("E012", prepend(b'"a" . ' * 30_000 + b"a = 1\n")),
    "toml-deep-but-closed": ("E012", append("\n[x]\na = " + "[" * 40 + "]" * 40 + "\n")),
    "toml-number-of-a-megabit": ("E011", prepend(b"n = 0x" + b"f" * 200_000 + b"\n")),
    "toml-number-of-many-digits": ("E011", prepend(b"n = " + b"9" * 100_000 + b"\n")),
    "toml-no-end": ("E011", append('\nx = """')),
    "toml-key-twice": ("E011", prepend(b'id = "other"\n')),
    "no-toml-at-all": ("E011", lambda file: file.write_bytes(b"<html>")),
    "yaml-with-aliases": (
        "E011",
        lambda file: file.write_bytes(b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
    ),
    "not-utf-8": ("E010", append(b'\nx = "\xff\xfe"\n')),
    "utf-16": ("E010", lambda file: file.write_bytes(file.read_text("utf-8").encode("utf-16"))),
    "byte-order-mark": ("E010", prepend(b"\xef\xbb\xbf")),
    "nul": ("E010", append(b"\n# \0\n")),
}


@pytest.mark.parametrize("attack", UNREADABLE)
def test_a_manifest_that_cannot_be_read_is_an_error(
    entry: Path, problems: Checks, attack: str
) -> None:
    code, do = UNREADABLE[attack]
    do(entry / MANIFEST)
    assert code in {one["code"] for one in problems(entry) if one["path"] == MANIFEST}
    with pytest.raises(EntryError, match=r"submission\.toml"):  # nor does the site read it
        read_manifest(entry / MANIFEST)


@pytest.mark.parametrize("attack", ["toml-lists-in-lists", "toml-dotted-key", "no-toml-at-all"])
def test_reported_numbers_that_cannot_be_read_are_an_error(
    tmp_path: Path, problems: Checks, attack: str
) -> None:
    folder = shutil.copytree(OURS / "lareqa-2020-mbert-x-y", tmp_path / "lareqa-2020-mbert-x-y")
    code, do = UNREADABLE[attack]
    do(folder / "reported.toml")
    assert {one["code"] for one in problems(folder)} == {code}
    with pytest.raises(EntryError, match=r"reported\.toml"):
        read_reported(tmp_path)


TEXT_CODES = {
    # An address that runs what it says.
    "javascript-address": ("E026", "javascript:alert(1)"),
    "data-address": ("E026", "data:text/html,<script>alert(1)</script>"),
    "file-address": ("E026", "file:///etc/passwd"),
    "http-address": ("E026", "see http://example.org/"),
    # Names that are not what they look like.
    "turned-text": ("E025", "model \u202egnidaelsim\u202c"),
    "isolated-text": ("E025", "\u2066open"),
    "mark-of-direction": ("E025", "a\u200fb"),
    "terminal-colours": ("E025", "\x1b[31mred"),
    "line-end": ("E025", "one\ntwo"),
    "unseen-letters": ("W006", "mo\u200bdel"),
    "tags": ("W006", "model\U000e0041"),
    # What opens something, or tells of somebody.
    "token": ("W002", "hf_" + "aB3" * 10),
    "github-token": ("W002", "ghp_" + "a1B2" * 9),
    "private-key": ("W002", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    "password": ("W002", "score --token=abcdef123456"),
    "address-with-password": ("W002", "https://jane:hunter22@example.org/"),
    "home-folder": ("W002", "babelboard score /home/jane/model"),
    "home-folder-of-a-mac": ("W002", "babelboard score /Users/jane/model"),
    "home-folder-of-windows": ("W002", "babelboard score C:\\Users\\jane\\model"),
    "private-network": ("W002", "ssh 192.168.0.12"),
}


@pytest.mark.parametrize("attack", TEXT_CODES)
@pytest.mark.parametrize("place", ["method/training_data", f"runs/{TASK}/hardware/device"])
def test_a_text_that_misleads_or_tells_too_much_is_found(
    entry: Path, problems: Checks, attack: str, place: str
) -> None:
    code, text = TEXT_CODES[attack]
    put(entry, place, text)
    found = [one for one in problems(entry) if one["code"] == code]
    assert [one["key"] for one in found[:1]] == [place.replace("/", ".")]
    line = (entry / MANIFEST).read_text("utf-8").split("\n")[found[0]["line"] - 1]
    assert line.startswith(place.rpartition("/")[2])
    if code == "W002":
        assert text not in json.dumps(found), "a secret must not be repeated"


@pytest.mark.parametrize(
    "text",
    ["ע\u05d1\u05e8\u05d9\u05ea", "فارسی می\u200cخواهم", "\U0001f468\u200d\U0001f469", "a: b/c"],
    ids=["hebrew", "persian", "emoji", "colon"],
)
def test_text_in_any_script_is_fine(entry: Path, problems: Checks, text: str) -> None:
    put(entry, "method/training_data", text)
    assert problems(entry) == []


WRONG: dict[str, tuple[str, str, object, str, str]] = {
    "unknown-key": ("E020", "nmae", "x", "nmae", "Did you mean name?"),
    "unknown-key-of-a-part": ("E020", "model/revison", "x", "model.revison", "revision"),
    "executable-key": ("E020", "model/__class__", "os.system", "model.__class__", "Remove it"),
    "unknown-key-of-a-run": ("E020", f"runs/{TASK}/rnaks", "x", "pocket.rnaks", "mean ranks"),
    "unknown-key-of-a-sum": ("E022", f"runs/{TASK}/data/de.json", 5, "data.de.json", "allowed"),
    "unknown-kind": ("E022", "model/kind", "densse", "model.kind", "Did you mean dense"),
    "unknown-method": ("E022", "method/training", "zeroshot", "method.training", "zero-shot"),
    "short-revision": ("E022", "model/revision", "main", "model.revision", "allowed"),
    "no-number": ("E022", "model/parameters", "many", "model.parameters", "allowed"),
    "negative": ("E022", "model/parameters", -1, "model.parameters", "allowed"),
    "not-a-number": ("E022", "model/parameters", float("nan"), "model.parameters", "allowed"),
    "name-of-a-page": ("E022", "name", "x" * 501, "name", "allowed"),
    "name-of-nothing": ("E022", "name", "", "name", "allowed"),
    "table-for-a-text": ("E022", "name", {"a": 1}, "name", "allowed"),
    "newer-version": ("E022", "schema_version", 2, "schema_version", "1"),
    "remote-code": ("E028", "model/settings/trust_remote_code", True, "settings", "without"),
    "data-of-another-revision": (
        "E031",
        f"runs/{TASK}/data/de.json",
        "0" * 64,
        f"runs.{TASK}.data.de.json",
        "catalogue",
    ),
    "data-of-nobody": ("E031", f"runs/{TASK}/data/xx.json", "0" * 64, "xx.json", "catalogue"),
    "path-as-data": ("E031", f"runs/{TASK}/data/..\\x", "0" * 64, "data.", "catalogue"),
    "sum-of-other-ranks": ("E030", f"runs/{TASK}/ranks", "0" * 64, "ranks", "score the task"),
    "sum-in-capitals": ("E022", f"runs/{TASK}/ranks", "A" * 64, "ranks", "allowed"),
    "both-numbers": ("E029", "runs", {}, "runs", "Score a task"),
}


@pytest.mark.parametrize("attack", WRONG)
def test_a_value_that_is_wrong_is_an_error_with_its_line(
    entry: Path, problems: Checks, attack: str
) -> None:
    code, place, value, key, fix = WRONG[attack]
    put(entry, place, value)
    found = [one for one in problems(entry) if one["code"] == code]
    assert found, problems(entry)
    assert key in found[0]["key"]
    assert fix in found[0]["fix"] + found[0]["allowed"]
    if code != "E029":
        line = (entry / MANIFEST).read_text("utf-8").split("\n")[found[0]["line"] - 1]
        assert place.rpartition("/")[2].rpartition("\\")[2][:8] in line


@pytest.mark.parametrize("place", ["name", "model/kind", f"runs/{TASK}/command", "model"])
def test_a_key_that_is_missing_is_named(entry: Path, problems: Checks, place: str) -> None:
    def change(content: dict[str, Any]) -> None:
        *parents, last = place.split("/")
        for part in parents:
            content = content[part]
        del content[last]

    edit(entry, change)
    (one,) = (one for one in problems(entry) if one["path"] == MANIFEST)
    assert (one["code"], one["key"]) == ("E021", place.replace("/", "."))


def test_all_problems_are_said_at_once(entry: Path, problems: Checks) -> None:
    put(entry, "model/kind", "densse")
    put(entry, "name", "\u202e")
    put(entry, "licence", 1, "about.toml")
    (entry / RANKS).unlink()
    (entry / ".env").write_text("")
    assert {one["code"] for one in problems(entry)} >= {"E022", "E025", "E002"}
    assert {one["path"] for one in problems(entry)} >= {MANIFEST, "about.toml", ".env"}


@pytest.mark.parametrize("task", ["../../harm", "poket", "pocket+context2", "<script>", "a\nb"])
def test_a_task_that_is_none_is_an_error(entry: Path, problems: Checks, task: str) -> None:
    text = (entry / MANIFEST).read_text("utf-8")
    (entry / MANIFEST).write_text(text.replace(f"[runs.{TASK}", f"[runs.{json.dumps(task)}"))
    found = [one for one in problems(entry) if one["code"] == "E024"]
    assert len(found) == 1
    assert found[0]["line"]
    assert task != "poket" or "Did you mean pocket?" in found[0]["fix"]


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("url", "javascript:alert(1)", "E026"),
        ("url", "http://example.org", "E026"),
        ("url", 'https://example.org/"><script>', "E026"),
        ("contact", "Jane\u202e", "E025"),
        ("licence", "", "E022"),
        ("model/source", "/home/jane/model", "E022"),
        ("model/source", "../../model", "E022"),
        ("id", "other", "E023"),
        ("trust_level", "T3", "E020"),
    ],
)
def test_what_people_say_is_checked_too(
    entry: Path, problems: Checks, key: str, value: object, code: str
) -> None:
    put(entry, key, value, "about.toml")
    found = [one["code"] for one in problems(entry) if one["path"] == "about.toml"]
    assert code in found


REPORTED = {
    "scale": ("E061", ("values", "moir/ar-ar"), 76.19),
    "unknown-setting": ("E044", ("values", "moir/ar-xy"), 0.5),
    "unknown-task": ("E024", ("task",), "xquad"),
    "infinite": ("E022", ("values", "moir/ar-ar"), float("inf")),
    "negative": ("E022", ("values", "moir/ar-ar"), -0.5),
    "javascript": ("E026", ("url",), "javascript:alert(1)"),
    "unknown-key": ("E020", ("mesure",), "AP"),
    "too-many-decimals": ("E022", ("values", "moir/ar-ar"), 0.123456789),
}


@pytest.mark.parametrize("attack", REPORTED)
def test_reported_numbers_are_checked(tmp_path: Path, problems: Checks, attack: str) -> None:
    code, place, value = REPORTED[attack]
    results: dict[str, Any] = {
        "task": "xquad-r",
        "measure": "AP",
        "where": "Table 1",
        "provenance": "seen: the paper",
        "decimals": 4,
        "values": {"moir/de-de": 0.5},
    }
    part = results
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    folder = tmp_path / "reported"
    folder.mkdir()
    source = {
        "title": "A paper",
        "authors": ["Doe, Jane"],
        "year": 2024,
        "venue": "arXiv",
        "url": "https://example.org/paper",
        "bibtex": "@misc{doe}",
    }
    content = {
        "schema_version": 1,
        "id": "reported",
        "name": "Reported",
        "model": {"kind": "dense", "name": "model"},
        "method": {"training": "zero-shot"},
        "source": source,
        "results": [results],
    }
    (folder / "reported.toml").write_text(tomli_w.dumps(content))
    found = [one for one in problems(folder) if one["severity"] == "error"]
    assert code in {one["code"] for one in found}
    assert all(one["line"] for one in found)


def test_a_home_folder_of_any_name_is_found(
    entry: Path, problems: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/people/jane")
    put(entry, f"runs/{TASK}/command", "babelboard score /people/jane/model")
    (one,) = problems(entry)
    assert (one["code"], "your home folder" in one["found"]) == ("W002", True)


def test_a_whole_run_must_not_say_that_it_is_none(entry: Path, problems: Checks) -> None:
    put(entry, f"runs/{TASK}/complete", value=False)
    assert [(one["code"], one["path"]) for one in problems(entry)] == [("E022", RANKS)]


def test_a_run_without_ranks_of_a_task_without_files_is_an_error(
    entry: Path, problems: Checks
) -> None:
    text = (entry / MANIFEST).read_text("utf-8")
    (entry / MANIFEST).write_text(text.replace(f"[runs.{TASK}", "[runs.miracl"))
    assert ("E009", "ranks/miracl.parquet") in {(p["code"], p["path"]) for p in problems(entry)}


def test_scored_and_reported_numbers_do_not_mix(entry: Path, problems: Checks) -> None:
    shutil.copy(OURS / "lareqa-2020-mbert-x-y" / "reported.toml", entry)
    assert "E027" in {one["code"] for one in problems(entry)}
