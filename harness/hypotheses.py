"""What a comparison tests: pairs of systems in settings, on the questions that both answered."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from tasks.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.paired_scores import PairedScores


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Systems ``a`` and ``b`` have the same mean in a setting.

    Attributes:
        setting: Index of the setting.
        a: Index of the first system.
        b: Index of the second.
        rows: Questions that both have, as rows of the scores, shape (n,).
        values_a: Scores of ``a`` on them, shape (n,).
        values_b: Scores of ``b`` on them, shape (n,).
    """

    setting: int
    a: int
    b: int
    rows: NDArray[np.int64]
    values_a: NDArray[np.float64]
    values_b: NDArray[np.float64]

    @property
    def differences(self) -> NDArray[np.float64]:
        """``a`` minus ``b`` on each question, shape (n,)."""
        return self.values_a - self.values_b


def hypotheses_of(
    scores: PairedScores, *, baseline: str | None = None, strict: bool = False
) -> list[Hypothesis]:
    """Every pair of systems, or every system against the baseline, in every setting.

    Raises:
        UsageError: If there are fewer than two systems, two of them share fewer than two
            questions, or ``strict`` and a system lacks a question.
        UnknownNameError: If the baseline is not among the systems.
    """
    if len(scores.systems) < 2:
        raise UsageError(
            f"A comparison needs at least two systems, found {len(scores.systems)}: "
            f"{', '.join(scores.systems) or 'none'}."
        )
    if strict and (lacking := scores.incomplete()):
        setting, systems = next(iter(lacking.items()))
        system, count = next(iter(systems.items()))
        raise UsageError(
            f"{system!r} lacks {count} questions of {setting!r} that another system has, "
            "which --strict refuses."
        )
    pairs = list(combinations(range(len(scores.systems)), 2))
    if baseline is not None:
        if baseline not in scores.systems:
            raise UnknownNameError("baseline", baseline, scores.systems)
        reference = scores.systems.index(baseline)
        pairs = [(i, reference) for i in range(len(scores.systems)) if i != reference]
    return [
        _hypothesis(scores, setting, a, b)
        for setting in range(len(scores.settings))
        for a, b in pairs
    ]


def _hypothesis(scores: PairedScores, setting: int, a: int, b: int) -> Hypothesis:
    values_a, values_b = scores.values[:, setting, a], scores.values[:, setting, b]
    rows = np.flatnonzero(np.isfinite(values_a) & np.isfinite(values_b))
    if len(rows) < 2:
        raise UsageError(
            f"{scores.systems[a]!r} and {scores.systems[b]!r} share {len(rows)} questions in "
            f"{scores.settings[setting]!r}; a paired test needs at least 2. "
            "Check that their question ids are the same."
        )
    return Hypothesis(setting, a, b, rows, values_a[rows], values_b[rows])
