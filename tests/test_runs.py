"""TREC run and qrels files: what is read, what is refused and where the fault is."""

from __future__ import annotations

import gzip
import random
import re
import subprocess
import tracemalloc
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
    path.write_text("q1\tQ0\td1\t7\t0.5\ttag\n\n  q1 Q0 ü中   2 -1e-3 tag  \r\nq2 Q0 d1 x 7 t")
    # The rank column is not used, as in trec_eval.
    assert read_run(path) == {"q1": {"d1": 0.5, "ü中": -0.001}, "q2": {"d1": 7.0}}


def test_qrels_are_read_with_their_grades(path: Path) -> None:
    path.write_text("q2 0 d1 2\nq1 Q0 d1 0\nq2 0 d2 -1\n")
    found = read_qrels(path)
    assert found == {"q2": {"d1": 2, "d2": -1}, "q1": {"d1": 0}}
    assert list(found) == ["q2", "q1"]


def test_ids_are_parted_by_spaces_and_tabs_alone(path: Path) -> None:
    # These three are spaces to str.split: no-break, ideographic, and the separator of groups.
    ids = ("d\u00a01", "d\u30001", "d\x1d1")
    path.write_text("".join(f"q Q0 {name} 1 {-n} tag\n" for n, name in enumerate(ids)), "utf-8")
    assert list(read_run(path)["q"]) == list(ids)


def test_comments_and_words_after_the_tag_are_passed_over_as_in_trec_eval(path: Path) -> None:
    path.write_text("# made by us\n" + GOOD_RUN + "q1 Q0 d2 2 0.25 my own tag\n")
    assert read_run(path) == {"q1": {"d1": 0.5, "d2": 0.25}}
    path.write_text("# made by us\n" + GOOD_QRELS)
    assert read_qrels(path) == {"q1": {"d1": 1}}


def test_a_mark_of_byte_order_is_no_part_of_the_first_id(path: Path) -> None:
    path.write_text(GOOD_QRELS, encoding="utf-8-sig")
    assert read_qrels(path) == {"q1": {"d1": 1}}


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (read_run, GOOD_RUN + "q1 Q0 d2 1 0.5\n", ":2: 5 columns, expected 6: query_id Q0 doc_id"),
        # The id has a space in it: what would be read as the score is the rank.
        (read_run, GOOD_RUN + "\nq1 Q0 my doc 1 0.5 tag\n", ":3: 7 columns, expected 6"),
        (read_run, "q1\td1\t1\n", ":1: 3 columns, expected 6: query_id Q0 doc_id rank score tag. "),
        (read_run, "q1\n", ":1: 1 column, expected 6: query_id Q0 doc_id rank score tag."),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 high tag\n", ":2: the score 'high' is not a finite num"),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 nan tag\n", ":2: the score 'nan' is not a finite number"),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 -inf tag\n", ":2: the score '-inf' is not a finite numb"),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 1e999 tag\n", ":2: the score '1e999' is not a finite "),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 1_0 tag\n", ":2: the score '1_0' is not a finite number"),
        (read_run, GOOD_RUN + "q1 Q0 d2 1 ５ tag\n", ":2: the score '５' is not a finite number"),
        (read_run, GOOD_RUN + GOOD_RUN, ":2: document 'd1' is there twice for query 'q1'"),
        (
            read_run,
            GOOD_QRELS,
            ":1: 4 columns, expected 6: query_id Q0 doc_id rank score tag. Are ",
        ),
        (read_run, "", " is empty; expected lines of the form: query_id Q0 doc_id rank score tag"),
        (read_run, "\n \n# nothing\n", " is empty"),
        (read_qrels, GOOD_QRELS + "q1 0 d2\n", ":2: 3 columns, expected 4: query_id 0 doc_id"),
        (read_qrels, GOOD_QRELS + "q1 0 d2 0.5\n", ":2: the relevance '0.5' is not a whole number"),
        (read_qrels, GOOD_QRELS + "q1 0 d2 yes\n", ":2: the relevance 'yes' is not a whole number"),
        (read_qrels, GOOD_QRELS + "q1 0 d2 1_0\n", ":2: the relevance '1_0' is not a whole number"),
        (read_qrels, GOOD_QRELS + "q1 0 d2 2147483648\n", ":2: the relevance '2147483648' is not"),
        (read_qrels, GOOD_QRELS + "q1 0 d1 0\n", ":2: document 'd1' is there twice for query 'q1'"),
        (read_qrels, GOOD_QRELS + "q1 0 d2 1 more\n", ":2: 5 columns, expected 4"),
        (read_qrels, GOOD_RUN, ":1: 6 columns, expected 4: query_id 0 doc_id relevance. Is this t"),
        (read_qrels, "", " is empty; expected lines of the form: query_id 0 doc_id relevance"),
    ],
)
def test_a_malformed_line_is_named(
    path: Path, read: Callable[[Path], object], content: str, message: str
) -> None:
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}{message}")


@pytest.mark.parametrize(
    ("read", "content", "expected"),
    [
        (read_run, "q1\td1\t1\nq1\td2\t2\n", {"q1": {"d1": -1.0, "d2": -2.0}}),
        (read_qrels, "query-id\tcorpus-id\tscore\nq1\td1\t2\n", {"q1": {"d1": 2}}),
    ],
)
def test_the_advice_for_other_forms_makes_files_that_are_read(
    path: Path, read: Callable[[Path], object], content: str, expected: object
) -> None:
    path.write_text(content)
    with pytest.raises(DataFileError) as caught:
        read(path)
    program = re.search(r"awk '(.*)'", str(caught.value))
    assert program
    made = subprocess.run(
        ["awk", program[1], path],  # noqa: S607  # as a user has it
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    path.write_text(made.stdout)
    assert read(path) == expected


@pytest.mark.parametrize("read", [read_run, read_qrels])
def test_files_that_are_missing_or_no_text_are_refused(
    path: Path, read: Callable[[Path], object]
) -> None:
    with pytest.raises(DataFileError, match=r"There is no file .*some\.txt"):
        read(path)
    path.write_bytes(b"\n\nPAR1\x15\x00\xff\xfe\x00\x80")
    with pytest.raises(DataFileError, match=r"some\.txt:3: not a text file in UTF-8"):
        read(path)
    path.write_bytes(b"\n" + b"d" * 2**16)
    with pytest.raises(DataFileError, match=r"some\.txt:2: the line is longer than 65,536 bytes"):
        read(path)
    with pytest.raises(DataFileError, match="is a folder; expected a file"):
        read(path.parent)


# A query twice.

FIRST = "q1 Q0 d1 1 0.9 t\nq1 Q0 d2 2 0.8 t\nq2 Q0 d1 1 0.7 t\n"


@pytest.mark.parametrize(
    "second",
    [
        "q1 Q0 d3 1 0.5 t\n",  # another ranking of the query
        "q1 Q0 d3 3 0.5 t\nq1 Q0 d1 4 0.4 t\n",  # a document again
        FIRST,
    ],
)
def test_a_run_with_a_query_twice_is_refused(path: Path, second: str) -> None:
    path.write_text(FIRST + second)
    with pytest.raises(DataFileError) as caught:
        read_run(path)
    assert str(caught.value).startswith(f"{path}:4: query 'q1' is there twice: it comes back after")


def test_lines_of_one_ranking_may_be_scattered_as_in_trec_eval(path: Path) -> None:
    path.write_text(FIRST + "q1 Q0 d3 3 0.95 t\nq2 Q0 d3 2 0.1 t\nq1 Q0 d4 4 0.1 t\n")
    assert read_run(path)["q1"] == {"d1": 0.9, "d2": 0.8, "d3": 0.95, "d4": 0.1}
    path.write_text("q1 0 d1 1\nq2 0 d1 1\nq1 0 d2 1\n")
    assert read_qrels(path) == {"q1": {"d1": 1, "d2": 1}, "q2": {"d1": 1}}
    # Ranks that say nothing are no sign of two rankings where the lines are together.
    path.write_text("q1 Q0 d1 0 0.9 t\nq1 Q0 d2 0 0.8 t\nq2 Q0 d1 0 0.7 t\n")
    assert read_run(path)["q1"] == {"d1": 0.9, "d2": 0.8}


# gzip.


def lines(count: int) -> bytes:
    # Scores as random as those of a model, so that the file does not fit one block.
    score = random.Random(0).random  # noqa: S311  # no secret
    return b"".join(b"q1 Q0 d%d %d %.17g tag\n" % (n, n, score()) for n in range(count))


def test_gzip_is_read_by_what_it_is_not_by_its_name(path: Path) -> None:
    content = lines(1000)
    path.write_bytes(content)
    plain = read_run(path)
    assert len(plain["q1"]) == 1000
    path.write_bytes(gzip.compress(content))
    assert read_run(path) == plain
    # As gzip has it, one file after another is a file.
    path.with_suffix(".gz").write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:]))
    assert read_run(path.with_suffix(".gz")) == plain
    path.write_bytes(gzip.compress(GOOD_QRELS.encode()))
    assert read_qrels(path) == {"q1": {"d1": 1}}
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(DataFileError, match="is empty"):
        read_run(path)


def damaged() -> dict[str, bytes]:
    whole = gzip.compress(lines(1000))
    middle = len(whole) // 2
    return {
        "cut short": whole[:middle],
        "without its end": whole[:-1],
        "cut in its head": whole[:5],
        "wrong sum": whole[:-8] + bytes(8),
        "no such kind of block": whole[:10] + b"\xff" + whole[11:],
        "something after it": whole + b"more",
    }


@pytest.mark.parametrize("damage", list(damaged()))
def test_gzip_that_is_cut_short_or_damaged_is_refused(path: Path, damage: str) -> None:
    path.write_bytes(damaged()[damage])
    with pytest.raises(
        DataFileError, match=r"some\.txt:\d+: the gzip file is cut short or damaged"
    ):
        read_run(path)


def test_gzip_that_grows_too_much_is_refused_before_it_fills_the_memory(path: Path) -> None:
    path.write_bytes(gzip.compress(GOOD_RUN.encode() + (b"#" * 2**15 + b"\n") * 2**10))
    assert path.stat().st_size < 2**16
    tracemalloc.start()
    with pytest.raises(DataFileError, match=r"decompresses to more than 16,777,216 bytes"):
        read_run(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22
    # No end of line in all of it: the line is too long before the file is too large.
    path.write_bytes(gzip.compress(bytes(2**25)))
    with pytest.raises(DataFileError, match=r"some\.txt:1: the line is longer"):
        read_run(path)


# Ranks.


def test_judged_documents_get_their_ranks_and_missing_ones_none() -> None:
    run = {"q1": {"a": 0.1, "b": 0.9, "c": 0.5}, "not judged": {"a": 1.0}}
    qrels = {"q2": {"a": 1}, "q1": {"c": 2, "z": 1, "a": 0}}
    judged = judged_ranks_of_run(run, qrels)
    assert judged.queries == 2
    assert judged.query.tolist() == [0, 1, 1, 1]
    assert judged.relevance.tolist() == [1, 2, 1, 0]
    assert judged.rank.tolist() == [0, 2, 0, 3]
    assert judged.pool_size is None
    assert judged.retrieved is not None
    assert judged.retrieved.tolist() == [0, 3]


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
