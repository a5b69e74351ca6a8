"""Titles of parallel articles from Wikipedia's own dumps, ``langlinks.sql`` and ``page.sql``."""

from __future__ import annotations

import gzip
import re
import zlib
from typing import TYPE_CHECKING

from harness.text_lines import GZIP
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 1 << 20
_LONGEST_ROW = 1 << 14
_TEXT = rb"'((?:[^'\\]|\\.)*)'"
# (ll_from, ll_lang, ll_title) and (page_id, page_namespace, page_title, ...).
_LINK = re.compile(rb"\(([0-9]{1,20})," + _TEXT + rb"," + _TEXT + rb"\)", re.DOTALL)
_PAGE = re.compile(rb"\(([0-9]{1,20}),(-?[0-9]+)," + _TEXT + rb",", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def langlink_titles(path: Path, target: str) -> Iterator[tuple[str, str]]:
    """Titles of the articles that link to one in another language, with that one's title.

    Args:
        path: ``...langlinks.sql``, gzip or not; ``...page.sql`` of the same dump is beside it.
        target: Language code of the other Wikipedia.

    Raises:
        DataFileError: If a file is missing or damaged, or there is no such link.
    """
    code = target.encode()
    links = {
        int(match[1]): _plain(match[3], path)
        for match in _rows(path, _LINK)
        if match[2] == code and match[3]
    }
    if not links:
        raise DataFileError(f"{path} has no link to a page in {target}.")
    pages = path.with_name(path.name.replace("langlinks", "page"))
    if pages == path:
        raise DataFileError(f"{path}: expected a name with 'langlinks', as the dump has it.")
    for match in _rows(pages, _PAGE):
        # 0 is the namespace of articles.
        if match[2] == b"0" and int(match[1]) in links:
            yield _plain(match[3], pages), links[int(match[1])]


def _rows(path: Path, row: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    """The rows of a dump's INSERT statements, whose lines are too long to be read whole."""
    rest = b""
    try:
        with path.open("rb") as file:
            is_gzip = file.peek(len(GZIP))[: len(GZIP)] == GZIP
            stream = gzip.GzipFile(fileobj=file) if is_gzip else file
            while block := stream.read(_BLOCK):
                rest += block
                end = 0
                for match in row.finditer(rest):
                    yield match
                    end = match.end()
                # A row may go on in the next block; none is longer than this.
                rest = rest[max(end, len(rest) - _LONGEST_ROW) :]
    except FileNotFoundError:
        raise DataFileError(f"There is no file {path}.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataFileError(f"{path}: the gzip file is cut short or damaged: {error}.") from error


def _plain(text: bytes, path: Path) -> str:
    try:
        return _ESCAPED.sub(rb"\1", text).decode().replace("_", " ")
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path}: a title is not UTF-8: {error}.") from error
