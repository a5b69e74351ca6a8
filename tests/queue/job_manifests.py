"""Manifests of jobs, and what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli_w

from submissions.queue.job import read_job
from submissions.queue.score_command import ScoreOnThisMachine
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from pathlib import Path

    from submissions.queue.folder import QueueFolder

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GOOD = {"schema_version": 1, "id": "mine", "model": "bm25", "tasks": ["pocket"]}


def manifest(folder: Path, **changes: object) -> Path:
    content = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    path = folder / "job.toml"
    path.write_text(tomli_w.dumps(content), "utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataFileError) as error:
        read_job(path)
    return str(error.value)


def command_of(queue: QueueFolder, path: Path, **machine: object) -> list[str]:
    return ScoreOnThisMachine(**machine)(queue, "job", read_job(path))
