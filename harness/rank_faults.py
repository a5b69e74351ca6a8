"""Faults in the rows of a rank file: what a measure would silently get wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.ranks import RankTable

Kind = Literal["no pool", "rank", "order", "rank twice"]


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row.

    Attributes:
        kind: ``no pool`` if its setting has no pool size, ``rank`` if the rank is beyond the pool,
            ``order`` if the row is out of order or there twice, ``rank twice`` if another document
            has its rank.
        row: The row, from 0.
        message: What is wrong, and what is right, in words.
    """

    kind: Kind
    row: int
    message: str


def row_faults(table: RankTable) -> Iterator[RowFault]:
    """The faults of a table whose ranks are not negative, kind by kind.

    Where rows have settings without a pool, or are out of order, no more can be said of them.
    """
    no_pool = [name not in table.pool_sizes for name in table.setting.names]
    if any(no_pool):
        for row in np.flatnonzero(np.array(no_pool)[table.setting.codes]).tolist():
            setting = table.setting.names[table.setting.codes[row]]
            yield RowFault("no pool", row, f"no pool size is given for setting {setting!r}.")
        return
    yield from _beyond(table)
    unordered = False
    for fault in _unordered(table):
        unordered = True
        yield fault
    if not unordered:
        yield from _rank_twice(table)


def _beyond(table: RankTable) -> Iterator[RowFault]:
    sizes = np.array([table.pool_sizes[name] for name in table.setting.names], dtype=np.int64)
    for row in np.flatnonzero(table.rank > sizes[table.setting.codes]).tolist():
        setting = table.setting.names[table.setting.codes[row]]
        yield RowFault(
            "rank",
            row,
            f"row {row} has rank {table.rank[row]} in setting {setting!r}, whose pool has "
            f"{table.pool_sizes[setting]} documents.",
        )


def _unordered(table: RankTable) -> Iterator[RowFault]:
    order = {name: place for place, name in enumerate(table.pool_sizes)}
    places = np.array([order[name] for name in table.setting.names], dtype=np.int64)
    keys = [places[table.setting.codes]]
    keys += [
        np.argsort(np.argsort(column.names))[column.codes]
        for column in (table.query_language, table.question, table.document)
        if column.names
    ]
    increases = np.zeros(max(0, len(table) - 1), dtype=np.bool_)
    for key in reversed(keys):
        step = np.diff(key)
        increases = (step > 0) | ((step == 0) & increases)
    for before in np.flatnonzero(~increases).tolist():
        yield RowFault(
            "order",
            before + 1,
            f"row {before + 1} is out of order or there twice; rows are sorted by setting, query "
            "language, question id and document id.",
        )


def _rank_twice(table: RankTable) -> Iterator[RowFault]:
    """Two documents at one rank of one ranking: measures would count both, and exceed 1."""
    if not len(table):
        return
    # Rows are sorted, so those of a query stand together.
    columns = (table.setting, table.query_language, table.question)
    begins = np.any([np.diff(column.codes) != 0 for column in columns], axis=0)
    query = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(begins)])
    ranked = np.flatnonzero(table.rank)
    by = ranked[np.lexsort((table.rank[ranked], query[ranked]))]
    same = (np.diff(query[by]) == 0) & (np.diff(table.rank[by]) == 0)
    for row in by[np.flatnonzero(same) + 1].tolist():
        question = table.question.names[table.question.codes[row]]
        yield RowFault(
            "rank twice",
            row,
            f"row {row} has rank {table.rank[row]}, as another document for the query "
            f"{question!r} has. Ties are broken: each rank is given once.",
        )
