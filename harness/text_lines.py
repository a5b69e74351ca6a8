"""Reads a text file line by line, gzip or not, under caps that keep a hostile one from the memory.

What is gzip is told by its first bytes, so a pipe is read as well as a file.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from functools import partial
from typing import TYPE_CHECKING

from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOST_BYTES = 8 * 2**30
"""Of a gzip file, decompressed: twenty times a run of 1,000 documents for 7,000 queries."""
MOST_RATIO = 200
"""Of decompressed to compressed bytes. Runs are at 4 to 30; a bomb is at 1,000."""
SMALL = 16 * 2**20
"""Bytes that decompressing may give whatever the ratio."""
LONGEST_LINE = 2**16


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, all of them UTF-8.

    Raises:
        DataFileError: If the file is missing or no text in UTF-8; if it is gzip and damaged, cut
            short, or grows beyond the caps; or if a line is too long.
    """
    number = read = 0
    try:
        with path.open("rb") as file:
            is_gzip = file.peek(len(GZIP))[: len(GZIP)] == GZIP
            most = _most_bytes(file) if is_gzip else math.inf
            source = gzip.GzipFile(fileobj=file) if is_gzip else file
            for number, line in enumerate(iter(partial(source.readline, LONGEST_LINE), b""), 1):
                read += len(line)
                if read > most:
                    raise DataFileError(
                        f"{path}:{number}: decompresses to more than {most:,} bytes, which a run "
                        "or qrels of that size does not. If it is one, decompress it yourself."
                    )
                _refuse_no_text(line, path, number)
                yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
    except FileNotFoundError:
        raise DataFileError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise DataFileError(f"{path} is a folder; expected a file.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataFileError(
            f"{path}:{number + 1}: the gzip file is cut short or damaged here: {error}. "
            "Copy or download it again."
        ) from error


def _most_bytes(file: BufferedReader) -> int:
    """How far a gzip file may grow; the size of a pipe is not known."""
    size = os.fstat(file.fileno()).st_size
    return min(MOST_BYTES, max(SMALL, MOST_RATIO * size)) if size else MOST_BYTES


def _refuse_no_text(line: bytes, path: Path, number: int) -> None:
    if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
        raise DataFileError(f"{path}:{number}: the line is longer than {LONGEST_LINE:,} bytes.")
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError as error:
            raise DataFileError(f"{path}:{number}: not a text file in UTF-8: {error}.") from None
