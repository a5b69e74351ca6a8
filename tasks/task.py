"""A task, loaded: its definition, its collection and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.data_files import obtain
from tasks.definition import form_suffix, load_definition
from tasks.errors import DataFileError
from tasks.settings import select
from tasks.sources.loaded import Loaded
from tasks.sources.miracl import load_miracl
from tasks.sources.mmarco import load_mmarco
from tasks.sources.squad_r import assemble, read_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tasks.collection import Candidates, Collection, Draw
    from tasks.definition import CandidateForm, TaskDefinition
    from tasks.settings import Setting


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked, ready to be answered.

    Attributes:
        definition: What the catalogue says of it.
        form: The form of its candidates.
        collection: Queries, corpora and judgments, at least of the languages that the selected
            settings need.
        settings: Every setting, in the order in which they are reported.
        checksums: sha256 of each data file that was read, by file name.
        candidates: The documents that may be ranked; None where the whole pool is.
        draw: The language of each question and passage in the MLIR settings; None where these
            rank a pool of whole corpora, or where none of them is selected.
        chosen: The settings that are selected; None for all.
    """

    definition: TaskDefinition
    form: CandidateForm
    collection: Collection
    settings: tuple[Setting, ...]
    checksums: Mapping[str, str]
    candidates: Candidates | None = None
    draw: Draw | None = None
    chosen: tuple[Setting, ...] | None = None

    @property
    def name(self) -> str:
        """The task's name; the suffix of its form is part of it, such as ``+context``."""
        return self.definition.name + form_suffix(self.form)

    @property
    def selected(self) -> tuple[Setting, ...]:
        """The settings that are to be answered, in the order of ``settings``."""
        return self.settings if self.chosen is None else self.chosen


def load_task(name: str, data: Path | None = None, patterns: Sequence[str] = ()) -> Task:
    """Loads a task: finds or fetches its files, checks and reads them.

    Args:
        name: See :func:`tasks.definition.load_definition`.
        data: A folder that is searched before ``$BABELBOARD_DATA`` and the user's cache. MIRACL
            and mMARCO come from the home of ir_datasets.
        patterns: Globs of settings such as ``moir/*``; none selects all. Large collections are
            loaded only as far as the selected settings need them.

    Raises:
        UnknownNameError: If there is no such task, or a glob matches no setting.
        DataFileError: If a file is missing, altered or malformed.
    """
    definition, form = load_definition(name)
    settings = definition.all_settings()
    by_id = {setting.id: setting for setting in settings}
    chosen = tuple(by_id[name] for name in select(by_id, patterns))
    if definition.source == "squad-r":
        loaded = _load_squad_r(definition, form, data)
    elif definition.source == "miracl":
        loaded = load_miracl(definition, chosen)
    else:
        loaded = load_mmarco(definition, form, chosen)
    return Task(
        definition=definition,
        form=form,
        collection=loaded.collection,
        settings=settings,
        checksums=loaded.checksums,
        candidates=loaded.candidates,
        draw=loaded.draw,
        chosen=chosen,
    )


def _load_squad_r(definition: TaskDefinition, form: CandidateForm, data: Path | None) -> Loaded:
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
    return Loaded(
        collection=assemble(languages),
        checksums={definition.files[code].name: files[code].sha256 for code in sorted(files)},
    )


def questions_asked(task: Task) -> dict[str, int]:
    """Number of questions that have an answer in each selected setting, by setting id.

    Where the languages are drawn, a question is asked once, in its language.
    """
    collection = task.collection
    asked = {}
    for setting in task.selected:
        questions = [collection.queries[code].question for code in setting.query_languages]
        answered = [
            judged.question[judged.relevance > 0]
            for judged in map(collection.judgments.__getitem__, setting.document_languages)
        ]
        asked[setting.id] = len(np.intersect1d(np.concatenate(questions), np.concatenate(answered)))
    return asked
