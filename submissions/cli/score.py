"""``babelboard score``: scores a model on tasks and writes an entry."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from harness.locks import only_writer
from harness.measures import parse_measure
from harness.memory import parse_memory
from harness.models.description import Kind, display_name
from harness.models.door import BUILT_IN
from harness.models.encoder_options import (
    HOW_IT_RUNS,
    RESCORE,
    Attention,
    DType,
    Embeddings,
    EncoderOptions,
    Similarity,
)
from harness.progress import OnStderr
from submissions.cli import ray_options
from submissions.cli.score_report import as_json_content, print_scored
from submissions.entry import check_can_write, check_same_model, write_run
from submissions.first_stage import FirstStageOptions
from submissions.manifest import ID_PATTERN, Submission, Training
from tasks.data_files import cache_folder
from tasks.definition import describe
from tasks.errors import UsageError
from tasks.task import load_task

MODEL = "The model"
ENTRY = "The entry"
STAGES = "First stage and rankings"


def command(
    model: Annotated[
        str,
        typer.Argument(
            help="A hub id, a folder with a model, mteb:NAME, run:FOLDER, bm25, or char-ngram."
        ),
    ],
    *,
    task: Annotated[list[str], typer.Option(help="A task; may be repeated.")],
    settings: Annotated[
        list[str] | None, typer.Option(help="Only these settings: globs such as 'clir/*-de'.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder for embeddings.")] = None,
    memory: Annotated[
        str, typer.Option(help="Memory for blocks of documents and scores, such as 512M or 4G.")
    ] = "1G",
    first_stage: Annotated[
        str | None,
        typer.Option(
            help="What finds the candidates that are reranked: bm25, another model, or entry:ID.",
            rich_help_panel=STAGES,
        ),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            min=1, help="Candidates for each query. Default: 100.", rich_help_panel=STAGES
        ),
    ] = None,
    keep_runs: Annotated[
        int,
        typer.Option(
            min=0,
            help="Keep this many documents of each ranking, for reranking, fusion and export.",
            rich_help_panel=STAGES,
        ),
    ] = 0,
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
    kind: Annotated[
        Kind | None,
        typer.Option(
            help="What the model is. Default: seen from its files.", rich_help_panel=MODEL
        ),
    ] = None,
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
    truncate_dimensions: Annotated[
        int | None,
        typer.Option(min=1, help="Keep the first dimensions of embeddings.", rich_help_panel=MODEL),
    ] = None,
    embeddings: Annotated[
        Embeddings,
        typer.Option(help="How dense embeddings are compared.", rich_help_panel=MODEL),
    ] = "float32",
    rescore: Annotated[
        int,
        typer.Option(
            min=0,
            help="Documents of a ranking by int8 or binary embeddings that are scored anew with "
            "the query's own embedding.",
            rich_help_panel=MODEL,
        ),
    ] = RESCORE,
    trust_remote_code: Annotated[
        bool,
        typer.Option(
            help="Run code that comes with the model, with your rights on this machine.",
            rich_help_panel=MODEL,
        ),
    ] = False,
    translate_test: Annotated[
        str | None,
        typer.Option(
            metavar="LEXICON",
            help="Put all texts into English first, term by term, with the lexicon muse, cldr, ... "
            "as in babelboard lexicon.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    dtype: Annotated[DType, typer.Option(help="Number format.", rich_help_panel=MODEL)] = "float32",
    device: Annotated[
        str | None,
        typer.Option(
            help="auto, cpu, cuda, cuda:1, ...; several share the work: cuda:0,cuda:1.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    attention: Annotated[
        Attention | None,
        typer.Option(help="How attention is computed.", rich_help_panel=MODEL),
    ] = None,
    compile_model: Annotated[
        bool, typer.Option("--compile", help="Compile with torch.compile.", rich_help_panel=MODEL)
    ] = False,
    ray: ray_options.Address = None,
    ray_workers: ray_options.Workers = None,
    ray_cpus: ray_options.Cpus = None,
    ray_gpus: ray_options.Gpus = None,
    ray_storage: ray_options.Storage = None,
    ray_spill: ray_options.Spill = None,
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
        kind=kind,
        trust_remote_code=trust_remote_code,
        truncate_dimensions=truncate_dimensions,
        embeddings=embeddings,
        rescore=rescore,
        attention=attention,
        compile=compile_model,
    )
    stage = FirstStageOptions(first_stage, depth)
    if translate_test is not None and training is None:
        training = "translate-test"
    method = _method(model, training, training_data, seed or [])
    entry_id = entry or _id_of(model, translate_test)
    if translate_test is not None and name is None and not (root / entry_id).exists():
        name = f"{display_name(model)}, translate-test"
    submission = _submission(entry_id, name, method)
    room = parse_memory(memory)
    embeddings_cache = (cache or cache_folder()) / "embeddings"
    cluster = ray_options.cluster_options(
        ray, (ray_workers, ray_cpus, ray_gpus), (ray_storage, ray_spill), embeddings_cache
    )
    loaded_tasks = [load_task(one, data, settings or ()) for one in task]
    for one in loaded_tasks:
        for measure in one.definition.measures:
            if parse_measure(measure).is_for_runs:
                raise UsageError(f"{measure} is for runs: rank files cannot give it.")
        complete = len(one.selected) == len(one.settings)
        check_can_write(root, submission, one.name, complete=complete)

    # Heavy libraries are loaded only now that everything else is known to be right.
    from harness.score import Plan, check_plan, describe, score
    from submissions.baselines.translate_test import translation_of
    from submissions.first_stage import open_first_stage

    translation = translation_of(translate_test, loaded_tasks, data)
    progress = OnStderr()
    progress.say(f"Loading {display_name(model)}")
    written = []
    with ray_options.opened_model(model, options, cluster, progress) as loaded:
        opened = translation.model(loaded)
        plans = [
            Plan(
                cache=embeddings_cache,
                memory=room,
                keep_runs=keep_runs,
                first_stage=translation.first_stage(
                    open_first_stage(stage, root, one.name, device)
                ),
            )
            for one in loaded_tasks
        ]
        for one, plan in zip(loaded_tasks, plans, strict=True):
            check_plan(opened, one, plan)
            check_same_model(root, submission, describe(opened, plan))
        with only_writer(root / submission.id):  # before hours of work, not after them
            for one, plan in zip(loaded_tasks, plans, strict=True):
                scored = score(opened, one, one.selected, plan, progress)
                again = _command(model, one.name, settings, options, stage, translation.spec)
                written.append((write_run(root, submission, again, scored), scored))
    if as_json:
        print(json.dumps([as_json_content(*one) for one in written], indent=1))
    else:
        for made, scored in written:
            print_scored(made, scored)


def _id_of(model: str, translate_test: str | None) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", display_name(model).lower()).strip("-._")
    suffix = "-translate-test" if translate_test is not None else ""
    return name[: 64 - len(suffix)] + suffix


def _method(
    model: str, training: Training | None, data: str | None, seeds: list[int]
) -> dict[str, Any] | None:
    """What is said of the method; None to leave what an entry says already."""
    if model in BUILT_IN:
        training, data = training or "untrained", data or "none"
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


def _command(
    model: str,
    task: str,
    settings: list[str] | None,
    options: EncoderOptions,
    stage: FirstStageOptions,
    translate_test: str | None,
) -> str:
    words = ["babelboard", "score", display_name(model), "--task", task]
    for pattern in settings or ():
        words += ["--settings", pattern]
    if stage.name:
        words += ["--first-stage", display_name(stage.name)]
    if stage.depth:
        words += ["--depth", str(stage.depth)]
    if translate_test is not None:
        words += ["--translate-test", translate_test]
    for key, value in options.changed().items():
        option = key.replace("_", "-")
        if key in HOW_IT_RUNS:  # where it ran is for the hardware to say
            continue
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", str(value)]
    return shlex.join(words)
