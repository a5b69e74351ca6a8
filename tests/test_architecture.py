"""Imports point one way, heavy libraries stay out of the help and the site, files stay short."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tasks

ROOT = Path(tasks.__file__).resolve().parents[1]
# Each package may import itself and those after it.
DIRECTION = ("leaderboard", "submissions", "harness", "tasks")
MODULES = sorted(path for package in DIRECTION for path in (ROOT / package).rglob("*.py"))

HEAVY = {
    "bm25s",
    "datasets",
    "ir_datasets",
    "mteb",
    "numba",
    "ranx",
    "ray",
    "safetensors",
    "sentence_transformers",
    "sklearn",
    "torch",
    "transformers",
}
MOST_LINES = 350
SOURCE = {".py", ".html", ".css", ".js", ".toml", ".jinja", ".j2", ".svg"}


def imported(path, source=None):
    """Names of the modules that a file imports anywhere in it, with the line of each.

    That includes imports within functions and under TYPE_CHECKING.
    """
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(source or path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join([*above, *([node.module] if node.module else [])]), node.lineno
        elif isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", None))
            first = node.args[0]
            if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield str(first.value), node.lineno


def against_the_direction(path, source=None):
    package = path.relative_to(ROOT).parts[0]
    forbidden = DIRECTION[: DIRECTION.index(package)]
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for name, line in imported(path, source)
        if name.partition(".")[0] in forbidden
    ]


def test_imports_point_one_way():
    assert len(MODULES) > 30
    assert [wrong for path in MODULES for wrong in against_the_direction(path)] == []


@pytest.mark.parametrize(
    "line",
    [
        "import submissions",
        "import numpy, leaderboard.cli",
        "from submissions.manifest import Training",
        "def f():\n    from leaderboard import cli",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import submissions.entry as e",
        "import importlib\nimportlib.import_module('leaderboard.site')",
        "from ...submissions import entry",
    ],
)
def test_an_import_against_the_direction_is_seen(line):
    inside = ROOT / "harness" / "models" / "made_up.py"
    assert len(against_the_direction(inside, line)) == 1
    assert not against_the_direction(inside, "from tasks import errors\nfrom . import dense")


def test_packages_import_nothing_of_the_tests():
    names = {path.stem for path in (ROOT / "tests").glob("*.py")} | {"tests", "pytest"}
    for path in MODULES:
        assert not [name for name, _ in imported(path) if name.partition(".")[0] in names], path


def test_the_leaderboard_imports_no_model_library():
    for path in (ROOT / "leaderboard").rglob("*.py"):
        roots = {name.partition(".")[0] for name, _ in imported(path)}
        assert not roots & HEAVY, path


def loaded_by(code, folder, *arguments):
    """Heavy libraries that are loaded once ``code`` has run in a fresh interpreter."""
    report = "\nimport json as j, sys as s\nprint(j.dumps(list(s.modules)), file=s.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code + report, *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    modules = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    return modules & HEAVY, done.stdout


def test_building_the_site_loads_no_model_library(tmp_path):
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "leaderboard").rglob("*.py")
    ]
    assert "leaderboard.cli.leaderboard" in names
    heavy, _ = loaded_by("\n".join(f"import {name}" for name in names), tmp_path)
    assert heavy == set()


RUN_COMMAND = """
import sys
from harness.cli.app import main
sys.argv[0] = "babelboard"
try:
    main()
except SystemExit as stop:
    if stop.code:
        raise
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("tasks", "--help"),
        ("compare", "--help"),
        ("evaluate", "--help"),
        ("leaderboard", "--help"),
        ("score", "--help"),
        ("bias", "--help"),
        ("export", "--help"),
        ("fuse", "--help"),
        ("tasks",),
        ("tasks", "pocket", "--json"),
    ],
    ids=" ".join,
)
def test_the_command_line_starts_without_heavy_libraries(arguments, tmp_path):
    heavy, output = loaded_by(RUN_COMMAND, tmp_path, *arguments)
    assert heavy == set()
    assert output


def test_a_heavy_library_would_be_seen(tmp_path):
    heavy, _ = loaded_by("import safetensors", tmp_path)
    assert heavy == {"safetensors"}


def test_no_file_is_long():
    files = [
        path
        for package in DIRECTION
        for path in (ROOT / package).rglob("*")
        if path.suffix in SOURCE
        # Entries are data that the harness writes.
        and ROOT / "submissions" / "entries" not in path.parents
    ]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(lengths) >= len(MODULES)
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MOST_LINES} == {}
