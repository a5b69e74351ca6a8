"""A TOML file beside a manifest, which an entry may have or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from submissions.structured_text import read_toml
from tasks.definition import describe
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

Content = TypeVar("Content", bound=BaseModel)


def read_toml_file(path: Path, content: type[Content]) -> Content | None:
    """Reads a file; None where there is none.

    Args:
        path: The file.
        content: What it must hold.

    Raises:
        EntryError: If it is no plain file, too large, no TOML, or not what it must be; every place
            that is wrong is named.
    """
    try:
        return content.model_validate(read_toml(path))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise EntryError(describe(path, error)) from error
