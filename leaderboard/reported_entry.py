"""The page of a reported entry: its numbers by language or by pair, and where each stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.reported import ANY, class_mean, class_means, form_of, number_of
from leaderboard.tables import task_text
from tasks.languages import POOL, language_name
from tasks.settings import KINDS, kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaderboard.reported import Number
    from leaderboard.tables import TaskText
    from submissions.reported import Reported, Results
    from tasks.settings import Kind


@dataclass(frozen=True, slots=True)
class Column:
    """Numbers of one measure and class, one a language.

    Attributes:
        measure: Name of the measure.
        kind: The class.
        side: ``query`` or ``document``: what the rows' language is the language of.
        where: Table, figure or page.
        numbers: By language code.
        mean: The class mean.
    """

    measure: str
    kind: Kind
    side: str
    where: str
    numbers: Mapping[str, Number]
    mean: Number | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Numbers of single pairs of languages.

    Attributes:
        measure: Name of the measure.
        queries: Codes of the query languages; ``xx`` for all.
        documents: Codes of the document languages; ``xx`` for the pool of all.
        numbers: By query and document language.
    """

    measure: str
    queries: tuple[str, ...]
    documents: tuple[str, ...]
    numbers: Mapping[tuple[str, str], Number]


@dataclass(frozen=True, slots=True)
class Place:
    """A table, figure or page.

    Attributes:
        where: What it is called.
        url: Its address, if it is not in the source itself.
        measures: The measures that stand in it.
    """

    where: str
    url: str | None
    measures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportedTask:
    """One task of a reported entry.

    Attributes:
        task: The task.
        kinds: Classes that have numbers.
        means: By measure and class.
        languages: Codes of the rows of ``columns``, by name.
        columns: Numbers by language.
        pairs: Numbers by pair of languages.
        places: Where all of them stand.
        provenances: How they were found.
        conditions: What is known of how they were measured.
    """

    task: TaskText
    kinds: tuple[Kind, ...]
    means: Mapping[str, Mapping[str, Number]]
    languages: tuple[str, ...]
    columns: tuple[Column, ...]
    pairs: tuple[Pairs, ...]
    places: tuple[Place, ...]
    provenances: tuple[str, ...]
    conditions: tuple[str, ...]


def reported_task(entry: Reported, task: str) -> ReportedTask:
    """What a reported entry's page shows of one task."""
    means = {measure: class_means(entry, task, measure) for measure in entry.measures(task)}
    columns, pairs = [], []
    for measure in entry.measures(task):
        if any(form_of(key) == "pair" for key in entry.printed(task, measure)):
            pairs.append(_pairs(entry, task, measure))
        else:
            columns += _columns(entry, task, measure)
    codes = {code for column in columns for code in column.numbers}
    results = [found for found in entry.results if found.task == task]
    return ReportedTask(
        task=task_text(task),
        kinds=tuple(kind for kind in KINDS if any(kind in found for found in means.values())),
        means=means,
        languages=tuple(sorted(codes, key=language_name)),
        columns=tuple(columns),
        pairs=tuple(pairs),
        places=_places(results),
        provenances=tuple(dict.fromkeys(found.provenance for found in results)),
        conditions=tuple(dict.fromkeys(found.conditions for found in results if found.conditions)),
    )


def _places(results: Sequence[Results]) -> tuple[Place, ...]:
    found: dict[tuple[str, str | None], list[str]] = {}
    for part in results:
        found.setdefault((part.where, part.url), []).append(part.measure)
    return tuple(Place(where, url, tuple(names)) for (where, url), names in found.items())


def _columns(entry: Reported, task: str, measure: str) -> list[Column]:
    """A column for each class and side that has numbers by language."""
    printed = entry.printed(task, measure)
    found: dict[tuple[Kind, str], dict[str, str]] = {}
    for key in printed:
        queries, documents = languages_of(key)
        if form_of(key) == "class" or queries == documents == POOL:
            continue
        side = "document" if queries in (ANY, POOL) else "query"
        code = documents if side == "document" else queries
        found.setdefault((kind_of(key), side), {})[code] = key
    return [
        Column(
            measure=measure,
            kind=kind,
            side=side,
            where=", ".join(dict.fromkeys(printed[key].where for key in keys.values())),
            numbers={code: number_of(printed, key) for code, key in keys.items()},
            mean=class_mean(entry, task, measure, kind),
        )
        for (kind, side), keys in found.items()
    ]


def _pairs(entry: Reported, task: str, measure: str) -> Pairs:
    printed = entry.printed(task, measure)
    exact = {languages_of(key): key for key in printed if form_of(key) in ("pair", "same", "pool")}
    sides = [sorted({pair[side] for pair in exact}, key=_pool_last) for side in (0, 1)]
    return Pairs(
        measure=measure,
        queries=tuple(sides[0]),
        documents=tuple(sides[1]),
        numbers={pair: number_of(printed, key) for pair, key in exact.items()},
    )


def _pool_last(code: str) -> tuple[bool, str]:
    return code == POOL, language_name(code)
