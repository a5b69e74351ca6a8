"""An entry's values as a tidy table: a row for each query of a setting and each measure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from harness.question_scores import judged_ranks, question_scores
from harness.reports.csv_cells import csv_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.ranks import RankTable

COLUMNS = ("entry", "task", "setting", "query_language", "question_id", "measure", "value")


def scores_as_csv(entry: str, tables: Sequence[RankTable], measures: Sequence[str]) -> str:
    """The table as CSV; a name that a spreadsheet would take for a formula is quoted.

    Args:
        entry: Id of the entry.
        tables: The ranks of its tasks.
        measures: Names of measures; none for those that each task is reported in.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for table in tables:
        for measure in measures or table.measures:
            writer.writerows(_rows(entry, table, measure))
    return buffer.getvalue()


def _rows(entry: str, table: RankTable, measure: str) -> Iterator[tuple[object, ...]]:
    scores = question_scores(table, measure)
    _, first = judged_ranks(table)
    # A measure that is not defined for a setting has no values there.
    first = first[np.isin(table.setting.codes[first], scores.setting)]
    if len(first) != len(scores.value):
        raise ValueError(f"{measure} has {len(scores.value)} values for {len(first)} queries")
    names = [
        [csv_cell(name) for name in column.names]
        for column in (table.setting, table.query_language, table.question)
    ]
    codes = [
        column.codes[first].tolist()
        for column in (table.setting, table.query_language, table.question)
    ]
    fixed = csv_cell(entry), csv_cell(table.task)
    for setting, language, question, value in zip(*codes, scores.value.tolist(), strict=True):
        yield (
            *fixed,
            names[0][setting],
            names[1][language],
            names[2][question],
            measure,
            repr(value),
        )
