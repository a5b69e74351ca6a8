"""Lines of a text file, a gzip file or a file within a tar archive, with their places."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TextSource:
    """A file of lines.

    Attributes:
        path: A text file; compressed where its name ends in ``.gz``.
        member: The file within, where ``path`` is a tar archive compressed by gzip.
    """

    path: Path
    member: str | None = None

    def place(self, number: int) -> str:
        """A line as messages write it."""
        within = f"[{self.member}]" if self.member else ""
        return f"{self.path}{within}:{number}"

    def raw_lines(self) -> Iterator[tuple[int, bytes]]:
        """Line numbers from 1, and lines without their end; empty lines are left out.

        Lines end at a line feed only: texts may hold other characters that break lines.

        Raises:
            DataFileError: If the file cannot be read, is damaged, or is cut short.
        """
        number = 0
        try:
            for number, line in enumerate(self._stream(), start=1):
                if stripped := line.rstrip(b"\r\n"):
                    yield number, stripped
        except (EOFError, zlib.error, tarfile.ReadError, gzip.BadGzipFile) as error:
            raise DataFileError(
                f"{self.place(number)}: the compressed file is damaged or cut short after this "
                f"line: {error}. Remove it and get it again."
            ) from error
        except OSError as error:
            raise DataFileError(
                f"{self.path} cannot be read: {error.strerror or error}."
            ) from error

    def lines(self) -> Iterator[tuple[int, str]]:
        """Line numbers from 1, and lines as text.

        Raises:
            DataFileError: As ``raw_lines``, or if a line is not in UTF-8.
        """
        for number, line in self.raw_lines():
            yield number, self.decoded(number, line)

    def decoded(self, number: int, line: bytes) -> str:
        """A line as text.

        Raises:
            DataFileError: If it is not in UTF-8.
        """
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataFileError(f"{self.place(number)}: expected UTF-8, found {error}.") from error

    def _stream(self) -> Iterator[bytes]:
        if self.member is not None:
            # Unpacked by gzip: tarfile takes the end of a file that is cut short for its end.
            with gzip.open(self.path) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
                for item in archive:
                    if item.name.removeprefix("./") == self.member:
                        file = archive.extractfile(item)
                        if file is not None:
                            yield from file
                            return
            raise DataFileError(f"{self.path} does not hold {self.member}.")
        if self.path.suffix == ".gz":
            with gzip.open(self.path, "rb") as unpacked:
                yield from unpacked
        else:
            with self.path.open("rb") as plain:
                yield from plain
