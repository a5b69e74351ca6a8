"""``babelboard compare``: which differences are real."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.comparison import compare
from harness.design import Correction, Design, Intervals, Scope, Test
from harness.reports.data import as_csv, as_json
from harness.reports.latex import as_latex
from harness.reports.text import print_comparison
from harness.score_sources import load_scores

if TYPE_CHECKING:
    from harness.comparison import Comparison

HOW = "How to compare"


class Format(StrEnum):
    """Forms of output."""

    table = "table"
    json = "json"
    csv = "csv"
    latex = "latex"


def command(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Entries (ids or folders), or TREC runs with --qrels, or one CSV of scores. "
            "NAME=ENTRY,ENTRY,... are seeds of one system."
        ),
    ],
    *,
    task: Annotated[
        str | None, typer.Option(help="A task of the entries; needed if they share several.")
    ] = None,
    qrels: Annotated[Path | None, typer.Option(help="Judgments, for TREC runs.")] = None,
    measure: Annotated[
        str | None, typer.Option("--measure", "-m", help="Default: the task's own, or AP.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            help="Settings as globs such as 'clir/*-de', or moir, clir, mlir for their averages. "
            "Default: the averages."
        ),
    ] = None,
    root: Annotated[
        Path, typer.Option("--entries", help="Folder in which ids are looked up.")
    ] = Path("submissions/entries"),
    baseline: Annotated[
        str | None, typer.Option(help="Compare with this system only.", rich_help_panel=HOW)
    ] = None,
    test: Annotated[
        Test | None,
        typer.Option(
            help="Test of a difference. Default: sign-flip; seed-t where systems have seeds.",
            rich_help_panel=HOW,
        ),
    ] = None,
    correction: Annotated[
        Correction | None,
        typer.Option(
            help="Correction for many tests. Default: max-t for sign-flip, else holm.",
            rich_help_panel=HOW,
        ),
    ] = None,
    family: Annotated[
        Scope,
        typer.Option(help="Correct over all tests, or within a setting.", rich_help_panel=HOW),
    ] = "all",
    resamples: Annotated[
        int, typer.Option(min=1, help="Resamples of sign-flip and tukey.", rich_help_panel=HOW)
    ] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Their seed.", rich_help_panel=HOW)] = 0,
    alpha: Annotated[
        float, typer.Option(help="Level at which a family is tested.", rich_help_panel=HOW)
    ] = 0.05,
    equivalence_margin: Annotated[
        float | None,
        typer.Option(help="Also test that differences lie within it.", rich_help_panel=HOW),
    ] = None,
    interval: Annotated[
        Intervals,
        typer.Option(help="The test's own interval, or BCa bootstrap.", rich_help_panel=HOW),
    ] = "test",
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse systems that lack questions.", rich_help_panel=HOW),
    ] = False,
    format_: Annotated[Format, typer.Option("--format", help="Form of the output.")] = Format.table,
) -> None:
    """Test which differences between systems are real, over the questions that both answered.

    By default: sign-flip randomisation, corrected by step-down max-T over everything that is
    compared. Class averages are taken within each question first, so that a question asked in
    eleven languages is one observation.
    """
    loaded = load_scores(
        sources, task=task, qrels=qrels, measure=measure, settings=settings or [], root=root
    )
    chosen: Test = test or ("seed-t" if loaded.scores.seeds else "sign-flip")
    fallback: Correction = "max-t" if chosen in ("sign-flip", "tukey") else "holm"
    design = Design(
        test=chosen,
        correction=correction or fallback,
        family=family,
        baseline=_system(baseline, loaded.scores.systems),
        alpha=alpha,
        resamples=resamples,
        seed=seed,
        margin=equivalence_margin,
        interval=interval,
        strict=strict,
    )
    _print(compare(loaded.scores, design), loaded.title, format_)


def _system(name: str | None, systems: tuple[str, ...]) -> str | None:
    """The system that is meant; an entry may be given as a folder."""
    return name if name is None or name in systems else Path(name).name


def _print(comparison: Comparison, title: str, format_: Format) -> None:
    if format_ is Format.json:
        print(json.dumps(as_json(comparison, of=title), indent=1, allow_nan=False))
    elif format_ is Format.csv:
        print(as_csv(comparison), end="")
    elif format_ is Format.latex:
        print(as_latex(comparison, title))
    else:
        print_comparison(Console(highlight=False), comparison, title)
