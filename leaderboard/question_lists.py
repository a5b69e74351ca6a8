"""Which questions of a task say most: the hardest, the easiest, and the most disputed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.measures import parse_measure
from harness.question_scores import classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.question_scores import QuestionScores

MOST_LISTED = 20
"""Questions in a list."""
DECIMALS = 9
"""Scores that differ in the digits behind are equal: their sums are rounded."""


@dataclass(frozen=True, slots=True)
class ListedQuestion:
    """A question over all systems.

    Attributes:
        id: Its id.
        mean: Mean of its scores over the systems.
        best: Id of the system that answers it best; of equal ones the first.
        worst: Id of the system that answers it worst; of equal ones the first.
        best_score: Score of ``best``.
        worst_score: Score of ``worst``.
    """

    id: str
    mean: float
    best: str
    worst: str
    best_score: float
    worst_score: float


@dataclass(frozen=True, slots=True)
class QuestionLists:
    """Questions by their scores in a class, where equal by id.

    Attributes:
        hardest: The worst mean over systems first.
        easiest: The best mean over systems first.
        disputed: The largest difference between two systems first; none where all agree.
    """

    hardest: tuple[ListedQuestion, ...]
    easiest: tuple[ListedQuestion, ...]
    disputed: tuple[ListedQuestion, ...]


def question_lists(
    scores: Iterable[tuple[str, QuestionScores]], kind: str, most: int = MOST_LISTED
) -> QuestionLists | None:
    """The questions that say most; None if there are no scores in the class.

    Args:
        scores: Of each system, with its id; one at a time is held in memory.
        kind: Class of settings; a question's score is its mean over those that ask it.
        most: Length of a list.
    """
    by_system: dict[str, Mapping[str, float]] = {}
    higher_is_better = True
    for system, found in scores:
        by_system[system] = _by_question(found, kind)
        higher_is_better = parse_measure(found.measure).higher_is_better
    questions = sorted({name for found in by_system.values() for name in found})
    if not questions:
        return None
    systems = list(by_system)
    values = np.array(
        [[found.get(name, np.nan) for name in questions] for found in by_system.values()]
    )
    goodness = np.round(values if higher_is_better else -values, DECIMALS)
    mean = np.round(np.nanmean(goodness, axis=0), DECIMALS)
    spread = np.round(np.nanmax(goodness, axis=0) - np.nanmin(goodness, axis=0), DECIMALS)

    def listed(place: int) -> ListedQuestion:
        best, worst = np.nanargmax(goodness[:, place]), np.nanargmin(goodness[:, place])
        return ListedQuestion(
            id=questions[place],
            mean=float(np.nanmean(values[:, place])),
            best=systems[best],
            worst=systems[worst],
            best_score=float(values[best, place]),
            worst_score=float(values[worst, place]),
        )

    # A stable order: questions are in the order of their ids.
    hardest = np.argsort(mean, kind="stable")[:most]
    easiest = np.argsort(-mean, kind="stable")[:most]
    disputed = [place for place in np.argsort(-spread, kind="stable")[:most] if spread[place] > 0]
    return QuestionLists(*(tuple(map(listed, found)) for found in (hardest, easiest, disputed)))


def _by_question(scores: QuestionScores, kind: str) -> dict[str, float]:
    """Each question's mean over the settings of a class that ask it."""
    is_valued = np.bincount(scores.setting, minlength=len(scores.settings)) > 0
    valued = [name for name, has in zip(scores.settings, is_valued, strict=True) if has]
    wanted = set(classes(valued).get(kind, ()))
    rows = np.array([name in wanted for name in scores.settings], dtype=np.bool_)[scores.setting]
    question = scores.question[rows]
    sums = np.bincount(question, scores.value[rows], len(scores.questions))
    counts = np.bincount(question, minlength=len(scores.questions))
    asked = np.flatnonzero(counts)
    means = (sums[asked] / counts[asked]).tolist()
    return {scores.questions[q]: mean for q, mean in zip(asked.tolist(), means, strict=True)}
