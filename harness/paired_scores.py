"""Scores of several systems on the same questions: what every comparison starts from."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.measures import measure, parse_measure
from harness.question_scores import QuestionScores, classes
from harness.runs import judged_ranks_of_run
from tasks.errors import DataFileError, EntryError, UsageError
from tasks.settings import select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LARGEST_SCORE = 1e100
"""Beyond it, squares of differences leave what a float64 can hold."""
MOST_CELLS = 2**28
"""Of questions, settings and systems: 2 GiB. A table with few rows for each has fewer."""
ALL = "all"
"""Name of the only setting where the source knows of none."""


@dataclass(frozen=True, slots=True)
class PairedScores:
    """One score a question, setting and system.

    Attributes:
        measure: Name of what was measured.
        systems: Names of the systems.
        settings: Ids of the settings, or names of averages over several.
        questions: Ids of the questions, ascending.
        values: Shape (questions, settings, systems); NaN where a system has no score.
        averaged_over: For each setting, the number of settings that its scores are means over.
        higher_is_better: False for measures of bias.
        seeds: For a system whose scores are means over several seeds, the scores of each seed,
            shape (questions, settings, seeds).
    """

    measure: str
    systems: tuple[str, ...]
    settings: tuple[str, ...]
    questions: tuple[str, ...]
    values: NDArray[np.float64]
    averaged_over: Mapping[str, int] = field(default_factory=dict)
    higher_is_better: bool = True
    seeds: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def seed_counts(self) -> dict[str, int]:
        """Number of seeds of each system."""
        return {s: self.seeds[s].shape[2] if s in self.seeds else 1 for s in self.systems}

    def of_seeds(self, system: int, setting: int) -> NDArray[np.float64]:
        """Scores of each seed of a system in a setting, shape (questions, seeds)."""
        name = self.systems[system]
        if name in self.seeds:
            return self.seeds[name][:, setting, :]
        return self.values[:, setting, system, None]

    def incomplete(self) -> dict[str, dict[str, int]]:
        """By setting and system, how many questions it lacks that another system has."""
        found: dict[str, dict[str, int]] = {}
        for position, setting in enumerate(self.settings):
            known = np.isfinite(self.values[:, position, :])
            asked = np.any(known, axis=1, keepdims=True)
            lacking = np.sum(asked & ~known, axis=0)
            if lacking.any():
                names = zip(self.systems, lacking.tolist(), strict=True)
                found[setting] = {name: lacks for name, lacks in names if lacks}
        return found


def from_arrays(
    scores: Mapping[str, Sequence[float] | NDArray[np.float64]],
    questions: Sequence[str] | None = None,
    measure: str = "score",
) -> PairedScores:
    """Scores of systems in one setting.

    Args:
        scores: For each system, its score on each question, shape (questions,).
        questions: Ids of the questions, aligned with the scores; by default their numbers.
        measure: Name of what was measured.

    Raises:
        UsageError: If lengths differ, an id occurs twice, or a score is not a finite number.
    """
    lengths = {len(values) for values in scores.values()}
    if questions is not None:
        lengths.add(len(questions))
    if len(lengths) != 1:
        raise UsageError(f"Systems and questions must be aligned; found lengths {sorted(lengths)}.")
    ids = list(questions) if questions is not None else [str(i) for i in range(lengths.pop())]
    cells = [
        (str(question), ALL, system, float(value))
        for system, values in scores.items()
        for question, value in zip(ids, values, strict=True)
    ]
    return _from_cells(cells, tuple(scores), measure, "the scores")


def from_frame(frame: Any, measure: str = "score") -> PairedScores:
    """Scores in a polars or pandas frame.

    Args:
        frame: Columns ``question_id``, optionally ``setting``, and one for each system; one row a
            question and setting. An empty cell is a missing score.
        measure: Name of what was measured.

    Raises:
        UsageError: If columns are missing, or a question occurs twice in a setting.
    """
    columns = [str(name) for name in frame.columns]
    rows = zip(*(frame[name].to_list() for name in frame.columns), strict=True)
    return _from_rows(columns, [(f"row {n}", list(row)) for n, row in enumerate(rows)], measure)


def read_csv(path: Path, measure: str = "score") -> PairedScores:
    """Scores in a CSV file with the columns that :func:`from_frame` takes.

    Raises:
        DataFileError: If the file is missing or no text.
        UsageError: If columns are missing, a cell is no number, or a question occurs twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        raise DataFileError(f"There is no file {path}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"{path} is not a CSV file in UTF-8: {error}.") from error
    if len(rows) < 2:
        raise UsageError(f"{path} has no scores: it needs a heading and a row for each question.")
    body = [(f"{path}:{n}", list[Any](row)) for n, row in enumerate(rows[1:], 2) if row]
    return _from_rows(rows[0], body, measure)


def from_runs(
    runs: Mapping[str, Mapping[str, Mapping[str, float]]],
    qrels: Mapping[str, Mapping[str, int]],
    name: str,
) -> PairedScores:
    """A measure of several TREC runs; a query that a run lacks counts 0, as with trec_eval -c.

    Args:
        runs: By system, query and document: the score.
        qrels: By query and document: the relevance.
        name: Name of the measure.
    """
    for system, run in runs.items():
        if not set(run) & set(qrels):
            raise UsageError(f"The run {system!r} and the qrels share no query id.")
    questions = sorted(qrels)
    ordered = {question: qrels[question] for question in questions}
    values = [measure(name, judged_ranks_of_run(run, ordered)) for run in runs.values()]
    return PairedScores(
        measure=name,
        systems=tuple(runs),
        settings=(ALL,),
        questions=tuple(questions),
        values=np.stack(values, axis=1)[:, None, :],
        higher_is_better=parse_measure(name).higher_is_better,
    )


def from_question_scores(
    scores: Mapping[str, QuestionScores], patterns: Sequence[str] = ()
) -> PairedScores:
    """Scores of entries.

    Args:
        scores: By system, all of one measure.
        patterns: Settings as globs, and ``moir``, ``clir``, ``mlir`` for the averages of these
            classes; by default the averages.

    Raises:
        UnknownNameError: If a glob matches no setting.
        EntryError: If averages are wanted of entries that were not scored on the same settings.
    """
    first = next(iter(scores.values()))
    valued = [{s.settings[i] for i in np.unique(s.setting)} for s in scores.values()]
    shared = set.intersection(*valued)
    ids = [name for name in first.settings if name in shared]
    averages = classes(ids)
    chosen: dict[str, tuple[str, ...]] = {}
    for pattern in patterns or tuple(averages):
        if pattern in averages:
            chosen[pattern] = averages[pattern]
            if any(found != shared for found in valued):
                raise EntryError(
                    "The entries were not scored on the same settings, so their class averages "
                    "do not compare. Name settings that they share with --settings."
                )
        else:
            chosen |= {name: (name,) for name in select(ids, [pattern])}
    questions = sorted({q for found in scores.values() for q in found.questions})
    values = np.full((len(questions), len(chosen), len(scores)), np.nan)
    row = {question: position for position, question in enumerate(questions)}
    for column, over in enumerate(chosen.values()):
        for system, found in enumerate(scores.values()):
            for question, value in found.by_question(over).items():
                values[row[question], column, system] = value
    return PairedScores(
        measure=first.measure,
        systems=tuple(scores),
        settings=tuple(chosen),
        questions=tuple(questions),
        values=values,
        averaged_over={name: len(over) for name, over in chosen.items()},
        higher_is_better=parse_measure(first.measure).higher_is_better,
    )


def in_settings(scores: PairedScores, patterns: Sequence[str]) -> PairedScores:
    """The scores of the settings that match at least one of the globs; none selects all.

    Raises:
        UnknownNameError: If a glob matches no setting.
    """
    chosen = select(scores.settings, patterns)
    kept = [scores.settings.index(name) for name in chosen]
    return replace(scores, settings=chosen, values=scores.values[:, kept, :])


def average_over_seeds(scores: PairedScores, groups: Mapping[str, Sequence[str]]) -> PairedScores:
    """Joins the seeds of each system: its score on a question is the mean over its seeds.

    Args:
        scores: A system for each seed.
        groups: For each system, the names of its seeds in ``scores``.
    """
    column = {name: position for position, name in enumerate(scores.systems)}
    of_each = {
        system: scores.values[:, :, [column[seed] for seed in seeds]]
        for system, seeds in groups.items()
    }
    most = max(len(seeds) for seeds in groups.values())
    return replace(
        scores,
        systems=tuple(groups),
        values=np.stack([values.mean(axis=2) for values in of_each.values()], axis=2),
        averaged_over={
            setting: over * math.lcm(*range(1, most + 1))
            for setting, over in scores.averaged_over.items()
        },
        seeds={system: v for system, v in of_each.items() if v.shape[2] > 1},
    )


def _from_rows(
    columns: Sequence[str], rows: Sequence[tuple[str, list[Any]]], measure: str
) -> PairedScores:
    names = [name.strip() for name in columns]
    if "question_id" not in names:
        raise UsageError(
            "A table of scores needs the columns question_id, optionally setting, and one for each "
            f"system; found: {', '.join(names)}."
        )
    systems = tuple(name for name in names if name not in ("question_id", "setting"))
    if len(set(names)) < len(names):
        raise UsageError(f"A column occurs twice among {', '.join(names)}.")
    cells = []
    seen: dict[tuple[str, str], str] = {}
    for where, row in rows:
        if len(row) != len(names):
            raise UsageError(f"{where}: {len(row)} cells, the heading has {len(names)}.")
        record = dict(zip(names, row, strict=True))
        question, setting = str(record["question_id"]), str(record.get("setting", ALL))
        if record["question_id"] in (None, "") or question == "nan":
            raise UsageError(f"{where}: question_id is empty.")
        if (question, setting) in seen:
            raise UsageError(
                f"{where}: question {question!r} occurs twice in setting {setting!r} "
                f"(first in {seen[question, setting]}); it must be one row."
            )
        seen[question, setting] = where
        for system in systems:
            value = _cell(record[system], where, system)
            if value is not None:
                cells.append((question, setting, system, value))
    return _from_cells(cells, systems, measure, "the table")


def _cell(value: object, where: str, system: str) -> float | None:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        number = float(str(value))
    except ValueError:
        raise UsageError(f"{where}: the score {value!r} of {system!r} is not a number.") from None
    # Python alone reads 1_000 as a number.
    if not math.isfinite(number) or abs(number) > LARGEST_SCORE or "_" in str(value):
        raise UsageError(f"{where}: the score {value!r} of {system!r} is not a finite number.")
    return number


def _from_cells(
    cells: Sequence[tuple[str, str, str, float]],
    systems: tuple[str, ...],
    measure: str,
    where: str,
) -> PairedScores:
    if not cells:
        raise UsageError(f"There are no scores in {where}.")
    settings = tuple(dict.fromkeys(setting for _, setting, _, _ in cells))
    questions = tuple(sorted({question for question, _, _, _ in cells}))
    if len(questions) * len(settings) * len(systems) > MOST_CELLS:
        raise UsageError(
            f"{len(questions):,} questions in {len(settings):,} settings by {len(systems):,} "
            f"systems are more than the {MOST_CELLS:,} scores that fit in memory. Is each question "
            f"in a setting of its own in {where}?"
        )
    row = {question: position for position, question in enumerate(questions)}
    values = np.full((len(questions), len(settings), len(systems)), np.nan)
    column = {name: i for i, name in enumerate(systems)}
    place = {name: i for i, name in enumerate(settings)}
    for question, setting, system, value in cells:
        if not math.isfinite(value) or abs(value) > LARGEST_SCORE:
            raise UsageError(
                f"The score of {system!r} on question {question!r} in {where} is {value}; "
                "leave the cell empty for a missing score."
            )
        cell = (row[question], place[setting], column[system])
        if not np.isnan(values[cell]):
            raise UsageError(f"Question {question!r} occurs twice in {where}.")
        values[cell] = value
    return PairedScores(measure, systems, settings, questions, values)
