"""The texts of a task whose data babelboard itself carries: only these are shown on the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.definition import load_definition, task_names
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.definition import TaskDefinition


@dataclass(frozen=True, slots=True)
class QuestionTexts:
    """A question and what answers it.

    Attributes:
        queries: The question, by language.
        passages: Texts of the relevant documents by their ids, by language.
    """

    queries: Mapping[str, str]
    passages: Mapping[str, Mapping[str, str]]


def definition_of(task: str) -> TaskDefinition | None:
    """What the catalogue says of a task; None if it is not in it."""
    return load_definition(task)[0] if task.partition("+")[0] in task_names() else None


def question_texts(task: str) -> dict[str, QuestionTexts]:
    """The texts of a task by question; none where the data are not in the package.

    Args:
        task: Name of the task.
    """
    definition = definition_of(task)
    if definition is None or not definition.is_built_in:
        return {}
    collection = load_task(task).collection
    queries: list[dict[str, str]] = [{} for _ in collection.questions]
    passages: list[dict[str, dict[str, str]]] = [{} for _ in collection.questions]
    for code, asked in collection.queries.items():
        for question, text in zip(asked.question.tolist(), asked.texts, strict=True):
            queries[question][code] = text
    for code, judged in collection.judgments.items():
        corpus = collection.corpora[code]
        relevant = judged.relevance > 0
        for question, document in zip(
            judged.question[relevant].tolist(), judged.document[relevant].tolist(), strict=True
        ):
            passages[question].setdefault(code, {})[corpus.ids[document]] = corpus.texts[document]
    return {
        name: QuestionTexts(queries[place], passages[place])
        for place, name in enumerate(collection.questions)
    }


def shown_language(codes: Sequence[str]) -> str | None:
    """The language of the site where a text is there in it, else the first."""
    return "en" if "en" in codes else min(codes, default=None)
