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
- Its cache of results goes by the names of model, task and subset, not by the data: after a
  change of the data, evaluate with ``overwrite_strategy="always"``.

This module imports mteb, which takes seconds, so nothing else here imports it at start.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from datasets import Dataset
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.types import Licenses

from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData

    from tasks.collection import Collection
    from tasks.settings import Setting
    from tasks.task import Task

DEPTH = 1000
"""Documents that mteb keeps of each ranking, unless told otherwise."""

SPLIT = "test"

# fmt: off
LANGUAGES = {
    "ar": "ara-Arab", "bn": "ben-Beng", "de": "deu-Latn", "el": "ell-Grek", "en": "eng-Latn",
    "es": "spa-Latn", "fa": "fas-Arab", "fi": "fin-Latn", "fr": "fra-Latn", "hi": "hin-Deva",
    "id": "ind-Latn", "it": "ita-Latn", "ja": "jpn-Jpan", "ko": "kor-Hang", "nl": "nld-Latn",
    "pt": "por-Latn", "ru": "rus-Cyrl", "sw": "swa-Latn", "te": "tel-Telu", "th": "tha-Thai",
    "tr": "tur-Latn", "vi": "vie-Latn", "yo": "yor-Latn", "zh": "zho-Hans",
}
"""ISO 639-1 code to what mteb wants: ISO 639-3 and ISO 15924."""

_SCORES = {
    "AP": "map", "RR": "mrr", "nDCG": "ndcg", "R": "recall", "P": "precision",
    "Success": "hit_rate",
}
# fmt: on


def mteb_score(measure: str, depth: int = DEPTH) -> str | None:
    """What mteb calls a measure: ``nDCG@10`` is ``ndcg_at_10``, ``AP`` is ``map_at_{depth}``.

    None where mteb has no such score, as for ``RankDistance``.
    """
    kind, _, cutoff = measure.partition("@")
    if kind not in _SCORES or (cutoff and not cutoff.isdecimal()):
        return None
    return f"{_SCORES[kind]}_at_{cutoff or depth}"


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
    named = [measure.partition("@")[2] for measure in task.definition.measures]
    cutoffs = {int(cutoff) for cutoff in named if cutoff.isdecimal()}

    class CollectionTask(AbsTaskRetrieval):
        # Of the class, as mteb has it: unload_data() deletes an instance's own metadata.
        metadata = _metadata(task, settings, depth)
        k_values = sorted({k for k in AbsTaskRetrieval.k_values if k <= depth} | cutoffs | {depth})

        def load_data(self, *_: Any, **__: Any) -> None:
            if not self.data_loaded:
                self.dataset = _dataset(task.collection, settings)
                self.data_loaded = True

    return CollectionTask()


def _metadata(task: Task, settings: Sequence[Setting], depth: int) -> TaskMetadata:
    """What the definition says of a task; what it does not say is left empty."""
    definition = task.definition
    licence = definition.licence.lower().replace(" ", "-")
    checksums = json.dumps(dict(task.checksums), sort_keys=True)
    return TaskMetadata(
        name=f"babelboard-{task.name}" + (f"-top{depth}" if depth != DEPTH else ""),
        description=f"{definition.title}: {definition.summary}",
        dataset={
            "path": definition.homepage,
            "revision": hashlib.sha256(checksums.encode()).hexdigest(),
        },
        reference=definition.homepage,
        type="Retrieval",
        category="t2t",
        eval_splits=[SPLIT],
        eval_langs={
            setting.id: [
                LANGUAGES[code]
                for code in dict.fromkeys((*setting.query_languages, *setting.document_languages))
            ]
            for setting in settings
        },
        main_score=mteb_score(definition.primary_measure, depth) or "ndcg_at_10",
        # mteb wants the page with the terms where it does not list a licence.
        license=licence if licence in get_args(Licenses) else definition.homepage,
        bibtex_citation=definition.citation.strip(),
    )


def _dataset(
    collection: Collection, settings: Sequence[Setting]
) -> dict[str, dict[str, RetrievalSplitData]]:
    """By subset and split, the texts and judgments; subsets share the table of a pool."""

    @cache
    def documents(languages: tuple[str, ...]) -> Dataset:
        corpora = [collection.corpora[code] for code in languages]
        ids = [name for corpus in corpora for name in corpus.ids]
        return Dataset.from_dict({"id": ids, "text": [t for c in corpora for t in c.texts]})

    @cache
    def queries(languages: tuple[str, ...]) -> Dataset:
        asked = [collection.queries[code] for code in languages]
        ids = [f"{q.language}_{collection.questions[n]}" for q in asked for n in q.question]
        return Dataset.from_dict({"id": ids, "text": [text for q in asked for text in q.texts]})

    return {
        setting.id: {
            SPLIT: {
                "corpus": documents(setting.document_languages),
                "queries": queries(setting.query_languages),
                "relevant_docs": _judgments(collection, setting),
                "top_ranked": None,
            }
        }
        for setting in settings
    }


def _judgments(collection: Collection, setting: Setting) -> dict[str, dict[str, int]]:
    """Grades by query and document; mteb leaves out the queries that are not here."""
    judged: dict[int, dict[str, int]] = {}
    for code in setting.document_languages:
        judgments, ids = collection.judgments[code], collection.corpora[code].ids
        rows = zip(judgments.question, judgments.document, judgments.relevance, strict=True)
        for question, document, grade in rows:
            judged.setdefault(int(question), {})[ids[document]] = int(grade)
    return {
        f"{code}_{collection.questions[question]}": judged[question]
        for code in setting.query_languages
        for question in collection.queries[code].question.tolist()
        if question in judged
    }
