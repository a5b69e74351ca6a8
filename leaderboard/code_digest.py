"""Checksums of the code behind what is kept from build to build: with other code, none counts."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import harness
import leaderboard
import submissions
import tasks

if TYPE_CHECKING:
    from types import ModuleType

SOURCES = ("*.py", "*.html", "*.jinja", "*.xml", "*.toml")
"""What decides on numbers and pages; scripts and styles are files of their own."""
ENTRIES = "entries"


@cache
def computing_digest(module: str) -> str:
    """sha256 of all that a module of the site computes with: itself, and the harness.

    Args:
        module: Name of a module of this package.
    """
    own = Path(leaderboard.__file__).parent / f"{module}.py"
    return _digest([*_files(harness), Path(tasks.__file__).parent / "settings.py", own])


@cache
def pages_digest() -> str:
    """sha256 of all that pages are made with."""
    return _digest(
        [f for package in (harness, leaderboard, submissions, tasks) for f in _files(package)]
    )


def _files(package: ModuleType) -> list[Path]:
    folder = Path(str(package.__file__)).parent
    found = (path for kind in SOURCES for path in folder.rglob(kind))
    # In a clone, entries lie within a package: they are data, each with checksums of its own.
    return sorted(path for path in found if ENTRIES not in path.relative_to(folder).parts)


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256(f"numpy {version('numpy')}, scipy {version('scipy')}".encode())
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
