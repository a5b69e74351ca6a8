"""Scores of systems that are simulated, so that the truth about their means is known.

A system's score is RR@10 as a whole number of 1/2520. Each system answers a question with the
answer that is common to all systems or with one of its own, by chance; that chance is set so that
two systems of the same quality tie on 45% of the questions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from harness.significance.score_lattice import LCM_TO_10

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

ZEROS = 0.45
"""Share of differences that are 0 where two systems have the same quality."""
SCORES = np.array([0, *(LCM_TO_10 // rank for rank in range(10, 0, -1))], dtype=np.float64)
"""RR@10 x 2520: not among the first ten, at rank 10, ..., at rank 1."""
CHANCES = np.array([0.25, 0.02, 0.02, 0.02, 0.02, 0.03, 0.03, 0.05, 0.07, 0.12, 0.37])
"""Chance of each score for a system of quality 0."""
THRESHOLDS = ndtri(np.cumsum(CHANCES)[:-1])
"""A system's answer is a normal variable around its quality, cut here into scores."""

_TIES = float((CHANCES**2).sum())
COMMON = math.sqrt((ZEROS - _TIES) / (1 - _TIES))
"""Chance that a system gives the common answer: two do so at a time with its square."""

BETWEEN_LANGUAGES = 0.55
"""Correlation of the differences that a question has in two languages."""

KEPT_BY_SEED = 0.8
"""Chance that a checkpoint answers a question as its system does, before its own quality."""
SEED_SPREAD = 0.02
"""Standard deviation of the mean RR@10 between checkpoints of one system, from training alone."""


def scores_of(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores of answers, of the same shape."""
    return SCORES[np.searchsorted(THRESHOLDS, answers, side="right")]


def draw(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    quality: Sequence[float] | NDArray[np.float64],
    common: ArrayLike = COMMON,
) -> NDArray[np.float64]:
    """Scores of systems.

    Args:
        rng: Source of chance.
        shape: Shape of the questions.
        quality: Of each system, shape (systems,).
        common: Chance of each system to give the common answer.

    Returns:
        Whole numbers of 1/2520, shape (*shape, systems).
    """
    own = rng.standard_normal((*shape, len(quality))) + np.asarray(quality)
    shared = rng.standard_normal((*shape, 1))
    return scores_of(np.where(rng.random(own.shape) < common, shared, own))


def mean_score(quality: float, common: float = COMMON) -> float:
    """The true mean of a system's scores, in units of 1/2520."""
    own = np.diff(ndtr(np.concatenate([[-np.inf], THRESHOLDS - quality, [np.inf]])))
    return float(SCORES @ (common * CHANCES + (1 - common) * own))


def draw_in_languages(
    rng: np.random.Generator, questions: int, languages: int, systems: int
) -> NDArray[np.float64]:
    """Scores of systems of one quality on questions that are asked in several languages.

    A language scores a question as all languages do or in its own way, by chance, so that
    differences have the correlation :data:`BETWEEN_LANGUAGES`.

    Returns:
        Shape (questions, languages, systems).
    """
    quality = np.zeros(systems)
    everywhere = draw(rng, (questions, 1), quality)
    here = draw(rng, (questions, languages), quality)
    same = rng.random((questions, languages, 1)) < math.sqrt(BETWEEN_LANGUAGES)
    return np.where(same, everywhere, here)


def draw_checkpoints(
    rng: np.random.Generator, questions: int, seeds: Sequence[int]
) -> list[NDArray[np.float64]]:
    """Scores of the checkpoints of systems whose training is equally good.

    Every checkpoint has its own quality, around 0.

    Returns:
        For each system, shape (questions, seeds of the system).
    """
    shared = rng.standard_normal((questions, 1))
    systems = []
    for count in seeds:
        own = rng.standard_normal((questions, 1))
        usual = np.where(rng.random(own.shape) < COMMON / KEPT_BY_SEED, shared, own)
        fresh = rng.standard_normal((questions, count))
        answers = np.where(rng.random(fresh.shape) < KEPT_BY_SEED, usual, fresh)
        systems.append(scores_of(answers + rng.standard_normal(count) * _QUALITY_SPREAD))
    return systems


def draw_near_clones(
    rng: np.random.Generator, questions: int, others: int, gains: float
) -> NDArray[np.float64]:
    """Noisy systems of one quality, then a system and its near-clone in the last two columns.

    The near-clone ranks the answer one place higher than the other on a share ``gains`` of the
    questions where that is possible, and nowhere lower.

    Returns:
        Shape (questions, others + 2).
    """
    scores = draw(rng, (questions,), np.zeros(others + 1))
    place = np.searchsorted(SCORES, scores[:, -1])
    better = (rng.random(questions) < gains) & (place < len(SCORES) - 1)
    return np.column_stack([scores, SCORES[place + better]])


_STEP = 1e-3
_QUALITY_SPREAD = SEED_SPREAD / (
    (mean_score(_STEP, 0.0) - mean_score(-_STEP, 0.0)) / (2 * _STEP * LCM_TO_10)
)
"""Standard deviation of the quality of checkpoints that moves their mean by SEED_SPREAD."""
