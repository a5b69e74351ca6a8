"""mMARCO v2 (Bonifacio et al. 2021, arXiv 2108.13897): MS MARCO passages in 14 languages.

The 6,980 questions of dev.small, asked and answered in every language: questions and passages are
parallel, and a passage's number is the same everywhere. English is MS MARCO itself. In the
protocol ``rerank`` (Litschko et al. 2023) the candidates of a question are the official English
top 1,000, whatever the language of the passages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tasks.collection import Candidates, Collection, Corpus, Draw, Judgments, Queries
from tasks.draws import hashed_draw, in_paper_order, paper_draw
from tasks.errors import DataFileError
from tasks.sources import msmarco
from tasks.sources.irds import checked, listed_file
from tasks.sources.loaded import Loaded
from tasks.sources.parallel_passages import (
    PassageFile,
    passage_columns,
    plain_number,
    stored_pairs,
)
from tasks.sources.text_source import TextSource
from tasks.sources.trec_text import expect, read_judgments, read_queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tasks.arrow_strings import ArrowStrings
    from tasks.definition import CandidateForm, TaskDefinition
    from tasks.settings import Setting
    from tasks.sources.irds import CheckedFile, SourceFile

NAME = "mmarco"
CODES = {"nl": "dt"}
"""What ir_datasets calls a language, where it is not the ISO 639-1 code."""


class _Judged(NamedTuple):
    """Judgments by the numbers of questions and passages, aligned, shape (judgments,) each."""

    question: NDArray[np.int64]
    passage: NDArray[np.int64]
    relevance: NDArray[np.int64]


def judgment_file(definition: TaskDefinition) -> SourceFile:
    """The file of judgments, which all languages share."""
    return listed_file(definition, NAME, "dev/qrels-small")


def query_file(definition: TaskDefinition, language: str) -> SourceFile:
    """The file of one language's queries."""
    if language == "en":
        return msmarco.part_file(definition, msmarco.QUERIES)
    return listed_file(definition, NAME, f"v2/{CODES.get(language, language)}/queries/dev")


def passage_file(definition: TaskDefinition, language: str) -> SourceFile:
    """The file of one language's passages."""
    if language == "en":
        return msmarco.part_file(definition, msmarco.PASSAGES)
    return listed_file(definition, NAME, f"v2/{CODES.get(language, language)}/docs")


def load_mmarco(
    definition: TaskDefinition, form: CandidateForm, chosen: Sequence[Setting]
) -> Loaded:
    """The languages that the settings need.

    Raises:
        DataFileError: If a file is missing, altered or malformed.
    """
    return _Loader(definition).load(form, chosen)


class _Loader:
    """Loads a task, and notes the files that it read."""

    def __init__(self, definition: TaskDefinition) -> None:
        self.definition = definition
        self.checksums: dict[str, str] = {}
        judgments = self._note(checked(definition, judgment_file(definition)))
        self.judgments_sha256 = judgments.digests.sha256
        self.judged = _read_judged(TextSource(judgments.path))
        size = len(self.judged.question)
        for language, sizes in definition.sizes.items():
            expect(f"{judgments.path}, judgments ({language})", size, sizes.judgments)
        names = sorted({str(number) for number in self.judged.question.tolist()})
        self.questions = tuple(names)
        self.index = {int(name): position for position, name in enumerate(names)}

    def load(self, form: CandidateForm, chosen: Sequence[Setting]) -> Loaded:
        asked = sorted({code for setting in chosen for code in setting.query_languages})
        held = sorted({code for setting in chosen for code in setting.document_languages})
        queries = {code: self._queries(code) for code in asked}
        candidates, wanted, draw = None, None, None
        if self.definition.protocol == "rerank":
            pairs = self._pairs()
            wanted = np.union1d(pairs[1], self.judged.passage)
            candidates = self._candidates(*pairs, wanted)
            if any(setting.kind == "mlir" for setting in chosen):
                drawn = self._paper_draw if form == "passage+paper-draw" else self._hashed_draw
                draw = drawn(wanted)
        columns = {code: self._columns(code, wanted) for code in held}
        corpora = {code: Corpus(code, ids, texts) for code, (ids, texts) in columns.items()}
        judgments = {
            code: self._judgments(
                code, self._rows(code, ids) if wanted is None else self._rows_among(wanted)
            )
            for code, (ids, _) in columns.items()
        }
        collection = Collection(self.questions, queries, corpora, judgments)
        return Loaded(collection, dict(sorted(self.checksums.items())), candidates, draw)

    def _note(self, file: CheckedFile) -> CheckedFile:
        self.checksums[file.name] = file.digests.sha256
        return file

    def _all_queries(self, language: str) -> tuple[TextSource, dict[str, str]]:
        """The queries of a language's file, in its order; of the translated dev set, the judged."""
        if language == "en":
            file, source = msmarco.part_source(self.definition, msmarco.QUERIES)
        else:
            file = checked(self.definition, query_file(self.definition, language))
            source = TextSource(file.path)
        self._note(file)
        return source, read_queries(source, None if language == "en" else set(self.questions))

    def _queries(self, language: str) -> Queries:
        source, texts = self._all_queries(language)
        missing = next((name for name in self.questions if name not in texts), None)
        if missing is not None:
            raise DataFileError(
                f"{source.path} has no text for query {missing!r}, which is judged."
            )
        size = self.definition.sizes[language].queries
        expect(f"{source.path}, judged queries", len(self.questions), size)
        every = np.arange(len(self.questions), dtype=np.int64)
        return Queries(language, every, tuple(texts[name] for name in self.questions))

    def _columns(
        self, language: str, wanted: NDArray[np.int64] | None
    ) -> tuple[ArrowStrings, ArrowStrings]:
        """Ids and texts of the passages that a language's corpus holds."""
        documents = self.definition.sizes[language].documents
        if language == "en":
            file, source = msmarco.part_source(self.definition, msmarco.PASSAGES)
            passages = PassageFile(
                language, file, source, lambda: msmarco.passage_lines(source), documents
            )
        else:
            file = checked(self.definition, passage_file(self.definition, language))
            source = TextSource(file.path)
            passages = PassageFile(language, file, source, source.lines, documents)
        self._note(file)
        return passage_columns(passages, wanted)

    def _judgments(self, language: str, document: NDArray[np.int64]) -> Judgments:
        """The judgments of a language, given the row of each judged passage."""
        question = np.array([self.index[n] for n in self.judged.question.tolist()], dtype=np.int64)
        order = np.lexsort((document, question))
        return Judgments(language, question[order], document[order], self.judged.relevance[order])

    def _rows(self, language: str, ids: ArrowStrings) -> NDArray[np.int64]:
        """The row of each judged passage in a whole corpus."""
        passages, position = np.unique(self.judged.passage, return_inverse=True)
        rows = ids.rows_of([f"{language}_{number}" for number in passages.tolist()])
        if (rows < 0).any():
            path = passage_file(self.definition, language).path
            raise DataFileError(
                f"{path} lacks the passage {passages[rows < 0][0]}, which is judged."
            )
        found: NDArray[np.int64] = rows[position]
        return found

    def _rows_among(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each judged passage in a corpus of the wanted ones."""
        return np.searchsorted(wanted, self.judged.passage).astype(np.int64)

    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Index of the question, and number of the passage, of each candidate."""
        file, source = msmarco.part_source(self.definition, msmarco.CANDIDATES)
        self._note(file)

        def pairs() -> Iterator[tuple[int, int]]:
            for number, query, passage in msmarco.candidate_pairs(source):
                if query not in self.index:
                    raise DataFileError(
                        f"{source.place(number)}: query {query} has candidates and no judgments."
                    )
                yield self.index[query], passage

        question, passage = stored_pairs(file, self.judgments_sha256, pairs)
        expect(f"{source.path}, candidates", len(question), self.definition.candidate_pairs)
        order = np.lexsort((passage, question))
        question, passage = question[order], passage[order]
        twice = np.flatnonzero((np.diff(question) == 0) & (np.diff(passage) == 0))
        if len(twice):
            raise DataFileError(
                f"{source.path}: the passage {passage[twice[0]]} is twice a candidate of "
                f"query {self.questions[question[twice[0]]]}."
            )
        return question, passage

    def _candidates(
        self, question: NDArray[np.int64], passage: NDArray[np.int64], wanted: NDArray[np.int64]
    ) -> Candidates:
        start = np.searchsorted(question, np.arange(len(self.questions) + 1)).astype(np.int64)
        return Candidates(start, np.searchsorted(wanted, passage).astype(np.int64))

    def _hashed_draw(self, wanted: NDArray[np.int64]) -> Draw:
        languages = self.definition.languages
        return Draw(
            languages,
            hashed_draw("question", self.questions, len(languages)),
            hashed_draw("document", map(str, wanted.tolist()), len(languages)),
        )

    def _paper_draw(self, wanted: NDArray[np.int64]) -> Draw:
        languages = in_paper_order(self.definition.languages)
        documents = self.definition.sizes[languages[0]].documents
        if documents is None:
            raise DataFileError(
                f"Task {self.definition.name!r}: the paper's draw runs over all passages; say "
                f"how many there are: documents in [sizes.{languages[0]}]."
            )
        source, texts = self._all_queries("en")
        document, drawn = paper_draw(len(languages), documents, wanted, len(texts))
        position = {name: number for number, name in enumerate(texts)}
        missing = next((name for name in self.questions if name not in position), None)
        if missing is not None:
            raise DataFileError(f"{source.path} has no query {missing!r}, which is judged.")
        return Draw(languages, drawn[[position[name] for name in self.questions]], document)


def _read_judged(source: TextSource) -> _Judged:
    rows = []
    for query, document, grade, line in read_judgments(source):
        numbers = plain_number(query), plain_number(document)
        if None in numbers:
            raise DataFileError(
                f"{source.place(line)}: queries and passages are numbers, found "
                f"{query!r} and {document!r}."
            )
        rows.append((*numbers, grade))
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return _Judged(*(np.ascontiguousarray(column) for column in table.T))
