"""The English side of mMARCO: MS MARCO passages, dev queries and the official candidates.

ir_datasets unpacks two archives and repairs the encoding of the passages. Taken here are the
archives, which have published checksums, or, where one is not there, the file that ir_datasets
made from it: of these no checksum is published, so that their numbers of lines are what is
checked. The candidates' own file repeats the passages without the repair; only its ids are used.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tasks.errors import DataFileError
from tasks.sources.irds import checked, derived_file, listed_file
from tasks.sources.text_source import TextSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.definition import TaskDefinition
    from tasks.sources.irds import CheckedFile, SourceFile

NAME = "msmarco-passage"
MOST_PLAIN = 1000
REPAIRED = "v2"
"""What ir_datasets writes beside a ``collection.tsv`` whose encoding it has repaired."""


class Part(NamedTuple):
    """A part of MS MARCO: in an archive, or as ir_datasets leaves it."""

    key: str
    member: str
    derived: str


PASSAGES = Part("collectionandqueries", "collection.tsv", "collection.tsv")
QUERIES = Part("collectionandqueries", "queries.dev.small.tsv", "dev/small/queries.tsv")
CANDIDATES = Part("dev/scoreddocs", "top1000.dev", "dev/ms.run")


def part_file(definition: TaskDefinition, part: Part) -> SourceFile:
    """The file that a part is taken from: the archive, unless only what was made from it is there.

    A ``collection.tsv`` from before ir_datasets repaired the encoding is not taken.
    """
    archive = listed_file(definition, NAME, part.key)
    made = derived_file(definition, f"{NAME}/{part.derived}")
    if archive.path.is_file() or not made.path.is_file():
        return archive
    if part is PASSAGES:
        version = made.path.with_name("irds_version.txt")
        if not version.is_file() or version.read_text(encoding="utf-8").strip() != REPAIRED:
            return archive
    return made


def part_source(definition: TaskDefinition, part: Part) -> tuple[CheckedFile, TextSource]:
    """The checked file of a part, and its lines.

    Raises:
        DataFileError: If the file is missing or altered.
    """
    file = checked(definition, part_file(definition, part))
    made = file.name.startswith(f"{NAME}/{part.derived}")
    return file, TextSource(file.path, None if made else part.member)


def passage_lines(source: TextSource) -> Iterator[tuple[int, str]]:
    """Lines of the English collection, their encoding repaired as ir_datasets does it."""
    if source.member is None:
        yield from source.lines()
        return
    from ir_datasets.datasets.msmarco_passage import FixEncoding

    given = _Given(source)
    for line in FixEncoding(given):
        yield from given.plain
        given.plain.clear()
        yield given.number, line.decode("utf-8")
    yield from given.plain


class _Given:
    """The lines of a source as ir_datasets wants them.

    Its repair takes 0.1 ms a line and changes none that is in ASCII, as most are: these go round
    it.

    Attributes:
        number: Of the line that was given last.
        plain: Lines in ASCII since the one before that, with their numbers.
    """

    def __init__(self, source: TextSource) -> None:
        self.source = source
        self.number = 0
        self.plain: list[tuple[int, str]] = []

    @contextmanager
    def stream(self) -> Iterator[Iterator[bytes]]:
        """The lines that may need the repair, and some that do not, to keep ``plain`` short."""
        yield self._lines()

    def _lines(self) -> Iterator[bytes]:
        for number, line in self.source.raw_lines():
            if line.isascii() and len(self.plain) < MOST_PLAIN:
                self.plain.append((number, line.decode("ascii")))
                continue
            self.source.decoded(number, line)
            self.number = number
            yield line


def candidate_pairs(source: TextSource) -> Iterator[tuple[int, int, int]]:
    """Line, question and passage of each candidate.

    Raises:
        DataFileError: If a line has another form.
    """
    columns = 2 if source.member is None else 4
    for number, line in source.raw_lines():
        cells = line.split(b"\t")
        if len(cells) != columns or not (cells[0].isdigit() and cells[1].isdigit()):
            raise DataFileError(
                f"{source.place(number)}: expected {columns} columns that begin with the numbers "
                f"of a query and a passage, found {source.decoded(number, line)[:60]!r}."
            )
        yield number, int(cells[0]), int(cells[1])
