"""``babelboard tasks``: what can be asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tasks.data_files import DATA_VARIABLE, cache_folder, locate
from tasks.definition import CONTEXT_SUFFIX, load_definition, task_names
from tasks.languages import language_name
from tasks.settings import KIND_NAMES, KINDS, parallel_settings
from tasks.task import load_task, questions_asked

if TYPE_CHECKING:
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
    table = Table(box=None, pad_edge=False)
    for heading in ("Task", "Languages", "Settings", "Queries", "Candidates", "Licence", "Files"):
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left")
    for definition in definitions:
        table.add_row(
            definition.name,
            str(len(definition.languages)),
            str(len(parallel_settings(definition.languages))),
            f"{_total(definition, 'queries'):,}",
            f"{_total(definition, 'documents'):,}",
            definition.licence,
            _where(definition, data),
        )
    console = Console()
    console.print(table)
    console.print("\nDetails: babelboard tasks NAME", highlight=False)


def _show(name: str, data: Path | None, *, as_json: bool) -> None:
    definition, form = load_definition(name)
    here = None not in locate(definition, data).values()
    # Sizes of settings follow from the files; a look at a task does not fetch them.
    task = load_task(name, data) if here else None
    asked = questions_asked(task) if task else {}
    sizes = {
        code: (len(task.collection.queries[code].texts), len(task.collection.corpora[code].ids))
        if task
        else (file.queries, file.documents)
        for code, file in sorted(definition.files.items())
    }
    settings = parallel_settings(definition.languages)
    shown = definition.name + ("" if form == "sentence" else CONTEXT_SUFFIX)
    if as_json:
        content: dict[str, Any] = {
            "schema_version": 1,
            "name": shown,
            "title": definition.title,
            "protocol": definition.protocol,
            "licence": definition.licence,
            "measures": definition.measures,
            "languages": {
                code: {"queries": queries, "documents": documents}
                for code, (queries, documents) in sizes.items()
            },
            "settings": [{"id": s.id, "kind": s.kind, "n": asked.get(s.id)} for s in settings],
        }
        print(json.dumps(content, indent=1))
        return
    print(f"{definition.title} ({shown})\n{definition.summary}\n")
    for kind in KINDS:
        ids = [s.id for s in settings if s.kind == kind]
        if ids:
            counts = [asked[i] for i in ids if i in asked]
            print(
                f"{KIND_NAMES[kind]:9}  {len(ids):>3} settings such as {ids[-1]}, {_span(counts)}"
            )
    print(f"Measures   {', '.join(definition.measures)} (reported: {definition.primary_measure})")
    print(f"Forms      {', '.join(definition.candidates)}")
    print(f"Licence    {definition.licence}")
    print(f"Home       {definition.homepage}")
    print(f"Files      {_where(definition, data)}\n")
    table = Table(box=None, pad_edge=False)
    for heading in ("Language", "Code", "Queries", "Candidates"):
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left")
    for code, pair in sizes.items():
        table.add_row(language_name(code), code, *("?" if n is None else f"{n:,}" for n in pair))
    Console().print(table)


_NUMBERS = ("Languages", "Settings", "Queries", "Candidates")


def _span(counts: list[int]) -> str:
    if not counts:
        return "? questions each"
    least, most = min(counts), max(counts)
    return f"{least:,}{'' if least == most else f' to {most:,}'} questions each"


def _total(definition: TaskDefinition, what: str) -> int:
    return sum(getattr(file, what) or 0 for file in definition.files.values())


def _where(definition: TaskDefinition, data: Path | None) -> str:
    paths = [path for path in locate(definition, data).values() if path is not None]
    if definition.is_built_in:
        return "built in"
    if definition.home is not None:
        return str(definition.home / definition.folder)
    if len(paths) == len(definition.files):
        return str(paths[0].parent)
    if paths:
        return f"{len(paths)} of {len(definition.files)} in {paths[0].parent}"
    return f"fetched when needed into {cache_folder() / 'data'}, or name a folder: ${DATA_VARIABLE}"
