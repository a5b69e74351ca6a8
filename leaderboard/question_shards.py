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
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.measures import parse_measure
from harness.question_scores import classes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.question_scores import QuestionScores
    from leaderboard.tables import TaskBoard

FOLDER = "queries"
"""Within the folder of the data."""
MOST_SCORES = 6_000
"""In a script: 48 kB, which base64 makes larger and compression at most as large again."""
MOST_ID_BYTES = 48_000
UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""Characters that could end a script element, or begin an entity, if a page held the text."""


@dataclass(frozen=True, slots=True)
class ClassScores:
    """A system's scores in each class.

    Attributes:
        settings: By class, the number of settings that a score is the mean over.
        values: By class, a score for each question, NaN where there is none; shape (questions,).
    """

    settings: Mapping[str, int]
    values: Mapping[str, NDArray[np.float64]]


def question_shards(
    board: TaskBoard, scores: Mapping[str, QuestionScores]
) -> Iterator[tuple[str, bytes]]:
    """The scripts of a task, by path from the root of the site.

    Args:
        board: The task and its systems.
        scores: Of the systems with a complete run, by id.
    """
    if not scores:
        return
    task = board.task.id
    questions = sorted({question for found in scores.values() for question in found.questions})
    by_class = {system: class_scores(found, questions) for system, found in scores.items()}
    kinds = next(iter(by_class.values())).settings
    parts = _parts(questions, len(kinds))
    systems = [
        {
            "id": row.system.id,
            "name": row.system.name,
            "seeds": [entry.manifest.id for entry in row.system.entries],
        }
        for row in board.rows
    ]
    listed = {
        "task": task,
        "measure": board.measure,
        "higher_is_better": parse_measure(board.measure).higher_is_better,
        "classes": kinds,
        "parts": len(parts),
        "systems": systems,
    }
    yield _script(f"{FOLDER}/{task}/systems", listed)
    for number, part in enumerate(parts, 1):
        yield _script(f"{FOLDER}/{task}/{number}/questions", questions[part])
        for system, found in by_class.items():
            encoded = {kind: _encoded(values[part]) for kind, values in found.values.items()}
            yield _script(f"{FOLDER}/{task}/{number}/scores/{system}", encoded)


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


def _parts(questions: Sequence[str], kinds: int) -> list[slice]:
    """Ranges of questions whose ids and scores each fit into a script."""
    starts = [0]
    size = 0
    for position, question in enumerate(questions):
        size += len(json.dumps(question)) + 1
        if size > MOST_ID_BYTES or (position - starts[-1]) * kinds >= MOST_SCORES:
            starts.append(position)
            size = len(json.dumps(question)) + 1
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(questions)], strict=True)]


def _encoded(values: NDArray[np.float64]) -> str:
    planes = values.astype("<f8").view(np.uint8).reshape(-1, 8).T
    return base64.b64encode(planes.tobytes()).decode()


def _script(name: str, content: object) -> tuple[str, bytes]:
    text = f"{json.dumps(name)}, {json.dumps(content, separators=(',', ':'))}"
    return f"data/{name}.js", f"babelboard.register({text.translate(UNSAFE)});\n".encode()
