"""``babelboard tasks``: what can be asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tasks.data_files import locate
from tasks.definition import LanguageSize, form_suffix, load_definition, task_names
from tasks.languages import language_name
from tasks.settings import KIND_NAMES, KINDS
from tasks.task import load_task, questions_asked
from tasks.whereabouts import where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import JustifyMethod

    from tasks.definition import TaskDefinition


def command(
    name: Annotated[str | None, typer.Argument(help="A task, for its details.")] = None,
    *,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What there is to score on: settings, sizes, licence, where the files are."""
    if name is None:
        _list(data, as_json=as_json)
    else:
        _show(name, data, as_json=as_json)


def _list(data: Path | None, *, as_json: bool) -> None:
    definitions = [load_definition(name)[0] for name in task_names()]
    if as_json:
        rows = [{"name": d.name, "title": d.title, "languages": d.languages} for d in definitions]
        print(json.dumps({"schema_version": 1, "tasks": rows}, indent=1))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("Task", "Lang.", "Settings", "Queries", "Candidates", "Licence", "Files"):
        justify: JustifyMethod = "right" if heading in _NUMBERS else "left"
        table.add_column(heading, justify=justify, no_wrap=True)
    for definition in definitions:
        candidates = definition.candidate_pairs or _total(definition, "documents")
        table.add_row(
            definition.name,
            str(len(definition.languages)),
            str(len(definition.all_settings())),
            f"{_total(definition, 'queries'):,}",
            f"{candidates:,}",
            definition.licence,
            where(definition, data, short=True),
        )
    console = Console()
    console.print(table)
    console.print("\nDetails: babelboard tasks NAME", highlight=False)


def _show(name: str, data: Path | None, *, as_json: bool) -> None:
    definition, form = load_definition(name)
    sizes, asked = _sizes(name, definition, data)
    settings = definition.all_settings()
    shown = definition.name + form_suffix(form)
    if as_json:
        content: dict[str, Any] = {
            "schema_version": 1,
            "name": shown,
            "title": definition.title,
            "protocol": definition.protocol,
            "licence": definition.licence,
            "measures": definition.measures,
            "languages": {
                code: {"queries": size.queries, "documents": size.documents}
                for code, size in sizes.items()
            },
            "settings": [{"id": s.id, "kind": s.kind, "n": asked.get(s.id)} for s in settings],
        }
        if definition.note:
            content["note"] = definition.note
        print(json.dumps(content, indent=1))
        return
    print(f"{definition.title} ({shown})\n{definition.summary}\n")
    if definition.note:
        print(f"{definition.note}\n")
    for kind in KINDS:
        ids = [s.id for s in settings if s.kind == kind]
        if ids:
            counts = [asked[i] for i in ids if i in asked]
            print(
                f"{KIND_NAMES[kind]:9}  {len(ids):>3} settings such as {ids[-1]}, {_span(counts)}"
            )
    print(f"Measures   {', '.join(definition.measures)} (reported: {definition.primary_measure})")
    print(f"Protocol   {PROTOCOLS[definition.protocol]}")
    print(f"Forms      {', '.join(definition.forms)}")
    print(f"Licence    {definition.licence}")
    print(f"Home       {definition.homepage}")
    print(f"Files      {where(definition, data)}\n")
    table = Table(box=None, pad_edge=False)
    documents = "Candidates" if definition.protocol == "full" else "Passages"
    for heading in ("Language", "Code", "Queries", documents):
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left")
    for code, size in sizes.items():
        pair = (size.queries, size.documents)
        table.add_row(language_name(code), code, *("?" if n is None else f"{n:,}" for n in pair))
    Console().print(table)


def _sizes(
    name: str, definition: TaskDefinition, data: Path | None
) -> tuple[Mapping[str, LanguageSize], dict[str, int]]:
    """Sizes by language, and the number of questions by setting where it is known.

    Those of small collections are counted in the files, where these are there: a look at a task
    fetches none. Large collections are not read for a look; every question of theirs has an
    answer in every setting that asks it.
    """
    sizes = definition.language_sizes
    if definition.source != "squad-r":
        counts = {
            setting.id: [sizes[code].queries for code in setting.query_languages]
            for setting in definition.all_settings()
        }
        # Of several languages each question is asked in one, the same number in all.
        return sizes, {name: n[0] for name, n in counts.items() if n[0] is not None}
    if None in locate(definition, data).values():
        return sizes, {}
    task = load_task(name, data)
    queries, corpora = task.collection.queries, task.collection.corpora
    found = {
        code: LanguageSize(queries=len(queries[code].texts), documents=len(corpora[code].ids))
        for code in sizes
    }
    return found, questions_asked(task)


PROTOCOLS = {
    "full": "full: the whole pool is ranked",
    "rerank": "rerank: each question's candidates are ranked",
}
_NUMBERS = ("Lang.", "Settings", "Queries", "Candidates", "Passages")


def _span(counts: list[int]) -> str:
    if not counts:
        return "? questions each"
    least, most = min(counts), max(counts)
    return f"{least:,}{'' if least == most else f' to {most:,}'} questions each"


def _total(definition: TaskDefinition, what: str) -> int:
    return sum(getattr(size, what) or 0 for size in definition.language_sizes.values())
