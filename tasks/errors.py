"""Errors that a user can act on.

::

    BabelboardError             the base: caught by the command line, exit code 2
    ├── UnknownNameError        a task, setting, measure, ... that does not exist
    ├── DataFileError           a file that is missing, altered or malformed
    ├── ModelError              a model that cannot be loaded or gives no usable output
    ├── EntryError              an entry that cannot be read, written or compared
    │   ├── TooLargeError       a file that takes more room than one of its kind may
    │   ├── StructureError      a TOML or JSON file that is none, or is nested too deep
    │   └── ArchiveError        a packed entry that is not opened
    ├── InUseError              a folder that another process is writing
    ├── ClusterError            a cluster that does not answer, or whose workers keep dying
    └── UsageError              options that do not fit together

Each message says what was wrong and where, what is allowed, and what to do next.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable


class BabelboardError(Exception):
    """Something that the user can put right; the message says how."""


class UnknownNameError(BabelboardError):
    """A name that does not exist; the nearest ones are suggested."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        choices = sorted(known)
        by_lower = {choice.lower(): choice for choice in choices}
        found = get_close_matches(name.lower(), list(by_lower), n=3, cutoff=0.5)
        near = [by_lower[match] for match in found] or (choices if len(choices) == 1 else [])
        if near:
            advice = f"Did you mean {' or '.join(near)}?"
        elif len(choices) <= 20:
            advice = f"Known: {', '.join(choices) or 'none'}."
        else:
            advice = f"Known: {', '.join(choices[:10])}, ... ({len(choices)} in all)."
        super().__init__(f"Unknown {what}: {name!r}. {advice}")


class DataFileError(BabelboardError):
    """A data file that is missing, altered or malformed."""


class ModelError(BabelboardError):
    """A model that cannot be loaded, or whose output cannot be used."""


class EntryError(BabelboardError):
    """An entry that cannot be read, written or compared."""


class TooLargeError(EntryError):
    """A file that takes more room than one of its kind may."""


class StructureError(EntryError):
    """A TOML or JSON file that is none, or is nested too deep.

    Attributes:
        reason: What kind of fault it is.
        line: Where, from 1, if that is known.
    """

    def __init__(
        self, message: str, reason: Literal["encoding", "syntax", "depth"], line: int | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.line = line


class ArchiveError(EntryError):
    """A packed entry that is not opened.

    Attributes:
        code: The code of the problem, see :mod:`submissions.checks.codes`.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class InUseError(BabelboardError):
    """A folder that another process is writing."""


class ClusterError(BabelboardError):
    """A cluster that does not answer or has no room, or workers that keep dying."""


class UsageError(BabelboardError):
    """Options or arguments that do not fit together."""
