"""The line of each key of a TOML file, which tomllib does not tell."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Place = tuple[str | int, ...]

_PART = r"(?:[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')"
_KEY = re.compile(rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*=")
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*\]")
# What a value is made of, as far as it decides whether it goes on in the next line.
_TOKEN = re.compile(r"'''|\"\"\"|'[^'\n]*'|\"(?:[^\"\\\n]|\\.)*\"|#[^\n]*|[\[\]{}]")


def key_lines(text: str) -> Mapping[Place, int]:
    """By place of a key, such as ``("runs", "xquad-r", "ranks")``, its line, from 1.

    Args:
        text: A file that tomllib has read.
    """
    found: dict[Place, int] = {}
    table: Place = ()
    tables: Counter[Place] = Counter()
    value = _Value()
    for number, line in enumerate(text.split("\n"), 1):
        if value.is_open:
            value.go_on(line)
        elif header := _HEADER.match(line):
            table = _within(_parts(header[2]), tables)
            if header[1] == "[[":
                tables[table] += 1
                table = (*table, tables[table] - 1)
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            for end in range(1, len(parts := _parts(key[1])) + 1):
                found.setdefault((*table, *parts[:end]), number)
            value.go_on(line[key.end() :])
    return found


def line_of(lines: Mapping[Place, int], place: Sequence[str | int]) -> int | None:
    """The line of a place, or of the nearest that it is in; None for the file as a whole."""
    for end in range(len(place), 0, -1):
        if tuple(place[:end]) in lines:
            return lines[tuple(place[:end])]
    return None


def _parts(key: str) -> Place:
    """The parts of a key; quotation marks and escapes are those of TOML."""
    content: Any = tomllib.loads(f"{key} = 0")
    parts: list[str] = []
    while isinstance(content, dict):
        ((part, content),) = content.items()
        parts.append(part)
    return tuple(parts)


def _within(parts: Place, tables: Counter[Place]) -> Place:
    """The place of a table whose name may lead through the last of an array of tables."""
    place: Place = ()
    for position, part in enumerate(parts, 1):
        place = (*place, part)
        if tables[place] and position < len(parts):
            place = (*place, tables[place] - 1)
    return place


class _Value:
    """Whether a value that began in an earlier line goes on."""

    def __init__(self) -> None:
        self._brackets = 0
        self._quotes = ""

    @property
    def is_open(self) -> bool:
        return bool(self._brackets or self._quotes)

    def go_on(self, line: str) -> None:
        position = 0
        while position < len(line):
            if self._quotes:
                end = line.find(self._quotes, position)
                while self._quotes == '"""' and end > 0 and _is_escaped(line, end):
                    end = line.find(self._quotes, end + 1)
                if end < 0:
                    return
                position = end + 3
                self._quotes = ""
                continue
            token = _TOKEN.search(line, position)
            if token is None:
                return
            position = token.end()
            if token[0] in ("'''", '"""'):
                self._quotes = token[0]
            elif token[0] in "[{":
                self._brackets += 1
            elif token[0] in "]}":
                self._brackets -= 1


def _is_escaped(line: str, position: int) -> bool:
    return (position - len(line[:position].rstrip("\\"))) % 2 == 1
