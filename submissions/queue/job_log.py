"""What a job prints, in a file of bounded size: its beginning and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class JobLog:
    """A log that keeps the first and the last half of what it may hold.

    Args:
        path: The file, which is written anew.
        most: Bytes that it may hold, but for a line that says what was left out.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._file = path.open("wb", buffering=0)
        self._head = most // 2
        self._tail = most - self._head
        self._end = bytearray()
        self._left_out = 0

    def write(self, content: bytes) -> None:
        """Adds what was printed."""
        head, rest = content[: self._head], content[self._head :]
        if head:
            self._file.write(head)
            self._head -= len(head)
        self._end += rest
        if over := max(0, len(self._end) - self._tail):
            del self._end[:over]
            self._left_out += over

    def close(self) -> None:
        """Writes the end."""
        if self._left_out:
            self._file.write(f"\n... {self._left_out:,} bytes left out ...\n".encode())
        self._file.write(self._end)
        self._file.close()


def last_message(path: Path, most: int = 500) -> str:
    """The last message of babelboard's in a log, or its last line, fit to be printed."""
    text = path.read_bytes().decode("utf-8", "replace").strip()
    _, found, message = text.rpartition("babelboard: ")
    line = message if found else text.rpartition("\n")[2]
    return printable(" ".join(line.split()))[:most]


def printable(text: str) -> str:
    """A text without characters that would steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
