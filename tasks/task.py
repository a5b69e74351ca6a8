"""A task, loaded: its definition, its collection and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.data_files import obtain
from tasks.definition import CONTEXT_SUFFIX, load_definition
from tasks.errors import DataFileError
from tasks.settings import parallel_settings
from tasks.sources.squad_r import assemble, read_language

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tasks.collection import Collection
    from tasks.definition import CandidateForm, TaskDefinition
    from tasks.settings import Setting


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked, ready to be answered.

    Attributes:
        definition: What the catalogue says of it.
        form: The form of its candidates.
        collection: Queries, corpora and judgments.
        settings: Every setting, in the order in which they are reported.
        checksums: sha256 of each data file, by file name.
    """

    definition: TaskDefinition
    form: CandidateForm
    collection: Collection
    settings: tuple[Setting, ...]
    checksums: Mapping[str, str]

    @property
    def name(self) -> str:
        """The task's name; ``+context`` is part of it."""
        suffix = "" if self.form == "sentence" else CONTEXT_SUFFIX
        return self.definition.name + suffix


def load_task(name: str, data: Path | None = None) -> Task:
    """Loads a task: finds or fetches its files, checks and reads them.

    Args:
        name: See :func:`tasks.definition.load_definition`.
        data: A folder that is searched before ``$BABELBOARD_DATA`` and the user's cache.

    Raises:
        UnknownNameError: If there is no such task.
        DataFileError: If a file is missing, altered or malformed.
    """
    definition, form = load_definition(name)
    files = obtain(definition, data)
    languages = {code: read_language(files[code].path, code, form) for code in files}
    for code, read in languages.items():
        expected = definition.files[code]
        for what, found, wanted in (
            ("questions", len(read.question_ids), expected.queries),
            ("candidates", len(read.document_ids), expected.documents),
        ):
            if wanted not in (None, found):
                raise DataFileError(
                    f"{files[code].path} has {found} {what}; "
                    f"task {definition.name!r} says {wanted}."
                )
    return Task(
        definition=definition,
        form=form,
        collection=assemble(languages),
        settings=parallel_settings(definition.languages),
        checksums={definition.files[code].name: files[code].sha256 for code in sorted(files)},
    )


def questions_asked(task: Task) -> dict[str, int]:
    """Number of questions that have an answer in each setting, by setting id."""
    collection = task.collection
    asked = {}
    for setting in task.settings:
        questions = [collection.queries[code].question for code in setting.query_languages]
        answered = [collection.judgments[code].question for code in setting.document_languages]
        asked[setting.id] = len(np.intersect1d(np.concatenate(questions), np.concatenate(answered)))
    return asked
