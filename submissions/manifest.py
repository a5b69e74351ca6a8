"""The manifest of an entry, ``submission.toml``: who answered, how, and with what."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Annotated, Literal

import tomli_w
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from harness.files import write_atomically
from submissions.structured_text import read_toml
from tasks.definition import describe
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "submission.toml"
ID_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
NOT_ON_A_LINE = ("Cc", "Zl", "Zp")
"""Categories of Unicode: control characters and tabs, ends of lines and of paragraphs."""


def _on_one_line(text: str) -> str:
    """The text, if it can stand on a line.

    Raises:
        ValueError: If a character of it is of :data:`NOT_ON_A_LINE`.
    """
    for number, character in enumerate(text, 1):
        if unicodedata.category(character) in NOT_ON_A_LINE:
            raise ValueError(
                f"character {number} is U+{ord(character):04X}. A text is one line without control "
                "characters and tabs: remove it, or put a space in its place"
            )
    return text


EntryId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
TaskName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._+-]{0,127}$")]
"""Also part of the names of files."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_on_one_line)]
Command = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]

Training = Literal[
    "untrained",
    "unknown",
    "zero-shot",
    "code-switched",
    "hybrid-batches",
    "fine-tuned",
    "translate-test",
    "as-released",
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelPart(_Part):
    """The model, as :class:`harness.models.description.ModelDescription` has it."""

    kind: Literal[
        "dense",
        "sparse",
        "late-interaction",
        "cross-encoder",
        "bm25",
        "char-ngram",
        "run",
        "fusion",
    ]
    name: Line
    revision: Commit | None = None
    digest: Sha256 | None = None
    parameters: Annotated[int, Field(ge=0)] | None = None
    settings: dict[str, str | bool | int | float] = {}


class MethodPart(_Part):
    """How the model came about, as far as it is known.

    Attributes:
        training: The method of training.
        training_data: What it was trained on, in words.
        seeds: Seeds of the training; scoring itself draws no random numbers.
        contaminated: Tasks whose questions are among the training texts, where that is known.
    """

    training: Training = "unknown"
    training_data: Line = "unknown"
    seeds: tuple[int, ...] = ()
    contaminated: tuple[TaskName, ...] | None = None


class RunPart(_Part):
    """One task, scored.

    Attributes:
        command: What to type to get these ranks again.
        complete: Whether all settings of the task were scored.
        settings: Number of settings that were scored.
        ranks: sha256 of ``ranks/<task>.parquet``.
        runs: sha256 of ``runs/<task>.parquet``, where the rankings were kept.
        shares: sha256 of ``language_shares/<task>.json``, where the task has MLIR settings.
        data: sha256 of each data file of the task.
        versions: Versions of the software.
        hardware: What it ran on.
    """

    command: Command
    complete: bool
    settings: Annotated[int, Field(ge=1)]
    ranks: Sha256
    runs: Sha256 | None = None
    shares: Sha256 | None = None
    data: dict[str, Sha256]
    versions: dict[str, Line]
    hardware: dict[str, Line]


class Submission(_Part):
    """What the submitter says of a system; None leaves what the entry says already.

    Attributes:
        id: Id of the entry, also the name of its folder.
        name: Name that people read.
        method: How the model came about.
    """

    id: EntryId
    name: Line | None = None
    method: MethodPart | None = None


class Manifest(_Part):
    """A system under one name."""

    schema_version: Literal[1]
    id: EntryId
    name: Line
    model: ModelPart
    method: MethodPart = MethodPart()
    runs: dict[TaskName, RunPart] = {}


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest.

    Raises:
        EntryError: If it is missing, too large, or malformed; every place that is wrong is named.
    """
    try:
        return Manifest.model_validate(read_toml(path))
    except FileNotFoundError:
        raise EntryError(f"There is no {path}: {path.parent} is not an entry.") from None
    except ValidationError as error:
        raise EntryError(describe(path, error)) from error


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Writes a manifest; the same manifest gives the same bytes."""
    content = manifest.model_dump(mode="json", exclude_none=True)
    content["runs"] = dict(sorted(content["runs"].items()))
    write_atomically(path, tomli_w.dumps(content).encode())
