"""Scores of entries, kept from build to build: the ranks of an entry are read once.

::

    <cache>/<key>.json   a task of an entry: its summary, and which layout its scores have; the
                         first line is the checksum of what follows
    <cache>/<key>.npy    its scores in the primary measure, shape (values,)
    <cache>/layouts/     settings and questions that scores are of: many entries share one
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.files import write_atomically
from harness.question_scores import QuestionScores
from harness.task_summary import TaskSummary, summarise
from leaderboard.code_digest import computing_digest
from submissions.entry import ranks_path
from tasks.errors import EntryError, UnknownNameError
from tasks.languages import language_name
from tasks.settings import kind_of, languages_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from submissions.entry import Entry

FEWEST_FOR_PROCESSES = 200
"""Rank files that must be read before it pays to start processes."""


@dataclass(frozen=True, eq=False)
class Layout:
    """What scores are of.

    Attributes:
        measure: Name of the measure.
        settings: Ids of the settings.
        questions: Ids of the questions.
        setting: Index in ``settings`` of each value, shape (values,).
        question: Index in ``questions`` of each value, shape (values,).
    """

    measure: str
    settings: tuple[str, ...]
    questions: tuple[str, ...]
    setting: NDArray[np.int64]
    question: NDArray[np.int64]

    @cached_property
    def digest(self) -> str:
        """sha256 of the layout."""
        named = json.dumps([self.measure, self.settings, self.questions]).encode()
        digest = hashlib.sha256(named)
        digest.update(self.setting.astype("<i8").tobytes())
        digest.update(self.question.astype("<i8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class KeptValues:
    """Scores in a file.

    Attributes:
        path: The file.
        digest: sha256 of it.
        entry: Whose scores they are.
        task: On which task.
    """

    path: Path
    digest: str
    entry: Entry
    task: str

    def read(self) -> NDArray[np.float64]:
        """The scores; from the ranks, if the file is missing or damaged."""
        try:
            content = self.path.read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != self.digest:
            return summarise(self.entry.ranks(self.task))[1].value
        found: NDArray[np.float64] = np.load(io.BytesIO(content), allow_pickle=False)
        return found


@dataclass(frozen=True)
class Scored:
    """What an entry came to on a task.

    Attributes:
        ranks: sha256 of the ranks that all of it was computed from.
        summary: Means by setting and by class.
        layout: What its scores are of.
        values: Its scores in the primary measure.
    """

    ranks: str
    summary: TaskSummary
    layout: Layout
    values: NDArray[np.float64] | KeptValues

    @property
    def scores(self) -> QuestionScores:
        """The scores in the primary measure; they are read anew each time if they are in a file."""
        of = self.layout
        values = self.values.read() if isinstance(self.values, KeptValues) else self.values
        names = of.measure, of.settings, of.questions
        return QuestionScores(*names, of.setting, of.question, values)


def scored_from(summary: TaskSummary, scores: QuestionScores, ranks: str) -> Scored:
    """Scores that are at hand."""
    of = scores.measure, scores.settings, scores.questions, scores.setting, scores.question
    return Scored(ranks, summary, Layout(*of), scores.value)


class ScoreStore:
    """Reads the ranks of entries, or takes what an earlier build made of them.

    Args:
        folder: Of what is kept; None to keep nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._layouts: dict[str, Layout] = {}

    def read(self, wanted: Sequence[tuple[Entry, str]]) -> list[Scored | EntryError]:
        """What each entry came to on a task, or why that cannot be known.

        Args:
            wanted: Entries with a task that they have.
        """
        if self._folder is not None:
            missing = [one for one in wanted if not self._path(*one).is_file()]
            if len(missing) >= FEWEST_FOR_PROCESSES:
                self._fill(missing)
        return [self._scored(entry, task) for entry, task in wanted]

    def _fill(self, missing: Sequence[tuple[Entry, str]]) -> None:
        """Reads many with all cores. What is damaged is found again, and named, afterwards."""
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            list(pool.map(self._compute, *zip(*missing, strict=True), chunksize=16))

    def _compute(self, entry: Entry, task: str) -> None:
        self._scored(entry, task)

    def _scored(self, entry: Entry, task: str) -> Scored | EntryError:
        try:
            if self._folder is None:
                summary, scores = _summarised(entry, task)
                return scored_from(summary, scores, entry.manifest.runs[task].ranks)
            entry.check_ranks(task)
            return self._kept(entry, task) or self._keep(entry, task)
        except EntryError as error:
            return error

    def _path(self, entry: Entry, task: str) -> Path:
        key = json.dumps([computing_digest("score_store"), task, entry.manifest.runs[task].ranks])
        name = hashlib.sha256(key.encode()).hexdigest()
        return _in(self._folder) / name[:2] / f"{name}.json"

    def _kept(self, entry: Entry, task: str) -> Scored | None:
        """What a file has, or None if it is not there or damaged: it is made again then."""
        path = self._path(entry, task)
        try:
            digest, content = path.read_bytes().split(b"\n", 1)
            if hashlib.sha256(content).hexdigest().encode() != digest:
                return None
            found = json.loads(content)
            layout = self._layout(found["layout"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return None  # a layout has no checksum of its bytes: damage may show anywhere in it
        summary = TaskSummary.from_json(found["summary"])
        values = KeptValues(path.with_suffix(".npy"), found["values"], entry, task)
        return Scored(entry.manifest.runs[task].ranks, summary, layout, values)

    def _keep(self, entry: Entry, task: str) -> Scored:
        summary, scores = _summarised(entry, task)
        made = scored_from(summary, scores, entry.manifest.runs[task].ranks)
        path = self._path(entry, task)
        buffer = io.BytesIO()
        np.save(buffer, scores.value, allow_pickle=False)
        write_atomically(path.with_suffix(".npy"), buffer.getvalue(), durable=False)
        if made.layout.digest not in self._layouts:
            layout = self._layout_path(made.layout.digest)
            write_atomically(layout, _layout_bytes(made.layout), durable=False)
        content = json.dumps(
            {
                "values": hashlib.sha256(buffer.getvalue()).hexdigest(),
                "layout": made.layout.digest,
                "summary": summary.as_json(),
            }
        ).encode()
        digest = hashlib.sha256(content).hexdigest().encode()
        write_atomically(path, digest + b"\n" + content, durable=False)
        found = self._kept(entry, task)  # as in every later build
        if found is None:
            raise EntryError(
                f"{path} was written and cannot be read. Name another folder with --cache."
            )
        return found

    def _layout_path(self, digest: str) -> Path:
        return _in(self._folder) / "layouts" / f"{digest}.json"

    def _layout(self, digest: str) -> Layout:
        if digest not in self._layouts:
            content = json.loads(self._layout_path(digest).read_bytes())
            found = Layout(
                content["measure"],
                tuple(content["settings"]),
                tuple(content["questions"]),
                np.array(content["setting"], dtype=np.int64),
                np.array(content["question"], dtype=np.int64),
            )
            if found.digest != digest:
                raise ValueError(f"the layout {digest} is damaged")
            self._layouts[digest] = found
        return self._layouts[digest]


def _summarised(entry: Entry, task: str) -> tuple[TaskSummary, QuestionScores]:
    """See :func:`harness.task_summary.summarise`.

    Raises:
        EntryError: If the ranks are damaged, or of settings that cannot be named.
    """
    table = entry.ranks(task)
    try:
        for setting in table.pool_sizes:
            kind_of(setting)
            for code in languages_of(setting):
                language_name(code)
        return summarise(table)
    except UnknownNameError as error:
        raise EntryError(f"{ranks_path(entry.folder, task)}: {error}") from error


def _layout_bytes(layout: Layout) -> bytes:
    content: dict[str, Any] = {
        "measure": layout.measure,
        "settings": layout.settings,
        "questions": layout.questions,
        "setting": layout.setting.tolist(),
        "question": layout.question.tolist(),
    }
    return json.dumps(content).encode()


def _in(folder: Path | None) -> Path:
    if folder is None:
        raise ValueError("there is no folder")
    return folder
