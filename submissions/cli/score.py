"""``babelboard score``: scores a model on tasks and writes an entry."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.measures import parse_measure
from harness.models.description import display_name
from harness.models.door import BUILT_IN, open_model
from harness.models.encoder_options import DType, EncoderOptions, Similarity
from harness.progress import OnStderr
from submissions.entry import check_can_write, check_same_model, write_run
from submissions.manifest import ID_PATTERN, Submission, Training
from tasks.data_files import cache_folder
from tasks.definition import describe
from tasks.errors import UsageError
from tasks.settings import KIND_NAMES, select
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.score import Scored
    from submissions.entry import Entry


MODEL = "The model"
ENTRY = "The entry"


def command(
    model: Annotated[
        str, typer.Argument(help="A hub id, a folder with a model, bm25, or char-ngram.")
    ],
    *,
    task: Annotated[list[str], typer.Option(help="A task; may be repeated.")],
    settings: Annotated[
        list[str] | None, typer.Option(help="Only these settings: globs such as 'clir/*-de'.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for embeddings.")] = None,
    entry: Annotated[
        str | None,
        typer.Option(help="Id of the entry. Default: from the model.", rich_help_panel=ENTRY),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name that people read.", rich_help_panel=ENTRY)
    ] = None,
    training: Annotated[
        Training | None, typer.Option(help="How the model was trained.", rich_help_panel=ENTRY)
    ] = None,
    training_data: Annotated[
        str | None, typer.Option(help="What it was trained on.", rich_help_panel=ENTRY)
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Seed of its training.", rich_help_panel=ENTRY)
    ] = None,
    root: Annotated[
        Path, typer.Option("--entries", help="Folder of entries.", rich_help_panel=ENTRY)
    ] = Path("submissions/entries"),
    revision: Annotated[
        str | None, typer.Option(help="Commit of a hub model.", rich_help_panel=MODEL)
    ] = None,
    query_prompt: Annotated[
        str | None, typer.Option(help="Text put before queries.", rich_help_panel=MODEL)
    ] = None,
    document_prompt: Annotated[
        str | None, typer.Option(help="Text put before documents.", rich_help_panel=MODEL)
    ] = None,
    pooling: Annotated[
        str | None, typer.Option(help="mean, cls, max, lasttoken, ...", rich_help_panel=MODEL)
    ] = None,
    normalise: Annotated[
        bool | None, typer.Option(help="Scale embeddings to length 1.", rich_help_panel=MODEL)
    ] = None,
    similarity: Annotated[
        Similarity | None, typer.Option(help="Compare by.", rich_help_panel=MODEL)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Cut longer texts.", rich_help_panel=MODEL)
    ] = None,
    dtype: Annotated[DType, typer.Option(help="Number format.", rich_help_panel=MODEL)] = "float32",
    device: Annotated[
        str | None,
        typer.Option(help="cpu, cuda, cuda:1, ... Default: the best.", rich_help_panel=MODEL),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a model on tasks, and write or extend its entry.

    Pooling, prompts, normalisation and similarity are what the model declares; the options
    replace them. Each distinct text is encoded once, whatever the number of settings.
    """
    options = EncoderOptions(
        revision=revision,
        query_prompt=query_prompt,
        document_prompt=document_prompt,
        pooling=pooling,
        normalise=normalise,
        similarity=similarity,
        max_tokens=max_tokens,
        dtype=dtype,
        device=device,
    )
    method = _method(model, training, training_data, seed or [])
    submission = _submission(entry or _id_of(model), name, method)
    loaded_tasks = [load_task(one, data) for one in task]
    selected = [_settings(one.settings, settings) for one in loaded_tasks]
    for one, some in zip(loaded_tasks, selected, strict=True):
        for measure in one.definition.measures:
            parse_measure(measure)
        check_can_write(root, submission, one.name, complete=len(some) == len(one.settings))

    # Heavy libraries are loaded only now that everything else is known to be right.
    from harness.score import score

    progress = OnStderr()
    progress.say(f"Loading {display_name(model)}")
    opened = open_model(model, options)
    check_same_model(root, submission, opened.describe())
    embeddings = (cache or cache_folder()) / "embeddings"
    written = []
    for one, some in zip(loaded_tasks, selected, strict=True):
        scored = score(opened, one, some, embeddings, progress)
        again = _command(model, one.name, settings, options)
        written.append((write_run(root, submission, again, scored), scored))
    if as_json:
        print(json.dumps([_as_json(*one) for one in written], indent=1))
    else:
        for made, scored in written:
            _print(made, scored)


def _settings(settings: Sequence[Any], patterns: list[str] | None) -> list[Any]:
    ids = set(select([setting.id for setting in settings], patterns or []))
    return [setting for setting in settings if setting.id in ids]


def _id_of(model: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", display_name(model).lower()).strip("-._")[:64]


def _method(
    model: str, training: Training | None, data: str | None, seeds: list[int]
) -> dict[str, Any] | None:
    """What is said of the method; None to leave what an entry says already."""
    if model in BUILT_IN and training is None and data is None:
        return {"training": "untrained", "training_data": "none"}
    given = {"training": training, "training_data": data, "seeds": tuple(seeds) or None}
    return {key: value for key, value in given.items() if value is not None} or None


def _submission(entry: str, name: str | None, method: dict[str, Any] | None) -> Submission:
    if not re.fullmatch(ID_PATTERN, entry):
        raise UsageError(
            f"{entry!r} cannot be an entry's id: it needs 1 to 64 of a-z 0-9 . _ - and begins with "
            "a letter or digit. Choose one with --entry."
        )
    try:
        return Submission.model_validate({"id": entry, "name": name, "method": method})
    except ValidationError as error:
        raise UsageError(describe("What was said of the entry", error)) from error


def _command(model: str, task: str, settings: list[str] | None, options: EncoderOptions) -> str:
    words = ["babelboard", "score", display_name(model), "--task", task]
    for pattern in settings or ():
        words += ["--settings", pattern]
    for key, value in options.changed().items():
        option = key.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif key != "device":  # where it ran is for the hardware to say
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def _as_json(entry: Entry, scored: Scored) -> dict[str, Any]:
    from harness.question_scores import summary

    result = summary(scored.table)
    return {
        "schema_version": 1,
        "entry": str(entry.folder),
        "task": scored.table.task,
        "complete": scored.complete,
        "cost": asdict(scored.cost),
        "classes": result["classes"],
    }


def _print(entry: Entry, scored: Scored) -> None:
    from harness.question_scores import class_averages, question_scores

    console = Console(highlight=False)
    cost = scored.cost
    console.print(
        f"[bold]{escape(entry.manifest.name)}[/bold] on [bold]{scored.table.task}[/bold]: "
        f"{len(scored.table.pool_sizes)} settings from {cost.texts:,} texts, "
        f"{cost.distinct_texts:,} distinct"
        + (f", {cost.encoded_texts:,} encoded now" if scored.model.kind == "dense" else ""),
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("average over", no_wrap=True)
    for heading in scored.table.measures:
        table.add_column(heading, justify="right", no_wrap=True)
    averages = {m: class_averages(question_scores(scored.table, m)) for m in scored.table.measures}
    for kind, first in averages[scored.table.primary_measure].items():
        rows = {"macro": f"{first.settings} settings", "micro": f"{first.questions:,} questions"}
        for form, over in rows.items():
            values = [getattr(averages[m].get(kind), form, None) for m in scored.table.measures]
            table.add_row(
                f"{KIND_NAMES[kind]} {over}",
                *("" if v is None else f"{v:,.0f}" if v >= 100 else f"{v:.4f}" for v in values),
            )
    console.print(table)
    if not scored.complete:
        console.print("Not all settings of the task: the entry has no place in the ranking.")
    stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in cost.seconds.items())
    console.print(f"{stages}. Written to {entry.folder}", soft_wrap=True, markup=False)
