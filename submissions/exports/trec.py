"""An entry's kept rankings as TREC runs, with the qrels by which trec_eval gives our numbers.

A query's id is its language and its question's id, joined by ``_``, so that it is unique where
all languages ask. trec_eval reads scores in float32 and puts ties in descending order of document
ids, whatever the column of ranks says: where float32 makes a tie of two scores that differ, the
lower one is written as the next lower number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.files import write_atomically
from tasks.errors import EntryError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.ranks import Column, RankTable
    from harness.run_table import RunTable


def write_trec(
    folder: Path, tag: str, settings: Sequence[str], runs: RunTable, table: RankTable
) -> None:
    """Writes ``<setting>.trec`` and ``<setting>.qrels``, with ``__`` for ``/``, for each setting.

    Args:
        folder: Where to.
        tag: Name of the system, the last column of a run.
        settings: Ids of the settings.
        runs: The rankings.
        table: The judgments, with the ranks of the judged documents.

    Raises:
        EntryError: If an id has white space, which the form cannot hold.
        UnknownNameError: If a setting was not kept.
    """
    for column in (runs.question, runs.document, table.question, table.document):
        for name in column.names:
            if not name or any(character.isspace() for character in name):
                raise EntryError(
                    f"The id {name!r} has white space or nothing in it, so a TREC run cannot "
                    "hold it."
                )
    for setting in settings:
        if setting not in runs.setting.names:
            raise UnknownNameError("setting in the kept runs", setting, runs.setting.names)
        stem = setting.replace("/", "__")
        write_atomically(folder / f"{stem}.trec", _run(runs, setting, tag).encode())
        write_atomically(folder / f"{stem}.qrels", _qrels(table, setting).encode())


def _run(runs: RunTable, setting: str, tag: str) -> str:
    rows = np.flatnonzero(runs.setting.codes == runs.setting.names.index(setting))
    document = runs.document.codes[rows]
    query = _query_ids(runs.query_language, runs.question, rows)
    starts = np.ones(len(rows), dtype=np.bool_)
    starts[1:] = np.array(query[1:], dtype=object) != np.array(query[:-1], dtype=object)
    first = np.flatnonzero(starts)
    rank = np.arange(len(rows)) - first[np.cumsum(starts) - 1] + 1
    score = in_float32(runs.score[rows], _order(runs.document)[document], starts)
    names = runs.document.names
    lines = zip(query, document.tolist(), rank.tolist(), score.tolist(), strict=True)
    return "".join(f"{q} Q0 {names[d]} {r} {s:.9g} {tag}\n" for q, d, r, s in lines)


def in_float32(
    score: NDArray[np.float64], order: NDArray[np.int64], starts: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Scores in float32, by which trec_eval ranks as we did.

    Args:
        score: Scores, best first within each query, shape (rows,).
        order: Place of each document among all ids in ascending order, shape (rows,).
        starts: Where a query begins, shape (rows,).
    """
    single = score.astype(np.float32)
    # A row is in place if it scores less than the one before, or as much with a lesser id.
    out_of_place = np.zeros(len(single), dtype=np.bool_)
    out_of_place[1:] = ~starts[1:] & ~(
        (single[1:] < single[:-1]) | ((single[1:] == single[:-1]) & (order[1:] < order[:-1]))
    )
    ends = np.append(np.flatnonzero(starts)[1:], len(single))
    for row in np.flatnonzero(out_of_place).tolist():
        end = int(ends[np.searchsorted(ends, row, side="right")])
        for place in range(row, end):
            above = single[place - 1]
            if single[place] < above or (
                single[place] == above and order[place] < order[place - 1]
            ):
                break
            ties = order[place] < order[place - 1]
            single[place] = above if ties else np.nextafter(above, np.float32(-np.inf))
    return single


def _qrels(table: RankTable, setting: str) -> str:
    rows = np.flatnonzero(table.setting.codes == table.setting.names.index(setting))
    query = _query_ids(table.query_language, table.question, rows)
    names = table.document.names
    document, grade = table.document.codes[rows].tolist(), table.relevance[rows].tolist()
    return "".join(
        f"{q} 0 {names[d]} {g}\n" for q, d, g in zip(query, document, grade, strict=True)
    )


def _query_ids(language: Column, question: Column, rows: NDArray[np.int64]) -> list[str]:
    pairs = zip(language.codes[rows].tolist(), question.codes[rows].tolist(), strict=True)
    return [f"{language.names[code]}_{question.names[number]}" for code, number in pairs]


def _order(column: Column) -> NDArray[np.int64]:
    """Place of each name among all of them, in ascending order of their bytes."""
    by = sorted(range(len(column.names)), key=lambda number: column.names[number].encode())
    place = np.empty(len(by), dtype=np.int64)
    place[by] = np.arange(len(by))
    return place
