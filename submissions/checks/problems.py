"""Problems of an entry: what was found, where, what is allowed, and how to put it right."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from submissions.checks.codes import CODES

MOST_OF_A_KIND = 20
"""Problems of one code in one file that are listed; the others are counted."""
MOST_SHOWN = 120
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: One of :data:`submissions.checks.codes.CODES`.
        path: The file, relative to the entry's folder.
        found: What was found, in words.
        allowed: What is allowed.
        fix: What to do.
        line: Line of a TOML or JSON file, from 1, where it is known.
        row: Row of a Parquet file, from 0, where there is one.
        key: The place within the file, such as ``runs.xquad-r.ranks``, where there is one.
    """

    code: str
    path: str
    found: str
    allowed: str
    fix: str
    line: int | None = None
    row: int | None = None
    key: str = ""

    @property
    def severity(self) -> Literal["error", "warning"]:
        """Whether the entry can be published with it."""
        return "error" if self.code.startswith("E") else "warning"

    @property
    def place(self) -> str:
        """For example ``submission.toml:12 model.kind``."""
        line = "" if self.line is None else f":{self.line}"
        row = "" if self.row is None else f", row {self.row}"
        return f"{self.path}{line}{row}{f' {self.key}' if self.key else ''}"

    def as_json(self) -> dict[str, Any]:
        """The problem as ``--json`` has it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "meaning": CODES[self.code],
            "path": self.path,
            "line": self.line,
            "row": self.row,
            "key": self.key or None,
            "found": self.found,
            "allowed": self.allowed,
            "fix": self.fix,
        }


@dataclass(slots=True)
class Problems:
    """Problems of an entry, in the order in which they were found; each is kept once.

    Attributes:
        found: The problems.
        left_out: By code and file, how many more there are of which enough are listed.
    """

    found: list[Problem] = field(default_factory=list)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    _listed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, problem: Problem) -> None:
        """Adds a problem, unless it is there or enough of its kind are."""
        kind = (problem.code, problem.path)
        if self._listed[kind] >= MOST_OF_A_KIND:
            self.left_out[kind] += 1
        elif problem not in self.found:
            self._listed[kind] += 1
            self.found.append(problem)

    @property
    def errors(self) -> int:
        """Number of errors, with those that are not listed."""
        return self._count("error") + sum(
            count for (code, _), count in self.left_out.items() if code.startswith("E")
        )

    @property
    def warnings(self) -> int:
        """Number of warnings, with those that are not listed."""
        return self._count("warning") + sum(
            count for (code, _), count in self.left_out.items() if code.startswith("W")
        )

    def in_file(self, path: str) -> bool:
        """Whether a file has an error, so that what is in it cannot be relied upon."""
        return any(one.path == path and one.severity == "error" for one in self.found)

    def ordered(self) -> list[Problem]:
        """Errors first, then by file, line and row."""
        return sorted(
            self.found,
            key=lambda one: (one.severity, one.path, one.line or 0, one.row or 0, one.code),
        )

    def _count(self, severity: str) -> int:
        return sum(one.severity == severity for one in self.found)


def shown(value: object, most: int = MOST_SHOWN) -> str:
    """A value in quotation marks as a message shows it: on a line, cut, nothing unseen in it."""
    text = value if isinstance(value, str) else str(value)
    seen = "".join(_seen(character) for character in text[:most])
    return f"'{seen}{'...' if len(text) > most else ''}'"


def _seen(character: str) -> str:
    if unicodedata.category(character)[0] in "CZ" and character != " ":
        return f"\\u{{{ord(character):04x}}}"
    return character
