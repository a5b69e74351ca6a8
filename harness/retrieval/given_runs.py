"""Rankings that are given: what their names mean, and those that an entry kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.retrieval.candidate_ranking import ScoredCandidates
from tasks.errors import DataFileError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.retrieval.layout import Layout
    from harness.run_table import RunTable
    from tasks.settings import Setting


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """The rankings that an entry kept."""

    table: RunTable

    def candidates(self, layout: Layout) -> dict[str, ScoredCandidates]:
        """See :meth:`harness.retrieval.retrievers.GivenRankings.candidates`.

        Raises:
            UnknownNameError: If a setting was not kept.
            DataFileError: If it names a document that the task does not have.
        """
        table = self.table
        found = {}
        for setting in layout.settings:
            if setting.id not in table.setting.names:
                raise UnknownNameError("setting in the kept runs", setting.id, table.setting.names)
            number = table.setting.names.index(setting.id)
            rows = np.flatnonzero(table.setting.codes == number)
            by_name = query_rows(layout, setting)
            keys = table.query_language.codes[rows] * len(table.question.names)
            distinct, inverse = np.unique(keys + table.question.codes[rows], return_inverse=True)
            language, question = np.divmod(distinct, len(table.question.names))
            named = [
                f"{table.query_language.names[a]}_{table.question.names[b]}"
                for a, b in zip(language.tolist(), question.tolist(), strict=True)
            ]
            if unknown := [name for name in named if name not in by_name]:
                raise DataFileError(
                    f"The kept runs of {table.task} name the query {unknown[0]!r}, which "
                    f"{setting.id} does not have."
                )
            query = np.array([by_name[name] for name in named], dtype=np.int64)[inverse]
            used, local = np.unique(table.document.codes[rows], return_inverse=True)
            names = [table.document.names[number] for number in used.tolist()]
            what = Path(f"runs/{table.task}.parquet")
            document = document_rows(layout, setting, names, what)[local]
            by = np.argsort(query, kind="stable")
            given = ScoredCandidates(query[by], document[by], table.score[rows][by])
            found[setting.id] = only_asked(layout, setting, given, what)
        return found


def query_rows(layout: Layout, setting: Setting) -> Mapping[str, int]:
    """Rows of the queries of a setting's languages by the names that a run may give them."""
    collection = layout.task.collection
    names = {
        f"{code}_{collection.questions[number]}": layout.query_start[code] + row
        for code in setting.query_languages
        for row, number in enumerate(collection.queries[code].question.tolist())
    }
    # Where each question is asked in one language only, its id alone says which query is meant.
    judged = layout.judged_in(setting)
    query, first = np.unique(layout.judged.query[judged], return_index=True)
    question = layout.judged.question[judged][first]
    if len(np.unique(question)) == len(question):
        for row, number in zip(query.tolist(), question.tolist(), strict=True):
            names.setdefault(collection.questions[number], row)
    if len(setting.query_languages) == 1:
        code = setting.query_languages[0]
        for row, number in enumerate(collection.queries[code].question.tolist()):
            names.setdefault(collection.questions[number], layout.query_start[code] + row)
    return names


def only_asked(
    layout: Layout, setting: Setting, found: ScoredCandidates, source: Path
) -> ScoredCandidates:
    """Only the queries that the setting asks: those with a judged document in its pool."""
    asked = np.unique(layout.judged.query[layout.judged_in(setting)])
    kept = np.isin(found.query, asked)
    query, document = found.query[kept], found.document[kept]
    key = query * len(layout.order) + document
    if len(np.unique(key)) < len(key):
        values, counts = np.unique(key, return_counts=True)
        twice = layout.document_names(np.array([values[counts > 1][0] % len(layout.order)]))[0]
        raise DataFileError(f"{source} ranks the document {twice!r} twice for one query.")
    return ScoredCandidates(query, document, found.score[kept])


def document_rows(
    layout: Layout, setting: Setting, names: Sequence[str], path: Path
) -> NDArray[np.int64]:
    """Rows of documents among all documents of the layout."""
    wanted = pa.array(names, type=pa.large_string())
    found = np.full(len(names), -1, dtype=np.int64)
    for code in setting.document_languages:
        ids = layout.task.collection.corpora[code].ids
        known = getattr(ids, "array", None)
        known = pa.array(ids, type=pa.large_string()) if known is None else known
        known = known.cast(pa.large_string())
        places = [pc.index_in(wanted, value_set=known)]
        if len(setting.document_languages) == 1:
            language, join = (pa.scalar(text, type=pa.large_string()) for text in (code, "_"))
            prefixed = pc.binary_join_element_wise(language, wanted, join)
            places.append(pc.index_in(prefixed, value_set=known))
        for place in places:
            at = np.asarray(place.fill_null(-1), dtype=np.int64)
            new = (found < 0) & (at >= 0)
            found[new] = layout.document_start[code] + at[new]
    if (found < 0).any():
        unknown = names[int(np.flatnonzero(found < 0)[0])]
        example = layout.task.collection.corpora[setting.document_languages[0]].ids[0]
        raise DataFileError(
            f"{path} names the document {unknown!r}, which {setting.id} does not have; its "
            f"documents are such as {example!r} ({int((found < 0).sum())} of {len(names)} lines)."
        )
    return found
