"""The tables of the pages as data: all systems of a task, by class and by setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.data_table import Column, DataTable
from leaderboard.families import columns_of
from leaderboard.tables import MOST_ROWS
from tasks.settings import KIND_NAMES, kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leaderboard.data_table import Type, Value
    from leaderboard.families import Place
    from leaderboard.tables import TaskBoard, TaskTables

_SYSTEM = (
    Column("system", "text", "Id of the system: its page is entries/<system>.html"),
    Column("name", "text", "Its name", in_latex=True),
    Column("training", "text", "Method of training"),
    Column("kind", "text", "Kind of model"),
    Column("base", "text", "Base model"),
    Column("parameters", "count", "Number of parameters"),
    Column("seeds", "count", "Number of seeds that scores are averaged over"),
)
_PLACE: tuple[tuple[str, Type, str], ...] = (
    ("letters", "text", "Systems that share a letter are not separated"),
    ("best_rank", "count", "Best rank that the tests do not exclude"),
    ("worst_rank", "count", "Worst rank that the tests do not exclude"),
    ("to_leader", "number", "Difference to the leader; empty for the leader"),
    ("to_leader_low", "number", "Lower end of its simultaneous 95% interval"),
    ("to_leader_high", "number", "Upper end"),
    ("p_adjusted", "number", "p-value of that difference, corrected for the family"),
)
_OF_A_SETTING = (
    Column("setting", "text", "Id of the setting", in_latex=True),
    Column("class", "text", "MoIR, CLIR or MLIR"),
    Column("query_language", "text", "ISO 639-1 code, or xx for all"),
    Column("document_language", "text", "ISO 639-1 code, or xx for all"),
    Column("system", "text", "Id of the system", in_latex=True),
    Column(
        "score",
        "number",
        "Mean of the task's primary measure over questions and seeds",
        in_latex=True,
    ),
    *(Column(*found) for found in _PLACE),
)


def board_columns() -> tuple[Column, ...]:
    """The columns of :func:`board_table`."""
    by_class = []
    for kind, name in KIND_NAMES.items():
        meaning = f"Mean of the task's primary measure over questions and seeds in {name}"
        by_class.append(Column(kind, "number", meaning, in_latex=True))
        by_class += [Column(f"{kind}_{n}", t, f"In {name}: {m}") for n, t, m in _PLACE]
    distance = Column("rank_distance", "number", "Mean rank distance in MLIR", in_latex=True)
    return (*_SYSTEM, *by_class, distance)


def setting_columns() -> tuple[Column, ...]:
    """The columns of :func:`settings_table`."""
    return _OF_A_SETTING


def board_table(board: TaskBoard) -> DataTable:
    """The systems of a task, best first in the class that it is sorted by."""
    rows: list[list[Value]] = []
    for row in board.rows:
        system = row.system
        values: list[Value] = [
            system.id,
            system.name,
            system.system.training,
            system.manifest.model.kind,
            system.system.base,
            system.manifest.model.parameters,
            len(system.entries),
        ]
        for kind in KIND_NAMES:
            place = row.places.get(kind)
            values += [row.averages[kind].micro if kind in row.averages else None, *_of(place)]
        rows.append([*values, row.rank_distance])
    title = f"{board.task.title}: {board.measure} by class of settings"
    return DataTable.of_rows(title, board_columns(), rows)


def settings_table(tables: TaskTables) -> DataTable:
    """The systems of a task in each of its settings, best first."""
    family = tables.family
    columns = setting_columns()
    values: list[list[Value]] = [[] for _ in columns]
    first: list[int] = []
    for setting, places in (family.places if family else {}).items():
        of_setting = (setting, KIND_NAMES[kind_of(setting)], *languages_of(setting))
        first += range(len(values[0]), len(values[0]) + min(len(places), MOST_ROWS))
        repeated = ([value] * len(places) for value in of_setting)
        for of_column, found in zip(values, (*repeated, *_of_columns(places)), strict=True):
            of_column.extend(found)
    title = f"{tables.task.title}: {tables.measure} by setting"
    return DataTable(title, columns, values, in_latex=first)


def _of_columns(places: Sequence[Place]) -> Iterable[Sequence[Value]]:
    """The system, its mean, and the values of ``_PLACE``; no letters are nothing."""
    systems, means, letters, *others = columns_of(places)
    return systems, means, [found or None for found in letters], *others


def _of(place: Place | None) -> list[Value]:
    """The values of ``_PLACE``."""
    if place is None:
        return [None] * len(_PLACE)
    found = place.to_first
    low, high = found.ci if found and found.ci else (None, None)
    change = [found.difference, low, high, found.p] if found else [None] * 4
    return [place.letters or None, *place.ranks, *change]
