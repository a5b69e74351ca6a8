"""Run files: a TREC run for each setting, of a system that cannot be shared."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from harness.models.description import ModelDescription, display_name
from harness.retrieval.candidate_ranking import ScoredCandidates
from harness.retrieval.given_runs import document_rows, only_asked, query_rows
from harness.retrieval.retrievers import Prepared
from harness.runs import read_run
from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.progress import Reporter
    from harness.retrieval.layout import Layout
    from tasks.collection import Collection
    from tasks.settings import Setting

SUFFIXES = (".trec", ".run", ".txt", ".trec.gz", ".run.gz", ".txt.gz")


class RunFolder:
    """A folder with a TREC run for each setting, as ``clir__ar-ru.trec`` for ``clir/ar-ru``.

    A query is named by its language and its question's id, joined by ``_``, or by the question's
    id alone where the setting has one query language; a document by the task's id, or without its
    language where the setting has one document language.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(
                f"run:{folder} names no folder. It must hold one TREC run a setting, such as "
                "clir__ar-ru.trec for clir/ar-ru."
            )
        self._folder = folder

    def describe(self) -> ModelDescription:
        """See :meth:`harness.retrieval.retrievers.Model.describe`."""
        digest = hashlib.sha256()
        for path in sorted(self._folder.iterdir()):
            if path.name.endswith(SUFFIXES):
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
                digest.update(f"{path.name}\0{content}\n".encode())
        return ModelDescription(
            kind="run", name=display_name(str(self._folder)), digest=digest.hexdigest()
        )

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,  # noqa: ARG002  # the protocol's: nothing is encoded
        progress: Reporter,  # noqa: ARG002  # the protocol's
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`."""
        texts = sum(len(collection.queries[code].texts) for code in languages[0])
        return Prepared(
            scorer=self,
            description=self.describe(),
            device="none: rankings are given",
            texts=texts,
            distinct_texts=texts,
        )

    def candidates(self, layout: Layout) -> dict[str, ScoredCandidates]:
        """See :meth:`harness.retrieval.retrievers.GivenRankings.candidates`.

        Raises:
            DataFileError: If a run is missing or malformed, or names what the task does not have.
        """
        paths = {setting.id: self._path(setting) for setting in layout.settings}
        missing = [name for name, path in paths.items() if path is None]
        if missing:
            raise DataFileError(
                f"{self._folder} lacks the runs of {len(missing)} settings, such as "
                f"{missing[0].replace('/', '__')}.trec for {missing[0]}. Add them, or score the "
                "others alone with --settings."
            )
        return {
            setting.id: self._read(layout, setting, path)
            for setting in layout.settings
            if (path := paths[setting.id])
        }

    def _path(self, setting: Setting) -> Path | None:
        stem = setting.id.replace("/", "__")
        found = [self._folder / (stem + suffix) for suffix in SUFFIXES]
        there = [path for path in found if path.is_file()]
        if len(there) > 1:
            names = ", ".join(path.name for path in there)
            raise DataFileError(f"{self._folder} has several runs of {setting.id}: {names}.")
        return there[0] if there else None

    def _read(self, layout: Layout, setting: Setting, path: Path) -> ScoredCandidates:
        run = read_run(path)
        rows = query_rows(layout, setting)
        if unknown := [name for name in run if name not in rows]:
            raise DataFileError(
                f"{path}: the query {unknown[0]!r} is not one of {setting.id}, whose queries are "
                f"such as {next(iter(rows))!r} ({len(unknown)} of {len(run)} are unknown)."
            )
        asked = [rows[name] for name in run]
        if len(set(asked)) < len(asked):
            twice = next(name for name in run if asked.count(rows[name]) > 1)
            raise DataFileError(f"{path}: the query {twice!r} is there under two names.")
        names = [name for documents in run.values() for name in documents]
        query = np.repeat(asked, [len(found) for found in run.values()])
        score = np.array([value for found in run.values() for value in found.values()])
        document = document_rows(layout, setting, names, path)
        by = np.argsort(query, kind="stable")
        # trec_eval compares scores in float32: what ties there ties here, also what is beyond it.
        largest = np.finfo(np.float32).max
        single = np.clip(score[by], -largest, largest).astype(np.float32).astype(np.float64)
        found = ScoredCandidates(query[by].astype(np.int64), document[by], single)
        return only_asked(layout, setting, found, path)
