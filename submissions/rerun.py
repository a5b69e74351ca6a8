"""Scores a task of an entry again, with the model that the entry names.

The command that an entry records is read, never run: only the words that ``babelboard score``
itself writes are understood, no code that comes with a model is allowed, and no name in it may be
a path.
"""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.models.description import RUN, Kind
from harness.models.door import BUILT_IN, MTEB, open_model
from harness.models.encoder_options import DType, Embeddings, EncoderOptions, Similarity
from submissions.first_stage import ENTRY_PREFIX, FirstStageOptions, open_first_stage
from submissions.manifest import ModelPart
from tasks.definition import describe as in_words
from tasks.errors import EntryError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.progress import Reporter
    from harness.score import Scored
    from submissions.entry import Entry
    from tasks.task import Task

_FIRST = ("babelboard", "score")
_SWITCHES = ("normalise", "trust_remote_code")
_OF_THE_RUN = ("task", "settings", "first_stage", "depth", "translate_test")


class _Options(BaseModel):
    """Options of a model, as a command has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    revision: str | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    pooling: str | None = None
    normalise: bool | None = None
    similarity: Similarity | None = None
    max_tokens: int | None = None
    dtype: DType = "float32"
    kind: Kind | None = None
    truncate_dimensions: int | None = None
    embeddings: Embeddings = "float32"
    rescore: int = EncoderOptions().rescore


@dataclass(frozen=True, slots=True)
class ScoreCommand:
    """What a command of ``babelboard score`` says.

    Attributes:
        model: What is scored.
        options: Of the model; without a device.
        stage: What finds the candidates that are reranked.
        translate_test: Lexicon that texts are put into English with, or None.
    """

    model: str
    options: EncoderOptions
    stage: FirstStageOptions
    translate_test: str | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a repetition finds on this machine.

    Attributes:
        root: Folder of entries, where first stages are looked up.
        model: Folder with the files of the model, or ``package:NAME``, where they are no hub's.
        data: Folder with data files.
        device: Where the model runs; None for the best there is.
        memory: Bytes that blocks of documents and scores may take; None for the default.
        cache: Folder for embeddings; None to encode all texts now.
    """

    root: Path
    model: str | None = None
    data: Path | None = None
    device: str | None = None
    memory: int | None = None
    cache: Path | None = None


def read_command(entry: Entry, task: str) -> ScoreCommand:
    """Reads the command of a run.

    Raises:
        EntryError: If it is not one that ``babelboard score`` writes, or has a part that may not be
            repeated without looking: code of the model, or a path.
    """
    where = f"The command of {task} in {entry.folder}"
    try:
        words = shlex.split(entry.manifest.runs[task].command)
    except ValueError as error:
        raise EntryError(f"{where} cannot be read: {error}.") from error
    if tuple(words[:2]) != _FIRST or len(words) < 3:
        raise EntryError(
            f"{where} is not one of `babelboard score`, so it cannot be repeated here. A fusion is "
            "computed from its members: verify those, and fuse them again."
        )
    said = _read_options(words[3:], where)
    stage, spec = said.pop("first_stage", None), said.pop("translate_test", None)
    for name in (words[2].removeprefix(MTEB), stage, spec):
        if name and (name.startswith(("/", "~", ".")) or ".." in name):
            raise EntryError(f"{where} names the path {name!r}, which is somebody's own.")
    if spec and "/" in spec:
        raise EntryError(f"{where} names the path {spec!r}, which is somebody's own.")
    if stage and stage not in BUILT_IN and not stage.startswith(ENTRY_PREFIX):
        raise EntryError(
            f"{where} has the first stage {stage!r}, of which no revision is recorded: it cannot "
            "be repeated. A first stage that can is bm25, char-ngram or entry:ID."
        )
    try:
        depth = int(said.pop("depth")) if "depth" in said else None
        options = _Options.model_validate(said)
    except ValidationError as error:
        raise EntryError(in_words(where, error)) from error
    except ValueError as error:
        raise EntryError(f"{where} has a --depth that is no whole number.") from error
    chosen = EncoderOptions(**options.model_dump())
    return ScoreCommand(words[2], chosen, FirstStageOptions(stage, depth), spec)


def rerun(entry: Entry, task: Task, around: Surroundings, progress: Reporter) -> Scored:
    """Scores a task of an entry again.

    Args:
        entry: The entry, which has the task.
        task: The task, with the settings that the entry has selected.
        around: What there is on this machine.
        progress: Where progress goes.

    Raises:
        EntryError: If the run cannot be repeated, or the model or the data are not those that the
            entry was made with.
        ModelError: If the model cannot be loaded.
    """
    from harness.retrieval.scan import MEMORY
    from harness.score import Plan, describe, score
    from submissions.baselines.base_model import find_base
    from submissions.baselines.translate_test import translation_of

    command = read_command(entry, task.name)
    name, options = _model(entry, command, around)
    translation = translation_of(command.translate_test, [task], around.data)
    progress.say(f"Loading {entry.manifest.model.name}")
    model = translation.model(open_model(find_base(name), options))
    stage = open_first_stage(command.stage, around.root, task.name, around.device)
    plan = Plan(
        cache=around.cache,
        memory=around.memory or MEMORY,
        first_stage=translation.first_stage(stage),
    )
    found = ModelPart.model_validate(asdict(describe(model, plan)))
    _check_model(entry, found, is_named=around.model is not None)
    scored = score(model, task, task.selected, plan, progress)
    check_data(entry, task.name, dict(scored.data))
    return scored


def check_data(entry: Entry, task: str, data: dict[str, str]) -> None:
    """Refuses other data than those that an entry was scored on.

    Args:
        entry: The entry.
        task: The task.
        data: sha256 of each data file here, by name.

    Raises:
        EntryError: If they differ.
    """
    expected = entry.manifest.runs[task].data
    if other := sorted(n for n in expected if expected[n] != data.get(n, "no file")):
        raise EntryError(
            f"{entry.manifest.id} was scored on other data of {task} than are here: {other[0]} has "
            f"sha256 {expected[other[0]]} there, {data.get(other[0], 'no file')} here. Name the "
            "folder of the same data with --data."
        )


def _read_options(words: list[str], where: str) -> dict[str, Any]:
    """The options of a command by name; of one that is repeated, the last."""
    said: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name = word.removeprefix("--").replace("-", "_")
        is_on = not name.startswith("no_")
        if not word.startswith("--") or name not in (
            *_OF_THE_RUN,
            *_Options.model_fields,
            *_SWITCHES,
            *(f"no_{switch}" for switch in _SWITCHES),
        ):
            raise EntryError(f"{where} has {word!r}, which `babelboard score` does not write.")
        if name.removeprefix("no_") in _SWITCHES:
            said[name.removeprefix("no_")] = is_on
        elif (value := next(rest, None)) is None:
            raise EntryError(f"{where} ends with {word}, which needs a value.")
        else:
            said[name] = value
    if said.pop("trust_remote_code", False):
        raise EntryError(
            f"{where} runs code that comes with the model (--trust-remote-code): it is not "
            "repeated. Read the code, score the model yourself and compare the two entries."
        )
    return {name: value for name, value in said.items() if name not in ("task", "settings")}


def _model(entry: Entry, command: ScoreCommand, around: Surroundings) -> tuple[str, EncoderOptions]:
    """What is loaded, and how."""
    said = entry.manifest.model
    if command.model in BUILT_IN:
        if around.model is not None:
            raise UsageError(f"--model is for models with files; {command.model!r} is built in.")
        return command.model, command.options
    if command.model.startswith(RUN):
        raise EntryError(
            f"{entry.manifest.id} was made from rankings that were given: name the folder of the "
            "TREC runs with --runs in place of --rerun."
        )
    options = replace(command.options, device=around.device)
    if command.model.startswith(MTEB):
        return command.model, options
    if around.model is not None:
        return around.model, replace(options, revision=None)
    if said.revision is None:
        raise EntryError(
            f"{entry.manifest.id} was made from a folder that was called {command.model!r}. Name "
            "the folder with the same files with --model (or package:NAME for one that a package "
            "carries): train it by its recipe, or ask the submitter."
        )
    return said.name, replace(options, revision=said.revision)


def _check_model(entry: Entry, found: ModelPart, *, is_named: bool) -> None:
    """Refuses another model; a folder may be called otherwise, as its checksum tells it."""
    expected = entry.manifest.model
    other = [
        f"  {name}: the entry has {getattr(expected, name)!r}, found {getattr(found, name)!r}"
        for name in ModelPart.model_fields
        if getattr(expected, name) != getattr(found, name) and not (is_named and name == "name")
    ]
    if other:
        raise EntryError(
            f"This is not the model of {entry.manifest.id}, or it is not scored the same way:\n"
            + "\n".join(other)
        )
