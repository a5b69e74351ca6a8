"""What an entry says besides its ranks: scores, rankings and shares must follow from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.bias.language_shares import read_shares
from harness.parquet_caps import RUNS, check_parquet
from harness.run_table import read_runs
from harness.task_summary import summarise
from submissions.checks.problems import Problem, Problems, shown
from submissions.checks.rank_file_checks import shown_error
from tasks.errors import BabelboardError, EntryError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.ranks import RankTable
    from harness.run_table import RunTable
    from tasks.definition import TaskDefinition

TOLERANCE = 1e-9
"""Of a mean that is written with ten decimals."""
_AGAIN = "Score the task again: `babelboard score` writes the file."
_COUNTS = ("n", "settings", "questions")


def check_scores(name: str, content: object, table: RankTable, problems: Problems) -> None:
    """Whether the means in ``scores/<task>.json`` are those of the ranks.

    Args:
        name: The file, relative to the entry.
        content: What it holds.
        table: The ranks.
        problems: Takes what is wrong.
    """
    try:
        expected = dict(_numbers(summarise(table)[0].as_published()))
    except BabelboardError as error:
        problems.add(Problem("E043", name, shown_error(error), "measures of the task", _AGAIN))
        return
    found = dict(_numbers(content))
    for place in sorted(expected.keys() | found.keys()):
        claimed, computed = found.get(place), expected.get(place)
        if claimed is None or computed is None:
            missing = f"the ranks give {computed}" if claimed is None else "the ranks give none"
            said = "nothing" if claimed is None else shown(claimed)
            _add(problems, "E060", name, (said, missing), place)
        elif isinstance(claimed, str) or isinstance(computed, str):
            if claimed != computed:
                _add(problems, "E060", name, (shown(claimed), shown(computed)), place)
        elif not math.isfinite(claimed) or abs(claimed - computed) > TOLERANCE:
            is_percentage = place[-1] not in _COUNTS and abs(claimed - 100 * computed) < 0.51
            is_percentage &= claimed > 1
            values = (f"{claimed}", f"{computed}, from 0 to 1" if is_percentage else f"{computed}")
            _add(problems, "E061" if is_percentage else "E060", name, values, place)


def _numbers(content: object, place: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """All values of nested tables, with their places."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _numbers(value, (*place, key))
    else:
        is_value = isinstance(content, int | float) and not isinstance(content, bool)
        yield place, content if is_value else str(content)


def _add(
    problems: Problems, code: str, name: str, said: tuple[str, str], place: tuple[str, ...]
) -> None:
    key = ".".join(shown(part)[1:-1] for part in place)
    found, allowed = said
    problems.add(Problem(code, name, found, allowed, _AGAIN, key=key))


def check_shares(
    name: str, path: Path, table: RankTable, definition: TaskDefinition, problems: Problems
) -> None:
    """Whether ``language_shares/<task>.json`` can be of the task and of the ranks.

    Args:
        name: The file, relative to the entry.
        path: Where it is.
        table: The ranks.
        definition: The task.
        problems: Takes what is wrong.
    """

    def add(found: str, allowed: str) -> None:
        problems.add(Problem("E063", name, found, allowed, _AGAIN))

    try:
        shares = read_shares(path)
    except EntryError as error:
        add(shown_error(error), "shares that sum to 1")
        return
    if shares.task != table.task:
        add(f"shares of the task {shown(shares.task)}", table.task)
    strange = sorted(set(shares.languages) - set(definition.languages))
    if strange:
        add(f"the language {strange[0]}", ", ".join(definition.languages))
    queries = _queries_by_setting(table)
    for row in shares.rows:
        asked = queries.get((row.setting, row.query_language))
        if asked is None:
            add(f"{row.setting} asked in {row.query_language}", "settings that have ranks")
        elif row.queries + row.empty != asked:
            add(
                f"{row.queries} + {row.empty} queries of {row.setting} in {row.query_language}",
                f"{asked}",
            )


def _queries_by_setting(table: RankTable) -> dict[tuple[str, str], int]:
    rows = np.stack([table.setting.codes, table.query_language.codes, table.question.codes])
    distinct = np.unique(rows, axis=1)
    pairs, counts = np.unique(distinct[:2], axis=1, return_counts=True)
    names = table.setting.names, table.query_language.names
    return {
        (names[0][setting], names[1][language]): count
        for setting, language, count in zip(*pairs.tolist(), counts.tolist(), strict=True)
    }


def check_kept_runs(name: str, path: Path, table: RankTable, problems: Problems) -> None:
    """Whether ``runs/<task>.parquet`` ranks the judged documents where the ranks say they are.

    Args:
        name: The file, relative to the entry.
        path: Where it is.
        table: The ranks.
        problems: Takes what is wrong.
    """
    try:
        check_parquet(path, RUNS)
        runs = read_runs(path)
    except EntryError as error:
        code = "E041" if isinstance(error, TooLargeError) else "E040"
        problems.add(Problem(code, name, shown_error(error), "a run file of babelboard", _AGAIN))
        return
    if runs.task != table.task:
        problems.add(Problem("E043", name, f"the task {shown(runs.task)}", table.task, _AGAIN))
    places = _ranks_in(runs)
    judged = zip(
        *(
            [column.names[code] for code in column.codes.tolist()]
            for column in (table.setting, table.query_language, table.question, table.document)
        ),
        table.rank.tolist(),
        strict=True,
    )
    kept = set(runs.setting.names)
    for row, (setting, language, question, document, rank) in enumerate(judged):
        found = places.get((setting, language, question, document))
        expected = rank if setting in kept and 0 < rank <= runs.depth else None
        if found != expected:
            there = "not among" if found is None else f"at place {found} of"
            problems.add(
                Problem(
                    "E062",
                    name,
                    f"{shown(document)} is {there} the first {runs.depth} for {shown(question)} "
                    f"({language}) in {setting}",
                    f"rank {rank or 'none'}, as row {row} of the rank file says",
                    _AGAIN,
                )
            )


def _ranks_in(runs: RunTable) -> Mapping[tuple[str, str, str, str], int]:
    """The place of each document in its ranking, from 1; rows stand best first."""
    columns = (runs.setting, runs.query_language, runs.question)
    start: NDArray[np.bool_] = np.ones(len(runs), dtype=np.bool_)
    if len(runs):
        start[1:] = np.any([np.diff(column.codes) != 0 for column in columns], axis=0)
    first = np.maximum.accumulate(np.where(start, np.arange(len(runs)), 0))
    rank = np.arange(len(runs)) - first + 1
    names = (
        [column.names[code] for code in column.codes.tolist()]
        for column in (*columns, runs.document)
    )
    return dict(zip(zip(*names, strict=True), rank.tolist(), strict=True))
