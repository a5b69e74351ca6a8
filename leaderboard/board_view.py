"""The tables of systems as pages draw them: those of a task, and those of a setting.

A page has at most :data:`leaderboard.tables.MOST_ROWS` rows. Where there are more systems, the
other rows come from scripts (:mod:`leaderboard.board_index`), and a task has further pages for
readers without scripts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.charts.to_leader import intervals_to_leader
from leaderboard.facets import FACETS
from leaderboard.numerals import plain, signed
from leaderboard.tables import MOST_ROWS, setting_file
from tasks.settings import KIND_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaderboard.charts.interval import Interval
    from leaderboard.facets import Facet
    from leaderboard.families import Place
    from leaderboard.system_card import SystemCard
    from leaderboard.tables import TaskBoard, TaskTables

LEADS = "leads"
FIRST_ROWS = 50
"""Of the table of a setting that is cut: there are hundreds of them."""
MAIN = "score"
"""Key of the only column of scores that the table of a setting has."""


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """A column of scores.

    Attributes:
        key: Its name in addresses and scripts.
        title: Its name for people.
        unit: The class or setting that it is of, as part of a path.
    """

    key: str
    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class BoardCell:
    """A score.

    Attributes:
        score: As it is written.
        letters: Systems that share one are not separated.
        value: The score as a number.
    """

    score: str
    letters: str
    value: float


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A system.

    Attributes:
        number: Its place in the table, from 1.
        system: The system.
        cells: By key of a column.
        ranks: The ranks that the tests do not exclude.
        interval: Its difference to the leader, drawn.
        change: Its difference to the leader, or that it leads.
        half: Half the width of the interval of that difference, or nothing.
        distance: Its rank distance, where the table has that.
    """

    number: int
    system: SystemCard
    cells: Mapping[str, BoardCell]
    ranks: str
    interval: Interval
    change: str
    half: str
    distance: float | None


@dataclass(frozen=True, slots=True)
class BoardView:
    """A table of systems.

    Attributes:
        task: Id of the task.
        label: What it is a table of.
        columns: Its columns of scores.
        main: Key of the column that systems are sorted by, with ranks and intervals.
        has_distance: Whether it has a column of rank distances.
        rows: Those on this page.
        total: Number of rows on all pages.
        number: Of this page.
        pages: Number of pages.
        facets: What systems can be narrowed down by; empty for a table that stands as it is.
    """

    task: str
    label: str
    columns: Sequence[BoardColumn]
    main: str
    has_distance: bool
    rows: Sequence[BoardRow]
    total: int
    number: int
    pages: int
    facets: Sequence[Facet]

    @property
    def is_cut(self) -> bool:
        """Whether there are rows that are not on this page."""
        return len(self.rows) < self.total

    @property
    def questions(self) -> list[dict[str, str]]:
        """The facets, for scripts."""
        return [{"key": facet.key, "title": facet.title} for facet in self.facets]


def page_count(rows: int) -> int:
    """Number of pages that a table is cut into."""
    return max(1, -(-rows // MOST_ROWS))


def task_view(board: TaskBoard, number: int = 1) -> BoardView:
    """A page of the table of a task.

    Args:
        board: The task, with a complete system at least.
        number: Of the page, from 1.
    """
    start = (number - 1) * MOST_ROWS
    pages = page_count(len(board.rows))
    return _of_task(board, range(start, start + MOST_ROWS), number, pages, FACETS)


def leaders_view(board: TaskBoard, most: int) -> BoardView:
    """The first systems of a task, as they stand."""
    return _of_task(board, range(most), 1, 1, ())


def setting_view(tables: TaskTables, setting: str, places: Sequence[Place]) -> BoardView:
    """The table of a setting; where it is cut, scripts alone have the other rows.

    Args:
        tables: Those of its task.
        setting: Its id.
        places: Of all systems in it, best first.
    """
    shown = places[: MOST_ROWS if len(places) <= MOST_ROWS else FIRST_ROWS]
    drawn = intervals_to_leader(places, range(len(shown)))
    return BoardView(
        task=tables.task.id,
        label=f"Systems in {setting}",
        columns=(BoardColumn(MAIN, tables.measure, setting_file(setting)),),
        main=MAIN,
        has_distance=False,
        rows=[
            _row(number, tables.cards[place.system], {MAIN: (place.mean, place)}, MAIN, line, None)
            for number, (place, line) in enumerate(zip(shown, drawn, strict=True), 1)
        ],
        total=len(places),
        number=1,
        pages=1,
        facets=FACETS,
    )


def _of_task(
    board: TaskBoard, wanted: range, number: int, pages: int, facets: Sequence[Facet]
) -> BoardView:
    wanted = wanted[: max(0, len(board.rows) - wanted.start)]
    rows = board.rows[wanted.start : wanted.stop]
    places = board.family.places[board.sorted_by] if board.family else ()
    drawn = intervals_to_leader(places, wanted)
    kinds = [kind for kind in KIND_NAMES if any(kind in row.averages for row in board.rows)]
    return BoardView(
        task=board.task.id,
        label=f"Systems on {board.task.title}",
        columns=[BoardColumn(kind, KIND_NAMES[kind], kind) for kind in kinds],
        main=board.sorted_by,
        has_distance=any(row.rank_distance is not None for row in board.rows),
        rows=[
            _row(
                place,
                row.card,
                {k: (found.micro, row.places[k]) for k, found in row.averages.items()},
                board.sorted_by,
                interval,
                row.rank_distance,
            )
            for place, row, interval in zip((n + 1 for n in wanted), rows, drawn, strict=True)
        ],
        total=len(rows) if not facets else len(board.rows),
        number=number,
        pages=pages,
        facets=facets,
    )


def _row(
    index: int,
    system: SystemCard,
    found: Mapping[str, tuple[float, Place]],
    main: str,
    interval: Interval,
    distance: float | None,
) -> BoardRow:
    place = found[main][1]
    change, half = change_texts(place)
    return BoardRow(
        number=index,
        system=system,
        cells={k: BoardCell(plain(value), one.letters, value) for k, (value, one) in found.items()},
        ranks=ranks_text(place.ranks),
        interval=interval,
        change=change,
        half=half,
        distance=distance,
    )


def ranks_text(ranks: tuple[int, int]) -> str:
    """``3`` or ``1–4``."""
    return f"{ranks[0]}" if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"


def change_texts(place: Place) -> tuple[str, str]:
    """The difference to the leader, and half the width of its interval, if there are any."""
    found = place.to_first
    if found is None:
        return LEADS, ""
    half = f"± {plain((found.ci[1] - found.ci[0]) / 2)}" if found.ci else ""
    return signed(found.difference), half
