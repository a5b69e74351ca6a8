"""How a model came about: the record of its training, test questions in it, and its picture."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from submissions.checks.problems import Problem, Problems, shown
from submissions.claims.system import TrainingRecord
from submissions.entry import TRAINING_RECORD

if TYPE_CHECKING:
    from submissions.manifest import Manifest

_PICTURE = "loss.svg"
_ACTIVE = re.compile(
    r"<\s*(script|foreignObject|iframe|image|use|animate\w*|set|a|style)\b|\son\w+\s*=|<!|<\?(?!xml)"
    r"|(href|src)\s*=|url\s*\(|javascript:|&\s*#",
    re.IGNORECASE,
)
"""What a curve does not need: scripts, links, entities, and what loads or moves."""


def check_training(
    method_file: str, manifest: Manifest, content: object, problems: Problems
) -> None:
    """Whether a record is of the model that was scored, and says nothing the manifest keeps quiet.

    Args:
        method_file: The file whose method holds.
        manifest: The manifest, with that method.
        content: What ``training.json`` holds.
        problems: Takes what is wrong.
    """

    def add(code: str, found: str, allowed: str, fix: str, key: str = "") -> None:
        problems.add(Problem(code, TRAINING_RECORD, found, allowed, fix, key=key))

    again = "Copy record.json of the model that was scored, as `babelboard train` wrote it."
    try:
        record = TrainingRecord.model_validate(content)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            key = ".".join(shown(part)[1:-1] for part in item["loc"])
            message = item["msg"].removeprefix("Value error, ")
            add("E071", shown(item["input"]), message, again, key)
        return
    if record.model_digest != manifest.model.digest:
        add(
            "E071",
            f"the record of a model with sha256 {record.model_digest}",
            f"that of the model that was scored, {manifest.model.digest}",
            again,
            "model_digest",
        )
    shared = record.contamination.questions if record.contamination else {}
    marked = {task.partition("+")[0] for task in manifest.method.contaminated or ()}
    for task in sorted({task.partition("+")[0] for task in manifest.runs} - marked):
        if count := shared.get(task, 0):
            problems.add(
                Problem(
                    "E072",
                    method_file,
                    f"{TRAINING_RECORD} says that {count} questions of {task} are among the "
                    "training texts",
                    "entries that say so themselves",
                    f'Add contaminated = ["{task}"] to [method], or train without these questions.',
                    key="method.contaminated",
                )
            )


def check_picture(text: str, problems: Problems) -> None:
    """Whether the loss curve is nothing but a picture."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _ACTIVE.search(line):
            problems.add(
                Problem(
                    "E073",
                    _PICTURE,
                    shown(found[0].strip()),
                    "lines, curves and text",
                    "Take the picture that `babelboard train` wrote, or leave it out.",
                    line=number,
                )
            )
