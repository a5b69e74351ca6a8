"""``babelboard evaluate``: measures of a TREC run."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from harness.measures import measure, parse_measure
from harness.runs import judged_ranks_of_run, read_qrels, read_run
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_MEASURES = ("AP", "RR@10", "nDCG@10", "R@100")


class Format(StrEnum):
    """Forms of output."""

    table = "table"
    json = "json"
    trec = "trec"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured of a run.

    Attributes:
        overall: The mean of each measure over the queries; of counts, the sum.
        by_query: The values of each query.
    """

    overall: Mapping[str, float]
    by_query: Mapping[str, Mapping[str, float]]


def command(
    run: Annotated[
        Path, typer.Argument(help="A TREC run, or gzip of one: query_id Q0 doc_id rank score tag.")
    ],
    *,
    qrels: Annotated[
        Path, typer.Option(help="Judgments, or gzip of them: query_id 0 doc_id relevance.")
    ],
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure", "-m", help="Such as AP, RR@10, nDCG@10, P(rel=2)@5; may be repeated."
        ),
    ] = None,
    common: Annotated[
        bool,
        typer.Option(
            "--common", help="Average over the queries that the run has (trec_eval's default)."
        ),
    ] = False,
    per_query: Annotated[
        bool, typer.Option("--per-query", "-q", help="Show every query; JSON always has them.")
    ] = False,
    format_: Annotated[
        Format, typer.Option("--format", help="Form of the output; trec is trec_eval's lines.")
    ] = Format.table,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """Measure any TREC run, on average and per query.

    Measures are named as ir_measures names them and have trec_eval's values. A query of the qrels
    that the run lacks counts 0, as with trec_eval -c.
    """
    names = list(dict.fromkeys(measures or DEFAULT_MEASURES))
    for name in names:
        parse_measure(name)
    if as_json and format_ is Format.trec:
        raise UsageError("--json and --format trec are two forms of output: choose one.")
    judgments, ranking = read_qrels(qrels), read_run(run)
    missing = [query for query in judgments if query not in ranking]
    if len(missing) == len(judgments):
        raise UsageError(f"{run} and {qrels} share no query id.")
    if common:
        judgments = {query: judgments[query] for query in judgments if query in ranking}
    found = _evaluate(names, ranking, judgments)
    if missing and not common:
        print(
            f"{len(missing):,} of {len(judgments):,} queries of the qrels are not in the run, such "
            f"as {missing[0]}: they count 0 (--common leaves them out).",
            file=sys.stderr,
        )
    _print(found, Format.json if as_json else format_, per_query=per_query)


def _evaluate(
    names: Sequence[str],
    run: Mapping[str, Mapping[str, float]],
    qrels: Mapping[str, Mapping[str, int]],
) -> Evaluation:
    judged = judged_ranks_of_run(run, qrels)
    overall: dict[str, float] = {}
    by_query: dict[str, dict[str, float]] = {query: {} for query in qrels}
    for name in names:
        values = measure(name, judged)
        if parse_measure(name).is_count:
            values = values.astype(np.int64)
            overall[name] = int(values.sum())
        else:
            overall[name] = float(values.mean())
        for row, value in zip(by_query.values(), values.tolist(), strict=True):
            row[name] = value
    return Evaluation(overall, by_query)


def _print(found: Evaluation, format_: Format, *, per_query: bool) -> None:
    if format_ is Format.json:
        content = {
            "schema_version": 1,
            "measures": found.overall,
            "per_query": found.by_query,
        }
        print(json.dumps(content, indent=1, allow_nan=False))
        return
    rows = list(found.by_query.items()) if per_query else []
    if format_ is Format.trec:
        for query, row in [*rows, ("all", found.overall)]:
            for name, value in row.items():
                print(f"{name:<22}\t{query}\t{_shown(value)}")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Query")
    for name in found.overall:
        table.add_column(name, justify="right")
    for query, row in [*rows, (f"all {len(found.by_query):,}", found.overall)]:
        table.add_row(query, *map(_shown, row.values()))
    # As wide as it is: a number cut off at the edge of the terminal is none. Ids are no markup.
    Console(width=10_000, markup=False, emoji=False, highlight=False).print(table)


def _shown(value: float) -> str:
    """With the four decimals of trec_eval; counts without."""
    return str(value) if isinstance(value, int) else f"{value:.4f}"
