"""A corpus of any size as a memory-mapped Arrow file, made from a stream of its passages."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tasks.arrow_store import TEXTS, stored
from tasks.arrow_strings import ArrowStrings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROWS = 10_000
"""Passages of a record batch: what a conversion holds in memory, beside 8 bytes for each id."""


def text_columns(
    language: str, name: str, key: str, passages: Callable[[], Iterable[tuple[str, str]]]
) -> tuple[ArrowStrings, ArrowStrings]:
    """Ids and texts of the documents of a corpus, converted where that has not been done.

    Args:
        language: Its code, which becomes part of each document's id.
        name: What it holds, for people who look into the cache.
        key: Changes when the files or the choice of passages do.
        passages: Gives ids and texts, in order; it checks what it gives.
    """
    table = stored(name, key, TEXTS, lambda: _batches(language, passages()))
    return ArrowStrings(table.column("id")), ArrowStrings(table.column("text"))


def _batches(language: str, passages: Iterable[tuple[str, str]]) -> Iterator[pa.RecordBatch]:
    ids: list[str] = []
    texts: list[str] = []
    for name, text in passages:
        ids.append(f"{language}_{name}")
        texts.append(text)
        if len(ids) == ROWS:
            yield pa.record_batch([ids, texts], schema=TEXTS)
            ids, texts = [], []
    if ids:
        yield pa.record_batch([ids, texts], schema=TEXTS)


class Repeats:
    """Finds an id that occurs twice among many, with 8 bytes for each."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, name: str) -> None:
        """Notes an id."""
        self._hashes.append(hash(name))

    def first(self, again: Iterable[str]) -> str | None:
        """The first id that repeats an earlier one, or None.

        Args:
            again: The same ids once more. They are read only where two have the same hash.
        """
        hashes = np.sort(np.frombuffer(self._hashes, dtype=np.int64))
        shared = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
        seen = set()
        for name in again if shared else ():
            if hash(name) in shared:
                if name in seen:
                    return name
                seen.add(name)
        return None
