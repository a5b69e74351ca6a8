"""The record of a repetition, ``verification.toml``: written by ``babelboard submit verify``.

A record holds for the ranks that it names by their sha256 alone: when a task is scored again and
comes out otherwise, its record is void until somebody verifies it again. ::

    schema_version = 1

    [tasks.pocket]
    by = "John Roe"
    date = 2026-11-21
    ranks = "sha256 of ranks/pocket.parquet"
    tolerance = 0.001
    delta = 0.0002                # what is held against the tolerance
    largest = 0.0041              # difference of the mean of a measure in a setting
    settings = 133
    judged = 5340                 # ranks that were compared
    differing = 12                # of them, those that differ
    greatest_change = 3           # of a rank

    [tasks.pocket.versions]       # as in submission.toml
    [tasks.pocket.hardware]
"""

from __future__ import annotations

import datetime  # noqa: TC003  # pydantic reads it
from typing import TYPE_CHECKING, Annotated, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from harness.files import write_atomically
from submissions.manifest import Line, Sha256, TaskName  # noqa: TC001  # pydantic reads them
from submissions.toml_file import read_toml_file

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "verification.toml"

Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskVerification(_Part):
    """What came of scoring a task again.

    Attributes:
        by: Who did it.
        date: When.
        ranks: sha256 of the rank file that it was held against.
        tolerance: Largest ``delta`` that was allowed.
        delta: See :attr:`submissions.verification.TaskComparison.delta`.
        largest: Largest difference of the mean of a measure in a setting.
        settings: Number of settings.
        judged: Number of ranks that were compared.
        differing: Number of those that differ.
        greatest_change: Of a rank.
        versions: Versions of the software.
        hardware: What it ran on.
    """

    by: Line
    date: datetime.date
    ranks: Sha256
    tolerance: Size
    delta: Size
    largest: Size
    settings: Annotated[int, Field(ge=1)]
    judged: Number
    differing: Number
    greatest_change: Number
    versions: dict[str, Line]
    hardware: dict[str, Line]


class VerificationRecord(_Part):
    """The last repetition of each task of an entry."""

    schema_version: Literal[1]
    tasks: dict[TaskName, TaskVerification]


def read_verification(folder: Path) -> VerificationRecord | None:
    """The record of an entry; None where nobody has repeated it.

    Raises:
        EntryError: If the file is malformed; every place that is wrong is named.
    """
    return read_toml_file(folder / FILE_NAME, VerificationRecord)


def record_verification(folder: Path, task: str, found: TaskVerification) -> None:
    """Writes what came of scoring a task again; the records of other tasks stay.

    Raises:
        EntryError: If there is a record that is malformed.
    """
    before = read_verification(folder)
    tasks = {**(before.tasks if before else {}), task: found}
    record = VerificationRecord(schema_version=1, tasks=dict(sorted(tasks.items())))
    write_atomically(folder / FILE_NAME, tomli_w.dumps(record.model_dump()).encode())
