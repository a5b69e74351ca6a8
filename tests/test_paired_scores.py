"""Scores from arrays, frames, tables, runs and entries: the same scores, or a clear refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import polars as pl
import pytest

from harness import from_arrays, from_frame
from harness.paired_scores import average_over_seeds, from_question_scores, from_runs, read_csv
from harness.question_scores import QuestionScores
from tasks.errors import BabelboardError, DataFileError, EntryError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.paired_scores import PairedScores

TABLE = """\
question_id,setting,bm25,org/model
q2,en-de,0.5,1
q1,en-de,0.25,
q10,en-de,0,1
q2,de-en,1e-2,0.5
"""


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "scores.csv"
    path.write_bytes(text.encode(encoding))
    return path


def assert_same(one: PairedScores, other: PairedScores) -> None:
    fields = ("measure", "systems", "settings", "questions", "higher_is_better")
    for field in fields:
        assert getattr(one, field) == getattr(other, field)
    np.testing.assert_array_equal(one.values, other.values)


def test_a_table_by_hand(tmp_path: Path) -> None:
    scores = read_csv(written(tmp_path, TABLE), "AP")
    assert (scores.measure, scores.systems) == ("AP", ("bm25", "org/model"))
    assert (scores.settings, scores.questions) == (("en-de", "de-en"), ("q1", "q10", "q2"))
    missing = np.nan
    expected = [
        [[0.25, missing], [missing, missing]],
        [[0, 1], [missing, missing]],
        [[0.5, 1], [0.01, 0.5]],
    ]
    np.testing.assert_array_equal(scores.values, expected)
    assert scores.incomplete() == {"en-de": {"org/model": 1}}
    assert scores.seed_counts() == {"bm25": 1, "org/model": 1}


def test_csv_polars_and_pandas_give_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, TABLE)
    scores = read_csv(path)
    assert_same(from_frame(pl.read_csv(path)), scores)
    assert_same(from_frame(pd.read_csv(path)), scores)
    # A byte order mark, as spreadsheets write it, CRLF and empty lines.
    table = TABLE.replace("\n", "\r\n") + "\r\n"
    assert_same(read_csv(written(tmp_path, table, "utf-8-sig")), scores)


def test_without_settings_arrays_frames_and_csv_give_the_same(tmp_path: Path) -> None:
    columns = {"A": [1, 0, 0.125], "B": [0.5, 0, 1]}
    ids = ["7", "3", "11"]
    scores = from_arrays(columns, ids, "RR@10")
    assert scores.questions == ("11", "3", "7")
    assert scores.values[:, 0].tolist() == [[0.125, 1], [0, 0], [1, 0.5]]
    assert_same(from_arrays({k: np.array(v) for k, v in columns.items()}, ids, "RR@10"), scores)
    # Ids that a frame reads as numbers are the same ids.
    frame = {"question_id": [7, 3, 11], **columns}
    assert_same(from_frame(pd.DataFrame(frame), "RR@10"), scores)
    assert_same(from_frame(pl.DataFrame(frame, strict=False), "RR@10"), scores)
    path = written(tmp_path, "question_id,A,B\n7,1,0.5\n3,0,0\n11,.125,1\n")
    assert_same(read_csv(path, "RR@10"), scores)
    assert from_arrays({"A": [1, 0]}).questions == ("0", "1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no scores: it needs a heading and a row"),
        ("question_id,A,B\n", "has no scores: it needs a heading and a row"),
        ("question_id,A,B\n\n", "There are no scores"),
        ("question_id,A,B\nq1,,\n", "There are no scores"),
        ("id,A,B\nq1,1,1\n", "needs the columns question_id.*found: id, A, B"),
        ("question_id,A,A\nq1,1,1\n", "A column occurs twice among question_id, A, A"),
        ("question_id,A,B\nq1,1\n", r"scores\.csv:2: 2 cells, the heading has 3"),
        ("question_id,A,B\nq1,1,1\nq1,1,1\n", r"scores\.csv:3: question 'q1' occurs twice.*csv:2"),
        ("question_id,A\n\nq1,1\n\nq2,high\n", r"scores\.csv:5: the score 'high' of 'A' is not a"),
        ("question_id,A\nq1,nan\n", r"scores\.csv:2: the score 'nan' of 'A' is not a finite"),
        ("question_id,A\nq1,-inf\n", r"scores\.csv:2: the score '-inf' of 'A' is not a finite"),
        ('question_id,A\nq1,"0,5"\n', r"scores\.csv:2: the score '0,5' of 'A' is not a number"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_csv(written(tmp_path, text))


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"There is no file .*none\.csv"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(DataFileError, match="is not a CSV file in UTF-8"):
        read_csv(written(tmp_path, "question_id,é\nq1,1\n", "latin-1"))


def test_the_same_question_in_another_setting_is_no_duplicate(tmp_path: Path) -> None:
    text = "question_id,setting,A\nq1,x,1\nq1,y,0\n"
    assert read_csv(written(tmp_path, text)).values.tolist() == [[[1.0], [0.0]]]


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_a_bad_frame_is_refused(kind: type) -> None:
    with pytest.raises(UsageError, match=r"row 1: question 'q1' occurs twice.*row 0"):
        from_frame(kind({"question_id": ["q1", "q1"], "A": [1.0, 0.0]}))
    with pytest.raises(UsageError, match="row 0: the score inf of 'A' is not a finite"):
        from_frame(kind({"question_id": ["q1"], "A": [float("inf")]}))
    with pytest.raises(UsageError, match=r"needs the columns question_id"):
        from_frame(kind({"A": [1.0]}))


@pytest.mark.parametrize(
    ("scores", "questions", "message"),
    [
        ({"A": [1, 0], "B": [1]}, None, r"must be aligned; found lengths \[1, 2\]"),
        ({"A": [1, 0]}, ["q1"], r"must be aligned; found lengths \[1, 2\]"),
        ({}, None, "must be aligned"),
        ({"A": [1, 0]}, ["q1", "q1"], "Question 'q1' occurs twice"),
        ({"A": [1, float("nan")]}, None, "score of 'A' on question '1' in the scores is nan"),
        ({"A": [], "B": []}, None, "There are no scores"),
    ],
)
def test_bad_arrays_are_refused(
    scores: dict[str, list[float]], questions: list[str] | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        from_arrays(scores, questions)


QRELS = {"q2": {"d1": 1, "d2": 0}, "q1": {"d3": 1}, "q3": {"d1": 1, "d4": 1}}


def test_a_query_that_a_run_lacks_counts_0() -> None:
    runs = {
        "one": {"q1": {"d3": 2.0, "d9": 1.0}, "q2": {"d9": 2.0, "d1": 1.0}, "extra": {"d1": 1.0}},
        "other": {"q3": {"d1": 3.0, "d9": 2.0, "d4": 1.0}},
    }
    scores = from_runs(runs, QRELS, "RR@10")
    assert (scores.systems, scores.questions) == (("one", "other"), ("q1", "q2", "q3"))
    assert scores.values[:, 0].tolist() == [[1, 0], [0.5, 0], [0, 1]]
    assert scores.incomplete() == {}
    average = from_runs(runs, QRELS, "AP").values[:, 0, 1]
    assert average.tolist() == pytest.approx([0, 0, (1 + 2 / 3) / 2])
    with pytest.raises(UsageError, match="The run 'lost' and the qrels share no query id"):
        from_runs({"lost": {"q9": {"d1": 1.0}}}, QRELS, "AP")
    with pytest.raises(UnknownNameError, match="'RR@l0'"):
        from_runs(runs, QRELS, "RR@l0")


def entry(settings: dict[str, dict[str, float]], measure: str = "AP") -> QuestionScores:
    """Scores of an entry, by setting and question."""
    questions = sorted({q for found in settings.values() for q in found})
    cells = [
        (position, questions.index(q), value)
        for position, found in enumerate(settings.values())
        for q, value in found.items()
    ]
    setting, question, value = map(np.array, zip(*cells, strict=True))
    return QuestionScores(measure, tuple(settings), tuple(questions), setting, question, value)


ENTRY = {
    "moir/de-de": {"q1": 1.0, "q2": 0.5},
    "clir/de-en": {"q1": 0.25, "q2": 0.5},
    "clir/en-de": {"q1": 0.75},
}


def test_class_averages_are_within_the_question_first() -> None:
    scores = from_question_scores({"A": entry(ENTRY), "B": entry(ENTRY)})
    assert scores.settings == ("moir", "clir")
    # q2 is asked in one of the two settings of CLIR.
    assert scores.values[:, :, 0].tolist() == [[1, 0.5], [0.5, 0.5]]
    assert scores.averaged_over == {"moir": 1, "clir": 2}
    chosen = from_question_scores({"A": entry(ENTRY), "B": entry(ENTRY)}, ["clir/*", "clir"])
    assert chosen.settings == ("clir/de-en", "clir/en-de", "clir")
    assert np.isnan(chosen.values[1, 1]).all()
    assert chosen.averaged_over == {"clir/de-en": 1, "clir/en-de": 1, "clir": 2}


def test_entries_of_other_settings_compare_on_those_that_they_share() -> None:
    scores = {"A": entry(ENTRY), "B": entry({k: ENTRY[k] for k in list(ENTRY)[:2]})}
    with pytest.raises(EntryError, match=r"not scored on the same settings.*--settings"):
        from_question_scores(scores)
    assert from_question_scores(scores, ["clir/*"]).settings == ("clir/de-en",)
    with pytest.raises(BabelboardError, match="clir/en-de"):
        from_question_scores(scores, ["clir/en-de"])


def test_bias_is_better_when_lower() -> None:
    scores = {"A": entry({"mlir/de-xx": {"q1": 3.0}}, "RankDistance")}
    assert not from_question_scores(scores).higher_is_better
    assert from_question_scores({"A": entry(ENTRY)}).higher_is_better


def test_seeds_are_averaged_within_the_question() -> None:
    values = np.array([[[0.0, 0.5, 1.0]], [[1.0, 0.5, np.nan]]])
    names = ("s1", "s2", "base")
    scores = replace(
        from_arrays({name: [0, 0] for name in names}), values=values, averaged_over={"all": 3}
    )
    found = average_over_seeds(scores, {"mine": ["s1", "s2"], "base": ["base"]})
    assert found.systems == ("mine", "base")
    np.testing.assert_array_equal(found.values[:, 0], [[0.25, 1], [0.75, np.nan]])
    assert found.seed_counts() == {"mine": 2, "base": 1}
    assert found.of_seeds(0, 0).tolist() == [[0, 0.5], [1, 0.5]]
    assert found.of_seeds(1, 0).shape == (2, 1)
    # Means over two seeds lie on a lattice twice as fine.
    assert found.averaged_over == {"all": 6}
