"""XQuAD-R, MLQA-R and whatever else is in LAReQA's format: SQuAD with sentence boundaries.

Every (paragraph, sentence) occurrence is a candidate, equal texts included. Relevant to a question
is the sentence in which an answer starts; across languages, the sentences of all questions with
the same id (Roy et al. 2020, "LAReQA: Language-Agnostic Answer Retrieval from a Multilingual
Pool", section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from tasks.collection import Collection, Corpus, Judgments, Queries
from tasks.definition import describe
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tasks.definition import CandidateForm

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]


class Answer(BaseModel):
    """Where an answer starts, in code points of the paragraph."""

    answer_start: Annotated[int, Field(ge=0)]


class Question(BaseModel):
    """A question and its answers."""

    id: Text
    question: Text
    answers: Annotated[list[Answer], Field(min_length=1)]


class Paragraph(BaseModel):
    """A paragraph, its sentences with their [begin, end) in code points, and its questions."""

    context: Text
    qas: list[Question]
    sentences: list[Text]
    sentence_breaks: list[tuple[int, int]]


class Article(BaseModel):
    """An article."""

    paragraphs: list[Paragraph]


class SquadR(BaseModel):
    """A file in LAReQA's format."""

    data: list[Article]


@dataclass(frozen=True, slots=True)
class LanguageData:
    """What one language's file holds.

    Attributes:
        question_ids: Id of each question, unique.
        question_texts: Text of each question, aligned with ``question_ids``.
        document_ids: Id of each candidate sentence.
        document_texts: Text of each candidate, aligned with ``document_ids``.
        answers: For each question, the indices of the sentences in which its answers start.
    """

    question_ids: tuple[str, ...]
    question_texts: tuple[str, ...]
    document_ids: tuple[str, ...]
    document_texts: tuple[str, ...]
    answers: tuple[tuple[int, ...], ...]


def read_language(path: Path, language: str, form: CandidateForm = "sentence") -> LanguageData:
    """Reads one language's file.

    A candidate's id is ``{language}_{paragraph}_{sentence}``, both counted from 0 over the file,
    as in LAReQA's reference code.

    Args:
        path: A JSON file in LAReQA's format.
        language: Its language code.
        form: ``sentence``, or ``sentence+context`` for the sentence, a line break, its paragraph.

    Raises:
        DataFileError: If the file is malformed, a text is empty, an id occurs twice, or a
            question has no answer within a sentence.
    """
    questions: dict[str, str] = {}
    documents: dict[str, str] = {}
    answers: list[tuple[int, ...]] = []
    paragraphs = (p for article in _parse(path).data for p in article.paragraphs)
    for number, paragraph in enumerate(paragraphs):
        breaks = paragraph.sentence_breaks
        if len(breaks) != len(paragraph.sentences):
            raise DataFileError(
                f"{path}: paragraph {number} has {len(paragraph.sentences)} sentences "
                f"but {len(breaks)} sentence_breaks; they must go in pairs."
            )
        for position, (begin, end) in enumerate(breaks):
            if not 0 <= begin < end <= len(paragraph.context):
                raise DataFileError(
                    f"{path}: sentence {position} of paragraph {number} is said to span "
                    f"[{begin}, {end}) of a paragraph of {len(paragraph.context)} characters."
                )
        first = len(documents)
        for position, sentence in enumerate(paragraph.sentences):
            text = sentence if form == "sentence" else f"{sentence}\n{paragraph.context}"
            documents[f"{language}_{number}_{position}"] = text
        for question in paragraph.qas:
            if question.id in questions:
                raise DataFileError(
                    f"{path}: the question id {question.id!r} occurs twice "
                    f"(again in paragraph {number}); ids must be unique within a language."
                )
            questions[question.id] = question.question
            answers.append(_sentences_with_answers(path, question, breaks, first))
    if not questions or not documents:
        raise DataFileError(
            f"{path} has {len(questions)} questions and {len(documents)} sentences; "
            "a task needs at least one of each."
        )
    return LanguageData(
        question_ids=tuple(questions),
        question_texts=tuple(questions.values()),
        document_ids=tuple(documents),
        document_texts=tuple(documents.values()),
        answers=tuple(answers),
    )


def assemble(languages: Mapping[str, LanguageData]) -> Collection:
    """Joins the languages: questions with one id are parallel."""
    ordered = sorted(languages)
    questions = tuple(sorted({q for data in languages.values() for q in data.question_ids}))
    index = {question: position for position, question in enumerate(questions)}
    queries, corpora, judgments = {}, {}, {}
    for language in ordered:
        data = languages[language]
        question = np.array([index[q] for q in data.question_ids], dtype=np.int64)
        queries[language] = Queries(language, question, data.question_texts)
        corpora[language] = Corpus(language, data.document_ids, data.document_texts)
        pairs = sorted(
            (int(q), document)
            for q, found in zip(question, data.answers, strict=True)
            for document in found
        )
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        judgments[language] = Judgments(
            language, table[:, 0], table[:, 1], np.ones(len(table), dtype=np.int64)
        )
    return Collection(questions, queries, corpora, judgments)


def _parse(path: Path) -> SquadR:
    try:
        return SquadR.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataFileError(describe(path, error)) from error


def _sentences_with_answers(
    path: Path, question: Question, breaks: list[tuple[int, int]], first: int
) -> tuple[int, ...]:
    """Candidates in which an answer starts; ``first`` is the index of the first sentence."""
    found = {
        first + position
        for answer in question.answers
        for position, (begin, end) in enumerate(breaks)
        if begin <= answer.answer_start < end
    }
    if not found:
        starts = ", ".join(str(answer.answer_start) for answer in question.answers)
        raise DataFileError(
            f"{path}: question {question.id!r} has no answer within a sentence "
            f"(answer_start {starts}); each question needs at least one."
        )
    return tuple(sorted(found))
