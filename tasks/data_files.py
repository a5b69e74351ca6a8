"""Where a task's files are: found in a data folder, or fetched; always checked by sha256."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pooch
from requests import RequestException

from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.definition import TaskDefinition

DATA_VARIABLE = "BABELBOARD_DATA"


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file on this machine whose checksum is known.

    Attributes:
        path: Where it is.
        sha256: Its checksum, 64 hexadecimal digits.
    """

    path: Path
    sha256: str


def cache_folder() -> Path:
    """The user's cache, where fetched files and embeddings are kept."""
    return Path(pooch.os_cache("babelboard"))


def data_folders(data: Path | None) -> tuple[Path, ...]:
    """Folders that are searched, in order: ``data``, ``$BABELBOARD_DATA``, the user's cache.

    Raises:
        UsageError: If ``data`` or the variable names a folder that does not exist.
    """
    named = {"--data": data, f"${DATA_VARIABLE}": os.environ.get(DATA_VARIABLE) or None}
    folders = []
    for origin, folder in named.items():
        if folder is None:
            continue
        if not Path(folder).is_dir():
            raise UsageError(f"{origin} names {str(folder)!r}, which is not a folder.")
        folders.append(Path(folder))
    return (*folders, cache_folder() / "data")


def locate(definition: TaskDefinition, data: Path | None = None) -> dict[str, Path | None]:
    """The path of each language's file, or None where it is on none of the folders."""
    roots = (definition.home,) if definition.home else data_folders(data)
    found: dict[str, Path | None] = {}
    for language, file in definition.files.items():
        places = [root / str(definition.folder) / file.name for root in roots]
        found[language] = next((place for place in places if place.is_file()), None)
    return found


def obtain(definition: TaskDefinition, data: Path | None = None) -> dict[str, DataFile]:
    """Every file of a task, by language: found or fetched, and checked.

    Raises:
        DataFileError: If a file is missing and cannot be fetched, or is not the expected one.
    """
    paths = locate(definition, data)
    missing = {language for language, path in paths.items() if path is None}
    fetched = _fetch(definition, missing) if missing else {}
    files = {}
    for language, file in definition.files.items():
        path = paths[language] or fetched[language]
        sha256 = pooch.file_hash(path, alg="sha256")
        if file.sha256 not in (None, sha256):
            raise DataFileError(
                f"{path} is not the file that task {definition.name!r} expects.\n"
                f"  expected sha256 {file.sha256}\n"
                f"  found sha256    {sha256}\n"
                "Remove it so that it is fetched again, or put the original in its place."
            )
        files[language] = DataFile(path, sha256)
    return files


def _fetch(definition: TaskDefinition, missing: set[str]) -> Mapping[str, Path]:
    names = {language: definition.files[language].name for language in sorted(missing)}
    target = (definition.home or cache_folder() / "data") / str(definition.folder)
    if definition.url is None:
        raise DataFileError(
            f"Task {definition.name!r} lacks {', '.join(names.values())} in {target}."
        )
    fetched = {}
    for language, name in names.items():
        url = definition.url.format(file=name)
        known = definition.files[language].sha256
        try:
            fetched[language] = Path(
                pooch.retrieve(url, known_hash=f"sha256:{known}", fname=name, path=target)
            )
        except (RequestException, OSError, ValueError) as error:
            left = [n for key, n in names.items() if key not in fetched]
            raise DataFileError(
                f"Task {definition.name!r} lacks {', '.join(left)}, and fetching {url} failed: "
                f"{innermost_reason(error)}.\n"
                f"Put the file{'s' if len(left) > 1 else ''} in {target}"
                + (
                    "."
                    if definition.home
                    else f",\nor in a folder {definition.folder}/ of a data folder that you name "
                    f"with --data or ${DATA_VARIABLE}."
                )
            ) from error
    return fetched


def innermost_reason(error: Exception) -> str:
    """The innermost cause in one line: the outer layers only repeat the address."""
    while error.__context__ is not None and isinstance(error.__context__, Exception):
        error = error.__context__
    return " ".join(str(error).split())[:500].rstrip(".") or type(error).__name__
