"""``babelboard submit verify``: scores an entry again, and says how far it comes out the same."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from harness.memory import parse_memory
from harness.progress import OnStderr
from submissions.about import is_same_party
from submissions.cli.submit_verify_report import as_json_content, print_compared
from submissions.entry import Entry, read_entry
from submissions.manifest import FILE_NAME, Line
from submissions.rerun import Surroundings, check_data
from submissions.rerun import rerun as score_again
from submissions.verification import as_deep_as, compare_ranks, tolerance_of
from submissions.verification_record import FILE_NAME as RECORD_FILE
from submissions.verification_record import TaskVerification, record_verification
from tasks.definition import describe, form_suffix, load_definition, task_names
from tasks.errors import EntryError, UnknownNameError, UsageError
from tasks.task import Task, load_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.score import Scored
    from submissions.verification import TaskComparison

RERUN = "Scoring again"
RECORD = "The record"


def verify(
    entry: Annotated[str, typer.Argument(help="Id or folder of the entry.")],
    *,
    runs: Annotated[
        Path | None,
        typer.Option(help="Folder with a TREC run for each setting: compute the ranks from them."),
    ] = None,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Load the model that the entry names, and score again.")
    ] = False,
    task: Annotated[
        list[str] | None, typer.Option(help="Only this task; may be repeated. Default: all.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Largest difference of a mean; 0 for none at all. Default: by the number format "
            "of the model.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder of the model, or package:NAME, where it is not the hub's.",
            rich_help_panel=RERUN,
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:1, ...", rich_help_panel=RERUN)
    ] = None,
    memory: Annotated[
        str,
        typer.Option(
            help="Memory for blocks of documents and scores, such as 512M or 4G.",
            rich_help_panel=RERUN,
        ),
    ] = "1G",
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    root: Annotated[
        Path, typer.Option("--entries", help="Folder in which ids are looked up.")
    ] = Path("submissions/entries"),
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Write verification.toml into the entry; with --rerun.",
            rich_help_panel=RECORD,
        ),
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(help="Who verifies: a name, as it is published.", rich_help_panel=RECORD),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all settings.")] = False,
) -> None:
    """Score an entry again, and compare with its ranks.

    With --rerun, the model is loaded by what the entry says of it; with --runs, the ranks are
    computed from rankings, as deep as these go. Exit code 0 if no mean differs by more than the
    tolerance, 1 if one does.
    """
    if (runs is None) == (not rerun):
        raise UsageError("Say how to verify: either --rerun, or --runs FOLDER with TREC runs.")
    if runs is not None and (record or model or device):
        raise UsageError(
            "--record, --model and --device go with --rerun: rankings that somebody gave do not "
            "show that the model gives them."
        )
    if record != (by is not None):
        raise UsageError("--record and --by NAME go together: a record says whose it is.")
    _check_name(by)
    room = parse_memory(memory)
    found = _find(entry, root)
    tasks = _load(found, task, data)
    allowed = tolerance_of(found.manifest.model) if tolerance is None else tolerance
    if runs is not None:
        compared = [_with_runs(found, tasks, runs, allowed)]
    else:
        around = Surroundings(root=root, model=model, data=data, device=device, memory=room)
        compared = [_again(found, one, around, allowed, by) for one in tasks]
    if as_json:
        print(json.dumps(as_json_content(found, compared), indent=1))
    else:
        print_compared(found, compared)
    raise typer.Exit(0 if all(one.holds for one in compared) else 1)


def _check_name(by: str | None) -> None:
    try:
        TypeAdapter(Line | None).validate_python(by)
    except ValidationError as error:
        raise UsageError(describe("--by", error)) from error


def _find(name: str, root: Path) -> Entry:
    folder = Path(name) if (Path(name) / FILE_NAME).is_file() else root / name
    if not (folder / FILE_NAME).is_file():
        known = [path.parent.name for path in root.glob(f"*/{FILE_NAME}")]
        raise UnknownNameError("entry", name, known)
    return read_entry(folder)


def _load(entry: Entry, wanted: Sequence[str] | None, data: Path | None) -> list[Task]:
    """The tasks that are scored again, with the settings that the entry has."""
    runs = entry.manifest.runs
    if not runs:
        raise EntryError(f"{entry.folder} has no runs to verify. Score a task.")
    loaded = []
    for name in dict.fromkeys(wanted or sorted(runs)):
        if not wanted and name.partition("+")[0] not in task_names():
            raise UsageError(
                f"{name} is not a task of babelboard's: name its file with --task {name}.toml."
            )
        definition, form = load_definition(name)
        own = definition.name + form_suffix(form)
        if own not in runs:
            raise UnknownNameError(f"task of the entry {entry.manifest.id!r}", own, runs)
        settings = () if runs[own].complete else tuple(entry.ranks(own).pool_sizes)
        loaded.append(load_task(name, data, settings))
    return loaded


def _with_runs(
    entry: Entry, tasks: Sequence[Task], folder: Path, tolerance: float
) -> TaskComparison:
    """The ranks of an entry against those in runs, as deep as these go."""
    from harness.models.run_file import RunFolder
    from harness.score import Plan, score

    if len(tasks) > 1:
        names = ", ".join(task.name for task in tasks)
        raise UsageError(f"--runs has the runs of one task: choose it with --task from {names}.")
    task = tasks[0]
    check_data(entry, task.name, dict(task.checksums))
    whole = entry.ranks(task.name)
    plan = Plan(keep_runs=max(whole.pool_sizes.values()))
    scored = score(RunFolder(folder), task, task.selected, plan, OnStderr())
    cut = whole if scored.runs is None else as_deep_as(whole, scored.runs)
    return compare_ranks(cut, scored.table, tolerance)


def _again(
    entry: Entry, task: Task, around: Surroundings, tolerance: float, by: str | None
) -> TaskComparison:
    """The ranks of an entry against those that its model gives now; recorded, if somebody asks."""
    ranks = entry.ranks(task.name)
    scored = score_again(entry, task, around, OnStderr())
    compared = compare_ranks(ranks, scored.table, tolerance)
    if by is None:
        return compared
    if compared.mismatches:  # another task, in truth: there is no difference to record
        _note(f"{task.name} is not recorded.")
        return compared
    record_verification(entry.folder, task.name, _record(entry, compared, scored, by))
    _note(f"{task.name} is recorded in {entry.folder / RECORD_FILE}")
    if entry.about and is_same_party(entry.about.contact, by):
        _note(f"{by} is the submitter: the record gives no trust level T3.")
    return compared


def _note(line: str) -> None:
    print(line, file=sys.stderr)


def _record(entry: Entry, found: TaskComparison, scored: Scored, by: str) -> TaskVerification:
    return TaskVerification(
        by=by,
        date=datetime.datetime.now(datetime.UTC).date(),
        ranks=entry.manifest.runs[found.task].ranks,
        tolerance=found.tolerance,
        delta=found.delta,
        largest=found.largest,
        settings=len(found.settings),
        judged=found.judged,
        differing=found.differing,
        greatest_change=found.greatest_change,
        versions=dict(scored.versions),
        hardware=dict(scored.hardware),
    )
