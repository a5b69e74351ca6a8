"""Tasks made by hand or by hypothesis, a retriever whose vectors are known, and plain sorting.

Sorting whole pools is the slow and obvious way that everything in the engine must agree with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from harness.retrieval.layout import languages_asked
from tasks.collection import Candidates, Collection, Corpus, Draw, Judgments, Queries
from tasks.definition import LanguageFile, TaskDefinition
from tasks.settings import parallel_settings
from tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.ranks import RankTable
    from tasks.settings import Setting

# Few distinct values, so that scores tie; all of them on any lattice.
VALUES = (-1.0, 0.0, 0.5, 1.0)
IDS = st.text(alphabet="aAb09-_ÿé中～\U0001f600", min_size=1, max_size=4)

Ranking = list[tuple[str, float]]
"""Documents with their scores, best first."""
Rankings = dict[tuple[str, str, str], Ranking]
"""By setting, query language and question."""
Rows = dict[tuple[str, str, str, str], tuple[int, int]]
"""(relevance, rank) by setting, query language, question and document."""


@dataclass(frozen=True)
class KnownBlock:
    """Some documents of a pool."""

    queries: NDArray[np.float64]
    documents: NDArray[np.float64]

    def scores(self, first: int, last: int) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.queries[first:last] @ self.documents.T
        return found


class KnownPool:
    """Documents and queries as vectors."""

    bytes_per_document = 1000

    def __init__(self, queries: NDArray[np.float64], documents: NDArray[np.float64]) -> None:
        self.queries, self.documents = len(queries), len(documents)
        self.vectors = KnownBlock(queries, documents)

    def block(self, first: int, last: int) -> KnownBlock:
        return KnownBlock(self.vectors.queries, self.vectors.documents[first:last])

    def pairs(self, query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.einsum(
            "ij,ij->i", self.vectors.queries[query], self.vectors.documents[document]
        )
        return found


@dataclass(frozen=True)
class KnownVectors:
    """A retriever whose vectors are given, and which weighs pools as it is told to."""

    queries: dict[str, NDArray[np.float64]]
    documents: dict[str, NDArray[np.float64]]
    pool_independent: bool = True
    retrieves_all: bool = True

    def asked(self, chosen: Sequence[Setting]) -> KnownVectors:
        """The same retriever with the queries of some settings alone."""
        languages, _ = languages_asked(chosen)
        return replace(self, queries={code: self.queries[code] for code in languages})

    def weights(self, document_languages: tuple[str, ...]) -> NDArray[np.float64]:
        """What a pool makes of each dimension, shape (dimension,)."""
        width = next(iter(self.documents.values())).shape[1]
        if self.pool_independent:
            return np.ones(width)
        return np.where(np.arange(width) % 2 == len(document_languages) % 2, 1.0, -0.5)

    def pool(self, document_languages: tuple[str, ...]) -> KnownPool:
        documents = np.concatenate([self.documents[code] for code in document_languages])
        queries = np.concatenate([self.queries[code] for code in sorted(self.queries)])
        return KnownPool(queries, documents * self.weights(document_languages))


def make_task(
    collection: Collection, candidates: Candidates | None = None, draw: Draw | None = None
) -> Task:
    """A task with a collection and all settings of its languages."""
    definition = TaskDefinition(
        schema_version=1,
        name="hand-made",
        title="Hand-made",
        summary="A few words.",
        source="squad-r",
        protocol="full",
        settings="parallel",
        measures=("AP", "RankDistance"),
        primary_measure="AP",
        licence="CC0",
        homepage="https://example.org",
        citation="None.",
        folder="hand-made",
        files={code: LanguageFile(name=f"{code}.json") for code in collection.queries},
    )
    settings = parallel_settings(tuple(collection.queries))
    return Task(definition, "sentence", collection, settings, {}, candidates, draw)


def two_languages() -> tuple[Task, KnownVectors]:
    """One question in German and English, two documents each: small enough to rank by hand.

    ============  ====  ====  ====  ====
    score         de_a  de_b  en_a  en_b
    ============  ====  ====  ====  ====
    German query     2     1     1    -1
    English query    0     1     3     1
    ============  ====  ====  ====  ====

    Relevant are de_a and en_b; ties go en_b, en_a, de_b, de_a.
    """
    corpora = {code: Corpus(code, (f"{code}_a", f"{code}_b"), ("a", "b")) for code in ("de", "en")}
    first, one = np.array([0]), np.array([1])
    task = make_task(
        Collection(
            questions=("q",),
            queries={code: Queries(code, first, ("?",)) for code in corpora},
            corpora=corpora,
            judgments={
                "de": Judgments("de", first, np.array([0]), one),
                "en": Judgments("en", first, np.array([1]), one),
            },
        )
    )
    retriever = KnownVectors(
        queries={"de": np.array([[1.0, 0.0]]), "en": np.array([[0.0, 1.0]])},
        documents={
            "de": np.array([[2.0, 0.0], [1.0, 1.0]]),
            "en": np.array([[1.0, 3.0], [-1.0, 1.0]]),
        },
    )
    return task, retriever


def drawn_task() -> Task:
    """Two questions and three passages in two languages, with candidates and a draw.

    The first question has the candidates 0 and 2, the second all three. Drawn are English for the
    first question, German for the second; English for the passages 0 and 1, German for 2.
    """
    both = np.array([0, 1])
    corpora = {
        code: Corpus(
            code, tuple(f"{code}_{n}" for n in range(3)), tuple(f"{code} {n}" for n in "abc")
        )
        for code in ("de", "en")
    }
    judged = (both, np.array([2, 0]), np.array([1, 1]))
    collection = Collection(
        questions=("q0", "q1"),
        queries={code: Queries(code, both, (f"{code} 0?", f"{code} 1?")) for code in corpora},
        corpora=corpora,
        judgments={code: Judgments(code, *judged) for code in corpora},
    )
    return make_task(
        collection,
        Candidates(start=np.array([0, 2, 5]), document=np.array([0, 2, 0, 1, 2])),
        Draw(
            languages=("de", "en"),
            question=np.array([1, 0], dtype=np.int8),
            document=np.array([1, 1, 0], dtype=np.int8),
        ),
    )


@st.composite
def tasks_with_vectors(draw: st.DrawFn) -> tuple[Task, KnownVectors]:
    """Two or three languages; not every question is asked and answered in each of them."""
    languages = draw(st.sampled_from([("de", "en"), ("de", "en", "zh")]))
    questions = tuple(f"q{number}" for number in range(draw(st.integers(1, 4))))
    every = range(len(questions))
    queries, corpora, judgments = {}, {}, {}
    for code in languages:
        asked = draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
        queries[code] = Queries(code, np.array(asked), tuple(f"{code} {q}?" for q in asked))
        suffixes = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
        # Ids are unique over all languages, but not grouped by language when they are sorted.
        ids = tuple(f"{suffix}_{code}" for suffix in suffixes)
        corpora[code] = Corpus(code, ids, ids)
        pairs = st.tuples(st.sampled_from(every), st.integers(0, len(ids) - 1))
        judged = np.array(sorted(draw(st.sets(pairs, max_size=5))), dtype=np.int64).reshape(-1, 2)
        grades = draw(st.lists(st.integers(0, 2), min_size=len(judged), max_size=len(judged)))
        judgments[code] = Judgments(code, *judged.T, np.array(grades, dtype=np.int64))
    rows = st.tuples(*[st.sampled_from(VALUES)] * 3)
    retriever = KnownVectors(
        queries={c: np.array([draw(rows) for _ in found.texts]) for c, found in queries.items()},
        documents={c: np.array([draw(rows) for _ in found.ids]) for c, found in corpora.items()},
        pool_independent=draw(st.booleans()),
        retrieves_all=draw(st.booleans()),
    )
    return make_task(Collection(questions, queries, corpora, judgments)), retriever


def in_order(scores: Ranking) -> Ranking:
    """Best first; ties go by descending bytes of the id."""
    return sorted(scores, key=lambda one: (one[1], one[0].encode()), reverse=True)


def sorted_pools(task: Task, chosen: Sequence[Setting], retriever: KnownVectors) -> Rankings:
    """Sorts the whole pool for every query that has a judged document in it."""
    collection = task.collection
    rankings: Rankings = {}
    for setting in chosen:
        names = [name for d in setting.document_languages for name in collection.corpora[d].ids]
        weights = retriever.weights(setting.document_languages)
        documents = np.concatenate([retriever.documents[d] for d in setting.document_languages])
        for language in setting.query_languages:
            for row, question in enumerate(collection.queries[language].question):
                if not judged_of(task, setting, int(question)):
                    continue
                scores = (documents * weights @ retriever.queries[language][row]).tolist()
                ranked = in_order(list(zip(names, scores, strict=True)))
                if not retriever.retrieves_all:
                    ranked = [one for one in ranked if one[1] > 0]
                rankings[setting.id, language, collection.questions[question]] = ranked
    return rankings


def judged_of(task: Task, setting: Setting, question: int) -> dict[str, int]:
    """Grades of the judged documents of a question in a setting's pool, by id."""
    collection = task.collection
    return {
        collection.corpora[d].ids[document]: int(grade)
        for d in setting.document_languages
        for asked, document, grade in zip(
            collection.judgments[d].question,
            collection.judgments[d].document,
            collection.judgments[d].relevance,
            strict=True,
        )
        if asked == question
    }


def ranks_in(task: Task, chosen: Sequence[Setting], rankings: Rankings) -> Rows:
    """The ranks of the judged documents in rankings."""
    by_id = {setting.id: setting for setting in chosen}
    rows: Rows = {}
    for (setting, language, question), ranked in rankings.items():
        place = {name: number for number, (name, _) in enumerate(ranked, 1)}
        judged = judged_of(task, by_id[setting], task.collection.questions.index(question))
        for name, grade in judged.items():
            rows[setting, language, question, name] = (grade, place.get(name, 0))
    return rows


def rows_of(table: RankTable) -> Rows:
    """The rows of a rank table; each is there once."""
    columns = (table.setting, table.query_language, table.question, table.document)
    names = zip(*([c.names[code] for code in c.codes] for c in columns), strict=True)
    values = zip(table.relevance.tolist(), table.rank.tolist(), strict=True)
    found = dict(zip(names, values, strict=True))
    assert len(found) == len(table)
    return found
