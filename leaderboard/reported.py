"""What the site shows of published results: beside the measured systems, never among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.measures import RANK_DISTANCE
from leaderboard.tables import task_text
from submissions.reported import covered, setting_ids
from tasks.definition import load_definition
from tasks.languages import POOL
from tasks.settings import KINDS, counted_in_average, kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaderboard.tables import TaskText
    from submissions.reported import Reported, Results, Source
    from tasks.settings import Kind

ANY = "*"
COMPUTED = "computed"
ALL_QUERIES = "all queries"
COMPUTED_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Number:
    """A number with as many decimals as its source prints.

    Attributes:
        value: The number.
        decimals: Its decimals.
        label: What it is the mean of, where that needs saying.
        where: Table, figure or page.
    """

    value: float
    decimals: int
    label: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """A system in the table of a task.

    Attributes:
        entry: Its entry.
        means: By class, of the task's primary measure.
        rank_distance: Mean over MLIR settings, if the source has it.
        where: Tables, figures or pages that the numbers stand in.
    """

    entry: Reported
    means: Mapping[str, Number]
    rank_distance: Number | None
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportedGroup:
    """Systems of one source, whose numbers were found in one place.

    Attributes:
        source: The publication.
        provenance: ``seen: ...`` or ``secondary: ...``.
        conditions: What is known of how they were measured.
        rows: Systems by name: numbers of different origin have no order.
    """

    source: Source
    provenance: str
    conditions: tuple[str, ...]
    rows: tuple[ReportedRow, ...]

    @property
    def is_secondary(self) -> bool:
        """Whether the numbers come from somebody else's quotation."""
        return self.provenance.startswith("secondary: ")


@dataclass(frozen=True, slots=True)
class ReportedBoard:
    """Published results on a task.

    Attributes:
        task: The task.
        measure: Its primary measure.
        kinds: Classes that have numbers.
        has_rank_distance: Whether a system has a rank distance.
        groups: By year and authors.
    """

    task: TaskText
    measure: str
    kinds: tuple[Kind, ...]
    has_rank_distance: bool
    groups: tuple[ReportedGroup, ...]


def reported_boards(entries: Sequence[Reported]) -> dict[str, ReportedBoard]:
    """The published results on each task that has some, by the task's name."""
    names = sorted({task for entry in entries for task in entry.tasks})
    boards = {name: _board(name, [e for e in entries if name in e.tasks]) for name in names}
    return {name: board for name, board in boards.items() if board.groups}


def class_mean(entry: Reported, task: str, measure: str, kind: Kind) -> Number | None:
    """The mean of a measure over a class of settings; None if the source has nothing of it.

    It is the printed one, else the mean of the printed numbers by query language (or by document
    language, or by setting), else that over the queries of all languages together.
    """
    printed = entry.printed(task, measure)
    counted = [n for n in counted_in_average(setting_ids(task)) if kind_of(n) == kind]
    rows = _rows_of_mean(printed, kind, counted)
    found = {name for key in rows for name in covered(task, key)}
    part = f"{len(found)} of {len(counted)}" if rows and len(found) < len(counted) else ""
    whole, pooled = f"{kind}/{ANY}", f"{kind}/{POOL}-{POOL}"
    if whole in printed:
        return number_of(printed, whole, part)
    if rows:
        value = sum(printed[key].values[key] for key in rows) / len(rows)
        label = f"{COMPUTED}, {part}" if part else COMPUTED
        decimals = min(COMPUTED_DECIMALS, *(printed[key].decimals for key in rows))
        where = ", ".join(dict.fromkeys(printed[key].where for key in rows))
        return Number(value, decimals, label, where)
    return number_of(printed, pooled, ALL_QUERIES) if pooled in printed else None


def _rows_of_mean(printed: Mapping[str, Results], kind: Kind, counted: Sequence[str]) -> list[str]:
    keys = [key for key in printed if kind_of(key) == kind]
    by_query = [key for key in keys if form_of(key) == "query"]
    by_document = [key for key in keys if form_of(key) == "document"]
    return by_query or by_document or [key for key in keys if key in counted]


def class_means(entry: Reported, task: str, measure: str) -> dict[str, Number]:
    """The means of a measure over each class that the source has something of."""
    means = {kind: class_mean(entry, task, measure, kind) for kind in KINDS}
    return {kind: mean for kind, mean in means.items() if mean is not None}


def number_of(printed: Mapping[str, Results], key: str, label: str = "") -> Number:
    """The number of a key of ``values``, as it is printed."""
    results = printed[key]
    return Number(results.values[key], results.decimals, label, results.where)


def _board(task: str, entries: Sequence[Reported]) -> ReportedBoard:
    measure = load_definition(task)[0].primary_measure
    grouped: dict[tuple[str, str], list[Reported]] = {}
    for entry in entries:
        if any(entry.of(task, measure)):
            key = (entry.source.url, _provenance(entry, task, measure))
            grouped.setdefault(key, []).append(entry)
    groups = [
        _group(task, measure, provenance, found) for (_, provenance), found in grouped.items()
    ]
    groups.sort(key=lambda g: (g.source.year, g.source.citation, g.is_secondary, g.provenance))
    rows = [row for group in groups for row in group.rows]
    return ReportedBoard(
        task=task_text(task),
        measure=measure,
        kinds=tuple(kind for kind in KINDS if any(kind in row.means for row in rows)),
        has_rank_distance=any(row.rank_distance is not None for row in rows),
        groups=tuple(groups),
    )


def _provenance(entry: Reported, task: str, measure: str) -> str:
    """That of the numbers in the table; if one is second-hand, all are shown as that."""
    shown = [*entry.of(task, measure), *entry.of(task, RANK_DISTANCE)]
    return next((r.provenance for r in shown if r.is_secondary), shown[0].provenance)


def _group(task: str, measure: str, provenance: str, entries: Sequence[Reported]) -> ReportedGroup:
    conditions = [r.conditions for e in entries for r in e.of(task, measure) if r.conditions]
    rows = [_row(entry, task, measure) for entry in entries]
    return ReportedGroup(
        source=entries[0].source,
        provenance=provenance,
        conditions=tuple(dict.fromkeys(conditions)),
        rows=tuple(sorted(rows, key=lambda row: (row.entry.name.casefold(), row.entry.id))),
    )


def _row(entry: Reported, task: str, measure: str) -> ReportedRow:
    means = class_means(entry, task, measure)
    distance = class_mean(entry, task, RANK_DISTANCE, "mlir")
    shown = [*means.values(), *([distance] if distance else [])]
    return ReportedRow(
        entry=entry,
        means=means,
        rank_distance=distance,
        where=tuple(dict.fromkeys(number.where for number in shown)),
    )


def form_of(key: str) -> str:
    """What a key of ``values`` gives: a ``pair``, a mean by ``query`` language, ..."""
    queries, documents = languages_of(key)
    if key.endswith(f"/{ANY}"):
        return "class"
    if ANY in (queries, documents):
        return "query" if documents == ANY else "document"
    if POOL in (queries, documents):
        return "pool"
    return "same" if queries == documents else "pair"
