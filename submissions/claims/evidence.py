"""What the comparisons of a claim show: the project's own tests over one family."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import stdtr

from harness.comparison import compare
from harness.design import Design
from harness.paired_scores import PairedScores
from harness.significance.corrections import adjust
from harness.significance.power import Plan, minimum_detectable_effect
from harness.significance.seeds import seed_difference
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison import Comparer, PairedDifference
    from harness.significance.seeds import SeedDifference
    from submissions.claims.claim import ClaimPart
    from submissions.claims.comparisons import PairOfScores

Outcome = Literal["for", "against", "open"]

DESIGN = Design()
POWER = 0.8
"""The chance at which a difference counts as one that could have been seen."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether a difference was shown to lie within a margin, by two one-sided tests.

    Attributes:
        margin: The margin.
        p: p-value; None where all differences are the same, so that there is no spread to judge by.
        p_adjusted: By Holm over the tests of equivalence of the claim.
    """

    margin: float
    p: float | None
    p_adjusted: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One comparison, tested.

    Attributes:
        pair: What was compared.
        over_questions: The sign-flip test, corrected by step-down max-T over the claim's family.
        p: p-value of this test alone, from the test that decides.
        p_adjusted: The same, corrected over the claim's family.
        ci: Interval of the difference, simultaneous over the family; None where there is no bound.
        equivalence: Where a margin is given.
        detectable: The smallest difference that would have been significant with a chance of 80%;
            None where differences do not vary.
        outcome: For the claim, against it, or open.
        why: The outcome in words.
    """

    pair: PairOfScores
    over_questions: PairedDifference
    p: float
    p_adjusted: float
    ci: tuple[float, float] | None
    equivalence: Equivalence | None
    detectable: float | None
    outcome: Outcome
    why: str

    @property
    def difference(self) -> float:
        """Mean of ``a`` minus mean of ``b``."""
        return self.over_questions.difference


def has_seeds(pairs: Sequence[PairOfScores]) -> bool:
    """Whether a comparison has several seeds, so that the test is over questions and seeds."""
    return any(max(p.first.shape[1], p.second.shape[1]) > 1 for p in pairs)


def weigh(
    pairs: Sequence[PairOfScores],
    parts: Sequence[ClaimPart],
    in_source: Sequence[bool],
    comparer: Comparer = compare,
) -> list[Evidence]:
    """Tests all comparisons of a claim as one family.

    As in ``babelboard compare``: sign flips over questions with step-down max-T; where systems have
    seeds, the t-test over questions and seeds with Holm's correction decides. Equivalence is two
    one-sided t-tests (Schuirmann 1987) over the same, with Holm's over those of the claim.

    Args:
        pairs: The comparisons.
        parts: The part of the claim that each belongs to.
        in_source: Whether each was measured as the source did, so that its size counts.
        comparer: What runs the sign flips.
    """
    over_questions = comparer(_as_scores(pairs), DESIGN).tests
    over_seeds = [_over_seeds(pair) for pair in pairs]
    decisive = _decisive(over_questions, over_seeds, by_seeds=has_seeds(pairs))
    equivalences = _equivalences(over_seeds, parts)
    found = []
    for i, (pair, part) in enumerate(zip(pairs, parts, strict=True)):
        p, p_adjusted, ci = decisive[i]
        shown = _Shown(over_questions[i].difference, p_adjusted, equivalences[i])
        outcome, why = _outcome(part, shown)
        if in_source[i] and part.size is not None and _is_too_small(part, part.size, ci):
            outcome, why = "against", f"smaller than the {part.size:g} that is claimed"
        found.append(
            Evidence(
                pair=pair,
                over_questions=over_questions[i],
                p=p,
                p_adjusted=p_adjusted,
                ci=ci,
                equivalence=equivalences[i],
                detectable=_detectable(over_seeds[i], len(pairs)),
                outcome=outcome,
                why=why,
            )
        )
    return found


def _decisive(
    over_questions: Sequence[PairedDifference],
    over_seeds: Sequence[SeedDifference | None],
    *,
    by_seeds: bool,
) -> list[tuple[float, float, tuple[float, float] | None]]:
    """p, corrected p and interval of each comparison, by the test that decides."""
    if not by_seeds:
        return [(test.p, test.p_adjusted, test.ci) for test in over_questions]
    both = list(zip(over_seeds, over_questions, strict=True))
    p = [one.p if one else test.p for one, test in both]
    level = DESIGN.alpha / len(both)
    intervals = [one.interval(level) if one else test.ci for one, test in both]
    return list(zip(p, adjust(np.array(p), "holm").tolist(), intervals, strict=True))


def _over_seeds(pair: PairOfScores) -> SeedDifference | None:
    """The t-test over questions and seeds, with one seed a side the paired t-test.

    Returns:
        None where all differences are the same but not 0: t is not defined, sign flips decide.
    """
    try:
        return seed_difference(pair.first, pair.second)
    except UsageError:
        return None


def _as_scores(pairs: Sequence[PairOfScores]) -> PairedScores:
    """Each comparison as a setting of two systems: its two sides.

    A question has one sign in all of them, as in ``compare``.
    """
    questions = sorted({question for pair in pairs for question in pair.questions})
    row = {question: position for position, question in enumerate(questions)}
    values = np.full((len(questions), len(pairs), 2), np.nan)
    for column, pair in enumerate(pairs):
        rows = [row[question] for question in pair.questions]
        values[rows, column, 0], values[rows, column, 1] = pair.a, pair.b
    settings = tuple(str(number) for number in range(len(pairs)))
    return PairedScores(
        measure="claim",
        systems=("a", "b"),
        settings=settings,
        questions=tuple(questions),
        values=values,
        averaged_over={n: p.averaged_over for n, p in zip(settings, pairs, strict=True)},
    )


def _equivalences(
    tests: Sequence[SeedDifference | None], parts: Sequence[ClaimPart]
) -> list[Equivalence | None]:
    margins = [part.margin for part in parts]
    p = [
        None if margin is None else _p_of_equivalence(test, margin)
        for test, margin in zip(tests, margins, strict=True)
    ]
    known = [value for value in p if value is not None]
    corrected = iter(adjust(np.array(known), "holm").tolist() if known else [])
    return [
        None if m is None else Equivalence(m, one, None if one is None else next(corrected))
        for m, one in zip(margins, p, strict=True)
    ]


def _p_of_equivalence(test: SeedDifference | None, margin: float) -> float | None:
    """Of the hypothesis that the difference is the margin or more, on either side; never 0.

    On one seed a side this is :func:`harness.significance.equivalence.tost`.
    """
    if test is None or test.standard_error == 0.0:
        return None
    below = float(stdtr(test.df, -(test.mean + margin) / test.standard_error))
    above = float(stdtr(test.df, (test.mean - margin) / test.standard_error))
    return max(below, above, sys.float_info.min)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the tests of a comparison have shown."""

    difference: float
    p: float
    equivalence: Equivalence | None

    @property
    def differs(self) -> bool:
        return self.p < DESIGN.alpha

    @property
    def is_within(self) -> bool:
        p = self.equivalence.p_adjusted if self.equivalence else None
        return p is not None and p < DESIGN.alpha


def _outcome(part: ClaimPart, shown: _Shown) -> tuple[Outcome, str]:
    within = f"within {part.margin:g}" if part.margin else ""
    if part.expect == "same" and shown.is_within:
        return "for", within
    if shown.differs:
        if part.expect in ("same", "differs"):
            return "for" if part.expect == "differs" else "against", "they differ"
        as_claimed = (shown.difference > 0) == (part.expect == "higher")
        return ("for", "as claimed") if as_claimed else ("against", "the other way round")
    if shown.is_within:
        return "against", within
    also = f", nor that it is {within}" if part.expect == "same" else ""
    return "open", f"no difference was shown{also}"


def _is_too_small(part: ClaimPart, size: float, ci: tuple[float, float] | None) -> bool:
    """Whether the interval lies wholly short of the claimed size."""
    if ci is None:
        return False
    largest = ci[1] if part.expect == "higher" else -ci[0]
    return largest < size


def _detectable(test: SeedDifference | None, family_size: int) -> float | None:
    """The smallest difference that this test would have shown, corrected by Bonferroni.

    :mod:`harness.significance.power` has t with n - 1 degrees of freedom and the standard error
    s / sqrt(n): n and s are set so that these are the test's own.
    """
    if test is None or test.standard_error == 0.0:
        return None
    n = max(2, math.floor(test.df) + 1)
    plan = Plan(alpha=DESIGN.alpha, power=POWER, family_size=family_size)
    return minimum_detectable_effect(test.standard_error * math.sqrt(n), n, plan)
