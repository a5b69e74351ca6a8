"""Means of a rank table in all of its task's measures: by setting, and by class of settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from harness.question_scores import Average, SettingMean, class_averages, scores_in, setting_means

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.question_scores import QuestionScores
    from harness.ranks import RankTable

Made = TypeVar("Made")
DECIMALS = 10
"""Of means in files, so that they are the same on every machine."""


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """What a system came to on a task.

    Attributes:
        task: Name of the task.
        measure: Its primary measure.
        questions: Number of questions.
        languages: Number of languages that they are asked in.
        settings: Ids of the settings that it was scored in.
        means: By measure, the mean of each setting that has values.
        averages: By measure, the averages of each class that has values.
    """

    task: str
    measure: str
    questions: int
    languages: int
    settings: tuple[str, ...]
    means: Mapping[str, Mapping[str, SettingMean]]
    averages: Mapping[str, Mapping[str, Average]]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> TaskSummary:
        """What :meth:`as_json` gave."""
        settings = tuple(content["settings"])
        return cls(
            task=content["task"],
            measure=content["measure"],
            questions=content["questions"],
            languages=content["languages"],
            settings=settings,
            means=_ByMeasure(content["means"], partial(_setting_means, settings)),
            averages=_ByMeasure(content["averages"], _class_averages),
        )

    def as_json(self) -> dict[str, Any]:
        """All of it, as numbers that are not rounded; those of a measure are a text of their own.

        So reading it takes no longer than what is asked for: a site reads thousands of summaries
        and shows one measure of most.
        """
        position = {name: at for at, name in enumerate(self.settings)}
        return {
            "task": self.task,
            "measure": self.measure,
            "questions": self.questions,
            "languages": self.languages,
            "settings": self.settings,
            "means": {
                name: json.dumps(
                    [
                        [position[setting] for setting in means],
                        [one.mean for one in means.values()],
                        [one.n for one in means.values()],
                    ]
                )
                for name, means in self.means.items()
            },
            "averages": {
                name: json.dumps({kind: astuple(one) for kind, one in averages.items()})
                for name, averages in self.averages.items()
            },
        }

    def as_published(self) -> dict[str, object]:
        """The summary as the files of entries and of the site have it, with rounded means."""
        settings: dict[str, dict[str, float | int]] = {}
        for name, means in self.means.items():
            for setting, mean in means.items():
                row = settings.setdefault(setting, {"n": mean.n})
                row[name] = round(mean.mean, DECIMALS)
        classes: dict[str, dict[str, object]] = {}
        for name, averages in self.averages.items():
            for kind, average in averages.items():
                counts = {"settings": average.settings, "questions": average.questions}
                classes.setdefault(kind, {**counts})[name] = {
                    "macro_over_settings": round(average.macro, DECIMALS),
                    "micro_over_questions": round(average.micro, DECIMALS),
                }
        return {"schema_version": 1, "task": self.task, "classes": classes, "settings": settings}


class _ByMeasure(Mapping[str, Made]):
    """What a summary that was read has of each measure: made when it is asked for.

    Args:
        texts: JSON, by measure.
        make: Makes the values of a measure from what its text holds.
    """

    def __init__(self, texts: Mapping[str, str], make: Callable[[Any], Made]) -> None:
        self._texts = texts
        self._make = make

    def __getitem__(self, measure: str) -> Made:
        return self._make(json.loads(self._texts[measure]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _setting_means(settings: Sequence[str], found: Any) -> dict[str, SettingMean]:
    positions, means, counts = found
    names = map(settings.__getitem__, positions)
    return dict(zip(names, map(SettingMean, means, counts), strict=True))


def _class_averages(found: Any) -> dict[str, Average]:
    return {kind: Average(*one) for kind, one in found.items()}


def summarise(table: RankTable) -> tuple[TaskSummary, QuestionScores]:
    """Sums a table up; with it come the scores in the primary measure."""
    scores = scores_in(table, dict.fromkeys((table.primary_measure, *table.measures)))
    means = {name: setting_means(scores[name]) for name in table.measures}
    summary = TaskSummary(
        task=table.task,
        measure=table.primary_measure,
        questions=len(table.question.names),
        languages=len(table.query_language.names),
        settings=tuple(table.pool_sizes),
        means=means,
        averages={name: class_averages(scores[name], means[name]) for name in table.measures},
    )
    return summary, scores[table.primary_measure]
