"""TOML and JSON files of entries: read under caps of size and depth, never through a link."""

from __future__ import annotations

import json
import math
import os
import re
import stat
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any

from tasks.errors import EntryError, StructureError, TooLargeError

if TYPE_CHECKING:
    from pathlib import Path

MOST_TOML_BYTES = 2**18
MOST_JSON_BYTES = 2**24
MOST_DEPTH = 16
_PART = r"(?:[A-Za-z0-9_-]++|\"[^\"\n]*+\"|'[^'\n]*+')"
# tomllib takes time in the square of the parts of a key: a quarter of a megabyte of a.a.a would
# take hours. A key stands on one line, at its start, in brackets, or in an inline table.
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}[ \t]*+\.[ \t]*+){{{MOST_DEPTH}}}", re.M)


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a plain file.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        FileNotFoundError: If there is none.
        TooLargeError: If it has more bytes.
        EntryError: If it is a link, a folder, a pipe or a device.
    """
    try:
        with open(path, "rb", opener=_open_plain) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise EntryError(_not_plain(path))
            content = file.read(most + 1)
    except FileNotFoundError:
        raise
    except OSError as error:  # a link, a folder, a socket, or no right to read it
        raise EntryError(_not_plain(path)) from error
    if len(content) > most:
        raise TooLargeError(
            f"{path} has more than {most:,} bytes, the most that is read. Shorten it."
        )
    return content


def _open_plain(path: str, flags: int) -> int:
    """Opens a file, but no link, and waits for no pipe."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _not_plain(path: Path) -> str:
    return (
        f"{path} is not a plain file that may be read. Entries hold plain files only: put a copy "
        "of the file in its place."
    )


def decode(content: bytes, what: Path | str, kind: str = "text") -> str:
    """Text in UTF-8.

    Args:
        content: The content of a file.
        what: The file, for messages.
        kind: What kind of file it is to be, for messages.

    Raises:
        StructureError: If it is none, begins with a byte order mark, or holds NUL.
    """
    try:
        text = content.decode("utf-8")
        fault, place = "the character NUL", text.find("\0")
        if text.startswith("\ufeff"):
            fault, place = "a byte order mark", 0
        if place < 0:
            return text
        line = text[:place].count("\n") + 1
    except UnicodeDecodeError as error:
        fault = f"byte {content[error.start]:#04x}, which is not UTF-8"
        line = content[: error.start].count(b"\n") + 1
    raise StructureError(
        f"{what} is not a {kind} file: line {line} has {fault}. Save it as UTF-8, without that.",
        "encoding",
        line,
    )


def parse_toml(text: str, what: Path | str) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        StructureError: If it is no TOML, or nested deeper than :data:`MOST_DEPTH`.
    """
    if found := _LONG_KEY.search(text):
        raise _too_deep(what, text[: found.start() + 1].count("\n") + 1)
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise _too_deep(what) from None
    except ValueError as error:  # also of numbers with thousands of digits
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else None
        raise StructureError(f"{what} is not a TOML file: {error}.", "syntax", line) from error
    _check(content, what)
    return content


def parse_json(text: str, what: Path | str) -> Any:  # JSON may be anything
    """The content of a JSON file; the names of an object are different, numbers are finite.

    Raises:
        StructureError: If it is no JSON, or nested deeper than :data:`MOST_DEPTH`.
    """
    try:
        content = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite
        )
        if "\\u" in text:
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise _too_deep(what) from None
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise StructureError(f"{what} is not a JSON file: {error}.", "syntax", line) from error
    _check(content, what)
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise ValueError(f"the name {twice[:60]!r} is there twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:60]} is too large a number")
    return number


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _check(content: object, what: Path | str) -> None:
    """Makes sure that nothing is nested too deep, and no number too large to be printed."""
    level = [content]
    for _ in range(MOST_DEPTH):
        if any(isinstance(one, int) and not -(2**63) <= one < 2**63 for one in level):
            raise StructureError(f"{what} holds a whole number of more than 64 bits.", "syntax")
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise _too_deep(what)


def _inner(content: object) -> list[Any]:
    if isinstance(content, dict):
        return list(content.values())
    return content if isinstance(content, list) else []


def _too_deep(what: Path | str, line: int | None = None) -> StructureError:
    return StructureError(
        f"{what} is nested deeper than {MOST_DEPTH} levels. No file of an entry is: remove what "
        "does not belong there.",
        "depth",
        line,
    )


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML file.

    Raises:
        FileNotFoundError: If there is none.
        EntryError: If it is no plain file, too large, no TOML, or nested too deep.
    """
    return parse_toml(decode(read_bytes(path, MOST_TOML_BYTES), path, "TOML"), path)


def read_json(path: Path) -> Any:  # JSON may be anything
    """Reads a JSON file.

    Raises:
        FileNotFoundError: If there is none.
        EntryError: If it is no plain file, too large, no JSON, or nested too deep.
    """
    return parse_json(decode(read_bytes(path, MOST_JSON_BYTES), path, "JSON"), path)
