"""Code-switching of files, line by line: text, TSV or JSONL in, the same out.

No more than a line is held in memory. What a line is made of, other than the texts that are
switched, stays as it is; of JSON the spacing is Python's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from submissions.baselines.json_lines import read_line
from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from submissions.baselines.code_switching import CodeSwitcher, SwitchTally

LONGEST_LINE = 1 << 24
_GZIP = b"\x1f\x8b"


class Form(StrEnum):
    """Forms of files."""

    text = "text"
    tsv = "tsv"
    jsonl = "jsonl"


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a line has its texts: names in JSONL, numbers of columns from 1 in TSV.

    Attributes:
        sides: Each field that is switched and its side, ``query``, ``document`` or nothing.
        id: The field with the text's id; without one it is the line's number.
    """

    sides: tuple[tuple[str, str], ...]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line, taken apart.

    Attributes:
        text_id: Id of its texts.
        texts: One for each field.
        joined: Makes a line of such texts.
    """

    text_id: str
    texts: Sequence[str]
    joined: Callable[[Sequence[str]], str]


def switched_lines(
    stream: BinaryIO,
    name: str,
    form: Form,
    fields: Fields,
    switcher: CodeSwitcher,
    tally: SwitchTally,
) -> Iterator[tuple[int, bytes]]:
    """The lines of a stream, switched.

    Args:
        stream: What is read.
        name: What messages call it.
        form: What its lines are.
        fields: Where their texts are; a text file has one field, of any name.
        switcher: What switches.
        tally: Counts what is switched.

    Yields:
        How many bytes of the stream a line was, and what it becomes.

    Raises:
        DataFileError: If a line is not of the form or not UTF-8, or lacks a field; it is named.
        UsageError: If a column of a TSV file is no number.
    """
    # Two fields of one side are drawn for apart.
    sides = [side for _, side in fields.sides]
    marks = [
        f"\x1f{field}" if side in sides[:index] else ""
        for index, (field, side) in enumerate(fields.sides)
    ]
    for size, line in _lines(stream, name, form, fields):
        if isinstance(line, bytes):
            yield size, line
            continue
        texts = []
        for text, side, mark in zip(line.texts, sides, marks, strict=True):
            done = switcher.switch(line.text_id + mark, text, side)
            tally.add(done)
            texts.append(done.text)
        yield size, line.joined(texts).encode()


def texts_of(
    stream: BinaryIO, name: str, form: Form, fields: Fields, advance: Callable[[int], None]
) -> Iterator[str]:
    """The texts of a stream; the arguments are those of :func:`switched_lines`.

    Args:
        stream: What is read.
        name: What messages call it.
        form: What its lines are.
        fields: Where their texts are.
        advance: Told how many bytes more have been read.
    """
    for size, line in _lines(stream, name, form, fields):
        if not isinstance(line, bytes):
            yield from line.texts
        advance(size)


def _lines(
    stream: BinaryIO, name: str, form: Form, fields: Fields
) -> Iterator[tuple[int, _Line | bytes]]:
    """For each line its size, and the line taken apart; as it is if it is empty."""
    read = _reader(form, fields)
    for number, raw in enumerate(iter(partial(stream.readline, LONGEST_LINE), b""), 1):
        place = f"{name}:{number}"
        content, ending = _text(raw, place)
        if content.strip():
            line = read(content, number, place)
            yield len(raw), replace(line, joined=_with_ending(line.joined, ending))
        else:
            yield len(raw), raw


def _with_ending(
    joined: Callable[[Sequence[str]], str], ending: str
) -> Callable[[Sequence[str]], str]:
    return lambda texts: joined(texts) + ending


def _text(raw: bytes, place: str) -> tuple[str, str]:
    """A line's text and its ending."""
    if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
        raise DataFileError(f"{place}: the line is longer than {LONGEST_LINE:,} bytes.")
    if raw.startswith(_GZIP):
        raise DataFileError(
            f"{place}: this is gzip. Decompress it: zcat FILE | babelboard codeswitch - ..."
        )
    try:
        line = raw.decode()
    except UnicodeDecodeError as error:
        raise DataFileError(f"{place}: not a text file in UTF-8: {error}.") from None
    content = line.rstrip("\r\n")
    return content, line[len(content) :]


def _reader(form: Form, fields: Fields) -> Callable[[str, int, str], _Line]:
    names = [field for field, _ in fields.sides]
    if form is Form.text:
        return lambda content, number, _: _Line(str(number), [content], lambda new: new[0])
    if form is Form.tsv:
        columns = [_column(name) for name in names]
        id_column = _column(fields.id) if fields.id else None
        return partial(_tsv, columns=columns, id_column=id_column)
    return partial(_jsonl, names=names, id_name=fields.id)


def _column(name: str) -> int:
    if not name.isdecimal() or int(name) == 0:
        raise UsageError(f"{name!r} is no column of a TSV file: columns are numbered from 1.")
    return int(name)


def _tsv(
    content: str, number: int, place: str, *, columns: Sequence[int], id_column: int | None
) -> _Line:
    parts = content.split("\t")
    for column in (*columns, *([id_column] if id_column else [])):
        if column > len(parts):
            raise DataFileError(
                f"{place}: has {len(parts)} columns, and column {column} is asked for."
            )

    def joined(texts: Sequence[str]) -> str:
        new = list(parts)
        for column, text in zip(columns, texts, strict=True):
            new[column - 1] = text
        return "\t".join(new)

    text_id = parts[id_column - 1].removeprefix("\ufeff") if id_column else str(number)
    return _Line(text_id, [parts[column - 1] for column in columns], joined)


def _jsonl(
    content: str, number: int, place: str, *, names: Sequence[str], id_name: str | None
) -> _Line:
    record = read_line(content.removeprefix("\ufeff"), place)
    if not isinstance(record, dict):
        raise DataFileError(f"{place}: not a JSON object. Expected one a line.")
    for name in (*names, *([id_name] if id_name else [])):
        if name not in record:
            raise DataFileError(
                f"{place}: has no field {name!r}. It has: {', '.join(record) or 'none'}."
            )
        if not isinstance(record[name], str) and name != id_name:
            raise DataFileError(f"{place}: the field {name!r} is not a string.")

    def joined(texts: Sequence[str]) -> str:
        return json.dumps(record | dict(zip(names, texts, strict=True)), ensure_ascii=False)

    text_id = str(record[id_name]) if id_name else str(number)
    return _Line(text_id, [record[name] for name in names], joined)
