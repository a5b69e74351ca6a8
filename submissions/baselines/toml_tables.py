"""Reads the tables of a TOML file that a user wrote: a recipe, or a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.structured_text import MOST_DEPTH, MOST_TOML_BYTES, decode, parse_toml
from tasks.errors import DataFileError, StructureError

if TYPE_CHECKING:
    from pathlib import Path


def read_tables(path: Path, missing: str) -> dict[str, Any]:
    """The content of a TOML file, read under the caps of the files of entries.

    Args:
        path: The file; other than in an entry it may be a link or a pipe.
        missing: What to say if there is none.

    Raises:
        DataFileError: If it is missing, no TOML, too large or nested too deep.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_TOML_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError):
        raise DataFileError(missing) from None
    if len(content) > MOST_TOML_BYTES:
        raise DataFileError(
            f"{path} has more than {MOST_TOML_BYTES:,} bytes, the most that is read. Shorten it."
        )
    try:
        return parse_toml(decode(content, path, "TOML"), path)
    except StructureError as error:
        if error.reason == "depth":
            where = f"{path}:{error.line}" if error.line else path
            raise DataFileError(
                f"{where} is nested deeper than {MOST_DEPTH} levels; tables of tables are enough."
            ) from error
        raise DataFileError(str(error)) from error
