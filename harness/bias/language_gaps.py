"""How a measure differs between languages: the gap from MoIR to CLIR, and the spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.question_scores import setting_means
from tasks.languages import POOL
from tasks.settings import kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.question_scores import QuestionScores


@dataclass(frozen=True, slots=True)
class Gap:
    """What a query language loses where the documents are in another language.

    Attributes:
        moir: Mean over the document languages of MoIR, on the questions of each one's CLIR.
        clir: Mean over the document languages of CLIR.
        settings: Number of CLIR settings.
        questions: Number of questions that are in MoIR and in at least one of these.
    """

    moir: float
    clir: float
    settings: int
    questions: int

    @property
    def gap(self) -> float:
        """MoIR minus CLIR; above 0 if crossing languages costs."""
        return self.moir - self.clir


@dataclass(frozen=True, slots=True)
class Spread:
    """How unequal a measure is over languages.

    Attributes:
        by_language: The measure's mean for each language.
    """

    by_language: Mapping[str, float]

    @property
    def best(self) -> str:
        """The language with the largest mean."""
        return max(self.by_language, key=self.by_language.__getitem__)

    @property
    def worst(self) -> str:
        """The language with the smallest mean."""
        return min(self.by_language, key=self.by_language.__getitem__)

    @property
    def mean(self) -> float:
        """Mean over the languages."""
        return float(np.mean(list(self.by_language.values())))

    @property
    def range(self) -> float:
        """Largest minus smallest mean: an operational "Delta parity", ours, not published."""
        return self.by_language[self.best] - self.by_language[self.worst]

    @property
    def deviation(self) -> float:
        """Standard deviation over the languages, which are all there are: divided by their number.

        Ours, as is the range.
        """
        return float(np.std(list(self.by_language.values())))


def gaps(scores: QuestionScores) -> dict[str, Gap]:
    """MoIR minus CLIR for each query language, on the same questions.

    gap(l) = mean over document languages d other than l of
    mean over the questions of both ``moir/l-l`` and ``clir/l-d`` of (MoIR - CLIR). The macro
    difference that papers on CLIR report; pairing the questions is ours, and matters where a CLIR
    setting asks fewer of them, as in MLQA-R.

    Returns:
        By query language, for those that have MoIR and CLIR settings with common questions.
    """
    found = {}
    for monolingual in _of_kind(scores, "moir"):
        code = languages_of(monolingual)[0]
        alone = scores.by_question([monolingual])
        pairs, asked = [], set[str]()
        for setting in _of_kind(scores, "clir"):
            crossed = scores.by_question([setting]) if languages_of(setting)[0] == code else {}
            common = sorted(alone.keys() & crossed.keys())
            if common:
                asked |= set(common)
                pairs.append(
                    (np.mean([alone[q] for q in common]), np.mean([crossed[q] for q in common]))
                )
        if pairs:
            moir, clir = np.mean(pairs, axis=0).tolist()
            found[code] = Gap(moir=moir, clir=clir, settings=len(pairs), questions=len(asked))
    return found


def spreads(scores: QuestionScores) -> dict[str, Spread]:
    """The measure's mean by language, in each class of settings.

    Returns:
        ``moir``; ``clir_from`` and ``clir_into``, by query and by document language, each the mean
        over the settings of that language; ``mlir``, by query language. Those of one language or
        none are left out.
    """
    means = {name: found.mean for name, found in setting_means(scores).items()}
    pooled = [name for name in _of_kind(scores, "mlir") if languages_of(name)[1] == POOL]
    sides: dict[str, tuple[Sequence[str], int]] = {
        "moir": (_of_kind(scores, "moir"), 0),
        "clir_from": (_of_kind(scores, "clir"), 0),
        "clir_into": (_of_kind(scores, "clir"), 1),
        "mlir": ([name for name in pooled if languages_of(name)[0] != POOL], 0),
    }
    found = {}
    for name, (settings, side) in sides.items():
        values: dict[str, list[float]] = {}
        for setting in settings:
            if setting in means:
                values.setdefault(languages_of(setting)[side], []).append(means[setting])
        if len(values) > 1:
            found[name] = Spread({code: float(np.mean(values[code])) for code in sorted(values)})
    return found


def _of_kind(scores: QuestionScores, kind: str) -> list[str]:
    return [name for name in scores.settings if kind_of(name) == kind]
