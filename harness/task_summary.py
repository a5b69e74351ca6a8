"""Means of a rank table in all of its task's measures: by setting, and by class of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from harness.question_scores import Average, SettingMean, class_averages, scores_in, setting_means

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.question_scores import QuestionScores
    from harness.ranks import RankTable

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
            means=_Means(settings, content["means"]),
            averages={
                name: {kind: Average(*one) for kind, one in found.items()}
                for name, found in content["averages"].items()
            },
        )

    def as_json(self) -> dict[str, Any]:
        """All of it, as numbers that are not rounded."""
        position = {name: at for at, name in enumerate(self.settings)}
        return {
            "task": self.task,
            "measure": self.measure,
            "questions": self.questions,
            "languages": self.languages,
            "settings": self.settings,
            "means": {
                name: [
                    [position[setting] for setting in means],
                    [one.mean for one in means.values()],
                    [one.n for one in means.values()],
                ]
                for name, means in self.means.items()
            },
            "averages": {
                name: {kind: astuple(one) for kind, one in averages.items()}
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


class _Means(Mapping[str, Mapping[str, SettingMean]]):
    """The means of a summary that was read: those of a measure are made when it is asked for.

    A site reads thousands of summaries and shows one measure of most.
    """

    def __init__(self, settings: tuple[str, ...], found: Mapping[str, Any]) -> None:
        self._settings = settings
        self._found = found

    def __getitem__(self, measure: str) -> dict[str, SettingMean]:
        positions, means, counts = self._found[measure]
        names = map(self._settings.__getitem__, positions)
        return dict(zip(names, map(SettingMean, means, counts), strict=True))

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


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
