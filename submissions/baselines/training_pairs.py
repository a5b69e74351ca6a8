"""Training pairs: a query and a passage that answers it, both in one language."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from submissions.baselines.json_lines import read_line
from submissions.baselines.sentence_breaks import sentence_at
from tasks.data_files import data_folders
from tasks.definition import describe
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from submissions.baselines.recipe import DataPart

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]


class _Answer(BaseModel):
    answer_start: Annotated[int, Field(ge=-1)]  # -1: not found in the paragraph


class _Question(BaseModel):
    id: Text
    question: Text
    answers: Annotated[list[_Answer], Field(min_length=1)]


class _Paragraph(BaseModel):
    context: Text
    qas: list[_Question]


class _Article(BaseModel):
    paragraphs: list[_Paragraph]


class _Squad(BaseModel):
    data: list[_Article]


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a passage that answers it.

    Attributes:
        id: Unique among the pairs of a recipe.
        language: Of both.
        query: What is asked.
        positive: What answers it.
    """

    id: str
    language: str
    query: str
    positive: str


@dataclass(frozen=True, slots=True)
class TrainingPairs:
    """The pairs of a recipe.

    Attributes:
        pairs: In the order of the files.
        checksums: sha256 of each file, by the name that the recipe has for it.
    """

    pairs: tuple[Pair, ...]
    checksums: Mapping[str, str]

    def by_language(self) -> dict[str, tuple[int, ...]]:
        """Indices of the pairs in each language, languages ascending."""
        found: dict[str, list[int]] = {}
        for index, pair in enumerate(self.pairs):
            found.setdefault(pair.language, []).append(index)
        return {language: tuple(found[language]) for language in sorted(found)}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text that is trained on, before switching: the id of its pair, and the text."""
        for pair in self.pairs:
            yield pair.id, pair.query
            yield pair.id, pair.positive


def read_pairs(parts: Sequence[DataPart], data: Path | None) -> TrainingPairs:
    """Reads the pairs of a recipe.

    Args:
        parts: The files.
        data: Folder that is searched for them first.

    Raises:
        DataFileError: If a file is missing, malformed or not the expected one, an id occurs twice
            or one that is to be left out does not occur.
    """
    pairs: dict[str, Pair] = {}
    checksums = {}
    for part in parts:
        path = _find(part.file, data)
        content = path.read_bytes()
        checksums[part.file] = hashlib.sha256(content).hexdigest()
        if part.sha256 not in (None, checksums[part.file]):
            raise DataFileError(
                f"{path} is not the file that the recipe was made for.\n"
                f"  expected sha256 {part.sha256}\n"
                f"  found sha256    {checksums[part.file]}"
            )
        read = _squad if part.form == "squad" else _jsonl
        found = {pair.id: pair for pair in read(path, content, part.language)}
        if absent := [one for one in part.leave_out if one not in found]:
            raise DataFileError(f"{path} has no pair {absent[0]!r}, which is to be left out.")
        for one in found.values():
            if one.id in pairs:
                raise DataFileError(f"{path}: the id {one.id!r} occurs in another file too.")
            if one.id not in part.leave_out:
                pairs[one.id] = one
    return TrainingPairs(tuple(pairs.values()), checksums)


def _find(name: str, data: Path | None) -> Path:
    if Path(name).is_absolute():
        places = [Path(name)]
    else:
        places = [folder / name for folder in data_folders(data)]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        where = "\n".join(f"  {place}" for place in places)
        raise DataFileError(
            f"The training data {name!r} are not there. Looked for:\n{where}\n"
            "Name their folder with --data or $BABELBOARD_DATA."
        )
    return found


def _jsonl(path: Path, content: bytes, language: str) -> Iterator[Pair]:
    seen: dict[str, int] = {}
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path} is not UTF-8: {error}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        pair = _pair(where, line, language)
        if pair.id in seen:
            raise DataFileError(f"{where}: the id {pair.id!r} is that of line {seen[pair.id]} too.")
        seen[pair.id] = number
        yield pair
    if not seen:
        raise DataFileError(f"{path} holds no pairs.")


def _pair(where: str, line: str, language: str) -> Pair:
    found = read_line(line, where)
    fields = ("id", "query", "positive")
    values = {field: found.get(field) if isinstance(found, dict) else None for field in fields}
    texts = {k: v for k, v in values.items() if isinstance(v, str) and v.strip()}
    if wrong := [field for field in fields if field not in texts]:
        raise DataFileError(
            f"{where}: expected an object with the texts id, query and positive; "
            f"without a text: {', '.join(wrong)}."
        )
    return Pair(texts["id"], language, texts["query"], texts["positive"])


def _squad(path: Path, content: bytes, language: str) -> Iterator[Pair]:
    """The question, and the sentence in which the first answer that was found starts."""
    try:
        squad = _Squad.model_validate_json(content)
    except ValidationError as error:
        raise DataFileError(describe(path, error)) from error
    seen = set()
    for paragraph in (p for article in squad.data for p in article.paragraphs):
        for question in paragraph.qas:
            starts = [one.answer_start for one in question.answers if one.answer_start >= 0]
            if not starts or starts[0] >= len(paragraph.context):
                raise DataFileError(
                    f"{path}: the answer of question {question.id!r} starts at "
                    f"{question.answers[0].answer_start}, not within its paragraph of "
                    f"{len(paragraph.context)} characters."
                )
            if question.id in seen:
                raise DataFileError(f"{path}: the question id {question.id!r} occurs twice.")
            seen.add(question.id)
            positive = sentence_at(paragraph.context, starts[0])
            yield Pair(question.id, language, question.question.strip(), positive)
    if not seen:
        raise DataFileError(f"{path} holds no questions.")
