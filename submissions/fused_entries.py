"""Entries whose kept rankings are fused: which go together, and what their fusion is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.entry_folders import entry_folders
from harness.models.description import ModelDescription
from submissions.entry import read_entry
from tasks.errors import EntryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.fusion import Fusion
    from harness.run_table import RunTable
    from submissions.entry import Entry
    from tasks.task import Task


@dataclass(frozen=True, slots=True)
class Members:
    """The entries that are fused, and their kept rankings of one task.

    Attributes:
        entries: The entries, in the order in which they were named.
        tables: Their kept rankings, aligned with ``entries``.
        settings: The settings that all of them kept.
        depth: How many documents of each ranking are fused.
    """

    entries: tuple[Entry, ...]
    tables: tuple[RunTable, ...]
    settings: tuple[str, ...]
    depth: int

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the entries."""
        return tuple(entry.manifest.id for entry in self.entries)


def read_members(names: Sequence[str], root: Path, task: str, depth: int | None) -> Members:
    """Reads the kept rankings of entries.

    Args:
        names: Ids or folders of entries.
        root: Folder in which ids are looked up.
        task: Name of the task.
        depth: How many documents of each ranking are fused; None for as many as all have kept.

    Raises:
        UnknownNameError: If an entry does not exist.
        UsageError: If an entry is named twice, or ``depth`` is more than an entry kept.
        EntryError: If an entry kept no rankings of the task, or other settings than the others,
            or was scored on other data.
    """
    for name in names:
        if Path(name).is_file():
            raise UsageError(
                f"{name} is a file: TREC runs are fused without --task, into the file of --out."
            )
    entries = tuple(read_entry(folder) for folder in entry_folders(names, root).values())
    tables = tuple(entry.kept_runs(task) for entry in entries)
    _check_settings(entries, tables)
    _check_data({entry.manifest.id: entry.manifest.runs[task].data for entry in entries}, task)
    kept = {entry.manifest.id: table.depth for entry, table in zip(entries, tables, strict=True)}
    least = min(kept, key=kept.__getitem__)
    if depth is not None and depth > kept[least]:
        raise UsageError(
            f"--depth {depth} is more than the entry {least!r} kept of {task}: {kept[least]}. "
            f"Score it again with --keep-runs {depth}."
        )
    return Members(entries, tables, tables[0].setting.names, depth or kept[least])


def check_task(members: Members, task: Task) -> None:
    """Refuses rankings of other data than the task's.

    Raises:
        EntryError: If a data file differs.
    """
    data = {entry.manifest.id: entry.manifest.runs[task.name].data for entry in members.entries}
    _check_data({**data, "the files here": task.checksums}, task.name)


def describe_fusion(members: Members, fusion: Fusion) -> ModelDescription:
    """What an entry says of a fusion: its digest is that of what its members say of themselves."""
    models = [entry.manifest.model.model_dump(mode="json") for entry in members.entries]
    parameters: dict[str, str | int | float | bool] = {"method": fusion.method}
    if fusion.method == "rrf":
        parameters["k"] = fusion.k
    else:
        parameters["norm"] = fusion.norm
    if fusion.method == "wsum":
        weights = fusion.weights_of(len(members.entries))
        parameters["weights"] = " ".join(f"{weight:g}" for weight in weights)
    if fusion.method == "interpolation":
        parameters["alpha"] = fusion.alpha
    return ModelDescription(
        kind="fusion",
        name=f"{fusion.method}({', '.join(members.ids)})",
        digest=hashlib.sha256(json.dumps(models, sort_keys=True).encode()).hexdigest(),
        settings={**parameters, "depth": members.depth, "members": " ".join(members.ids)},
    )


def _check_settings(entries: Sequence[Entry], tables: Sequence[RunTable]) -> None:
    every = dict.fromkeys(name for table in tables for name in table.setting.names)
    for entry, table in zip(entries, tables, strict=True):
        lacking = [name for name in every if name not in table.setting.names]
        if lacking:
            more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
            raise EntryError(
                f"The entry {entry.manifest.id!r} kept no rankings of {', '.join(lacking[:5])}"
                f"{more}, which another entry has. Score the same settings of {table.task} for all."
            )


def _check_data(data: Mapping[str, Mapping[str, str]], task: str) -> None:
    """All must have the same sha256 for each file that they name."""
    seen: dict[str, tuple[str, str]] = {}
    for who, files in data.items():
        for name, found in files.items():
            other, expected = seen.setdefault(name, (who, found))
            if found != expected:
                raise EntryError(
                    f"{name} of {task} has sha256 {expected} for {other} but {found} for {who}: "
                    "rankings of different data cannot be fused. Score the task again for both."
                )
