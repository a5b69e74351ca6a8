"""A task's texts and judgments: ids at the edge, aligned arrays inside.

A *question* is what is asked, whatever the language; a *query* is a question in one language.
Questions that are parallel across languages share one id, and so one index. A document's id
begins with the code of its language and ``_``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries of one language.

    Attributes:
        language: ISO 639-1 code.
        question: Index of each query's question in ``Collection.questions``, shape (queries,).
        texts: Text of each query, aligned with ``question``.
    """

    language: str
    question: NDArray[np.int64]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents of one language.

    Attributes:
        language: ISO 639-1 code.
        ids: Id of each document, unique over all languages of the task: the language, ``_``, and
            the document's id in its file.
        texts: Text of each document, aligned with ``ids``. Both are tuples where the data are
            small, else :class:`~tasks.arrow_strings.ArrowStrings`, which stay on disk.
    """

    language: str
    ids: Sequence[str]
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Judgments:
    """Which documents of one language are relevant to which questions.

    Attributes:
        language: Language of the documents.
        question: Index in ``Collection.questions``, shape (judgments,), ascending.
        document: Index in the corpus of ``language``, shape (judgments,).
        relevance: Grade of each judgment, shape (judgments,); 0 is judged not relevant.
    """

    language: str
    question: NDArray[np.int64]
    document: NDArray[np.int64]
    relevance: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Collection:
    """Everything that a task asks and can be answered with.

    Attributes:
        questions: Question ids, ascending.
        queries: Queries by language.
        corpora: Documents by language.
        judgments: Judgments by the language of the documents.
    """

    questions: tuple[str, ...]
    queries: Mapping[str, Queries]
    corpora: Mapping[str, Corpus]
    judgments: Mapping[str, Judgments]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The documents that a rerank task lets a system rank, for each question.

    The corpora of such a task are aligned: a row is the same passage in every language.

    Attributes:
        start: Where each question's candidates begin in ``document``, and the end of the last,
            shape (questions + 1,).
        document: Rows in the corpus of any language, ascending within a question.
    """

    start: NDArray[np.int64]
    document: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draw:
    """One language for each question and each passage, in the MLIR settings of a rerank task.

    Attributes:
        languages: The languages that are drawn from.
        question: Index in ``languages`` for each question, shape (questions,).
        document: Index in ``languages`` for each row of the corpora, shape (rows,).
    """

    languages: tuple[str, ...]
    question: NDArray[np.int8]
    document: NDArray[np.int8]


def document_language(document_id: str) -> str:
    """The language that a document's id begins with: ``sw`` of ``sw_32589#0``."""
    return document_id.partition("_")[0]
