"""The command line that scores a job."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.models.door import BUILT_IN
from submissions.queue.model_names import locate
from tasks.data_files import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    from submissions.queue.folder import QueueFolder
    from submissions.queue.job import Job

_PROGRAM = "from harness.cli.app import main; main()"
_TEXTS = (
    "name",
    "revision",
    "training",
    "training_data",
    "first_stage",
    "depth",
    "keep_runs",
    "kind",
    "query_prompt",
    "document_prompt",
    "pooling",
    "similarity",
    "max_tokens",
    "truncate_dimensions",
    "embeddings",
    "rescore",
    "dtype",
    "translate_test",
)
"""Keys of a job that are options of ``babelboard score`` with one value."""


@dataclass(frozen=True, slots=True)
class ScoreOnThisMachine:
    """Makes the command line of a job, with what the maintainer says of the machine.

    Attributes:
        data: Folder of data files; None for the user's cache.
        device: Where neural models run; None for the best there is.
    """

    data: Path | None = None
    device: str | None = None

    def __call__(self, queue: QueueFolder, name: str, job: Job) -> list[str]:
        """The program and its arguments.

        Each value stands in one word with its option, and the model behind ``--``: whatever a
        manifest says, it cannot become another option.

        Args:
            queue: The queue.
            name: The job's name.
            job: Its manifest.

        Raises:
            ModelError: If the model is not on this machine.
        """
        work = queue.work(name)
        words = [f"--task={task}" for task in job.tasks]
        words += [f"--settings={pattern}" for pattern in job.settings]
        words += [f"--seed={seed}" for seed in job.seeds]
        for key in _TEXTS:
            value = getattr(job, key)
            if value is not None:
                words.append(f"--{key.replace('_', '-')}={value}")
        if job.normalise is not None:
            words.append("--normalise" if job.normalise else "--no-normalise")
        if self.device is not None and job.model not in BUILT_IN:  # which have no device
            words.append(f"--device={self.device}")
        words += [
            f"--entry={job.id}",
            f"--entries={work / 'entries'}",
            f"--cache={work / 'cache'}",
        ]
        data = self.data or cache_folder() / "data"  # the job's own cache is another
        if data.is_dir():
            words.append(f"--data={data.absolute()}")
        # -I: neither the working folder nor variables decide what Python imports.
        program = [sys.executable, "-I", "-c", _PROGRAM, "score"]
        return [*program, *words, "--", locate(job.model, queue.models, work / "models")]
