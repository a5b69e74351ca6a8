"""The trials of a search, as JSON lines: first what decides them, then one line for each.

A search that was stopped goes on from this file: its trials are told to the sampler once more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.files import write_atomically
from tasks.definition import describe
from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Finite = Annotated[float, Field(allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Found(_Line):
    """What an encoder found of one half of the held-out pairs; RR@10.

    Attributes:
        mean: Over languages and directions.
        to_target: Of translations, by language.
        to_source: Of the sentences, given their translations.
    """

    mean: Score
    to_target: dict[str, Score]
    to_source: dict[str, Score]


class Header(_Line):
    """The first line.

    Attributes:
        plan: What decides the trials.
        threads: That torch computes with on a CPU, in all trials.
        searched: The untrained model on the half that policies are chosen on.
        reported: The untrained model on the other half.
    """

    schema_version: Literal[1] = 1
    plan: dict[str, str]
    threads: Annotated[int, Field(ge=1)]
    searched: Found
    reported: Found


class Trial(_Line):
    """A policy that was tried.

    Attributes:
        trial: Its number, from 1; the first is the base recipe's.
        seed: Of the training.
        parameters: What the sampler gave.
        policy: ``[switching]`` of the recipe that was trained with.
        objective: RR@10 on the half that policies are chosen on.
        searched: The same by language.
        reported: On the other half; only of the base recipe's policy and of those that were the
            best so far, and never looked at in the search.
        loss: Of the last step.
        seconds: What the training took, in all its parts.
        switching: Requested and achieved rates of each side, as a training record has them.
    """

    trial: Annotated[int, Field(ge=1)]
    seed: int
    parameters: dict[str, Finite]
    policy: dict[str, Any]
    objective: Score
    searched: Found
    reported: Found | None
    loss: Finite
    seconds: Finite
    switching: dict[str, dict[str, Any]]


class TrialLog:
    """The file with the trials.

    Args:
        path: The file; it need not be there.

    Attributes:
        header: Its first line; None if there is no file.
        trials: The others.

    Raises:
        DataFileError: If it is malformed; the line is named.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: Header | None = None
        self.trials: list[Trial] = []
        if path.is_file():
            self._read()

    def begin(self, header: Header) -> None:
        """Writes the first line."""
        self.header = header
        self._write()

    def append(self, trial: Trial) -> None:
        """Writes one more trial; a stop at any moment leaves the file with it or without it."""
        self.trials.append(trial)
        self._write()

    def refuse_other_plan(self, plan: Mapping[str, str]) -> None:
        """Refuses to go on with another search.

        Raises:
            UsageError: If the plans differ; the message says in what.
        """
        before = self.header.plan if self.header else plan
        if different := sorted(k for k in {*before, *plan} if before.get(k) != plan.get(k)):
            lines = "\n".join(
                f"  {k}: then {before.get(k, 'none')}, now {plan.get(k, 'none')}" for k in different
            )
            raise UsageError(
                f"{self.path} is of another search:\n{lines}\nGo on as it was begun, choose "
                "another --out, or begin anew with --from-scratch."
            )

    def _read(self) -> None:
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise DataFileError(f"{self.path} is not UTF-8: {error}.") from error
        for number, line in enumerate(lines, 1):
            place = f"{self.path}:{number}"
            try:
                if number == 1:
                    self.header = Header.model_validate_json(line)
                else:
                    self.trials.append(Trial.model_validate_json(line))
            except ValidationError as error:
                raise DataFileError(
                    f"{describe(place, error)}\nBegin anew with --from-scratch."
                ) from error
            if number > 1 and self.trials[-1].trial != number - 1:
                raise DataFileError(
                    f"{place}: trial {self.trials[-1].trial}, where trial {number - 1} must be. "
                    "Begin anew with --from-scratch."
                )

    def _write(self) -> None:
        lines = [self.header, *self.trials] if self.header else []
        content = "".join(
            json.dumps(line.model_dump(mode="json"), ensure_ascii=False) + "\n" for line in lines
        )
        write_atomically(self.path, content.encode())
