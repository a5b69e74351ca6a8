"""Data as scripts that call ``babelboard.register``, as pages opened from a disk may load these."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")
UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""Characters that could end a script element, or begin an entity, if a page held the text."""


def data_script(name: str, content: object) -> tuple[str, bytes]:
    """The path of a script from the root of the site, and the script.

    Args:
        name: What the page asks ``babelboard.load`` for, such as ``ranks/pocket/bm25/1``.
        content: What it gets; JSON.
    """
    text = f"{json.dumps(name)}, {json.dumps(content, separators=(',', ':'))}"
    return f"data/{name}.js", f"babelboard.register({text.translate(UNSAFE)});\n".encode()


def parts_by_size(items: Sequence[Item], sizes: Sequence[int], most: int) -> list[Sequence[Item]]:
    """The items in their order, cut so that no part is larger than allowed.

    Args:
        items: What is cut.
        sizes: Of each item, in bytes.
        most: Size that a part may have; an item that is larger is a part of its own.
    """
    starts = [0]
    total = 0
    for position, size in enumerate(sizes):
        if total + size > most and position > starts[-1]:
            starts.append(position)
            total = 0
        total += size
    ends = [*starts[1:], len(items)]
    return [items[start:end] for start, end in zip(starts, ends, strict=True) if end > start]
