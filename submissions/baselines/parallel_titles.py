"""Titles of parallel Wikipedia articles, cleaned of namespaces and brackets.

Three forms are read:

- ``wikititles-2014_XXYY.xml`` of linguatools.org, as Litschko et al. 2023 used for Wiki-CS:
  ``<translation><entry lang="de">...</entry><entry lang="en">...</entry>...``;
- ``title TAB title``, one pair a line;
- Wikipedia's own ``...langlinks.sql``, with ``...page.sql`` of the same dump beside it.

All of them may be gzip.
"""

from __future__ import annotations

import gzip
import re
import zlib
from typing import TYPE_CHECKING
from xml.parsers import expat

from harness.text_lines import GZIP, numbered_lines
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 1 << 16
# "Category:Physics" has no space after its colon, "Star Wars: Episode IV" has one.
_NAMESPACE = re.compile(r"^[^\s:][^:]*:(?=\S)")
_BRACKETS = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")


def read_titles(path: Path, source: str, target: str) -> Iterator[tuple[str, str]]:
    """Pairs of titles in two languages, cleaned.

    Args:
        path: The file.
        source: Language code of the first of each pair.
        target: Language code of the second.

    Raises:
        DataFileError: If the file is missing or malformed.
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".xml"):
        pairs = _from_xml(path, source, target)
    elif name.endswith(".sql"):
        from submissions.baselines.wikipedia_dumps import langlink_titles

        pairs = langlink_titles(path, target)
    else:
        pairs = _from_lines(path)
    for first, second in pairs:
        cleaned = clean_titles(first, second)
        if all(cleaned):
            yield cleaned


def clean_titles(first: str, second: str) -> tuple[str, str]:
    """Two titles without namespaces, if both have one, and without a last part in brackets."""
    first, second = first.replace("_", " ").strip(), second.replace("_", " ").strip()
    if _NAMESPACE.match(first) and _NAMESPACE.match(second):
        first, second = _NAMESPACE.sub("", first), _NAMESPACE.sub("", second)
    return _BRACKETS.sub("", first).strip(), _BRACKETS.sub("", second).strip()


def _from_lines(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in numbered_lines(path):
        fields = line.decode().rstrip("\r\n").split("\t")
        if fields == [""] or fields[0].startswith("#"):
            continue
        if len(fields) != 2 or not all(field.strip() for field in fields):
            raise DataFileError(
                f"{path}:{number}: not a pair: {line.decode().strip()[:80]!r}. "
                "Expected: a title, a tab, the title in the other language."
            )
        yield fields[0], fields[1]


class _Translations:
    """Collects the titles of each ``<translation>`` while the file streams by."""

    def __init__(self) -> None:
        self.done: list[dict[str, str]] = []
        self._titles: dict[str, str] = {}
        self._language: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "translation":
            self._titles = {}
        self._language = attributes.get("lang") if tag == "entry" else None

    def data(self, text: str) -> None:
        if self._language is not None:
            self._titles[self._language] = self._titles.get(self._language, "") + text

    def end(self, tag: str) -> None:
        self._language = None
        if tag == "translation":
            self.done.append(self._titles)


def _from_xml(path: Path, source: str, target: str) -> Iterator[tuple[str, str]]:
    found = _Translations()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler = found.data

    def refuse(*_: object) -> None:
        raise DataFileError(f"{path}: declares entities, which a list of titles has no need of.")

    parser.EntityDeclHandler = refuse
    pairs = 0
    try:
        with path.open("rb") as file:
            is_gzip = file.peek(len(GZIP))[: len(GZIP)] == GZIP
            stream = gzip.GzipFile(fileobj=file) if is_gzip else file
            while block := stream.read(_BLOCK):
                parser.Parse(block)
                for titles in found.done:
                    if source in titles and target in titles:
                        pairs += 1
                        yield titles[source], titles[target]
                found.done.clear()
        parser.Parse(b"", True)
    except FileNotFoundError:
        raise DataFileError(f"There is no file {path}.") from None
    except expat.ExpatError as error:
        raise DataFileError(
            f"{path}:{error.lineno}: not XML: {expat.ErrorString(error.code)}."
        ) from error
    except (LookupError, ValueError) as error:  # expat asks Python for an encoding it lacks itself
        raise DataFileError(f"{path} is not XML in UTF-8: {error}.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataFileError(f"{path}: the gzip file is cut short or damaged: {error}.") from error
    if not pairs:
        raise DataFileError(
            f"{path} has no <translation> with an <entry> in {source} and one in {target}."
        )
