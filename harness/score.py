"""Scores a model on a task: from the model's name to the ranks of the judged documents."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.provenance import hardware, versions
from harness.scoring import languages_asked, rank_judged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.models.description import ModelDescription
    from harness.progress import Reporter
    from harness.ranks import RankTable
    from harness.retrievers import Model
    from tasks.settings import Setting
    from tasks.task import Task


@dataclass(frozen=True, slots=True)
class Cost:
    """What scoring took.

    Attributes:
        texts: Queries and documents of the settings.
        distinct_texts: Distinct ones among them, as the model sees them.
        encoded_texts: Those that were encoded now; the others were in the cache.
        padding: Share of padding among the tokens that were encoded.
        seconds: Wall time by stage.
    """

    texts: int
    distinct_texts: int
    encoded_texts: int
    padding: float
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scored:
    """A model's ranks on a task, and how they came about.

    Attributes:
        table: The ranks.
        model: What the model says of itself.
        complete: Whether all the task's settings were scored.
        data: sha256 of each data file, by name.
        versions: Versions of what decided the scores.
        hardware: What it ran on.
        cost: What it took.
    """

    table: RankTable
    model: ModelDescription
    complete: bool
    data: Mapping[str, str]
    versions: Mapping[str, str]
    hardware: Mapping[str, str]
    cost: Cost


def score(
    model: Model,
    task: Task,
    settings: Sequence[Setting],
    cache: Path | None,
    progress: Reporter,
) -> Scored:
    """Ranks the judged documents of some settings of a task.

    Args:
        model: From :func:`harness.models.door.open_model`.
        task: What is asked.
        settings: The settings to score, of this task.
        cache: Folder of the embeddings cache, or None for none.
        progress: Where progress goes.

    Raises:
        ModelError: If the model's output cannot be used.
    """
    start = time.perf_counter()
    prepared = model.prepare(task.collection, languages_asked(settings), cache, progress)
    ready = time.perf_counter()
    table = rank_judged(task, settings, prepared.retriever, progress)
    done = time.perf_counter()
    return Scored(
        table=table,
        model=prepared.description,
        complete=len(settings) == len(task.settings),
        data=task.checksums,
        versions=versions(),
        hardware=hardware(prepared.device),
        cost=Cost(
            texts=prepared.texts,
            distinct_texts=prepared.distinct_texts,
            encoded_texts=prepared.encoded_texts,
            padding=prepared.padding,
            seconds={"prepare": ready - start, "rank": done - ready},
        ),
    )
