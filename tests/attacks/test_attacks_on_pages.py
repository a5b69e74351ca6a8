"""Attacks on readers: a script in each text that an entry may have is text on its page."""

from __future__ import annotations

import hashlib
import re
import tomllib
from html import escape
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hostile_entries import TASK, write_scored

from harness.progress import Silent
from leaderboard.site import build_site
from submissions.entry import ranks_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMULA = '=HYPERLINK("https://example.org";"harm")'
RUN = f"runs/{TASK}"
FIELDS: Mapping[str, tuple[str, str]] = {
    "name": ("submission.toml", "name"),
    "model-name": ("submission.toml", "model/name"),
    "model-setting": ("submission.toml", "model/settings/pooling"),
    "training-data": ("submission.toml", "method/training_data"),
    "command": ("submission.toml", f"{RUN}/command"),
    "version": ("submission.toml", f"{RUN}/versions/torch"),
    "hardware": ("submission.toml", f"{RUN}/hardware/device"),
    "contact": ("about.toml", "contact"),
    "licence": ("about.toml", "licence"),
    "base": ("about.toml", "model/base"),
    "reason": ("status.toml", "flags/0/reason"),
    "verified-by": ("verification.toml", f"tasks/{TASK}/by"),
}
"""By what it is: the file and the place of each text that people can put into an entry."""
KEYS = {
    "key-of-a-setting": ("submission.toml", "model/settings"),
    "key-of-a-version": ("submission.toml", f"{RUN}/versions"),
    "key-of-hardware": ("submission.toml", f"{RUN}/hardware"),
}
"""The same of names that people choose."""
NOT_SHOWN = ("key-of-hardware",)
"""Texts that no page has, so far."""


def script(field: str) -> str:
    return f"<script>harm('{field}')</script>\"'><img src=x onerror=harm('{field}')>"


def files_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The files of an entry beside its manifest, and the manifest's free texts."""
    entry = folder.name
    ranks = hashlib.sha256(ranks_path(folder, TASK).read_bytes()).hexdigest()
    return {
        "about.toml": {
            "schema_version": 1,
            "id": entry,
            "name": entry,
            "contact": "Jane Doe",
            "licence": "MIT",
            "model": {"source": "org/model"},
            "method": {},
        },
        "status.toml": {
            "schema_version": 1,
            "flags": [{"flag": "disputed", "date": "2026-11-01", "reason": "Some."}],
        },
        "verification.toml": {
            "schema_version": 1,
            "tasks": {
                TASK: {
                    "by": "John Roe",
                    "date": "2026-11-01",
                    "ranks": ranks,
                    "tolerance": 0.1,
                    "delta": 0.0,
                    "largest": 0.0,
                    "settings": 4,
                    "judged": 160,
                    "differing": 0,
                    "greatest_change": 0,
                    "versions": {},
                    "hardware": {},
                }
            },
        },
    }


def put(content: Any, place: str, value: str) -> None:
    *parents, last = place.split("/")
    for key in parents:
        content = content[int(key)] if key.isdigit() else content.setdefault(key, {})
    content[last] = value


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of entries with a script in one text each, under the text's name."""
    root = tmp_path_factory.mktemp("pages")
    for field, (file, place) in {**FIELDS, **KEYS}.items():
        folder = root / "entries" / field
        write_scored(folder, f"Plain {field}")
        content = files_of(folder)
        manifest = folder / "submission.toml"
        content["submission.toml"] = tomllib.loads(manifest.read_text("utf-8"))
        if field in KEYS:
            put(content[file], f"{place}/{script(field).replace('/', '|')}", "x")
        else:
            put(content[file], place, script(field))
        for name in {"submission.toml", file}:
            (folder / name).write_text(tomli_w.dumps(content[name]), "utf-8")
    write_scored(root / "entries" / "formula", FORMULA)
    build_site(root / "entries", root / "site", Silent())
    return root / "site"


@pytest.mark.parametrize("field", [*FIELDS, *KEYS])
def test_a_script_in_a_text_is_text(site: Path, field: str) -> None:
    said = script(field).replace("/", "|") if field in KEYS else script(field)
    page = (site / "entries" / f"{field}.html").read_text("utf-8")
    shown = {escape(said), escape(said).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")}
    assert any(text in page for text in shown) or field in NOT_SHOWN
    for path in site.rglob("*"):
        if path.suffix in (".html", ".xml", ".svg", ".js"):
            content = path.read_text("utf-8")
            assert f"<script>harm('{field}')" not in content, path
            assert not re.search(rf"<img[^>]*harm\('{field}'\)", content), path


def test_a_formula_is_text_in_every_table(site: Path) -> None:
    tables = [path for path in site.rglob("*.csv") if FORMULA[:10] in path.read_text("utf-8")]
    assert tables, "a table must hold it"
    for path in tables:
        for line in path.read_text("utf-8").splitlines():
            assert not re.search(r'(^|,)"?=HYPERLINK', line), path


def test_no_page_lets_a_script_of_an_entry_run(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert "script-src 'self'" in path.read_text("utf-8"), path
