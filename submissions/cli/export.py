"""``babelboard export``: an entry's results for other tools."""

from __future__ import annotations

import dataclasses
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console

from harness.files import write_atomically
from harness.measures import parse_measure
from harness.ranks import Column
from submissions.entry import read_entry
from submissions.exports.model_index import model_index
from submissions.exports.mteb_results import file_name, task_result
from submissions.exports.scores_csv import scores_as_csv
from submissions.exports.trec import write_trec
from tasks.errors import EntryError, UnknownNameError, UsageError
from tasks.settings import select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.ranks import RankTable
    from submissions.entry import Entry


class Form(StrEnum):
    """What an entry can be exported to."""

    mteb = "mteb"
    model_index = "hf-model-index"
    trec = "trec"
    csv = "csv"


def command(
    entry: Annotated[str, typer.Argument(help="An entry: its id or its folder.")],
    *,
    form: Annotated[Form, typer.Option("--to", help="What to write.")],
    task: Annotated[
        list[str] | None, typer.Option(help="A task; may be repeated. Default: all of the entry.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these settings: globs such as 'clir/*-de'. For hf-model-index: these in "
            "place of the averages."
        ),
    ] = None,
    measures: Annotated[
        list[str] | None,
        typer.Option("--measure", "-m", help="For csv. Default: those of the task."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File, or for mteb and trec folder, to write. Default: stdout."),
    ] = None,
    root: Annotated[
        Path, typer.Option("--entries", help="Folder in which ids are looked up.")
    ] = Path("submissions/entries"),
) -> None:
    """Write an entry's results for other tools.

    mteb: a TaskResult in JSON for each task. hf-model-index: the block of results of a Hugging
    Face model card. trec: runs and qrels for trec_eval, of an entry that has kept its rankings.
    csv: the value of every measure for every query.
    """
    if measures and form is not Form.csv:
        raise UsageError("--measure is for --to csv; the other forms have their own measures.")
    for measure in measures or ():
        parse_measure(measure)
    found = _find(entry, root)
    names = _tasks(found, task)
    tables = [_in_settings(found.ranks(name), settings or ()) for name in names]
    match form:
        case Form.mteb:
            _write_mteb(found, tables, out)
        case Form.model_index:
            _write(model_index(found.manifest, tables, averages=not settings), out)
        case Form.trec:
            _write_trec(found, tables, out)
        case Form.csv:
            _write(scores_as_csv(found.manifest.id, tables, measures or ()), out)


def _find(name: str, root: Path) -> Entry:
    folder = Path(name) if (Path(name) / "submission.toml").is_file() else root / name
    if not folder.is_dir():
        known = [path.parent.name for path in root.glob("*/submission.toml")]
        raise UnknownNameError("entry", name, known)
    return read_entry(folder)


def _tasks(entry: Entry, wanted: Sequence[str] | None) -> list[str]:
    runs = sorted(entry.manifest.runs)
    for name in wanted or ():
        if name not in runs:
            raise UnknownNameError(f"task of the entry {entry.manifest.id!r}", name, runs)
    if not runs:
        raise EntryError(f"The entry {entry.manifest.id!r} has no task. Score it on one first.")
    return list(dict.fromkeys(wanted)) if wanted else runs


def _in_settings(table: RankTable, patterns: Sequence[str]) -> RankTable:
    """The rows of some settings."""
    ids = select(table.pool_sizes, patterns)
    kept = np.array([name in ids for name in table.setting.names], dtype=np.bool_)
    rows = np.flatnonzero(kept[table.setting.codes])
    number = np.cumsum(kept) - 1
    return dataclasses.replace(
        table,
        pool_sizes={name: table.pool_sizes[name] for name in ids},
        setting=Column(
            tuple(name for name in table.setting.names if name in ids),
            number[table.setting.codes[rows]],
        ),
        query_language=Column(table.query_language.names, table.query_language.codes[rows]),
        question=Column(table.question.names, table.question.codes[rows]),
        document=Column(table.document.names, table.document.codes[rows]),
        relevance=table.relevance[rows],
        rank=table.rank[rows],
    )


def _write_mteb(entry: Entry, tables: Sequence[RankTable], out: Path | None) -> None:
    if out is None and len(tables) > 1:
        raise UsageError(
            "mteb has a file for each task: choose one with --task, or a folder with --out. "
            f"The entry has: {', '.join(table.task for table in tables)}."
        )
    for table in tables:
        content = task_result(table, entry.manifest.runs[table.task])
        path = None if out is None else out / file_name(table.task)
        _write(json.dumps(content, indent=1) + "\n", path)


def _write_trec(entry: Entry, tables: Sequence[RankTable], out: Path | None) -> None:
    if out is None or len(tables) > 1:
        raise UsageError(
            "--to trec writes a run and its qrels for each setting of one task: name a folder "
            "with --out and a task with --task. "
            f"The entry has: {', '.join(table.task for table in tables)}."
        )
    table = tables[0]
    runs = entry.kept_runs(table.task)
    write_trec(out, entry.manifest.id, table.setting.names, runs, table)
    _say(
        f"{len(table.setting.names)} runs, the first {runs.depth} documents of each ranking, and "
        f"their qrels are in {out}"
    )


def _write(content: str, out: Path | None) -> None:
    if out is None:
        print(content, end="")
    else:
        write_atomically(out, content.encode())
        _say(f"Written to {out}")


def _say(line: str) -> None:
    Console(highlight=False).print(line, soft_wrap=True, markup=False)
