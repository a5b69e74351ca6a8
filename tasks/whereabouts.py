"""Where the files of a task are, or how they are got, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.data_files import DATA_VARIABLE, cache_folder, locate
from tasks.sources import irds, miracl, mmarco, msmarco

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.definition import TaskDefinition
    from tasks.sources.irds import SourceFile


def where(definition: TaskDefinition, data: Path | None, *, short: bool = False) -> str:
    """Where the files are, or how they are got; nothing is fetched or read.

    Args:
        definition: The task.
        data: A folder that is searched first.
        short: For a table: how many are there, in a word or two.
    """
    if definition.source != "squad-r":
        return _in_ir_datasets(definition, short=short)
    if definition.is_built_in:
        return "built in"
    paths = [path for path in locate(definition, data).values() if path is not None]
    if short:
        return _share(len(paths), len(definition.files))
    if definition.home is not None:
        return str(definition.home / str(definition.folder))
    if not paths:
        return _fetched_into(cache_folder() / "data", DATA_VARIABLE)
    missing = len(paths) < len(definition.files)
    there = f"{len(paths)} of {len(definition.files)} in " if missing else ""
    return f"{there}{paths[0].parent}"


def source_files(definition: TaskDefinition) -> tuple[SourceFile, ...]:
    """The files of a task that comes through ir_datasets, each once."""
    files: list[SourceFile] = []
    if definition.source == "miracl":
        for code in definition.languages:
            files += miracl.topic_files(definition, code) + miracl.corpus_files(definition, code)
    else:
        files.append(mmarco.judgment_file(definition))
        for code in definition.languages:
            files += [mmarco.query_file(definition, code), mmarco.passage_file(definition, code)]
        if definition.protocol == "rerank":
            files.append(msmarco.part_file(definition, msmarco.CANDIDATES))
    return tuple({file.name: file for file in files}.values())


def _in_ir_datasets(definition: TaskDefinition, *, short: bool) -> str:
    if not irds.has_ir_datasets():
        return "needs [score]" if short else "through ir_datasets, which the extra 'score' installs"
    files, home = source_files(definition), irds.home_of(definition)
    missing = [file for file in files if not file.path.is_file()]
    if short:
        return _share(len(files) - len(missing), len(files))
    if not missing:
        return str(home)
    if len(missing) == len(files):
        return _fetched_into(home, irds.HOME_VARIABLE)
    there = f"{len(files) - len(missing)} of {len(files)} in {home}"
    return f"{there}; the first that is missing is {missing[0].name}"


def _share(there: int, files: int) -> str:
    if there == files:
        return "here"
    return f"{there} of {files} here" if there else "to fetch"


def _fetched_into(folder: Path, variable: str) -> str:
    return f"fetched when needed into {folder}, or name a folder: ${variable}"
