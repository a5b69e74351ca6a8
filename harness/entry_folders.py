"""Finds the folders of entries that a command names, and the task that is meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import EntryError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPORTED = "reported.toml"
"""The file that an entry without ranks has: published results."""


def entry_folders(entries: Sequence[str], root: Path) -> dict[str, Path]:
    """The folders of entries, by id.

    Args:
        entries: Ids or folders.
        root: Folder in which ids are looked up.

    Raises:
        UnknownNameError: If an entry does not exist.
        EntryError: If one has published results instead of ranks.
        UsageError: If one is named twice, or is a file.
    """
    folders: dict[str, Path] = {}
    for entry in entries:
        folder = Path(entry) if (Path(entry) / "ranks").is_dir() else root / entry
        if not (folder / "ranks").is_dir():
            if Path(entry).is_file():
                raise UsageError(
                    f"{entry} is a file: a TREC run needs --qrels, a table of scores ends in .csv."
                )
            if any((place / REPORTED).is_file() for place in (Path(entry), root / entry)):
                raise EntryError(
                    f"The entry {entry!r} is reported, not scored: its numbers are copied from a "
                    "publication and have no ranks, so it can neither be ranked nor tested. "
                    "Score the model itself with `babelboard score`."
                )
            raise UnknownNameError("entry", entry, [p.parent.name for p in root.glob("*/ranks")])
        name = folder.resolve().name
        if name in folders:
            raise UsageError(f"The entry {name!r} is named twice.")
        folders[name] = folder
    return folders


def task_of(folders: Mapping[str, Path], task: str | None) -> str:
    """The task that is meant: the one that is named, or the only one that all entries have.

    Raises:
        UnknownNameError: If not all entries have the task that is named.
        UsageError: If they share several and none is named.
        EntryError: If they share none.
    """
    found = [{path.stem for path in (f / "ranks").glob("*.parquet")} for f in folders.values()]
    common = sorted(set.intersection(*found))
    names = ", ".join(folders)
    if task is not None:
        if task not in common:
            what = "task that the entries share" if len(folders) > 1 else f"task of {names}"
            raise UnknownNameError(what, task, common)
        return task
    if len(common) == 1:
        return common[0]
    if common:
        whose = "the entries share" if len(folders) > 1 else f"{names} has"
        raise UsageError(f"Choose a task with --task: {whose} {', '.join(common)}.")
    raise EntryError(f"No task was scored for {'all of ' if len(folders) > 1 else ''}{names}.")
