"""Finds the scores that a command names: entries, TREC runs with qrels, or a CSV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.entry_checksums import check_scored
from harness.entry_folders import entry_folders, task_of
from harness.paired_scores import (
    average_over_seeds,
    from_question_scores,
    from_runs,
    in_settings,
    read_csv,
)
from harness.question_scores import question_scores
from harness.ranks import read_ranks
from harness.runs import read_qrels, read_run
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.paired_scores import PairedScores

DEFAULT_MEASURE = "AP"


@dataclass(frozen=True, slots=True)
class LoadedScores:
    """Scores, and what they are of.

    Attributes:
        scores: The scores.
        title: The task, or the name of the file.
    """

    scores: PairedScores
    title: str


def load_scores(
    sources: Sequence[str],
    *,
    task: str | None,
    qrels: Path | None,
    measure: str | None,
    settings: Sequence[str],
    root: Path,
) -> LoadedScores:
    """Loads what is compared.

    Args:
        sources: Entries as ids or folders; or TREC runs, with ``qrels``; or one CSV file.
        task: A task of the entries; None if they share but one.
        qrels: Judgments of the runs.
        measure: Name of a measure; None for the task's own, or AP.
        settings: Globs of settings, for entries.
        root: Folder in which ids of entries are looked up.

    Raises:
        UsageError: If the sources do not go together.
        UnknownNameError: If an entry, measure or setting does not exist.
        EntryError: If an entry's ranks are damaged.
    """
    is_table = any(source.endswith(".csv") for source in sources)
    if task is not None and (is_table or qrels is not None):
        raise UsageError("--task is for entries; a run or a table has no task.")
    if qrels is not None:
        if settings:
            raise UsageError("--settings is for entries and tables; runs are one setting.")
        runs = {Path(source).stem: read_run(Path(source)) for source in sources}
        if len(runs) < len(sources):
            raise UsageError(f"Runs need different file names, found: {', '.join(sources)}.")
        judgments = read_qrels(qrels)
        return LoadedScores(from_runs(runs, judgments, measure or DEFAULT_MEASURE), qrels.stem)
    if is_table:
        if len(sources) > 1:
            raise UsageError("One CSV holds all systems, a column each; found several files.")
        table = in_settings(read_csv(Path(sources[0]), measure or "score"), settings)
        return LoadedScores(table, Path(sources[0]).stem)
    groups = _seed_groups(sources)
    folders = entry_folders([entry for seeds in groups.values() for entry in seeds], root)
    name = task_of(folders, task)
    scores = {}
    for entry, folder in folders.items():
        path = folder / "ranks" / f"{name}.parquet"
        check_scored(folder, name, "ranks", path)
        ranks = read_ranks(path)
        scores[entry] = question_scores(ranks, measure or ranks.primary_measure)
    loaded = from_question_scores(scores, settings)
    if any(len(seeds) > 1 for seeds in groups.values()):
        named = {
            system: [Path(seed).resolve().name for seed in seeds]
            for system, seeds in groups.items()
        }
        loaded = average_over_seeds(loaded, named)
    return LoadedScores(loaded, name)


def _seed_groups(sources: Sequence[str]) -> dict[str, list[str]]:
    """The entries of each system: ``NAME=ENTRY,ENTRY`` are seeds of one."""
    groups: dict[str, list[str]] = {}
    for source in sources:
        name, is_group, members = source.partition("=")
        system = name if is_group else Path(source).resolve().name
        seeds = [seed for seed in members.split(",") if seed] if is_group else [source]
        if not system or not seeds:
            raise UsageError(f"Seeds are given as NAME=ENTRY,ENTRY,..., found {source!r}.")
        if system in groups:
            raise UsageError(f"The system {system!r} is named twice.")
        groups[system] = seeds
    return groups
