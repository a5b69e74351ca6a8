"""``babelboard evaluate``: measures of a TREC run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.measures import RANK_DISTANCE, measure, parse_measure
from harness.runs import judged_ranks_of_run, read_qrels, read_run
from tasks.errors import UsageError

DEFAULT_MEASURES = ("AP", "RR@10", "nDCG@10", "R@100")


def command(
    run: Annotated[Path, typer.Argument(help="A TREC run: query_id Q0 doc_id rank score tag.")],
    *,
    qrels: Annotated[Path, typer.Option(help="Judgments: query_id 0 doc_id relevance.")],
    measures: Annotated[
        list[str] | None,
        typer.Option("--measure", "-m", help="Such as AP, RR@10, nDCG@10; may be repeated."),
    ] = None,
    common: Annotated[
        bool, typer.Option(help="Average over the queries that the run has (trec_eval's default).")
    ] = False,
    per_query: Annotated[bool, typer.Option(help="Show every query.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure any TREC run, on average and per query.

    A query of the qrels that the run lacks counts 0, as with trec_eval -c.
    """
    names = measures or list(DEFAULT_MEASURES)
    for name in names:
        if parse_measure(name).kind == RANK_DISTANCE:
            raise UsageError("RankDistance needs the size of the pool, which a run does not tell.")
    judgments, ranking = read_qrels(qrels), read_run(run)
    if common:
        judgments = {query: judged for query, judged in judgments.items() if query in ranking}
    if not judgments or not set(judgments) & set(ranking):
        raise UsageError(f"{run} and {qrels} share no query id.")
    judged = judged_ranks_of_run(ranking, judgments)
    values = {name: measure(name, judged) for name in names}
    means = {name: float(found.mean()) for name, found in values.items()}
    by_query = {
        query: {name: float(values[name][position]) for name in names}
        for position, query in enumerate(judgments)
    }
    if as_json:
        content = {"schema_version": 1, "measures": means, "per_query": by_query}
        print(json.dumps(content, indent=1))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Query")
    for name in names:
        table.add_column(name, justify="right")
    for query, row in by_query.items() if per_query else ():
        table.add_row(query, *(f"{row[name]:.4f}" for name in names))
    table.add_row(f"all {len(by_query):,}", *(f"{means[name]:.4f}" for name in names))
    Console().print(table)
