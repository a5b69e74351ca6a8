"""What a source gives to a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.collection import Candidates, Collection, Draw


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a source gives to a task; the attributes are those of the task.

    Attributes:
        collection: Queries, corpora and judgments.
        checksums: sha256 of each file that was read, by name.
        candidates: The documents that may be ranked, or None.
        draw: The languages that were drawn, or None.
    """

    collection: Collection
    checksums: Mapping[str, str]
    candidates: Candidates | None = None
    draw: Draw | None = None
