"""A measure per question and setting, and its averages by setting and by class.

Averages of a class (MoIR, CLIR, MLIR) come in two forms, always labelled: *macro*, the mean over
its settings of each setting's mean, and *micro*, the mean over its questions of each question's
mean over the settings that ask it. They are equal where every setting asks every question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.measures import JudgedRanks, measure, parse_measure
from tasks.settings import KINDS, counted_in_average, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.ranks import RankTable


@dataclass(frozen=True, slots=True)
class QuestionScores:
    """Values of one measure, one a query of a setting.

    Attributes:
        measure: Name of the measure.
        settings: Ids of the settings.
        questions: Ids of the questions.
        setting: Index in ``settings`` of each value, shape (values,), ascending.
        question: Index in ``questions`` of each value, shape (values,).
        value: The values, shape (values,).
    """

    measure: str
    settings: tuple[str, ...]
    questions: tuple[str, ...]
    setting: NDArray[np.int64]
    question: NDArray[np.int64]
    value: NDArray[np.float64]

    def by_question(self, settings: Sequence[str]) -> dict[str, float]:
        """Each question's mean over those of ``settings`` that ask it: the unit of every test."""
        wanted = [position for position, name in enumerate(self.settings) if name in set(settings)]
        rows = np.isin(self.setting, wanted)
        sums = np.bincount(self.question[rows], self.value[rows], len(self.questions))
        counts = np.bincount(self.question[rows], minlength=len(self.questions))
        return {self.questions[q]: float(sums[q] / counts[q]) for q in np.flatnonzero(counts)}


@dataclass(frozen=True, slots=True)
class Average:
    """Average of a measure over a class of settings.

    Attributes:
        macro: Mean over the settings of each setting's mean.
        micro: Mean over the questions of each question's mean.
        settings: Number of settings.
        questions: Number of questions.
    """

    macro: float
    micro: float
    settings: int
    questions: int


class SettingMean(NamedTuple):
    """Mean of a measure over the queries of a setting.

    Attributes:
        mean: The mean.
        n: Number of questions that have an answer in the setting.
    """

    mean: float
    n: int


def judged_ranks(table: RankTable) -> tuple[JudgedRanks, NDArray[np.int64]]:
    """The judged ranks of a table, and the first row of each query."""
    keys = (table.setting.codes, table.query_language.codes, table.question.codes)
    changes = np.zeros(len(table), dtype=np.bool_)
    changes[:1] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    first = np.flatnonzero(changes)
    sizes = np.array([table.pool_sizes[name] for name in table.setting.names], dtype=np.int64)
    return (
        JudgedRanks(
            queries=len(first),
            query=np.cumsum(changes) - 1,
            relevance=table.relevance,
            rank=table.rank,
            pool_size=sizes[table.setting.codes[first]],
        ),
        first,
    )


def question_scores(table: RankTable, name: str) -> QuestionScores:
    """The values of a measure for every query of a table.

    Rank distances are defined for MLIR settings only; the others are left out of their scores.
    """
    return scores_in(table, (name,))[name]


def scores_in(table: RankTable, names: Iterable[str]) -> dict[str, QuestionScores]:
    """See :func:`question_scores`, for several measures at once."""
    judged, first = judged_ranks(table)
    is_mlir = np.array([kind_of(s) == "mlir" for s in table.setting.names], dtype=np.bool_)
    found = {}
    for name in names:
        setting, question = table.setting.codes[first], table.question.codes[first]
        values = measure(name, judged)
        if parse_measure(name).is_for_mlir:
            kept = is_mlir[setting]
            setting, question, values = setting[kept], question[kept], values[kept]
        names_of = table.setting.names, table.question.names
        found[name] = QuestionScores(name, *names_of, setting, question, values)
    return found


def setting_means(scores: QuestionScores) -> dict[str, SettingMean]:
    """The mean of each setting that has values, by setting id."""
    if not len(scores.value):
        return {}
    first = np.flatnonzero(np.diff(scores.setting, prepend=-1))
    means = np.add.reduceat(scores.value, first) / np.diff(first, append=len(scores.value))
    asked = scores.setting * len(scores.questions) + scores.question
    if (np.diff(asked) <= 0).any():  # a setting may ask a question in several languages
        asked = np.unique(asked)
    n = np.bincount(asked // len(scores.questions), minlength=len(scores.settings)).tolist()
    return {
        scores.settings[position]: SettingMean(mean, n[position])
        for position, mean in zip(scores.setting[first].tolist(), means.tolist(), strict=True)
    }


def classes(settings: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The settings that count in the average of each class, by ``moir``, ``clir``, ``mlir``."""
    counted = counted_in_average(settings)
    found = {kind: tuple(name for name in counted if kind_of(name) == kind) for kind in KINDS}
    return {kind: names for kind, names in found.items() if names}


def class_averages(
    scores: QuestionScores, means: Mapping[str, SettingMean] | None = None
) -> dict[str, Average]:
    """Macro and micro average of each class that has values.

    Args:
        scores: The scores.
        means: Those of their settings, where they are known already.
    """
    means = setting_means(scores) if means is None else means
    averages = {}
    for kind, settings in classes(tuple(means)).items():
        by_question = scores.by_question(settings)
        averages[kind] = Average(
            macro=float(np.mean([means[name].mean for name in settings])),
            micro=float(np.mean(list(by_question.values()))),
            settings=len(settings),
            questions=len(by_question),
        )
    return averages
