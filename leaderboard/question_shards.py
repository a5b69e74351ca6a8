"""Scores of each question as scripts that a page loads when it compares systems.

::

    data/queries/<task>/systems.js                  the systems of a task, best first
    data/queries/<task>/<part>/questions.js         ids of questions
    data/queries/<task>/<part>/scores/<system>.js   a system's scores on them, in each class

A page that is opened from a disk may load a script, but not fetch a file: each is a call of
``babelboard.register`` (``leaderboard/assets/shards.js``). The questions of a task, ascending, are
cut into parts so that no script is larger than 50 kB when it is compressed.

Scores are float64, exactly those that ``babelboard compare`` starts from: the same tests then give
the same p-values. A class is the base64 text of its scores' bytes in little-endian order, the
first byte of every score, then the second of every score, and so on, as the bytes of a kind are
alike and compress; NaN where a question has no score.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.measures import parse_measure
from harness.question_scores import classes
from leaderboard.data_scripts import data_script

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.question_scores import QuestionScores
    from leaderboard.score_store import Layout
    from leaderboard.tables import TaskBoard

FOLDER = "queries"
"""Within the folder of the data."""
MOST_SCORES = 6_000
"""In a script: 48 kB, which base64 makes larger and compression at most as large again."""
MOST_ID_BYTES = 48_000


@dataclass(frozen=True, slots=True)
class ClassScores:
    """A system's scores in each class.

    Attributes:
        settings: By class, the number of settings that a score is the mean over.
        values: By class, a score for each question, NaN where there is none; shape (questions,).
    """

    settings: Mapping[str, int]
    values: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class TaskQuestions:
    """What the scripts of all systems of a task have in common.

    Attributes:
        task: Id of the task.
        questions: Ids of the questions, ascending.
        parts: Ranges of questions, each a script.
    """

    task: str
    questions: tuple[str, ...]
    parts: tuple[slice, ...]

    @property
    def digest(self) -> str:
        """sha256 of the questions."""
        return hashlib.sha256(json.dumps([self.task, self.questions]).encode()).hexdigest()


def task_questions(task: str, layouts: Sequence[Layout]) -> TaskQuestions:
    """The questions of a task.

    Args:
        task: Id of the task.
        layouts: Of the scores of all systems, the first system's first.
    """
    questions = tuple(sorted({question for layout in layouts for question in layout.questions}))
    return TaskQuestions(task, questions, _parts(questions, len(_class_sizes(layouts[0]))))


def task_scripts(
    board: TaskBoard, layout: Layout, found: TaskQuestions
) -> Iterator[tuple[str, bytes]]:
    """The scripts that list systems and questions, by path from the root of the site.

    Args:
        board: The task and its systems.
        layout: Of the scores of the first system.
        found: The questions of the task.
    """
    systems = [
        {
            "id": row.system.id,
            "name": row.system.name,
            "seeds": [entry.manifest.id for entry in row.system.entries],
        }
        for row in board.rows
    ]
    listed = {
        "task": found.task,
        "measure": board.measure,
        "higher_is_better": parse_measure(board.measure).higher_is_better,
        "classes": _class_sizes(layout),
        "parts": len(found.parts),
        "systems": systems,
    }
    yield data_script(f"{FOLDER}/{found.task}/systems", listed)
    for number, part in enumerate(found.parts, 1):
        yield data_script(f"{FOLDER}/{found.task}/{number}/questions", found.questions[part])


def system_scripts(
    found: TaskQuestions, system: str, scores: QuestionScores
) -> Iterator[tuple[str, bytes]]:
    """The scripts of a system's scores, by path from the root of the site.

    Args:
        found: The questions of the task.
        system: Id of the system.
        scores: Its scores, averaged over seeds.
    """
    by_class = class_scores(scores, found.questions)
    for number, part in enumerate(found.parts, 1):
        encoded = {kind: _encoded(values[part]) for kind, values in by_class.values.items()}
        yield data_script(f"{FOLDER}/{found.task}/{number}/scores/{system}", encoded)


def class_scores(scores: QuestionScores, questions: Sequence[str]) -> ClassScores:
    """The mean of each question over the settings of each class.

    Args:
        scores: Of one system.
        questions: Ids that the values are aligned with.
    """
    valued = [scores.settings[position] for position in np.unique(scores.setting)]
    found = classes(valued)
    values = {}
    for kind, settings in found.items():
        by_question = scores.by_question(settings)
        values[kind] = np.array([by_question.get(question, np.nan) for question in questions])
    return ClassScores({kind: len(settings) for kind, settings in found.items()}, values)


def _class_sizes(layout: Layout) -> dict[str, int]:
    valued = [layout.settings[position] for position in np.unique(layout.setting)]
    return {kind: len(settings) for kind, settings in classes(valued).items()}


def _parts(questions: Sequence[str], kinds: int) -> tuple[slice, ...]:
    """Ranges of questions whose ids and scores each fit into a script."""
    starts = [0]
    size = 0
    for position, question in enumerate(questions):
        size += len(json.dumps(question)) + 1
        if size > MOST_ID_BYTES or (position - starts[-1]) * kinds >= MOST_SCORES:
            starts.append(position)
            size = len(json.dumps(question)) + 1
    return tuple(slice(a, b) for a, b in zip(starts, [*starts[1:], len(questions)], strict=True))


def _encoded(values: NDArray[np.float64]) -> str:
    planes = values.astype("<f8").view(np.uint8).reshape(-1, 8).T
    return base64.b64encode(planes.tobytes()).decode()
