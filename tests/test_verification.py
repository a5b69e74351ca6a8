"""Ranks held against ranks: hand-computed differences, and what two runs may not differ in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_tables import rank_table

from harness.ranks import Column, RankTable
from harness.run_table import RunTable
from submissions.manifest import ModelPart
from submissions.verification import (
    TOLERANCES,
    SettingDifference,
    TaskComparison,
    as_deep_as,
    compare_ranks,
    tolerance_of,
)

SIZES = {"moir/de-de": 10, "clir/de-en": 10}
RANKS = (("moir/de-de", 1), ("moir/de-de", 4), ("clir/de-en", 2), ("clir/de-en", 0))


def table(*ranks: int, sizes: dict[str, int] | None = None) -> RankTable:
    """Two questions in two settings, one relevant document each; no ranks: those of RANKS."""
    given = ranks or tuple(rank for _, rank in RANKS)
    rows = [
        (setting, "de", f"q{number % 2}", f"{setting[-2:]}_{number % 2}", 1, rank)
        for number, ((setting, _), rank) in enumerate(zip(RANKS, given, strict=True))
    ]
    return replace(rank_table(rows, sizes or SIZES, "own"), measures=("AP", "RR@3"))


def test_the_same_ranks_differ_in_nothing() -> None:
    found = compare_ranks(table(), table(), 0.0)
    assert found.holds
    assert (found.delta, found.judged, found.differing, found.greatest_change) == (0, 4, 0, 0)


def test_differences_by_hand() -> None:
    # moir: AP (1 + 1/4) / 2 -> (1 + 1/2) / 2; clir: AP (1/2 + 0) / 2 -> (1/2 + 1/5) / 2.
    found = compare_ranks(table(), table(1, 2, 2, 5), 0.0)
    moir, clir = found.settings
    assert moir.means == pytest.approx({"AP": 0.125, "RR@3": 0.25})
    assert (moir.judged, moir.differing, moir.greatest_change) == (2, 1, 2)
    assert moir.largest == pytest.approx(0.25)
    assert clir.means == pytest.approx({"AP": 0.1, "RR@3": 0.0})
    # What was not retrieved stands behind the pool: from 11 to 5.
    assert (clir.judged, clir.differing, clir.greatest_change) == (2, 1, 6)
    assert (found.differing, found.greatest_change) == (2, 6)
    assert found.delta == pytest.approx(0.25)
    assert not found.holds
    assert found.mismatches == ()


def test_the_sign_of_a_difference_is_that_of_now_minus_before() -> None:
    lower = compare_ranks(table(1, 2, 2, 5), table(), 1.0)
    assert lower.settings[0].means["AP"] == pytest.approx(-0.125)
    assert lower.delta == pytest.approx(0.25)


def test_what_one_question_weighs_does_not_count_in_a_setting() -> None:
    # moir: RR@3 of two questions from 1/2 to 3/4; over its only setting the average does the same.
    found = compare_ranks(table(), table(1, 2, 2, 5), 0.01)
    assert found.largest == pytest.approx(0.25)
    assert found.averages == pytest.approx({"moir": 0.25, "clir": 0.1})
    assert found.delta == pytest.approx(0.25), "of an average, all counts"
    setting = SettingDifference("clir/de-en", 10, 1, 1, 10, {"AP": 0.13}, 0.13)
    for tolerance, delta in ((0.03, 0.03), (0.0, 0.13)):
        one = TaskComparison("own", tolerance, (setting,), {"clir": 0.02}, ())
        assert one.delta == pytest.approx(delta)
        assert one.holds is (tolerance > 0 and one.delta <= tolerance)
    less = TaskComparison("own", 0.05, (setting,), {"clir": 0.04}, ())
    assert less.delta == 0.04
    assert TaskComparison("own", 0.05, (), {}, ()).delta == 0


@pytest.mark.parametrize(("tolerance", "holds"), [(0.25, True), (0.2499, False)])
def test_a_difference_that_is_the_tolerance_holds(tolerance: float, holds: bool) -> None:
    assert compare_ranks(table(), table(1, 2, 2, 5), tolerance).holds is holds


def test_a_rank_distance_counts_as_a_share() -> None:
    rows = [
        ("mlir/de-xx", "de", "q", f"{code}_1", 1, rank) for code, rank in (("de", 1), ("en", 5))
    ]
    sizes = {"mlir/de-xx": 20}
    one = replace(rank_table(rows, sizes, "own"), measures=("RankDistance",))
    other = replace(one, rank=np.array([1, 6]))
    found = compare_ranks(one, other, 0.2)
    less = compare_ranks(one, replace(one, rank=np.array([1, 1])), 0.2)
    # The distance grows with the gap: 4 before, 5 now, a quarter more.
    assert found.delta == pytest.approx(0.25)
    assert less.largest == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (table(sizes={"moir/de-de": 10, "clir/de-en": 11}), "clir/de-en: 10 documents"),
        (replace(table(), relevance=np.array([1, 1, 1, 2])), "1 judged documents have another"),
        (
            replace(table(), measures=("AP",)),
            "reports AP, RR@3, led by RR; the task has AP",
        ),
    ],
    ids=["pool", "relevance", "measures"],
)
def test_what_two_runs_cannot_differ_in(other: RankTable, said: str) -> None:
    found = compare_ranks(table(), other, 9.0)
    assert not found.holds
    assert said in " ".join(found.mismatches)


def test_rows_of_one_side_alone_are_no_repetition() -> None:
    whole = table()
    kept = np.array([0, 1, 2])
    less = replace(
        whole,
        setting=Column(whole.setting.names, whole.setting.codes[kept]),
        query_language=Column(whole.query_language.names, whole.query_language.codes[kept]),
        question=Column(whole.question.names, whole.question.codes[kept]),
        document=Column(whole.document.names, whole.document.codes[kept]),
        relevance=whole.relevance[kept],
        rank=whole.rank[kept],
    )
    for found in (compare_ranks(whole, less, 9.0), compare_ranks(less, whole, 9.0)):
        assert not found.holds
        assert found.differing == 1
        assert found.mismatches == (
            "1 judged documents are there in one of both only, such as in clir/de-en.",
        )


def test_a_setting_of_one_side_alone_is_no_repetition() -> None:
    rows = [("moir/de-de", "de", f"q{n}", f"de_{n}", 1, rank) for n, rank in enumerate((1, 4))]
    less = replace(rank_table(rows, {"moir/de-de": 10}, "own"), measures=("AP", "RR@3"))
    found = compare_ranks(table(), less, 9.0)
    assert not found.holds
    assert found.settings[1].means == {}
    assert "clir/de-en: 10 documents in the entry, 0 now" in found.mismatches[0]


def runs(*listed: tuple[str, str, int]) -> RunTable:
    """Rankings: setting, question and how many documents were listed."""
    rows = [(setting, question) for setting, question, many in listed for _ in range(many)]
    settings, questions = tuple(SIZES), ("q0", "q1")
    zeros = np.zeros(len(rows), dtype=np.int64)
    return RunTable(
        task="own",
        depth=10,
        setting=Column(settings, np.array([settings.index(s) for s, _ in rows], dtype=np.int64)),
        query_language=Column(("de",), zeros),
        question=Column(questions, np.array([questions.index(q) for _, q in rows], dtype=np.int64)),
        document=Column(("x",), zeros),
        score=np.zeros(len(rows)),
    )


def test_ranks_deeper_than_a_ranking_are_not_retrieved() -> None:
    depths = runs(("moir/de-de", "q0", 1), ("moir/de-de", "q1", 3), ("clir/de-en", "q0", 2))
    assert as_deep_as(table(), depths).rank.tolist() == [1, 0, 2, 0]


def test_a_query_without_a_ranking_is_left_as_it_is() -> None:
    assert as_deep_as(table(1, 2, 3, 4), runs()).rank.tolist() == [1, 2, 3, 4]
    assert as_deep_as(table(5, 5, 5, 5), runs(("clir/de-en", "q1", 4))).rank.tolist() == [
        5,
        5,
        5,
        0,
    ]


@given(st.lists(st.integers(0, 10), min_size=4, max_size=4))
def test_both_ways_the_same_size(ranks: list[int]) -> None:
    there, back = compare_ranks(table(), table(*ranks), 0), compare_ranks(table(*ranks), table(), 0)
    assert there.delta == pytest.approx(back.delta)
    assert (
        there.differing
        == back.differing
        == sum(a != b for a, (_, b) in zip(ranks, RANKS, strict=True))
    )
    assert there.greatest_change == back.greatest_change


@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [
        ({}, 0.0),
        ({"dtype": "float32"}, TOLERANCES["float32"]),
        ({"dtype": "bfloat16"}, TOLERANCES["bfloat16"]),
        ({"dtype": "made-up"}, 0.0),
    ],
    ids=["lexical", "float32", "bfloat16", "unknown"],
)
def test_the_tolerance_is_that_of_the_number_format(
    settings: dict[str, str], tolerance: float
) -> None:
    model = ModelPart.model_validate({"kind": "dense", "name": "x", "settings": settings})
    assert tolerance_of(model) == tolerance
