"""Passages with the same numbers in every language, and pairs of questions and passages."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tasks.arrow_store import forget, store_key, stored
from tasks.errors import DataFileError
from tasks.sources.text_corpus import ROWS, Repeats, text_columns
from tasks.sources.trec_text import expect, two_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from tasks.arrow_strings import ArrowStrings
    from tasks.sources.irds import CheckedFile
    from tasks.sources.text_source import TextSource

PAIRS = pa.schema([("question", pa.int64()), ("passage", pa.int64())])


@dataclass(frozen=True, slots=True)
class PassageFile:
    """The passages of one language: a number, a tab and a text on each line.

    Attributes:
        language: Its code.
        file: The file.
        source: Its lines, for messages.
        lines: Reads line numbers and lines.
        documents: How many passages it must hold; None where that is not known.
    """

    language: str
    file: CheckedFile
    source: TextSource
    lines: Callable[[], Iterable[tuple[int, str]]]
    documents: int | None


class _OutOfOrder(Exception):  # noqa: N818  # it ends a conversion, and no user sees it
    """The wanted passages do not ascend."""


def passage_columns(
    file: PassageFile, wanted: NDArray[np.int64] | None
) -> tuple[ArrowStrings, ArrowStrings]:
    """Ids and texts of all passages of a file, or of the wanted ones.

    Args:
        file: Where they are.
        wanted: Numbers of passages, ascending, each once. The result then has one row for each,
            in this order, whatever the order of the file. None takes all, in the file's order.

    Raises:
        DataFileError: If a line has another form, a passage occurs twice or is missing, or there
            are more or fewer than the task says.
    """
    choice = None
    if wanted is not None:
        # The size of the whole file is compared where it is read, so another is another key.
        choice = [hashlib.sha256(wanted.tobytes()).hexdigest(), file.documents]
    parts = {"source": "mmarco", "language": file.language, "file": file.file.digests.sha256}
    key = store_key(**parts, member=file.source.member, choice=choice)
    name = f"mmarco-{file.language}" + ("" if wanted is None else f"-{len(wanted)}")
    try:
        columns = text_columns(
            file.language, name, key, lambda: _passages(file, wanted, ordered=wanted is not None)
        )
    except _OutOfOrder:
        given = text_columns(
            file.language, f"{name}-unordered", key, lambda: _passages(file, wanted, ordered=False)
        )
        columns = text_columns(file.language, name, key, lambda: _in_order(*given))
        forget(f"{name}-unordered", key)
    if wanted is None:
        expect(f"{file.source.path}, passages", len(columns[0]), file.documents)
    return columns


def _passages(
    file: PassageFile, wanted: NDArray[np.int64] | None, *, ordered: bool
) -> Iterator[tuple[str, str]]:
    place = file.source.place
    left = None if wanted is None else _flags(wanted)
    seen = Repeats()
    last, ascending = -1, True
    for number, line in file.lines():
        name, text = two_columns(file.source, number, line)
        passage = plain_number(name)
        if passage is None:
            raise DataFileError(f"{place(number)}: expected a passage's number, found {name!r}.")
        seen.add(name)
        if left is not None:
            if passage >= len(left) or not left[passage]:
                continue
            left[passage] = 0
        # What is published is taken as it is: an empty passage stays in the pool.
        if not file.file.published and not text.strip():
            raise DataFileError(f"{place(number)}: the text of passage {name} is empty.")
        last, ascending = passage, ascending and passage > last
        yield name, text
    expect(f"{file.source.path}, passages", len(seen), file.documents)
    again = (two_columns(file.source, number, line)[0] for number, line in file.lines())
    if (repeated := seen.first(again)) is not None:
        raise DataFileError(f"{file.source.path}: the passage {repeated} occurs twice.")
    if left is not None and (missing := left.find(1)) >= 0:
        raise DataFileError(
            f"{file.source.path} lacks the passage {missing}, which is judged or a candidate."
        )
    if ordered and not ascending:
        raise _OutOfOrder


def plain_number(name: str) -> int | None:
    """The number that is written plainly, without sign or leading zeros; None for all else."""
    plain = name.isascii() and name.isdecimal() and (name[0] != "0" or name == "0")
    return int(name) if plain and len(name) < 19 else None


def _flags(wanted: NDArray[np.int64]) -> bytearray:
    flags = np.zeros(int(wanted[-1]) + 1 if len(wanted) else 0, dtype=np.uint8)
    flags[wanted] = 1
    return bytearray(flags.tobytes())


def _in_order(ids: ArrowStrings, texts: ArrowStrings) -> Iterator[tuple[str, str]]:
    """Passages by their numbers, a batch at a time."""
    names = np.fromiter((int(name.partition("_")[2]) for name in ids), np.int64, len(ids))
    order = np.argsort(names)
    for start in range(0, len(order), ROWS):
        rows = order[start : start + ROWS]
        yield from zip(map(str, names[rows].tolist()), texts.take(rows), strict=True)


def stored_pairs(
    file: CheckedFile, key: str, pairs: Callable[[], Iterable[tuple[int, int]]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of questions and passages of a file of pairs, read once.

    Args:
        file: Where they come from.
        key: What else they depend on.
        pairs: Reads and checks them.

    Returns:
        Question and passage of each pair, shape (pairs,) each, in the order of the file.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        questions, passages = array("q"), array("q")
        for question, passage in pairs():
            questions.append(question)
            passages.append(passage)
        columns = [pa.array(np.frombuffer(c, dtype=np.int64)) for c in (questions, passages)]
        yield pa.record_batch(columns, schema=PAIRS)

    whole = store_key(source="pairs", file=file.digests.sha256, more=key)
    table = stored("mmarco-candidates", whole, PAIRS, batches)
    question, passage = (table.column(name).to_numpy() for name in PAIRS.names)
    return question, passage
