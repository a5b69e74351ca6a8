"""The wheel: what is in it, and that it is all that the command needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tasks import __version__

ROOT = Path(__file__).parents[1]
PACKAGES = ("harness", "leaderboard", "submissions", "tasks")
DATA = (".css", ".html", ".jinja", ".js", ".json", ".toml", ".xml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    assert path.name.startswith(f"babelboard-{__version__}-py3")
    with zipfile.ZipFile(path) as content:
        return content.namelist()


def test_wheel_holds_the_packages_and_nothing_else(wheel: list[str]) -> None:
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", *DATA) and "entries" not in path.relative_to(ROOT).parts[:2]
    }
    found = {name for name in wheel if ".dist-info/" not in name}
    assert found == expected
    assert "tasks/pocket/th.json" in found
    assert "leaderboard/templates/index.html" in found


def test_wheel_carries_no_entries(wheel: list[str]) -> None:
    assert not [name for name in wheel if name.startswith("submissions/entries")]


def test_every_dependency_is_pinned() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(name for extra in extras for name in extra)]
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    }
    for requirement in wanted:
        name = requirement.split(">")[0].split("=")[0].strip().lower().replace("_", "-")
        assert name in pinned, f"{name} has no version in constraints.txt"
