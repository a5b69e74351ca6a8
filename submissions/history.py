"""Results that were superseded, ``history/<task>.json``: what a task came to before.

When a task is scored again and its ranks come out otherwise, the run that they replace goes into
this file with its averages, the oldest first: ``superseded`` is a list of ``run``, as it was in
``submission.toml``, ``primary_measure``, and ``averages`` by class and measure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.files import write_atomically
from harness.task_summary import DECIMALS, summarise
from submissions.manifest import Line, RunPart  # noqa: TC001  # pydantic reads them
from submissions.structured_text import read_json
from tasks.definition import describe
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.ranks import RankTable

FOLDER = "history"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SupersededAverage(_Part):
    """Averages of a measure over a class of settings, of settings and of questions."""

    macro: Annotated[float, Field(allow_inf_nan=False)]
    micro: Annotated[float, Field(allow_inf_nan=False)]


class Superseded(_Part):
    """A result that another has replaced.

    Attributes:
        run: What the manifest said of it.
        primary_measure: The measure that the task was reported in; None where the ranks of the
            result were damaged or lost when it was replaced.
        averages: By class and measure; empty where they were.
    """

    run: RunPart
    primary_measure: Line | None = None
    averages: dict[Literal["moir", "clir", "mlir"], dict[Line, SupersededAverage]]


class _History(_Part):
    schema_version: Literal[1]
    superseded: tuple[Superseded, ...]


def history_path(folder: Path, task: str) -> Path:
    """Where an entry keeps the results of a task that were superseded."""
    return folder / FOLDER / f"{task}.json"


def read_history(folder: Path, tasks: Mapping[str, RunPart]) -> dict[str, tuple[Superseded, ...]]:
    """The superseded results of an entry, oldest first, by task that has any.

    Raises:
        EntryError: If a file is malformed; every place that is wrong is named.
    """
    found = {task: _read(history_path(folder, task)) for task in tasks}
    return {task: superseded for task, superseded in found.items() if superseded}


def keep_superseded(folder: Path, task: str, run: RunPart, table: RankTable | None) -> None:
    """Adds a result that is about to be replaced; one that is the last already is not added twice.

    Args:
        folder: Of the entry.
        task: The task.
        run: What the manifest says of the result.
        table: Its ranks; None where they are damaged or lost, so that it has no averages any more.

    Raises:
        EntryError: If the history is malformed.
    """
    path = history_path(folder, task)
    earlier = _read(path)
    if earlier and earlier[-1].run.ranks == run.ranks:
        return  # writing the new result was stopped halfway
    averages: dict[str, dict[str, object]] = {}
    found = {} if table is None else summarise(table)[0].averages
    for measure, by_class in found.items():
        for kind, average in by_class.items():
            averages.setdefault(kind, {})[measure] = {
                "macro": round(average.macro, DECIMALS),
                "micro": round(average.micro, DECIMALS),
            }
    added = Superseded.model_validate(
        {
            "run": run.model_dump(),
            "primary_measure": None if table is None else table.primary_measure,
            "averages": averages,
        }
    )
    history = _History(schema_version=1, superseded=(*earlier, added))
    content = history.model_dump(mode="json", exclude_none=True)
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def _read(path: Path) -> tuple[Superseded, ...]:
    try:
        return _History.model_validate(read_json(path)).superseded
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        raise EntryError(describe(path, error)) from error
