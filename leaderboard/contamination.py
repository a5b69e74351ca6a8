"""What the training texts of a system share with the tasks that it was scored on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from submissions.trust import LEXICAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from submissions.claims.system import SharedTexts, System

Verdict = Literal["none found", "found", "not checked"]


@dataclass(frozen=True, slots=True)
class TaskTexts:
    """Test texts of a task that are among the training texts, or overlap with one of them.

    Attributes:
        questions: Number of questions.
        passages: Number of passages.
    """

    questions: int
    passages: int


@dataclass(frozen=True, slots=True)
class Contamination:
    """What is known of a system's training texts.

    Attributes:
        verdict: ``found`` if a question or a passage is shared, or the submitter says so; ``not
            checked`` if the training texts were not compared with one of the tasks; else ``none
            found``.
        is_trained: Whether there are training texts. A lexical model has none, so that nothing of
            a task can be among them.
        tasks: What is shared, by task that the system was scored on; None where it is not known.
        declared: Tasks among them whose questions are in the training texts, as its submitter says.
    """

    verdict: Verdict
    is_trained: bool
    tasks: Mapping[str, TaskTexts | None]
    declared: tuple[str, ...] = ()


def contamination_of(system: System) -> Contamination:
    """What the records of a system's trainings say; with several seeds, the most of any."""
    scored = sorted({task for entry in system.entries for task in entry.manifest.runs})
    manifest = system.entries[0].manifest
    if manifest.model.kind in LEXICAL and manifest.method.training in (
        "untrained",
        "translate-test",
    ):
        return Contamination("none found", is_trained=False, tasks={})
    checks = [record.contamination for record in system.records]
    known = [check for check in checks if check is not None]
    is_whole = len(known) == len(system.entries)
    tasks = {task: _texts(task, known) if is_whole else None for task in scored}
    said = {name for entry in system.entries for name in entry.manifest.method.contaminated or ()}
    declared = tuple(task for task in scored if said & {task, task.partition("+")[0]})
    verdict = "found" if declared else _verdict(list(tasks.values()))
    return Contamination(verdict, is_trained=True, tasks=tasks, declared=declared)


def _texts(task: str, checks: Sequence[SharedTexts]) -> TaskTexts | None:
    # Texts are the same in every form of a task, and compared under its plain name.
    name = task.partition("+")[0]
    if not all(name in check.questions for check in checks):
        return None
    return TaskTexts(
        questions=max(check.questions[name] for check in checks),
        passages=max(check.passages[name] for check in checks),
    )


def _verdict(tasks: Sequence[TaskTexts | None]) -> Verdict:
    if any(one and (one.questions or one.passages) for one in tasks):
        return "found"
    return "not checked" if None in tasks else "none found"
