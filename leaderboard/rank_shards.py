"""Ranks of an entry as scripts that the page of a question loads.

::

    data/ranks/<task>/<entry>/parts.js   the settings, and the question that each part begins with
    data/ranks/<task>/<entry>/<part>.js  the ranks of the relevant documents of some questions

They hold what the entry's rank table holds, and depend on nothing else. Left out are documents
that are judged not relevant, and settings that do not count in the average of their kind, as they
ask others' queries once more. Questions are in ascending order, cut into parts so that no script
is larger than 50 kB when it is compressed.

A part has, with the first in each list written 0::

    questions   ids
    documents   for each question, the ids of its relevant documents, ascending
    rows        lists of places in the sequence of all documents of all questions: each written as
                the first place, then the step to each next one
    cells       [setting, query language, number in "rows"], in the order of the ranks
    bytes       size of a rank: 1, 2 or 4
    ranks       of the rows of all cells in turn; 0 where a document was not retrieved

Ranks are the base64 text of their bytes in little-endian order, the first byte of every rank,
then the second of every rank, and so on: bytes of a kind are alike and compress.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from leaderboard.data_scripts import data_script, parts_by_size
from tasks.settings import counted_in_average

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harness.ranks import Column, RankTable

FOLDER = "ranks"
"""Within the folder of the data."""
MOST_BYTES = 47_000
"""Of ranks and ids in a part: what base64 adds, compression takes away at least."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that are shown, in the order of cells, then questions, then documents.

    Attributes:
        cell: Index in ``cells`` of each row, shape (rows,).
        pair: Index in ``documents`` of each row, shape (rows,).
        rank: Rank of each row, shape (rows,).
        cells: Setting and query language.
        questions: Ids, ascending.
        documents: Ids of the relevant documents, question by question, ascending in each.
        first: Where each question's documents begin, and the end of the last.
    """

    cell: NDArray[np.int64]
    pair: NDArray[np.int64]
    rank: NDArray[np.int64]
    cells: Sequence[tuple[str, str]]
    questions: Sequence[str]
    documents: Sequence[str]
    first: NDArray[np.int64]


def rank_shards(entry: str, table: RankTable) -> Iterator[tuple[str, bytes]]:
    """The scripts of an entry and a task, by path from the root of the site.

    Args:
        entry: Its id.
        table: Its ranks.
    """
    folder = f"{FOLDER}/{table.task}/{entry}"
    shown = _shown(table)
    parts = _parts(shown)
    settings = counted_in_average(tuple(table.pool_sizes))
    listed = {
        "pools": {setting: table.pool_sizes[setting] for setting in settings},
        "starts": [shown.questions[part[0]] for part in parts],
    }
    yield data_script(f"{folder}/parts", listed)
    question = np.repeat(np.arange(len(shown.questions)), np.diff(shown.first))[shown.pair]
    ends = np.array([part[-1] for part in parts], dtype=np.int64)
    part_of = np.searchsorted(ends, question).astype(np.int32)
    order = np.argsort(part_of, kind="stable")
    bounds = np.searchsorted(part_of[order], np.arange(len(parts) + 1))
    for number, part in enumerate(parts):
        rows = order[bounds[number] : bounds[number + 1]]
        yield data_script(f"{folder}/{number + 1}", _part(shown, part, rows))


def _shown(table: RankTable) -> _Rows:
    counted = set(counted_in_average(tuple(table.pool_sizes)))
    is_counted = np.array([name in counted for name in table.setting.names], dtype=np.bool_)
    kept = np.flatnonzero((table.relevance > 0) & is_counted[table.setting.codes])
    question_order, questions = _ascending(table.question)
    document_order, documents = _ascending(table.document)
    size = len(documents)
    keys = question_order[table.question.codes[kept]] * size
    keys += document_order[table.document.codes[kept]]
    pairs, pair = np.unique(keys, return_inverse=True)
    asked, first = np.unique(pairs // size, return_index=True)
    languages = table.query_language.names
    both = table.setting.codes[kept] * len(languages) + table.query_language.codes[kept]
    found, cell = np.unique(both, return_inverse=True)
    return _Rows(
        cell=cell,
        pair=pair,
        rank=table.rank[kept],
        cells=[
            (table.setting.names[code // len(languages)], languages[code % len(languages)])
            for code in found.tolist()
        ],
        questions=[questions[code] for code in asked.tolist()],
        documents=[documents[code] for code in (pairs % size).tolist()],
        first=np.append(first, len(pairs)),
    )


def _ascending(column: Column) -> tuple[NDArray[np.int64], list[str]]:
    """The place of each name among the names in ascending order, and these."""
    names = sorted(range(len(column.names)), key=column.names.__getitem__)
    places = np.empty(len(names), dtype=np.int64)
    places[names] = np.arange(len(names))
    return places, [column.names[code] for code in names]


def _parts(shown: _Rows) -> list[Sequence[int]]:
    """Indices of the questions of each part."""
    ids = [len(json.dumps(name)) + 1 for name in shown.documents]
    sizes = np.bincount(shown.pair, minlength=len(ids)) * _bytes(shown.rank) + np.array(
        ids, dtype=np.int64
    )
    totals = np.append(0, np.cumsum(sizes))[shown.first]
    by_question = [
        int(size) + len(json.dumps(name)) + 4
        for size, name in zip(np.diff(totals), shown.questions, strict=True)
    ]
    return parts_by_size(range(len(shown.questions)), by_question, MOST_BYTES)


def _part(shown: _Rows, part: Sequence[int], rows: NDArray[np.int64]) -> dict[str, object]:
    bounds = shown.first[part[0] : part[-1] + 2].tolist()
    pair = (shown.pair[rows] - bounds[0]).astype(np.int32)
    cell = shown.cell[rows]
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    numbers: dict[bytes, int] = {}
    cells = []
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
        number = numbers.setdefault(pair[start:end].tobytes(), len(numbers))
        cells.append([*shown.cells[cell[start]], number])
    rank = shown.rank[rows]
    return {
        "questions": shown.questions[part[0] : part[-1] + 1],
        "documents": [shown.documents[a:b] for a, b in pairwise(bounds)],
        "rows": [
            np.diff(np.frombuffer(places, dtype=np.int32), prepend=0).tolist() for places in numbers
        ],
        "cells": cells,
        "bytes": _bytes(rank),
        "ranks": _encoded(rank),
    }


def _bytes(rank: NDArray[np.int64]) -> int:
    """How many bytes the largest rank needs."""
    return next(size for size in (1, 2, 4) if rank.max(initial=0) < 256**size)


def _encoded(rank: NDArray[np.int64]) -> str:
    size = _bytes(rank)
    planes = rank.astype(f"<u{size}").view(np.uint8).reshape(-1, size).T
    return base64.b64encode(planes.tobytes()).decode()
