"""MIRACL (Zhang et al. 2023, TACL 11): Wikipedia passages and questions in 18 languages.

The dev questions, each in one language, with judgments of passages in that language only. A
passage is its title, a space and its text, as in mteb, ir_datasets and Pyserini.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from tasks.arrow_store import store_key
from tasks.collection import Collection, Corpus, Judgments, Queries
from tasks.errors import DataFileError
from tasks.sources.irds import CheckedFile, checked, keys_of, listed_file
from tasks.sources.loaded import Loaded
from tasks.sources.text_corpus import Repeats, text_columns
from tasks.sources.text_source import TextSource
from tasks.sources.trec_text import expect, read_judgments, read_queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tasks.arrow_strings import ArrowStrings
    from tasks.definition import TaskDefinition
    from tasks.settings import Setting
    from tasks.sources.irds import SourceFile

NAME = "miracl"


def topic_files(definition: TaskDefinition, language: str) -> tuple[SourceFile, SourceFile]:
    """The files of one language's queries and judgments."""
    topics, qrels = (f"v1.0/{language}/dev/{part}" for part in ("topics", "qrels"))
    return listed_file(definition, NAME, topics), listed_file(definition, NAME, qrels)


def corpus_files(definition: TaskDefinition, language: str) -> tuple[SourceFile, ...]:
    """The files of one language's passages, in order."""
    keys = keys_of(NAME, f"v1.0/{language}/corpus/")
    return tuple(listed_file(definition, NAME, key) for key in keys)


def load_miracl(definition: TaskDefinition, chosen: Sequence[Setting]) -> Loaded:
    """The languages that the settings need.

    Raises:
        DataFileError: If a file is missing, altered or malformed.
    """
    asked = sorted({code for setting in chosen for code in setting.query_languages})
    held = sorted({code for setting in chosen for code in setting.document_languages})
    files: dict[str, CheckedFile] = {}

    def check(wanted: SourceFile) -> CheckedFile:
        files[wanted.name] = checked(definition, wanted)
        return files[wanted.name]

    topics = {
        code: tuple(check(file) for file in topic_files(definition, code))
        for code in sorted({*asked, *held})
    }
    texts = {
        code: _queries(definition, code, TextSource(queries.path))
        for code, (queries, _) in topics.items()
    }
    questions = tuple(sorted(name for queries in texts.values() for name in queries))
    index = {name: number for number, name in enumerate(questions)}
    corpora, judgments = {}, {}
    for code in held:
        parts = [check(file) for file in corpus_files(definition, code)]
        ids, passages = _corpus(definition, code, parts)
        corpora[code] = Corpus(code, ids, passages)
        judgments[code] = _judgments(
            definition, index, (code, ids), TextSource(topics[code][1].path)
        )
    queries = {
        code: Queries(
            code,
            np.array([index[name] for name in texts[code]], dtype=np.int64),
            tuple(texts[code].values()),
        )
        for code in asked
    }
    checksums = {name: file.digests.sha256 for name, file in sorted(files.items())}
    return Loaded(Collection(questions, queries, corpora, judgments), checksums)


def _queries(definition: TaskDefinition, language: str, source: TextSource) -> dict[str, str]:
    """Texts by question id; a question is of one language, so its id begins with it."""
    queries = read_queries(source)
    expect(f"{source.path}, queries", len(queries), definition.sizes[language].queries)
    return {f"{language}_{name}": text for name, text in queries.items()}


def _judgments(
    definition: TaskDefinition,
    index: dict[str, int],
    corpus: tuple[str, ArrowStrings],
    source: TextSource,
) -> Judgments:
    code, ids = corpus
    judged = read_judgments(source)
    expect(f"{source.path}, judgments", len(judged), definition.sizes[code].judgments)
    names = sorted({f"{code}_{row.doc_id}" for row in judged})
    rows = dict(zip(names, ids.rows_of(names).tolist(), strict=True))
    table = np.empty((len(judged), 3), dtype=np.int64)
    for position, (query, document, grade, line) in enumerate(judged):
        question = index.get(f"{code}_{query}")
        if question is None:
            raise DataFileError(
                f"{source.place(line)}: query {query!r} is judged and has no text in the file of "
                f"topics beside it."
            )
        row = rows[f"{code}_{document}"]
        if row < 0:
            raise DataFileError(
                f"{source.place(line)}: document {document!r} is judged and is not in the corpus."
            )
        table[position] = question, row, grade
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    return Judgments(code, *(np.ascontiguousarray(column) for column in table.T))


def _corpus(
    definition: TaskDefinition, language: str, parts: list[CheckedFile]
) -> tuple[ArrowStrings, ArrowStrings]:
    key = store_key(source=NAME, language=language, parts=[p.digests.sha256 for p in parts])

    folder, documents = parts[0].path.parent, definition.sizes[language].documents

    def ids() -> Iterator[str]:
        return (name for part in parts for name, _ in _passages(part))

    def passages() -> Iterator[tuple[str, str]]:
        seen = Repeats()
        for part in parts:
            for name, text in _passages(part):
                seen.add(name)
                yield name, text
        expect(f"{folder}, passages", len(seen), documents)
        if (repeated := seen.first(ids())) is not None:
            raise DataFileError(f"{folder}: the passage {repeated!r} occurs twice.")

    columns = text_columns(language, f"{NAME}-{language}", key, passages)
    expect(f"{folder}, passages", len(columns[0]), documents)
    return columns


def _passages(part: CheckedFile) -> Iterator[tuple[str, str]]:
    """Ids and texts of one file, of JSON lines."""
    source = TextSource(part.path)
    for number, line in source.raw_lines():
        try:
            row = json.loads(line)
            name, title, text = row["docid"], row["title"], row["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataFileError(
                f"{source.place(number)}: expected a JSON object with docid, title and text: "
                f"{type(error).__name__}: {error}."
            ) from error
        if not (isinstance(name, str) and isinstance(title, str) and isinstance(text, str)):
            raise DataFileError(
                f"{source.place(number)}: docid, title and text must be strings: {line[:60]!r}."
            )
        if len(name.split()) != 1:
            raise DataFileError(
                f"{source.place(number)}: a docid is a word without white space, found {name!r}."
            )
        # What is published is taken as it is: an empty passage stays in the pool.
        if not part.published and not text.strip():
            raise DataFileError(f"{source.place(number)}: the text of {name!r} is empty.")
        passage = f"{title} {text}".strip()
        if b"\\ud" in line and not _is_text(passage):
            raise DataFileError(f"{source.place(number)}: half a surrogate pair, which is no text.")
        yield name, passage


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
