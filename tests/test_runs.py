"""TREC run and qrels files: what is read, what is refused and where the fault is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runs import judged_ranks_of_run, read_qrels, read_run
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD_RUN = "q1 Q0 d1 1 0.5 tag\n"
GOOD_QRELS = "q1 0 d1 1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.txt"


def test_a_run_is_read_whatever_separates_its_columns(path: Path) -> None:
    path.write_text("q1\tQ0\td1\t7\t0.5\ttag\n\n  q1 Q0 ü中   2 -1e-3 tag  \r\nq2 Q0 d1 1 inf t")
    # The rank column is not used, as in trec_eval.
    assert read_run(path) == {"q1": {"d1": 0.5, "ü中": -0.001}, "q2": {"d1": float("inf")}}


def test_qrels_are_read_with_their_grades(path: Path) -> None:
    path.write_text("q2 0 d1 2\nq1 Q0 d1 0\nq2 0 d2 -1\n")
    found = read_qrels(path)
    assert found == {"q2": {"d1": 2, "d2": -1}, "q1": {"d1": 0}}
    assert list(found) == ["q2", "q1"]


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (read_run, GOOD_RUN + "q1 Q0 d2 1 0.5\n", ":2: 5 columns, expected 6: query_id Q0 doc_id"),
        (read_run, GOOD_RUN + "\nq1 Q0 d2 1 0.5 my tag\n", ":3: 7 columns, expected 6"),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 high tag\n", ":2: 'high' is not a number"),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 nan tag\n", ":2: 'nan' is not a number"),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 NaN tag\n", ":2: 'NaN' is not a number"),
        (read_run, GOOD_RUN + GOOD_RUN, ":2: document 'd1' is there twice for query 'q1'"),
        (read_run, GOOD_QRELS, ":1: 4 columns, expected 6"),
        (read_run, "", " is empty; expected lines of the form: query_id Q0 doc_id rank score tag"),
        (read_run, "\n \n", " is empty"),
        (read_qrels, GOOD_QRELS + "q1 0 d2\n", ":2: 3 columns, expected 4: query_id 0 doc_id"),
        (read_qrels, GOOD_QRELS + "q1 0 d2 0.5\n", ":2: '0.5' is not a number"),
        (read_qrels, GOOD_QRELS + "q1 0 d2 yes\n", ":2: 'yes' is not a number"),
        (read_qrels, GOOD_QRELS + "q1 0 d1 0\n", ":2: document 'd1' is there twice for query 'q1'"),
        (read_qrels, GOOD_RUN, ":1: 6 columns, expected 4"),
        (read_qrels, "", " is empty; expected lines of the form: query_id 0 doc_id relevance"),
    ],
)
def test_a_malformed_line_is_named(
    path: Path, read: Callable[[Path], object], content: str, message: str
) -> None:
    path.write_text(content)
    with pytest.raises(DataFileError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}{message}")


@pytest.mark.parametrize("read", [read_run, read_qrels])
def test_files_that_are_missing_or_no_text_are_refused(
    path: Path, read: Callable[[Path], object]
) -> None:
    with pytest.raises(DataFileError, match=r"There is no file .*some\.txt"):
        read(path)
    path.write_bytes(b"PAR1\x15\x00\xff\xfe\x00\x80")
    with pytest.raises(DataFileError, match=r"some\.txt is not a text file in UTF-8"):
        read(path)
    with pytest.raises(DataFileError, match="is not a text file"):
        read(path.parent)


def test_judged_documents_get_their_ranks_and_missing_ones_none() -> None:
    run = {"q1": {"a": 0.1, "b": 0.9, "c": 0.5}, "not judged": {"a": 1.0}}
    qrels = {"q2": {"a": 1}, "q1": {"c": 2, "z": 1, "a": 0}}
    judged = judged_ranks_of_run(run, qrels)
    assert judged.queries == 2
    assert judged.query.tolist() == [0, 1, 1, 1]
    assert judged.relevance.tolist() == [1, 2, 1, 0]
    assert judged.rank.tolist() == [0, 2, 0, 3]
    assert judged.pool_size.tolist() == [0, 3]


def test_scores_that_differ_only_below_float32_tie_and_ties_go_by_descending_id() -> None:
    run = {"q": {"b": 1.0, "c": 1.0 + 1e-9, "a": 1.0 + 2e-9, "é": 1.0, "z": 0.5}}
    qrels = {"q": dict.fromkeys(run["q"], 1)}
    ranks = judged_ranks_of_run(run, qrels).rank.tolist()
    assert dict(zip(run["q"], ranks, strict=True)) == {"é": 1, "c": 2, "b": 3, "a": 4, "z": 5}


def test_scores_beyond_float32_tie_as_in_trec_eval() -> None:
    run = {"q": {"a": 1e300, "b": 1e299, "c": 0.0}}
    ranks = judged_ranks_of_run(run, {"q": {"a": 1, "b": 1, "c": 1}}).rank.tolist()
    assert ranks == [2, 1, 3]


@given(st.dictionaries(st.text("abé0", min_size=1), st.sampled_from([0.0, 0.5, 1.0])), st.data())
def test_the_order_of_lines_does_not_matter(run: dict[str, float], data: st.DataObject) -> None:
    qrels = {"q": dict.fromkeys([*run, "never retrieved"], 1)}
    shuffled = dict(data.draw(st.permutations(list(run.items()))))
    np.testing.assert_array_equal(
        judged_ranks_of_run({"q": shuffled}, qrels).rank,
        judged_ranks_of_run({"q": run}, qrels).rank,
    )
