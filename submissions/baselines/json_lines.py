"""Reads a line of a JSONL file of the user's own."""

from __future__ import annotations

import json
from typing import Any

from tasks.errors import DataFileError


def read_line(line: str, place: str) -> Any:  # JSON may be anything
    r"""The value of a line, all of whose texts can be written as UTF-8.

    Args:
        line: The line.
        place: File and line, for messages.

    Raises:
        DataFileError: If it is no JSON, nested too deep, or holds a number that is too long, or
            half of a surrogate pair (``\ud83d`` without the other half).
    """
    try:
        value = json.loads(line)
        if "\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DataFileError(
            f"{place}: has half of a surrogate pair, which UTF-8 cannot hold. Write the character "
            "itself, or both of its escapes."
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataFileError(f"{place}: not JSON: {error}.") from None
    return value
