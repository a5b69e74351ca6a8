"""What maintainers say against an entry, ``status.toml`` beside its manifest.

An entry is never deleted. One that is withdrawn keeps its page and its data, with the reason, and
has no place, letter or part in any test; one that is disputed keeps them, with a mark. ::

    schema_version = 1

    [[flags]]
    flag = "withdrawn"            # or "disputed"
    date = 2026-11-21
    reason = "Trained on the questions of the task."
"""

from __future__ import annotations

import datetime  # noqa: TC003  # pydantic reads it
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from submissions.manifest import Line  # noqa: TC001  # pydantic reads it
from submissions.toml_file import read_toml_file

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "status.toml"
FlagName = Literal["withdrawn", "disputed"]


class Flag(BaseModel):
    """One flag.

    Attributes:
        flag: ``withdrawn`` or ``disputed``.
        date: Day on which it was set.
        reason: Why, in a sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flag: FlagName
    date: datetime.date
    reason: Line


class _Status(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    flags: Annotated[tuple[Flag, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> _Status:
        names = [flag.flag for flag in self.flags]
        if len(set(names)) < len(names):
            raise ValueError("flags: each may be set once; put what came later into its reason")
        return self


def read_flags(folder: Path) -> tuple[Flag, ...]:
    """The flags of an entry, in the order of the file; none where it has no such file.

    Raises:
        EntryError: If the file is malformed; every place that is wrong is named.
    """
    found = read_toml_file(folder / FILE_NAME, _Status)
    return found.flags if found else ()
