"""Reads the texts of training files, whatever their form, without holding more than a line.

=========  ==========================================================================
``text``   every line is a text
``tsv``    every column, or those that are named by their numbers from 1
``jsonl``  every string in the object of a line, or those in the fields that are named
``squad``  question answering in SQuAD's format: questions and paragraphs; held whole
=========  ==========================================================================

A file may be gzip. Empty lines are passed over.
"""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from pydantic import BaseModel, ValidationError

from submissions.baselines.json_lines import read_line
from tasks.definition import describe
from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LONGEST_LINE = 1 << 24
_GZIP = b"\x1f\x8b"


class TextForm(StrEnum):
    """Forms of files with training texts."""

    text = "text"
    tsv = "tsv"
    jsonl = "jsonl"
    squad = "squad"


_SUFFIXES = {
    ".json": TextForm.squad,
    ".jsonl": TextForm.jsonl,
    ".ndjson": TextForm.jsonl,
    ".tsv": TextForm.tsv,
}


class _Question(BaseModel):
    id: str | int
    question: str


class _Paragraph(BaseModel):
    context: str
    qas: list[_Question]


class _Article(BaseModel):
    title: str = ""
    paragraphs: list[_Paragraph]


class _Squad(BaseModel):
    data: list[_Article]


def form_of(path: Path) -> TextForm:
    """The form of a file by its name: ``text`` where that tells no other."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    return _SUFFIXES.get(suffixes[-1], TextForm.text) if suffixes else TextForm.text


def read_texts(
    path: Path, form: TextForm, fields: Sequence[str], on_bytes: Callable[[int], None]
) -> Iterator[tuple[str, str]]:
    """The texts of a file, each with its id: the record's own where it has one, or its line.

    Args:
        path: The file.
        form: What it is.
        fields: Names of fields (JSONL), or numbers of columns (TSV); none for all.
        on_bytes: Told how many bytes more of the file have been read.

    Raises:
        DataFileError: If the file is missing, not UTF-8, gzip and damaged, or not of the form; or
            if a line lacks a field. The line is named.
        UsageError: If fields are named that the form does not have.
    """
    if fields and form not in (TextForm.jsonl, TextForm.tsv):
        raise UsageError(f"{path} is read as {form}, which has no fields: leave out --field.")
    if form is TextForm.squad:
        yield from _squad(path, on_bytes)
        return
    read = _LINES[form]
    if form is TextForm.tsv:
        for field in fields:
            if not field.isdecimal() or int(field) == 0:
                raise UsageError(
                    f"{field!r} is no column of a TSV file: columns are numbered from 1."
                )
    for number, line in _lines(path, on_bytes):
        if line.strip():
            yield from read(line, number, f"{path}:{number}", fields)


def _text(line: str, number: int, _: str, __: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield f"line {number}", line


def _tsv(line: str, number: int, place: str, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    columns = line.split("\t")
    for field in fields:
        if int(field) > len(columns):
            raise DataFileError(
                f"{place}: has {len(columns)} columns, and column {field} is asked for."
            )
    chosen = [columns[int(field) - 1] for field in fields] if fields else columns
    for text in chosen:
        yield f"line {number}", text


def _jsonl(line: str, number: int, place: str, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    record = read_line(line, place)
    if not isinstance(record, dict):
        raise DataFileError(f"{place}: not a JSON object. Expected one a line.")
    own = record.get("id")
    text_id = str(own) if isinstance(own, str | int) else f"line {number}"
    for field in fields:
        if field not in record:
            raise DataFileError(
                f"{place}: has no field {field!r}. It has: {', '.join(record) or 'none'}."
            )
    for field in fields or record:
        texts = list(_strings(record[field]))
        if fields and not texts:
            raise DataFileError(f"{place}: the field {field!r} holds no text.")
        for text in texts:
            yield text_id, text


def _strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, in order, however deep it is nested."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, list | dict):
            inner = part.values() if isinstance(part, dict) else part
            waiting.extend(reversed(list(inner)))


def _squad(path: Path, on_bytes: Callable[[int], None]) -> Iterator[tuple[str, str]]:
    content = b"".join(raw for raw, _ in _raw_lines(path, on_bytes))
    try:
        read = _Squad.model_validate_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        reason = describe(path, error)
        raise DataFileError(
            f"{reason}\nA .json file is read as SQuAD's format; name another with --form."
        ) from None
    for article in read.data:
        for number, paragraph in enumerate(article.paragraphs, 1):
            yield f"{article.title or 'untitled'}, paragraph {number}", paragraph.context
            for question in paragraph.qas:
                yield str(question.id), question.question


_LINES = {TextForm.text: _text, TextForm.tsv: _tsv, TextForm.jsonl: _jsonl}


def _lines(path: Path, on_bytes: Callable[[int], None]) -> Iterator[tuple[int, str]]:
    """Number and text of each line, without its end."""
    for number, (raw, is_whole) in enumerate(_raw_lines(path, on_bytes), 1):
        if not is_whole:
            raise DataFileError(f"{path}:{number}: the line is longer than {LONGEST_LINE:,} bytes.")
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise DataFileError(f"{path}:{number}: not a text file in UTF-8: {error}.") from None
        yield number, line.rstrip("\r\n")


def _raw_lines(path: Path, on_bytes: Callable[[int], None]) -> Iterator[tuple[bytes, bool]]:
    """Each line, and whether it is whole: a longer one than the most comes in parts."""
    told = done = 0
    with _opened(path) as (file, source):
        try:
            for raw in iter(partial(source.readline, LONGEST_LINE), b""):
                yield raw, len(raw) < LONGEST_LINE or raw.endswith(b"\n")
                done += 1
                at = file.tell()
                on_bytes(at - told)
                told = at
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataFileError(
                f"{path}:{done + 1}: the gzip file is cut short or damaged here: {error}. "
                "Copy or download it again."
            ) from None


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A file, and what is read from it: itself, or what it is when decompressed."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise DataFileError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise DataFileError(f"{path} is a folder; expected a file.") from None
    with file:
        is_gzip = file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
        yield file, cast("BinaryIO", gzip.GzipFile(fileobj=file)) if is_gzip else file
