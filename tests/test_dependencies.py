"""The dependencies that are installed are those that are audited."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PINNED = ("constraints.txt", ".github/audit-requirements.txt")


def lines(path: str) -> list[str]:
    text = (ROOT / path).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def canonical(name: str) -> str:
    """A project's name in the one form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("path", PINNED)
def test_every_version_is_pinned(path: str) -> None:
    found = lines(path)
    assert [
        line for line in found if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)
    ] == []
    names = [canonical(line.partition("==")[0]) for line in found]
    assert sorted(set(names)) == sorted(names)


def test_every_dependency_is_among_the_pins() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(one for extra in extras for one in extra)]
    names = {canonical(re.match(r"[A-Za-z0-9._-]+", one)[0]) for one in wanted}
    pins = {canonical(line.partition("==")[0]) for line in lines("constraints.txt")}
    # Tools of their own, which no part of babelboard imports.
    assert names - pins <= {"atheris"}


def test_each_defence_has_its_test() -> None:
    named = re.findall(r"`([a-z_/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert len(named) > 30
    for path, test in named:
        source = (ROOT / "tests" / path).read_text("utf-8")
        assert re.search(rf"^def {test}\(", source, re.MULTILINE), f"{path}::{test}"
