"""Results of a system that others have superseded, as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.tables import task_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leaderboard.systems import SiteSystem
    from leaderboard.tables import TaskText
    from submissions.entry import Entry


@dataclass(frozen=True, slots=True)
class SupersededRow:
    """A result that another has replaced.

    Attributes:
        entry: Whose it is.
        task: Of which task.
        measure: The measure that it is shown in.
        averages: By class, means over questions; empty where the ranks were lost.
        version: Version of babelboard that it was made with, or nothing.
        ranks: sha256 of its rank file.
    """

    entry: Entry
    task: TaskText
    measure: str
    averages: Mapping[str, float]
    version: str
    ranks: str


def superseded_of(system: SiteSystem) -> list[SupersededRow]:
    """The superseded results of all entries of a system, oldest first in each task."""
    rows = []
    for entry in system.entries:
        for task, results in entry.history.items():
            for one in results:
                measure = one.primary_measure or ""
                rows.append(
                    SupersededRow(
                        entry=entry,
                        task=task_text(task),
                        measure=measure,
                        averages={
                            kind: found[measure].micro
                            for kind, found in one.averages.items()
                            if measure in found
                        },
                        version=one.run.versions.get("babelboard", ""),
                        ranks=one.run.ranks,
                    )
                )
    return rows
