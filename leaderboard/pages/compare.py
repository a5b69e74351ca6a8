"""Pages that compare systems: the reader picks two to five, and the page runs the tests.

Without JavaScript a page has the differences of all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from leaderboard.page import Page
from leaderboard.question_shards import class_scores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.question_scores import QuestionScores
    from leaderboard.facts import SiteFacts
    from leaderboard.tables import SystemRow, TaskBoard

SECTION = "compare"
MOST_LISTED = 20
"""Systems whose pairs are listed: 190 pairs are as long as a page may be."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems of a task.

    Attributes:
        a: The one that stands before the other in the table of the task.
        b: The other.
        differences: By class, ``a`` minus ``b``: the mean over the questions that both have.
        separated: Classes in which they have no significance letter in common.
    """

    a: SystemRow
    b: SystemRow
    differences: Mapping[str, float]
    separated: frozenset[str]


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``compare.html``, which lists the tasks, and ``compare/<task>.html``."""
    boards = [board for board in facts.boards if len(board.rows) > 1]
    yield Page("compare.html", "compare_tasks.html", {"boards": boards}, SECTION)
    for board in boards:
        is_listed = len(board.rows) <= MOST_LISTED
        scores = facts.scores(board.task.id) if is_listed else {}
        content = {
            "board": board,
            "boards": boards,
            "pairs": pairs_of(board, scores) if is_listed else None,
            "number": len(board.rows) * (len(board.rows) - 1) // 2,
        }
        yield Page(f"compare/{board.task.id}.html", "compare.html", content, SECTION)


def pairs_of(board: TaskBoard, scores: Mapping[str, QuestionScores]) -> list[Pair]:
    """All pairs of the systems of a task, in the order of its table.

    Args:
        board: The task.
        scores: Of its systems, by id.
    """
    questions = sorted({question for found in scores.values() for question in found.questions})
    values = {name: class_scores(found, questions).values for name, found in scores.items()}
    return [
        Pair(
            a=a,
            b=b,
            differences={
                kind: float(np.nanmean(values[a.system.id][kind] - values[b.system.id][kind]))
                for kind in a.averages
            },
            separated=frozenset(
                kind
                for kind in a.averages
                if not set(a.places[kind].letters) & set(b.places[kind].letters)
            ),
        )
        for a, b in combinations(board.rows, 2)
    ]
