"""Means per setting and per class, macro and micro, on tables small enough to check by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.question_scores import (
    Average,
    SettingMean,
    class_averages,
    classes,
    question_scores,
    setting_means,
)
from harness.ranks import Column, RankTable
from harness.task_summary import TaskSummary, summarise

Row = tuple[str, str, str, str, int, int]
"""Setting, query language, question, document, relevance, rank (0: not retrieved)."""

# Values of RR are given as 1/rank. Question q3 is asked in English only, q2 is not answered in
# German: every number of questions differs.
ROWS: list[Row] = [
    ("moir/de-de", "de", "q1", "de1", 1, 1),
    ("moir/en-en", "en", "q1", "en1", 1, 4),
    ("moir/en-en", "en", "q2", "en2", 1, 1),
    ("moir/en-en", "en", "q3", "en3", 1, 5),
    ("clir/de-en", "de", "q1", "en1", 1, 2),
    ("clir/de-en", "de", "q2", "en2", 1, 0),
    ("clir/en-de", "en", "q1", "de1", 1, 10),
    ("mlir/de-xx", "de", "q1", "de1", 1, 1),
    ("mlir/de-xx", "de", "q1", "en1", 1, 3),
    ("mlir/de-xx", "de", "q2", "en2", 1, 0),
    ("mlir/en-xx", "en", "q1", "de1", 1, 7),
    ("mlir/en-xx", "en", "q1", "en1", 1, 2),
    ("mlir/en-xx", "en", "q2", "en2", 1, 4),
    ("mlir/en-xx", "en", "q3", "en3", 1, 1),
    ("mlir/xx-xx", "de", "q1", "de1", 1, 1),
    ("mlir/xx-xx", "de", "q1", "en1", 1, 3),
    ("mlir/xx-xx", "de", "q2", "en2", 1, 0),
    ("mlir/xx-xx", "en", "q1", "de1", 1, 7),
    ("mlir/xx-xx", "en", "q1", "en1", 1, 2),
    ("mlir/xx-xx", "en", "q2", "en2", 1, 4),
    ("mlir/xx-xx", "en", "q3", "en3", 1, 1),
]
POOL_SIZES = {
    "moir/de-de": 10,
    "moir/en-en": 12,
    "clir/de-en": 12,
    "clir/en-de": 10,
    "mlir/de-xx": 22,
    "mlir/en-xx": 22,
    "mlir/xx-xx": 22,
}


def make_table(rows: list[Row], measures: tuple[str, ...] = ("RR",)) -> RankTable:
    columns = [list(values) for values in zip(*rows, strict=True)]
    names = [tuple(dict.fromkeys(values)) for values in columns[:4]]
    codes = [
        np.array([n.index(value) for value in values], dtype=np.int64)
        for n, values in zip(names, columns, strict=False)
    ]
    return RankTable(
        "pocket",
        POOL_SIZES,
        *(Column(n, c) for n, c in zip(names, codes, strict=True)),
        relevance=np.array(columns[4], dtype=np.int64),
        rank=np.array(columns[5], dtype=np.int64),
        primary_measure=measures[0],
        measures=measures,
    )


TABLE = make_table(ROWS, ("RR", "RankDistance"))


def test_every_query_has_one_value_however_many_documents_are_relevant() -> None:
    scores = question_scores(TABLE, "RR")
    found = {
        (scores.settings[s], scores.questions[q], float(v))
        for s, q, v in zip(scores.setting, scores.question, scores.value, strict=True)
        if scores.settings[s] in ("mlir/de-xx", "mlir/xx-xx")
    }
    assert found == {
        ("mlir/de-xx", "q1", 1.0),
        ("mlir/de-xx", "q2", 0.0),
        ("mlir/xx-xx", "q1", 1.0),
        ("mlir/xx-xx", "q2", 0.0),
        ("mlir/xx-xx", "q1", 0.5),
        ("mlir/xx-xx", "q2", 0.25),
        ("mlir/xx-xx", "q3", 1.0),
    }
    assert len(scores.value) == 4 + 3 + 2 + 3 + 5


def test_means_and_numbers_of_questions_of_each_setting() -> None:
    means = setting_means(question_scores(TABLE, "RR"))
    assert list(means) == list(POOL_SIZES)
    assert means["moir/de-de"] == SettingMean(1.0, 1)
    assert means["moir/en-en"].mean == pytest.approx((1 / 4 + 1 + 1 / 5) / 3)
    assert means["moir/en-en"].n == 3
    assert means["clir/de-en"] == SettingMean(0.25, 2)
    assert means["clir/en-de"] == SettingMean(0.1, 1)
    assert means["mlir/de-xx"] == SettingMean(0.5, 2)
    # Over five queries, but they ask three questions.
    assert means["mlir/xx-xx"].mean == pytest.approx((1 + 0 + 1 / 2 + 1 / 4 + 1) / 5)
    assert means["mlir/xx-xx"].n == 3


def test_macro_and_micro_averages_by_hand() -> None:
    averages = class_averages(question_scores(TABLE, "RR"))
    assert list(averages) == ["moir", "clir", "mlir"]

    def check(kind: str, macro: float, micro: float, asked: int) -> None:
        found = averages[kind]
        assert found == Average(pytest.approx(macro), pytest.approx(micro), 2, asked)

    # q1 is asked in both languages, q2 and q3 in English only.
    check("moir", (1 + 1.45 / 3) / 2, ((1 + 1 / 4) / 2 + 1 + 1 / 5) / 3, 3)
    check("clir", (0.25 + 0.1) / 2, ((1 / 2 + 1 / 10) / 2 + 0) / 2, 2)
    # mlir/xx-xx would make them other: it asks the same questions of the same pool once more.
    check("mlir", (0.5 + 1.75 / 3) / 2, ((1 + 1 / 2) / 2 + (0 + 1 / 4) / 2 + 1) / 3, 3)


def test_scores_by_question_are_means_over_the_settings_that_ask_it() -> None:
    scores = question_scores(TABLE, "RR")
    assert scores.by_question(["moir/de-de", "moir/en-en"]) == {"q1": 0.625, "q2": 1.0, "q3": 0.2}
    assert scores.by_question(["moir/de-de"]) == {"q1": 1.0}
    assert scores.by_question(["mlir/xx-xx"]) == {"q1": 0.75, "q2": 0.125, "q3": 1.0}
    assert scores.by_question([]) == {}


def test_a_setting_that_repeats_the_queries_of_others_is_in_no_class() -> None:
    assert classes(list(POOL_SIZES)) == {
        "moir": ("moir/de-de", "moir/en-en"),
        "clir": ("clir/de-en", "clir/en-de"),
        "mlir": ("mlir/de-xx", "mlir/en-xx"),
    }
    # Where each question is asked in one language that is drawn, it repeats none.
    drawn = ("mlir/en-xx", "mlir/xx-en", "mlir/xx-xx")
    assert classes(list(drawn)) == {"mlir": drawn}
    assert classes(["clir/en-de"]) == {"clir": ("clir/en-de",)}


def test_rank_distance_is_for_pools_of_several_languages_only() -> None:
    scores = question_scores(TABLE, "RankDistance")
    means = setting_means(scores)
    # q1: 3 - 1; q2 has but one relevant document.
    assert means["mlir/de-xx"] == SettingMean(1.0, 2)
    assert means["mlir/en-xx"] == SettingMean(pytest.approx(5 / 3), 3)
    assert means["mlir/xx-xx"] == SettingMean(pytest.approx(7 / 5), 3)
    assert set(means) == {"mlir/de-xx", "mlir/en-xx", "mlir/xx-xx"}
    assert set(class_averages(scores)) == {"mlir"}


def test_what_is_not_retrieved_is_last_of_its_own_pool() -> None:
    rows: list[Row] = [
        ("mlir/de-xx", "de", "q1", "de1", 1, 2),
        ("mlir/de-xx", "de", "q1", "en1", 1, 0),
        ("mlir/en-xx", "en", "q1", "de1", 1, 2),
        ("mlir/en-xx", "en", "q1", "en1", 1, 0),
    ]
    table = replace(make_table(rows), pool_sizes={"mlir/de-xx": 22, "mlir/en-xx": 30})
    assert question_scores(table, "RankDistance").value.tolist() == [20.0, 28.0]


def test_one_question_in_two_languages_is_two_queries() -> None:
    rows: list[Row] = [
        ("mlir/xx-xx", "de", "q1", "de1", 1, 2),
        ("mlir/xx-xx", "en", "q1", "de1", 1, 4),
        ("moir/de-de", "de", "q1", "de1", 1, 5),
    ]
    assert question_scores(make_table(rows), "RR").value.tolist() == [0.5, 0.25, 0.2]


def test_the_summary_holds_every_setting_and_class_in_every_measure() -> None:
    found = json.loads(json.dumps(summarise(TABLE)[0].as_published()))
    assert set(found) == {"schema_version", "task", "classes", "settings"}
    assert (found["schema_version"], found["task"]) == (1, "pocket")
    assert list(found["settings"]) == list(POOL_SIZES)
    assert found["settings"]["moir/en-en"] == {"n": 3, "RR": 0.4833333333}
    assert found["settings"]["mlir/en-xx"] == {
        "n": 3,
        "RR": 0.5833333333,
        "RankDistance": 1.6666666667,
    }
    assert list(found["classes"]) == ["moir", "clir", "mlir"]
    assert found["classes"]["moir"] == {
        "settings": 2,
        "questions": 3,
        "RR": {"macro_over_settings": 0.7416666667, "micro_over_questions": 0.6083333333},
    }
    assert set(found["classes"]["mlir"]) == {"settings", "questions", "RR", "RankDistance"}


def test_a_summary_goes_through_json_and_comes_with_the_primary_scores() -> None:
    found, scores = summarise(TABLE)
    assert TaskSummary.from_json(json.loads(json.dumps(found.as_json()))) == found
    assert (found.questions, found.languages, found.settings) == (3, 2, tuple(POOL_SIZES))
    assert scores.measure == found.measure == "RR"
    assert found.averages["RR"] == class_averages(scores)
    assert np.array_equal(scores.value, question_scores(TABLE, "RR").value)


VALUES = st.integers(0, 9)


@given(st.integers(1, 4), st.data())
@settings(deadline=None)
def test_macro_equals_micro_where_every_setting_asks_every_question(
    questions: int, data: st.DataObject
) -> None:
    chosen = ["moir/de-de", "moir/en-en", "clir/de-en", "clir/en-de", "mlir/de-xx", "mlir/en-xx"]
    rows = [
        (setting, setting[5:7], f"q{number}", "d", 1, data.draw(VALUES))
        for setting in chosen
        for number in range(questions)
    ]
    averages = class_averages(question_scores(make_table(rows), "RR"))
    assert set(averages) == {"moir", "clir", "mlir"}
    for found in averages.values():
        assert found.macro == pytest.approx(found.micro)
        assert (found.settings, found.questions) == (2, questions)


@given(st.sets(st.tuples(st.sampled_from(list(POOL_SIZES)[:4]), st.sampled_from("abc"))), st.data())
@settings(deadline=None)
def test_averages_over_settings_with_other_questions_equal_plain_loops(
    asked: set[tuple[str, str]], data: st.DataObject
) -> None:
    order = list(POOL_SIZES)
    keys = sorted(asked or {("moir/de-de", "a")}, key=lambda key: (order.index(key[0]), key[1]))
    ranks = {key: data.draw(VALUES) for key in keys}
    value = {key: 1 / rank if rank else 0.0 for key, rank in ranks.items()}
    rows = [(s, s[5:7], q, "d", 1, ranks[s, q]) for s, q in keys]
    averages = class_averages(question_scores(make_table(rows), "RR"))
    for kind in ("moir", "clir"):
        chosen = [key for key in keys if key[0].startswith(kind)]
        assert (kind in averages) == bool(chosen)
        if chosen:
            by_setting, by_question = (
                [
                    np.mean([value[key] for key in chosen if key[side] == name])
                    for name in {key[side] for key in chosen}
                ]
                for side in (0, 1)
            )
            assert averages[kind].macro == pytest.approx(np.mean(by_setting))
            assert averages[kind].micro == pytest.approx(np.mean(by_question))
