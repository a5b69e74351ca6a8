"""What a contamination check found, for people and programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["question", "passage"]
ROLES: tuple[Role, ...] = ("question", "passage")
MOST_IDS = 10_000
"""Training texts that are named, for each role."""
EXCERPT = 100
"""Characters of a text that are shown."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How many test texts of one kind the training texts share.

    Attributes:
        task: Name of the task.
        language: Of the texts.
        role: What they are.
        texts: How many were compared.
        same: How many a training text equals, but for case, punctuation and spacing.
        overlapping: How many others have a long run of words with one in common.
    """

    task: str
    language: str
    role: Role
    texts: int
    same: int
    overlapping: int

    @property
    def shared(self) -> int:
        """How many the training texts share, one way or the other."""
        return self.same + self.overlapping


@dataclass(frozen=True, slots=True)
class SharedText:
    """A test text that a training text shares.

    Attributes:
        task: Name of the task.
        language: Of the text.
        role: What it is.
        id: Of the question or the document.
        text: The test text.
        match: ``same`` but for case, punctuation and spacing, or ``overlap``.
        training_id: Id of the first training text that shares it so.
    """

    task: str
    language: str
    role: Role
    id: str
    text: str
    match: Literal["same", "overlap"]
    training_id: str

    @property
    def excerpt(self) -> str:
        """The beginning of the text, in one line."""
        line = " ".join(self.text.split())
        return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 3]}..."


@dataclass(frozen=True, slots=True)
class ContaminationReport:
    """What training texts share with tasks.

    Attributes:
        training_texts: How many training texts were compared.
        compared: The counts, by task and language, questions first.
        shared: Every test text that is shared, in the same order.
        training_counts: How many training texts share a text of a role.
        training_ids: Ids of these, at most :data:`MOST_IDS` for a role.
        relevant_only: Tasks of which only passages that answer a question were compared.
    """

    training_texts: int
    compared: tuple[Compared, ...]
    shared: tuple[SharedText, ...]
    training_counts: Mapping[Role, int]
    training_ids: Mapping[Role, tuple[str, ...]]
    relevant_only: tuple[str, ...] = ()

    @property
    def leaks(self) -> bool:
        """Whether a test question is among the training texts."""
        return self.count("question") > 0

    def count(self, role: Role) -> int:
        """How many test texts of a role are shared, over all tasks and languages."""
        return sum(one.shared for one in self.compared if one.role == role)

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "schema_version": 1,
            "leaks": self.leaks,
            "training": {
                "texts": self.training_texts,
                **{
                    f"share_a_{role}": {
                        "count": self.training_counts[role],
                        "ids": list(self.training_ids[role]),
                    }
                    for role in ROLES
                },
            },
            "relevant_passages_only": list(self.relevant_only),
            "tasks": [asdict(one) for one in self.compared],
            "shared": [asdict(one) | {"text": one.excerpt} for one in self.shared],
        }

    def summary(self) -> dict[str, Any]:
        """The counts alone, for a record: how many questions and passages of each task."""
        tasks = dict.fromkeys(one.task for one in self.compared)
        return {
            "leaks": self.leaks,
            **{
                f"{role}s": {
                    task: sum(
                        one.shared for one in self.compared if (one.task, one.role) == (task, role)
                    )
                    for task in tasks
                }
                for role in ROLES
            },
        }

    def refusal(self) -> str:
        """Why not to train on these texts; of a report that :attr:`leaks`."""
        questions = [one for one in self.compared if one.role == "question" and one.shared]
        where = ", ".join(
            f"{one.task} {one.language} {one.shared:,} of {one.texts:,}" for one in questions[:5]
        )
        more = f" and {len(questions) - 5} more" if len(questions) > 5 else ""
        first = next(one for one in self.shared if one.role == "question")
        return (
            f"The training data hold test questions: {where}{more}.\n"
            f"For example {first.training_id!r} has question {first.id!r}: {first.excerpt!r}.\n"
            "`babelboard contamination FILE --json` names the training texts to leave out."
        )
