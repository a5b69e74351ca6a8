"""One system against another in every setting by paired t-tests: a thousandth of a resampling.

Among very many systems each is held against its baselines in all settings: resampling all of that
would take hours. Both systems were asked the same questions, of which there must be enough for the
t-test to hold; Holm's correction makes the settings one family.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtr

from harness.design import Design
from harness.significance.corrections import adjust
from leaderboard.families import Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaderboard.score_store import Scored

SAME = 1e-12
"""Differences that spread less, relative to the largest, are the same but for rounding."""


def setting_t_tests(a: Sequence[Scored], b: Sequence[Scored]) -> dict[str, Difference]:
    """The seeds of one system minus those of another, in every setting: one family.

    A setting whose differences are all the same has no t: there p is that of the sign test.

    Args:
        a: Scores of the first system, of each seed; all of one layout.
        b: Those of the second, of the same layout.
    """
    layout = a[0].layout
    values = [np.mean([one.scores.value for one in side], axis=0) for side in (a, b)]
    # A question that a setting asks in several languages is one observation.
    asked = layout.setting * len(layout.questions) + layout.question
    unit, place = np.unique(asked, return_inverse=True)
    differences = np.bincount(place, values[0] - values[1]) / np.bincount(place)
    setting = unit // len(layout.questions)
    first = np.flatnonzero(np.diff(setting, prepend=-1))
    n = np.diff(first, append=len(setting))
    mean = np.add.reduceat(differences, first) / n
    away = np.repeat(mean, n)
    squares = np.add.reduceat((differences - away) ** 2, first)
    largest = np.maximum.reduceat(np.abs(differences), first)
    spread = np.sqrt(squares / np.maximum(n - 1, 1))
    varies = (n > 1) & (spread > SAME * largest)
    t = np.divide(np.abs(mean) * np.sqrt(n), spread, out=np.zeros(len(n)), where=varies)
    p = np.where(varies, 2 * stdtr(np.maximum(n - 1, 1), -t), np.ldexp(2.0, -n))
    p[~varies & (largest <= SAME)] = 1.0
    adjusted = adjust(np.clip(p, sys.float_info.min, 1.0), "holm")
    names = [layout.settings[position] for position in setting[first].tolist()]
    alpha = Design().alpha
    rows = zip(names, mean.tolist(), adjusted.tolist(), n.tolist(), strict=True)
    return {name: Difference(d, None, q, count, q < alpha) for name, d, q, count in rows}
