"""``babelboard contamination``: says which test texts training data share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.progress import OnStderr
from submissions.baselines.contamination import check_contamination, tasks_at_hand
from submissions.baselines.contamination_report import ROLES, Compared, ContaminationReport, Role
from submissions.baselines.training_texts import TextForm, form_of, read_texts
from tasks.definition import task_names
from tasks.errors import DataFileError
from tasks.languages import language_name


def command(
    files: Annotated[list[Path], typer.Argument(help="Training data: JSONL, TSV, text, SQuAD.")],
    *,
    field: Annotated[
        list[str] | None,
        typer.Option(help="Field (JSONL) or column (TSV) with texts; repeatable. Default: all."),
    ] = None,
    form: Annotated[
        TextForm | None, typer.Option(help="Default: by each file's name, else text.")
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help="Compare with this task; repeatable. Default: the small ones at hand."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    examples: Annotated[
        int, typer.Option(min=0, help="Questions, and passages, that are shown.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which test texts training data share, and fail if a question is among them.

    A text counts as shared if a training text is the same but for case, punctuation and spacing,
    or has 13 words in a row in common with it. Exit code 1: test questions are shared.
    """
    for path in files:
        if not path.is_file():
            raise DataFileError(f"There is no file {path}.")
    names = tuple(dict.fromkeys(task or tasks_at_hand(data)))
    report = check_contamination(_texts(files, form, field or []), names, data)
    if as_json:
        print(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
    else:
        _show(report, names, examples, chosen=bool(task))
    if report.leaks:
        raise typer.Exit(1)


def _texts(
    files: list[Path], form: TextForm | None, fields: list[str]
) -> Iterator[tuple[str, str]]:
    """Every text of the files; ids of several files have the file's name before them."""
    total = sum(path.stat().st_size for path in files)
    with OnStderr().track("Comparing", total, "bytes") as advance:
        for path in files:
            prefix = f"{path.name}: " if len(files) > 1 else ""
            for text_id, text in read_texts(path, form or form_of(path), fields, advance):
                yield prefix + text_id, text


def _show(
    report: ContaminationReport, names: tuple[str, ...], examples: int, *, chosen: bool
) -> None:
    console = Console(highlight=False)
    console.print(f"{report.training_texts:,} training texts compared with {', '.join(names)}.")
    absent = [name for name in task_names() if name not in names]
    if absent and not chosen:
        console.print(f"Not compared: {', '.join(absent)}. Name them with --task.", soft_wrap=True)
    if report.relevant_only:
        console.print(
            f"Of {', '.join(report.relevant_only)} only passages that answer a question were "
            "compared.",
            soft_wrap=True,
        )
    console.print()
    console.print(_table(report))
    for role in ROLES:
        _show_examples(console, report, role, examples)
    questions, passages = report.count("question"), report.count("passage")
    if questions:
        verdict = f"A leak: {_counted(questions, 'test question')} shared."
    elif passages:
        verdict = f"No test question is shared, {_counted(passages, 'passage')}: leave them out."
    else:
        verdict = "Nothing is shared."
    console.print(f"\n{verdict}", soft_wrap=True)


def _table(report: ContaminationReport) -> Table:
    """A row for each task, and for each of its languages that has shared texts."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("Task", "Language"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Questions", "same", "overlap", "Passages", "same", "overlap"):
        table.add_column(heading, justify="right", no_wrap=True)
    for task in dict.fromkeys(one.task for one in report.compared):
        mine = [one for one in report.compared if one.task == task]
        languages = list(dict.fromkeys(one.language for one in mine))
        if len(languages) > 1:
            table.add_row(task, "all", *_numbers(mine))
        for language in languages:
            of_language = [one for one in mine if one.language == language]
            if len(languages) == 1 or any(one.shared for one in of_language):
                table.add_row(task, language_name(language), *_numbers(of_language))
    return table


def _numbers(compared: list[Compared]) -> Iterator[str]:
    for role in ROLES:
        mine = [one for one in compared if one.role == role]
        for column in ("texts", "same", "overlapping"):
            yield f"{sum(getattr(one, column) for one in mine):,}"


def _show_examples(console: Console, report: ContaminationReport, role: Role, most: int) -> None:
    shared = [one for one in report.shared if one.role == role]
    if not shared or not most:
        return
    count = report.training_counts[role]
    console.print(
        f"\n{_counted(count, 'training text')} with a {role} of a task. The first "
        f"{_counted(min(most, len(shared)), role)}:"
        if len(shared) > most
        else f"\n{_counted(count, 'training text')} with a {role} of a task:"
    )
    for one in shared[:most]:
        how = "is" if one.match == "same" else "overlaps with"
        console.print(
            f"  {one.training_id} {how} {one.task} {one.language} {one.id}\n    {one.excerpt}",
            soft_wrap=True,
            markup=False,
        )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
