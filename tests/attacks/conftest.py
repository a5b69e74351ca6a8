"""Fixtures of the tests of attacks."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from honest_entry import HONEST, OURS, write_honest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunsCommand


class Checks(Protocol):
    """The type of the fixture ``problems``."""

    def __call__(self, path: Path, *options: str | Path) -> list[dict[str, Any]]: ...


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An entry that passes, not to be changed."""
    return write_honest(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def entry(honest: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return shutil.copytree(honest, tmp_path / "entries" / HONEST)


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an entry of ours and a reported one."""
    root = tmp_path_factory.mktemp("ours")
    for name in ("bm25", "lareqa-2020-mbert-x-y"):
        shutil.copytree(OURS / name, root / name)
    return root


@pytest.fixture(scope="session")
def problems(babelboard: RunsCommand) -> Checks:
    """What ``submit check --json`` says; exit code and count of errors always agree."""

    def run(path: Path, *options: str | Path) -> list[dict[str, Any]]:
        done = babelboard("submit", "check", path, "--json", *options)
        assert done.stderr == ""
        content = json.loads(done.stdout)
        found: list[dict[str, Any]] = content["entries"][0]["problems"]
        assert done.returncode == (1 if content["errors"] else 0)
        assert bool(content["errors"]) == any(one["severity"] == "error" for one in found)
        for one in found:
            assert one["found"]
            assert one["allowed"]
            assert one["fix"]
        return found

    return run
