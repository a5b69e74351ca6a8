"""A task's texts and judgments: ids at the edge, aligned arrays inside.

A *question* is what is asked, whatever the language; a *query* is a question in one language.
Questions that are parallel across languages share one id, and so one index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        ids: Id of each document, unique over all languages of the task.
        texts: Text of each document, aligned with ``ids``.
    """

    language: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgments:
    """Which documents of one language are relevant to which questions.

    Attributes:
        language: Language of the documents.
        question: Index in ``Collection.questions``, shape (judgments,), ascending.
        document: Index in the corpus of ``language``, shape (judgments,).
        relevance: Grade of each judgment, shape (judgments,).
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
