"""Systems with given scores on one small task, for tests of what is made of very many of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from harness.question_scores import QuestionScores, class_averages, setting_means
from harness.task_summary import TaskSummary
from leaderboard.score_store import scored_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leaderboard.kept_extremes import Member
    from leaderboard.score_store import Scored

SETTINGS = ("moir/de-de", "moir/en-en", "clir/de-en", "mlir/de-xx", "mlir/en-xx", "mlir/xx-xx")
QUESTIONS = 32
"""A power of two, as are the steps of scores: all means below are exact in float64."""
STEP = 1 / 64
ROWS = np.array([*range(5), 5, 5]).repeat(QUESTIONS)
"""Setting of each score: the last setting asks every question in two languages."""


def shared_hardness(seed: int = 0) -> NDArray[np.float64]:
    """What all systems find hard alike, shape (scores,)."""
    return np.random.default_rng(seed).normal(0, 0.15, len(ROWS))


def drawn(skill: float, seed: int, hardness: NDArray[np.float64] | None = None) -> Scored:
    """Scores around a skill, in whole steps from 0 to 1."""
    rng = np.random.default_rng([7, seed])
    around = skill + (shared_hardness() if hardness is None else hardness)
    return of_values(np.clip(np.rint((around + rng.normal(0, 0.15, len(ROWS))) / STEP), 0, 64))


def of_values(steps: NDArray[np.float64]) -> Scored:
    """What scores come to.

    Args:
        steps: The scores, in whole steps, shape (scores,).
    """
    return of_scores(
        QuestionScores(
            "AP",
            SETTINGS,
            tuple(f"q{number:02}" for number in range(QUESTIONS)),
            ROWS,
            np.tile(np.arange(QUESTIONS), 7),
            steps * STEP,
        )
    )


def of_scores(scores: QuestionScores) -> Scored:
    """What scores come to; the checksum of the ranks is that of the values."""
    means = setting_means(scores)
    summary = TaskSummary(
        task="own",
        measure=scores.measure,
        questions=len(scores.questions),
        languages=2,
        settings=scores.settings,
        means={scores.measure: means},
        averages={scores.measure: class_averages(scores, means)},
    )
    return scored_from(summary, scores, hashlib.sha256(scores.value.tobytes()).hexdigest())


def many(skills: Sequence[float], first_seed: int = 0) -> dict[str, Member]:
    """A system of one seed for each skill."""
    return {
        f"s{number:02}": (drawn(skill, first_seed + number),) for number, skill in enumerate(skills)
    }


def by_question(members: Mapping[str, Member], settings: Sequence[str]) -> NDArray[np.float64]:
    """Mean over seeds of each question's mean over settings, shape (systems, questions)."""
    return np.array(
        [
            np.mean([list(one.scores.by_question(settings).values()) for one in member], axis=0)
            for member in members.values()
        ]
    )
