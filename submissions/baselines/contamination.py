"""Compares training texts with the questions and passages of tasks.

A test *question* among the training texts is a leak: the model has seen what it is asked. Passages
alone are no more than a warning: a corpus is public, and training data are often made from it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from submissions.baselines.contamination_report import (
    MOST_IDS,
    ROLES,
    Compared,
    ContaminationReport,
    Role,
    SharedText,
)
from submissions.baselines.folded_text import units
from submissions.baselines.overlap_index import OverlapIndex
from tasks.arrow_strings import ArrowStrings
from tasks.data_files import locate
from tasks.definition import load_definition, task_names
from tasks.errors import UsageError
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tasks.task import Task


class _Known(NamedTuple):
    """A test text."""

    task: str
    language: str
    role: Role
    id: str
    text: str


def tasks_at_hand(data: Path | None = None) -> tuple[str, ...]:
    """Tasks that can be compared with at little cost: small, and all their files are there.

    Args:
        data: A folder that is searched first.
    """
    found = []
    for name in task_names():
        definition, _ = load_definition(name)
        if definition.files and None not in locate(definition, data).values():
            found.append(name)
    return tuple(found)


def check_contamination(
    texts: Iterable[tuple[str, str]], names: Sequence[str], data: Path | None = None
) -> ContaminationReport:
    """Says which test texts are among training texts.

    The training texts are read once, and none is kept. Of tasks whose corpora lie on disk only the
    passages that answer a question are compared.

    Args:
        texts: Id and text of each training text.
        names: Tasks, as :func:`tasks.task.load_task` takes them.
        data: A folder that is searched first for their files.

    Raises:
        UnknownNameError: If there is no such task.
        DataFileError: If a file of a task is missing, altered or malformed.
        UsageError: If no task is named.
    """
    if not names:
        raise UsageError("Training texts are compared with at least one task; none is named.")
    loaded = [load_task(name, data) for name in dict.fromkeys(names)]
    return _Comparison([text for task in loaded for text in _texts_of(task)]).with_all(
        texts, tuple(task.name for task in loaded if _is_large(task))
    )


class _Comparison:
    """Test texts, and which of them were found so far."""

    def __init__(self, known: Sequence[_Known]) -> None:
        self._known = known
        self._by_key: dict[bytes, list[int]] = {}
        self._index = OverlapIndex(self._learned())
        self._same: dict[int, str] = {}
        self._overlapping: dict[int, str] = {}
        self._counts: Counter[Role] = Counter()
        self._ids: dict[Role, list[str]] = {role: [] for role in ROLES}

    def with_all(
        self, texts: Iterable[tuple[str, str]], relevant_only: tuple[str, ...]
    ) -> ContaminationReport:
        """Compares training texts, and reports."""
        total = 0
        batch: list[tuple[str, Sequence[int]]] = []
        for overlaps in self._index.overlaps(_noted(texts, self._by_key, batch)):
            found: dict[int, set[int]] = {n: set(same) for n, (_, same) in enumerate(batch) if same}
            for training_id, same in batch:
                for known in same:
                    self._same.setdefault(known, training_id)
            for number, known in overlaps:
                self._overlapping.setdefault(known, batch[number][0])
                found.setdefault(number, set()).add(known)
            for number in sorted(found):
                self._name(batch[number][0], found[number])
            total += len(batch)
            batch.clear()
        return self._report(total, relevant_only)

    def _learned(self) -> Iterator[list[str]]:
        """The units of each test text, which is noted by its key on the way."""
        for number, one in enumerate(self._known):
            found = units(one.text)
            if found:
                self._by_key.setdefault(_key(found), []).append(number)
            yield found

    def _name(self, training_id: str, known: Iterable[int]) -> None:
        for role in {self._known[number].role for number in known}:
            self._counts[role] += 1
            if len(self._ids[role]) < MOST_IDS:
                self._ids[role].append(training_id)

    def _report(self, total: int, relevant_only: tuple[str, ...]) -> ContaminationReport:
        texts: Counter[tuple[str, str, Role]] = Counter(one[:3] for one in self._known)
        same: Counter[tuple[str, str, Role]] = Counter()
        overlapping: Counter[tuple[str, str, Role]] = Counter()
        shared = []
        for number in sorted(self._same.keys() | self._overlapping.keys()):
            one = self._known[number]
            is_same = number in self._same
            (same if is_same else overlapping)[one[:3]] += 1
            first = self._same[number] if is_same else self._overlapping[number]
            shared.append(SharedText(*one, "same" if is_same else "overlap", first))
        return ContaminationReport(
            training_texts=total,
            compared=tuple(
                Compared(*kind, count, same[kind], overlapping[kind])
                for kind, count in texts.items()
            ),
            shared=tuple(shared),
            training_counts={role: self._counts[role] for role in ROLES},
            training_ids={role: tuple(self._ids[role]) for role in ROLES},
            relevant_only=relevant_only,
        )


def _noted(
    texts: Iterable[tuple[str, str]],
    by_key: dict[bytes, list[int]],
    batch: list[tuple[str, Sequence[int]]],
) -> Iterator[list[str]]:
    """The units of training texts; the id of each, and what is the same, are put into a batch."""
    for training_id, text in texts:
        found = units(text)
        batch.append((training_id, by_key.get(_key(found), ())))
        yield found


def _key(found: Sequence[str]) -> bytes:
    """What texts have in common that are the same, of 64 bits."""
    return hashlib.blake2b("".join(found).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _is_large(task: Task) -> bool:
    return any(isinstance(c.texts, ArrowStrings) for c in task.collection.corpora.values())


def _texts_of(task: Task) -> Iterator[_Known]:
    """The questions, then the passages, of each language."""
    collection = task.collection
    for language, queries in sorted(collection.queries.items()):
        for number, text in zip(queries.question.tolist(), queries.texts, strict=True):
            yield _Known(task.name, language, "question", collection.questions[number], text)
    for language, corpus in sorted(collection.corpora.items()):
        if isinstance(corpus.texts, ArrowStrings):
            judged = collection.judgments[language]
            rows = sorted(set(judged.document[judged.relevance > 0].tolist()))
        else:
            rows = list(range(len(corpus.ids)))
        for row in rows:
            yield _Known(task.name, language, "passage", corpus.ids[row], corpus.texts[row])
