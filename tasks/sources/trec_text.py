"""Queries and judgments as TREC collections have them: lines of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Container

    from tasks.sources.text_source import TextSource


class Judged(NamedTuple):
    """A judgment: question, document and grade as the file has them, and its line."""

    query_id: str
    doc_id: str
    relevance: int
    line: int


def two_columns(source: TextSource, number: int, line: str) -> tuple[str, str]:
    """An id and a text, parted by a tab.

    Raises:
        DataFileError: If there are more or fewer columns, or there is no id.
    """
    columns = line.split("\t")
    if len(columns) != 2 or not columns[0]:
        raise DataFileError(
            f"{source.place(number)}: expected an id, a tab and a text, "
            f"found {len(columns)} column{'' if len(columns) == 1 else 's'}: {line[:60]!r}."
        )
    return columns[0], columns[1]


def read_queries(source: TextSource, wanted: Container[str] | None = None) -> dict[str, str]:
    """Texts of queries by id, in the order of the file.

    Args:
        source: A file with an id, a tab and a text on each line.
        wanted: The ids to take; None takes all.

    Raises:
        DataFileError: If a line has another form, or a query that is taken has an empty text or
            occurs twice.
    """
    queries: dict[str, str] = {}
    for number, line in source.lines():
        name, text = two_columns(source, number, line)
        if wanted is not None and name not in wanted:
            continue
        if not text.strip():
            raise DataFileError(f"{source.place(number)}: the text of query {name!r} is empty.")
        if name in queries:
            raise DataFileError(f"{source.place(number)}: query {name!r} occurs twice.")
        queries[name] = text
    return queries


def read_judgments(source: TextSource) -> list[Judged]:
    """Judgments, in the order of the file: query, a column that is not used, document, grade.

    Raises:
        DataFileError: If a line has another form, a grade is not a whole number of 0 or more, or
            a pair occurs twice.
    """
    judgments = []
    seen = set()
    for number, line in source.lines():
        columns = line.split()
        if len(columns) != 4:
            raise DataFileError(
                f"{source.place(number)}: expected 4 columns (query, 0, document, grade), "
                f"found {len(columns)}: {line[:60]!r}."
            )
        query, _, document, grade = columns
        if not (grade.isascii() and grade.isdecimal()):
            raise DataFileError(
                f"{source.place(number)}: a grade is a whole number of 0 or more, found {grade!r}."
            )
        if (query, document) in seen:
            raise DataFileError(
                f"{source.place(number)}: document {document!r} is judged twice for "
                f"query {query!r}."
            )
        seen.add((query, document))
        judgments.append(Judged(query, document, int(grade), number))
    return judgments


def expect(what: str, found: int, wanted: int | None) -> None:
    """Compares a number with what the task's definition says.

    Raises:
        DataFileError: If they differ.
    """
    if wanted not in (None, found):
        raise DataFileError(f"{what}: found {found:,}, the task says {wanted:,}.")
