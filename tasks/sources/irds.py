"""Files of ir_datasets: where they belong, where they come from, and whether they are intact.

ir_datasets takes a file that lies at its place as it is. Here each is checked against the MD5 that
ir_datasets lists for it (its ``etc/downloads.json``), before it is read.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.data_files import innermost_reason
from tasks.digests import Digests, digests
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from tasks.definition import TaskDefinition

HOME_VARIABLE = "IR_DATASETS_HOME"
UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of ir_datasets.

    Attributes:
        name: Its path in the home of ir_datasets.
        path: Where it belongs on this machine.
        md5: What it must be, or ``unchecked``.
        published: Whether ``md5`` is the one that ir_datasets lists.
        key: The data set, and what ir_datasets calls the file in it; None where it is not
            fetched.
    """

    name: str
    path: Path
    md5: str
    published: bool
    key: tuple[str, str] | None

    @property
    def address(self) -> str | None:
        """Where it comes from."""
        return None if self.key is None else str(_listed(*self.key)["url"])


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that is there and is what it must be.

    Attributes:
        name: Its path in the home of ir_datasets.
        path: Where it is.
        digests: Its checksums.
        published: Whether it is the file that ir_datasets lists.
    """

    name: str
    path: Path
    digests: Digests
    published: bool


def home_of(definition: TaskDefinition) -> Path:
    """The home of ir_datasets, or the folder that a user's own task names."""
    if definition.folder is not None:
        return (definition.home or Path()) / definition.folder
    named = os.environ.get(HOME_VARIABLE)
    return Path(named) if named else Path.home() / ".ir_datasets"


def listed_file(definition: TaskDefinition, dataset: str, key: str) -> SourceFile:
    """A file that ir_datasets lists; one without a place of its own is kept in ``downloads``."""
    listed = _listed(dataset, key)
    kept = listed.get("cache_path")
    name = f"{dataset}/{kept}" if kept else f"downloads/{listed['expected_md5']}"
    md5 = _expected(definition, name, listed["expected_md5"])
    published = md5 == listed["expected_md5"]
    return SourceFile(name, home_of(definition) / name, md5, published, (dataset, key))


def derived_file(definition: TaskDefinition, name: str) -> SourceFile:
    """A file that ir_datasets made from others. No checksum of it is published."""
    md5 = _expected(definition, name, UNCHECKED)
    return SourceFile(name, home_of(definition) / name, md5, published=False, key=None)


def keys_of(dataset: str, beginning: str) -> list[str]:
    """What ir_datasets lists of a data set under a beginning, such as the parts of a corpus.

    They end in numbers, and are in the order of these.
    """
    keys = [key for key in _downloads()[dataset] if key.startswith(beginning)]
    return sorted(keys, key=lambda key: int(key.rpartition("/")[2]))


def has_ir_datasets() -> bool:
    """Whether ir_datasets is installed; it is imported only where it fetches or converts."""
    return find_spec("ir_datasets") is not None


def checked(definition: TaskDefinition, file: SourceFile) -> CheckedFile:
    """The file: found or fetched, and compared with its checksum.

    Raises:
        DataFileError: If it is missing and cannot be fetched, or is another file.
    """
    if not file.path.is_file():
        _fetch(definition, file)
    try:
        found = digests(file.path)
    except OSError as error:
        raise DataFileError(f"{file.path} cannot be read: {error.strerror or error}.") from error
    if file.md5 not in (UNCHECKED, found.md5):
        raise DataFileError(
            f"{file.path} is not the file that task {definition.name!r} expects.\n"
            f"  expected md5 {file.md5}\n"
            f"  found md5    {found.md5}\n"
            "Remove it so that it is fetched again, or put the original in its place"
            + (f": {file.address}" if file.address else ".")
        )
    return CheckedFile(file.name, file.path, found, file.published)


def _fetch(definition: TaskDefinition, file: SourceFile) -> None:
    """Lets ir_datasets fetch a file to its place; it checks the MD5 on the way."""
    if file.key is None:
        raise DataFileError(f"Task {definition.name!r} lacks {file.path}.")
    from requests import RequestException

    try:
        _download(home_of(definition), file)
    except (RequestException, OSError, RuntimeError) as error:
        raise DataFileError(
            f"Task {definition.name!r} lacks {file.path}, and fetching it failed: "
            f"{innermost_reason(error)}.\n"
            f"Get it from {file.address}\nand put it there, or name the folder that holds "
            f"{file.name} with ${HOME_VARIABLE}."
        ) from error


def _download(home: Path, file: SourceFile) -> None:
    from ir_datasets.datasets import msmarco_passage
    from ir_datasets.util import Download, DownloadConfig

    dataset, key = file.key or ("", "")
    terms = msmarco_passage.DUA if dataset == msmarco_passage.NAME else None
    config = DownloadConfig.context(dataset, home / dataset, dua=terms)
    config.home_path = home
    found = config[key]
    Download(
        found.mirrors,
        cache_path=str(file.path),
        expected_md5=None if file.md5 == UNCHECKED else file.md5,
        dua=terms,
    ).path()


def _expected(definition: TaskDefinition, name: str, published: str) -> str:
    if isinstance(definition.md5, str):
        return definition.md5
    return definition.md5.get(name, published)


def _listed(dataset: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = _downloads()[dataset][key]
    return found


@cache
def _downloads() -> dict[str, dict[str, dict[str, Any]]]:
    """What ir_datasets lists, read without importing it: the import makes folders in its home."""
    spec = find_spec("ir_datasets")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'ir_datasets'", name="ir_datasets")
    path = Path(spec.submodule_search_locations[0]) / "etc" / "downloads.json"
    content: dict[str, dict[str, dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    return content
