"""What is new: the record of changes, its page and its feed."""

from __future__ import annotations

import re
import shutil
import tomllib
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
import tomli_w
from rendered_pages import HOSTILE, Read, rendered

from leaderboard.change_record import read_changes
from leaderboard.pages import changes
from tasks.errors import EntryError

ENTRIES = Path(__file__).parents[1] / "submissions" / "entries"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One system."""
    folder = tmp_path_factory.mktemp("untrained")
    shutil.copytree(ENTRIES / "bm25", folder / "bm25")
    return folder


def write_record(root: Path, **changed: object) -> None:
    """A record of two changes, the newer one last."""
    first = {
        "date": date(2026, 1, 2),
        "kind": "added",
        "entries": ["bm25", "gone"],
        "what": "First.",
    }
    second = {"date": date(2026, 3, 4), "kind": "changed", "entries": ["bm25"], "what": "Second."}
    record = {"schema_version": 1, "changes": [first, {**second, **changed}]}
    (root / "changes.toml").write_text(tomli_w.dumps(record), "utf-8")


def test_changes_are_shown_by_day(untrained: Path, tmp_path: Path) -> None:
    root = shutil.copytree(untrained, tmp_path / "entries")
    write_record(root)
    found = rendered(root, changes)
    shown = Read(found["changes.html"])
    expected = "4 March 2026 Changed. Second. BM25 2 January 2026 Added. First. BM25 , gone"
    assert expected in shown.text
    assert "entries/bm25.html" in shown.links
    assert "entries/gone.html" not in shown.links
    assert "Without a date" not in shown.text
    assert found == rendered(root, changes), "the same entries give the same bytes"


def test_many_changes_and_entries_are_cut(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shutil.copytree(untrained, tmp_path / "entries")
    write_record(root)
    monkeypatch.setattr(changes, "MOST_CHANGES", 1)
    found = rendered(root, changes)
    shown = Read(found["changes.html"])
    assert "Second." in shown.text
    assert "First." not in shown.text
    assert "1 older change: in changes.toml" in shown.text
    assert "First." not in found["feed.xml"]
    monkeypatch.undo()
    monkeypatch.setattr(changes, "MOST_ENTRIES", 1)
    assert "BM25 and 1 more" in Read(rendered(root, changes)["changes.html"]).text


def test_feed_is_atom(untrained: Path, tmp_path: Path) -> None:
    root = shutil.copytree(untrained, tmp_path / "entries")
    write_record(root, what=f"{HOSTILE} \ufffe & more")
    feed = ElementTree.fromstring(rendered(root, changes)["feed.xml"])  # noqa: S314  # our own
    assert feed.tag == f"{ATOM}feed"
    assert feed.findtext(f"{ATOM}updated") == "2026-03-04T00:00:00Z"
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "babelboard"
    entries = feed.findall(f"{ATOM}entry")
    ids = [feed.findtext(f"{ATOM}id"), *(entry.findtext(f"{ATOM}id") for entry in entries)]
    assert len(set(ids)) == 3
    assert all(str(one).startswith("urn:uuid:") for one in ids)
    for entry in entries:
        assert entry.findtext(f"{ATOM}title")
        assert entry.findtext(f"{ATOM}updated")
    summary = entries[0].findtext(f"{ATOM}summary") or ""
    assert summary.startswith("<script>alert(1)</script> javascript:x \U0001f600")
    assert not re.search("[\ufffe\u202e]", summary)
    links = [link.get("href") for link in entries[1].findall(f"{ATOM}link")]
    assert links == ["changes.html", "entries/bm25.html"]


def test_entries_without_a_date_are_listed(untrained: Path) -> None:
    found = rendered(untrained, changes)
    assert set(found) == {"changes.html"}
    shown = Read(found["changes.html"])
    assert "No dates are recorded in this folder of entries" in shown.text
    assert "entries/bm25.html" in shown.links
    assert "feed.xml" not in shown.links


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"date": "yesterday"}, "date"),
        ({"kind": "improved"}, "'added', 'changed' or 'removed'"),
        ({"entries": []}, "entries"),
        ({"entries": ["../x"]}, "entries"),
        ({"what": "two\nlines"}, "what"),
        ({"who": "me"}, "who"),
    ],
    ids=["date", "kind", "no entries", "id", "lines", "key"],
)
def test_a_malformed_record_is_refused(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    write_record(tmp_path, **changed)
    with pytest.raises(EntryError, match=re.escape(said)) as refused:
        read_changes(tmp_path)
    assert str(tmp_path / "changes.toml") in str(refused.value)


def test_a_record_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "changes.toml").write_text("[[changes]", "utf-8")
    with pytest.raises(EntryError, match="is not a TOML file"):
        read_changes(tmp_path)


def test_every_entry_of_the_repository_is_recorded() -> None:
    record = tomllib.loads((ENTRIES / "changes.toml").read_text("utf-8"))
    recorded = {name for change in record["changes"] for name in change["entries"]}
    assert {path.name for path in ENTRIES.iterdir() if path.is_dir()} <= recorded
