"""Each task as an mteb task, so that ``mteb.evaluate`` runs it too, with equal numbers.

What to know of mteb (2.26) when its numbers are compared with ours:

- It keeps the best ``depth`` documents of a ranking, 1,000 unless told otherwise. The score
  ``map_at_{depth}`` is ``AP`` where ``depth`` is at least the size of the pool, else
  ``AP@{depth}``; smaller cut-offs do not change. Its memory grows with queries x ``depth``.
- Ties go by descending document id, as here. But it multiplies in float32 and encodes a text
  again wherever it occurs, in other company, so that equal texts may get unequal scores; here
  they tie exactly.
- It strips white space around documents, not around queries: a difference to tokenizers that
  keep white space.
- Means are rounded to five decimals, those of ``mrr`` excepted.
- A task with candidates of its own gives them as ``top_ranked``, which mteb reranks. Where the
  languages of a pool are drawn, the corpus and the queries are those that were drawn.
- Its cache of results goes by the names of model, task and subset, not by the data: after a
  change of the data, evaluate with ``overwrite_strategy="always"``.

This module imports mteb, which takes seconds, so nothing else here imports it at start.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pyarrow as pa
from datasets import Dataset
from datasets.table import InMemoryTable
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.types import Licenses

from tasks.errors import UsageError
from tasks.mteb_names import (
    DEPTH,
    LANGUAGES,
    SPLIT,
    dataset_revision,
    main_score,
    mteb_cutoffs,
    mteb_languages,
    mteb_name,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
    from numpy.typing import NDArray

    from tasks.settings import Setting
    from tasks.task import Task


class AnyTask(AbsTaskRetrieval):
    """Stands for every task of ours where mteb asks which task a model is shown texts of.

    A model's prompts may depend on a task's type and on its name; ours are of one type, and no
    model has a prompt for one by name.
    """

    metadata = TaskMetadata(
        name="babelboard",
        description="A task of babelboard.",
        dataset={"path": "babelboard", "revision": "1"},
        type="Retrieval",
        category="t2t",
        eval_splits=[SPLIT],
        eval_langs=sorted(LANGUAGES.values()),
        main_score="ndcg_at_10",
    )


def as_mteb_task(task: Task, settings: Sequence[Setting], depth: int = DEPTH) -> AbsTaskRetrieval:
    """A task for ``mteb.evaluate``, whose subsets are settings, named by their ids.

    The texts are those of ``task``; nothing is downloaded. A query's id is its language and its
    question's id, joined by ``_``. Creating any mteb task seeds the global random generators of
    Python, numpy and torch.

    Args:
        task: What is asked.
        settings: The settings that become subsets, of this task.
        depth: Documents that are kept of each ranking, at least 1.

    Raises:
        UsageError: If there are no settings, or ``depth`` is less than 1.
    """
    if not settings or depth < 1:
        raise UsageError(
            f"An mteb task needs at least one setting and a depth of at least 1, "
            f"found {len(settings)} and {depth}."
        )

    class CollectionTask(AbsTaskRetrieval):
        # Of the class, as mteb has it: unload_data() deletes an instance's own metadata.
        metadata = _metadata(task, settings, depth)
        k_values = mteb_cutoffs(task.definition.measures, depth)

        def load_data(self, *_: Any, **__: Any) -> None:
            if not self.data_loaded:
                self.dataset = _dataset(task, settings)
                self.data_loaded = True

    return CollectionTask()


def _metadata(task: Task, settings: Sequence[Setting], depth: int) -> TaskMetadata:
    """What the definition says of a task; what it does not say is left empty."""
    definition = task.definition
    licence = definition.licence.lower().replace(" ", "-")
    return TaskMetadata(
        name=mteb_name(task.name, depth),
        description=f"{definition.title}: {definition.summary}",
        dataset={
            "path": definition.homepage,
            "revision": dataset_revision(task.checksums),
        },
        reference=definition.homepage,
        type="Retrieval",
        category="t2t",
        eval_splits=[SPLIT],
        eval_langs={setting.id: mteb_languages(setting) for setting in settings},
        main_score=main_score(definition.primary_measure, depth),
        # mteb wants the page with the terms where it does not list a licence.
        license=licence if licence in get_args(Licenses) else definition.homepage,
        bibtex_citation=definition.citation.strip(),
    )


def _dataset(task: Task, settings: Sequence[Setting]) -> dict[str, dict[str, RetrievalSplitData]]:
    """By subset and split, the texts and judgments; subsets share what they have in common."""

    @cache
    def documents(languages: tuple[str, ...]) -> Dataset:
        return _documents(task, languages)

    @cache
    def queries(languages: tuple[str, ...]) -> Dataset:
        collection = task.collection
        asked = [(code, _asked(task, languages, code)) for code in languages]
        ids = [
            f"{code}_{collection.questions[number]}"
            for code, rows in asked
            for number in collection.queries[code].question[rows].tolist()
        ]
        texts = [collection.queries[code].texts[row] for code, rows in asked for row in rows]
        return Dataset.from_dict({"id": ids, "text": texts})

    @cache
    def candidates(languages: tuple[str, ...]) -> list[list[str]] | None:
        return _candidates(task, languages)

    def top_ranked(setting: Setting) -> dict[str, list[str]] | None:
        listed = candidates(setting.document_languages)
        if listed is None:
            return None
        collection = task.collection
        return {
            f"{code}_{collection.questions[number]}": listed[number]
            for code in setting.query_languages
            for number in collection.queries[code].question.tolist()
        }

    return {
        setting.id: {
            SPLIT: {
                "corpus": documents(setting.document_languages),
                "queries": queries(setting.query_languages),
                "relevant_docs": _judgments(task, setting),
                "top_ranked": top_ranked(setting),
            }
        }
        for setting in settings
    }


def _documents(task: Task, languages: tuple[str, ...]) -> Dataset:
    """A pool as a table; what lies in Arrow already is not copied."""
    corpora = [task.collection.corpora[code] for code in languages]
    starts = np.cumsum([0, *(len(corpus.ids) for corpus in corpora)])[:-1].tolist()
    kept = [
        _kept(task, languages, code) + start for code, start in zip(languages, starts, strict=True)
    ]
    rows = np.concatenate(kept)
    columns = {
        "id": _joined([corpus.ids for corpus in corpora]),
        "text": _joined([corpus.texts for corpus in corpora]),
    }
    table = pa.table(columns)
    if len(rows) < len(table):
        table = table.take(pa.array(rows))
    # Given here, or datasets reads all of the table for it.
    fingerprint = hashlib.sha256(
        json.dumps([dataset_revision(task.checksums), languages]).encode()
    ).hexdigest()
    return Dataset(InMemoryTable(table), fingerprint=fingerprint[:16])


def _joined(columns: Sequence[Sequence[str]]) -> pa.ChunkedArray:
    chunks: list[pa.Array] = []
    for column in columns:
        array = getattr(column, "array", None)
        array = pa.chunked_array([pa.array(column, pa.string())]) if array is None else array
        chunks += array.cast(pa.large_string()).chunks  # longer than 2 GiB together
    return pa.chunked_array(chunks, type=pa.large_string())


def _kept(task: Task, languages: tuple[str, ...], code: str) -> NDArray[np.int64]:
    """Rows of a corpus that are in a pool: where languages are drawn, those drawn in this one."""
    if task.draw is None or len(languages) == 1:
        return np.arange(len(task.collection.corpora[code].ids))
    return np.flatnonzero(task.draw.document == task.draw.languages.index(code))


def _asked(task: Task, languages: tuple[str, ...], code: str) -> NDArray[np.int64]:
    """Rows of a language's queries that are asked, where ``languages`` ask together."""
    question = task.collection.queries[code].question
    if task.draw is None or len(languages) == 1:
        return np.arange(len(question))
    return np.flatnonzero(task.draw.question[question] == task.draw.languages.index(code))


def _candidates(task: Task, languages: tuple[str, ...]) -> list[list[str]] | None:
    """Ids of the candidates of each question, in their order; None where a pool is ranked."""
    if task.candidates is None:
        return None
    rows = task.candidates.document
    ids = _joined([task.collection.corpora[code].ids for code in languages])
    if task.draw is not None and len(languages) > 1:
        place = [languages.index(c) if c in languages else -1 for c in task.draw.languages]
        rows = rows + np.array(place)[task.draw.document[rows]] * (len(ids) // len(languages))
    named = ids.take(pa.array(rows)).to_pylist()
    start = task.candidates.start.tolist()
    return [named[a:b] for a, b in pairwise(start)]


def _judgments(task: Task, setting: Setting) -> dict[str, dict[str, int]]:
    """Grades by query and document; mteb leaves out the queries that are not here."""
    collection = task.collection
    judged: dict[int, dict[str, int]] = {}
    for code in setting.document_languages:
        judgments, ids = collection.judgments[code], collection.corpora[code].ids
        kept = np.isin(judgments.document, _kept(task, setting.document_languages, code))
        columns = (judgments.question, judgments.document, judgments.relevance)
        for question, document, grade in zip(*(c[kept].tolist() for c in columns), strict=True):
            judged.setdefault(question, {})[ids[document]] = grade
    return {
        f"{code}_{collection.questions[question]}": judged[question]
        for code in setting.query_languages
        for question in collection.queries[code]
        .question[_asked(task, setting.query_languages, code)]
        .tolist()
        if question in judged
    }
