"""Fusion: one ranking out of those of several systems, through ranx.

For a document d and systems s:

``rrf``
    sum over s of 1 / (k + rank_s(d)), ranks from 1 (Cormack, Clarke and Büttcher 2009,
    "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods").
``wsum``
    sum over s of weight_s x score_s(d) (Fox and Shaw 1994, "Combination of Multiple Searches").
``interpolation``
    alpha x score_1(d) + (1 - alpha) x score_2(d).

The scores of the latter two are scaled for each query and system to 0..1 by (score - least) /
(greatest - least); where all are equal they are 1, the best. A document that a system did not
retrieve counts 0 there: with scaled scores as much as the last one that it retrieved. A query
that a system lacks is fused from the other systems alone.

ranx sorts rankings of more than a few documents so that ties fall anyhow, cuts document ids to the
length of the longest in the first run, gives equal scores 0 (as if nothing was retrieved), and
refuses queries that a run lacks. It is therefore given rankings without ties, ids of one length,
scores that are scaled already, and empty rankings for the queries that are lacking.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from tasks.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Run = Mapping[str, Mapping[str, float]]

Method = Literal["rrf", "wsum", "interpolation"]
Norm = Literal["min-max", "none"]

METHODS: tuple[Method, ...] = get_args(Method)
NORMS: tuple[Norm, ...] = get_args(Norm)

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Fusion:
    """How rankings become one.

    Attributes:
        method: See the module.
        k: Of ``rrf``: the greater, the less the first ranks stand out.
        weights: Of ``wsum``: one a system; none for 1 each.
        alpha: Of ``interpolation``: weight of the first system, 0 to 1.
        norm: How scores are scaled before they are added: ``min-max``, or ``none`` for as they
            are. ``rrf`` has no use for it.
    """

    method: Method
    k: int = 60
    weights: tuple[float, ...] = ()
    alpha: float = 0.5
    norm: Norm = "min-max"

    def weights_of(self, systems: int) -> tuple[float, ...]:
        """The weight of each of so many systems."""
        if self.method == "interpolation":
            return (self.alpha, 1 - self.alpha)
        return self.weights or (1.0,) * systems


def check_fusion(fusion: Fusion, systems: int) -> None:
    """Refuses a fusion that is not defined for so many systems.

    Raises:
        UnknownNameError: If there is no such method or norm.
        UsageError: If there are fewer than two systems, or the parameters do not fit.
    """
    if fusion.method not in METHODS:
        raise UnknownNameError("method of fusion", fusion.method, METHODS)
    if fusion.norm not in NORMS:
        raise UnknownNameError("norm of scores", fusion.norm, NORMS)
    if systems < 2:
        raise UsageError(f"A fusion needs two systems or more, found {systems}.")
    if fusion.method == "rrf" and fusion.k < 0:
        raise UsageError(f"k must be 0 or more, found {fusion.k}.")
    if fusion.method == "wsum" and fusion.weights:
        _check_weights(fusion.weights, systems)
    if fusion.method == "interpolation":
        if systems != 2:
            raise UsageError(
                f"Interpolation is between two systems, found {systems}. "
                "The method wsum takes any number, with a weight for each."
            )
        if not 0 <= fusion.alpha <= 1:
            raise UsageError(f"alpha must be in 0..1, found {fusion.alpha}.")


def fuse(runs: Sequence[Run], fusion: Fusion) -> dict[str, dict[str, float]]:
    """Fuses the rankings of several systems.

    Ties in what is given go by descending document id, as everywhere. Fused scores are rounded to
    float32, in which trec_eval compares them: what ties there ties here, and sums that are equal
    but for the order of their terms tie.

    Args:
        runs: Scores by query id and document id, one mapping a system; higher is better.
        fusion: How.

    Returns:
        Fused scores by query id, ascending, and document id, best first. It has every query and
        every document that one of the systems has.

    Raises:
        UnknownNameError: If there is no such method or norm.
        UsageError: If the fusion does not fit the number of systems, or a score is not a number
            that can be added.
    """
    check_fusion(fusion, len(runs))
    queries = sorted({query for run in runs for query in run})
    given = [
        {query: _readied(run.get(query, {}), fusion, query) for query in queries} for run in runs
    ]
    # ranx cannot take a run without any document; it would add nothing.
    weighted = zip(given, fusion.weights_of(len(runs)), strict=True)
    there = [(run, weight) for run, weight in weighted if any(run.values())]
    fused = _through_ranx(there, fusion) if there else {}
    return {query: in_order(_single(fused.get(query, {}))) for query in queries}


def in_order(scores: Mapping[str, float]) -> dict[str, float]:
    """A ranking, best first; ties go by descending document id."""
    by_id = sorted(scores, reverse=True)  # code points go as the bytes of UTF-8 do
    return {name: scores[name] for name in sorted(by_id, key=scores.__getitem__, reverse=True)}


def _check_weights(weights: Sequence[float], systems: int) -> None:
    listed = ", ".join(f"{weight:g}" for weight in weights)
    if len(weights) != systems:
        raise UsageError(f"{systems} systems need as many weights, found {len(weights)}: {listed}.")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
        raise UsageError(f"Weights must be 0 or more, and one of them above 0; found {listed}.")


def _readied(scores: Mapping[str, float], fusion: Fusion, query: str) -> dict[str, float]:
    """A ranking as ranx is to see it: in order and, where only ranks count, without ties."""
    ordered = in_order(scores)
    for name, score in ordered.items():
        if math.isnan(score) or (fusion.method != "rrf" and abs(score) > LARGEST):
            raise UsageError(
                f"The score of document {name!r} for query {query!r} is {score:g}, which cannot be "
                f"{'ranked' if math.isnan(score) else 'added: use the method rrf'}."
            )
    if fusion.method == "rrf":
        return {name: float(len(ordered) - place) for place, name in enumerate(ordered)}
    if fusion.norm == "none" or not ordered:
        return ordered
    greatest, least = max(ordered.values()), min(ordered.values())
    if greatest == least:
        return dict.fromkeys(ordered, 1.0)
    return {name: (score - least) / (greatest - least) for name, score in ordered.items()}


def _through_ranx(runs: Sequence[tuple[Run, float]], fusion: Fusion) -> Run:
    from numba.core.errors import NumbaTypeSafetyWarning
    from ranx import Run as RanxRun
    from ranx.fusion import rrf, wsum
    from ranx.fusion.common import extract_scores

    names = list({name: None for run, _ in runs for scores in run.values() for name in scores})
    width = len(str(len(names)))
    code = {name: f"{number:0{width}}" for number, name in enumerate(names)}
    given = [
        RanxRun({query: {code[name]: s[name] for name in s} for query, s in run.items()})
        for run, _ in runs
    ]
    with warnings.catch_warnings():
        # ranx's rrf turns unsigned places into signed ones: no ranking is so long that it matters.
        warnings.simplefilter("ignore", NumbaTypeSafetyWarning)
        if fusion.method == "rrf":
            fused = rrf(given, k=fusion.k)
        else:
            fused = wsum(given, weights=[float(weight) for _, weight in runs])
    return {
        query: {
            names[int(one)]: value
            for one, value in zip(documents, extract_scores(documents).tolist(), strict=True)
        }
        for query, documents in fused.run.items()
    }


def _single(scores: Mapping[str, float]) -> dict[str, float]:
    with np.errstate(over="ignore"):
        values = np.array(list(scores.values()), dtype=np.float64).astype(np.float32)
    if not np.isfinite(values).all():
        raise UsageError("A fused score is beyond float32: use smaller weights, or min-max.")
    return dict(zip(scores, values.tolist(), strict=True))
