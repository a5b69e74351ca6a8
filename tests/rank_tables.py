"""Rank tables from rows, for tests that compute by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.ranks import Column, RankTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = tuple[str, str, str, str, int, int]
    """Setting, query language, question, document, relevance, rank (0: not retrieved)."""


def rank_table(rows: Sequence[Row], pool_sizes: Mapping[str, int], task: str = "own") -> RankTable:
    order = list(pool_sizes)
    ordered = sorted(rows, key=lambda row: (order.index(row[0]), *row[1:4]))
    columns = [list(values) for values in zip(*ordered, strict=True)]
    named = []
    for values in columns[:4]:
        names = tuple(dict.fromkeys(values))
        named.append(Column(names, np.array([names.index(v) for v in values], dtype=np.int64)))
    return RankTable(
        task,
        pool_sizes,
        *named,
        relevance=np.array(columns[4], dtype=np.int64),
        rank=np.array(columns[5], dtype=np.int64),
        primary_measure="RR",
        measures=("RR",),
    )
