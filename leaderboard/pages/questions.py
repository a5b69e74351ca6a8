"""Pages of questions: the reader picks one, and sees the rank that each system gives its answers.

Without JavaScript a page has the questions that say most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.page import Page
from leaderboard.passages import definition_of, question_texts, shown_language
from leaderboard.question_index import systems_of
from leaderboard.question_lists import question_lists
from leaderboard.systems import over_seeds
from leaderboard.tables import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts
    from leaderboard.tables import TaskBoard

SECTION = "questions"


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``questions.html``, which lists the tasks, and ``questions/<task>.html``."""
    boards = facts.boards
    yield Page("questions.html", "questions_tasks.html", {"boards": boards}, SECTION)
    for board in boards:
        content = _content(board, facts) | {"boards": boards}
        yield Page(f"questions/{board.task.id}.html", "questions.html", content, SECTION)


def _content(board: TaskBoard, facts: SiteFacts) -> dict[str, object]:
    scores = (
        (row.system.id, over_seeds([one.scores for one in facts.seeds(row.system, board.task.id)]))
        for row in board.rows[:MOST_ROWS]
    )
    texts = question_texts(board.task.id)
    language = shown_language([code for found in texts.values() for code in found.queries])
    definition = definition_of(board.task.id)
    return {
        "board": board,
        "listed_by": min(len(board.rows), MOST_ROWS),
        "lists": question_lists(scores, board.sorted_by),
        "names": {system.id: system.name for system in systems_of(board)},
        "texts": {
            name: found.queries[language]
            for name, found in texts.items()
            if language is not None and language in found.queries
        },
        "language": language,
        "homepage": definition.homepage if definition else None,
    }
