"""Summaries of a task: every digit survives a file, and every setting keeps its place."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_tables import rank_table

from harness.question_scores import Average, SettingMean
from harness.task_summary import TaskSummary, summarise

if TYPE_CHECKING:
    from rank_tables import Row

    from harness.ranks import RankTable

# Not in the order of names: the order of the task counts.
SIZES = {"mlir/en-xx": 40, "clir/en-de": 20, "moir/en-en": 20, "moir/de-de": 20}
ROWS: list[Row] = [
    ("mlir/en-xx", "en", "q1", "d1", 1, 3),
    ("mlir/en-xx", "en", "q1", "d2", 1, 7),
    ("mlir/en-xx", "en", "q2", "d3", 1, 0),
    ("clir/en-de", "en", "q1", "d1", 1, 3),
    ("moir/en-en", "en", "q2", "d3", 1, 1),
]


def table(rows: list[Row], *measures: str, primary: str = "RR") -> RankTable:
    made = rank_table(rows, SIZES)
    return replace(made, measures=measures, primary_measure=primary)


def through_json(summary: TaskSummary) -> TaskSummary:
    return TaskSummary.from_json(json.loads(json.dumps(summary.as_json())))


def test_a_summary_by_hand() -> None:
    found, scores = summarise(table(ROWS, "RR", "RankDistance"))
    assert (found.task, found.measure, found.questions, found.languages) == ("own", "RR", 2, 1)
    assert found.settings == tuple(SIZES), "those without a question too"
    assert found.means == {
        "RR": {
            "mlir/en-xx": SettingMean((1 / 3 + 0) / 2, 2),
            "clir/en-de": SettingMean(1 / 3, 1),
            "moir/en-en": SettingMean(1.0, 1),
        },
        "RankDistance": {"mlir/en-xx": SettingMean((7 - 3 + 0) / 2, 2)},
    }
    assert found.averages["RankDistance"] == {"mlir": Average(2.0, 2.0, 1, 2)}
    assert scores.value.tolist() == [1 / 3, 0.0, 1 / 3, 1.0]


def test_a_measure_that_no_setting_has_is_there_without_values() -> None:
    rows = [row for row in ROWS if not row[0].startswith("mlir")]
    found, _ = summarise(table(rows, "RR", "RankDistance"))
    for summary in (found, through_json(found)):
        assert list(summary.means) == list(summary.averages) == ["RR", "RankDistance"]
        assert summary.means["RankDistance"] == {}
        assert summary.averages["RankDistance"] == {}
        assert set(summary.as_published()["settings"]) == {"clir/en-de", "moir/en-en"}  # type: ignore[call-overload]


def test_the_scores_are_those_of_the_primary_measure_wherever_it_is_listed() -> None:
    found, scores = summarise(table(ROWS, "RR", "RankDistance", primary="RankDistance"))
    assert found.measure == scores.measure == "RankDistance"
    assert scores.value.tolist() == [4.0, 0.0]
    assert list(found.means) == ["RR", "RankDistance"]


def test_a_summary_from_a_file_is_the_summary() -> None:
    found, _ = summarise(table(ROWS, "RR", "RankDistance"))
    read = through_json(found)
    assert read == found
    assert found == read
    assert read.as_json() == found.as_json()
    assert read.as_published() == found.as_published()
    assert list(read.means["RR"]) == list(found.means["RR"]), "settings keep their order"
    assert read.settings == found.settings


def test_means_from_a_file_are_a_mapping() -> None:
    means = through_json(summarise(table(ROWS, "RR", "RankDistance"))[0]).means
    assert len(means) == 2
    assert "RR" in means
    assert "AP" not in means
    assert means.get("AP") is None
    with pytest.raises(KeyError, match="AP"):
        means["AP"]
    mean = means["RR"]["clir/en-de"]
    assert isinstance(mean, SettingMean)
    assert (mean.mean, mean.n) == (1 / 3, 1)


def test_published_means_are_rounded_and_kept_ones_are_not() -> None:
    found, _ = summarise(table(ROWS, "RR"))
    published = found.as_published()
    assert published["settings"]["clir/en-de"] == {"n": 1, "RR": 0.3333333333}  # type: ignore[index]
    assert through_json(found).means["RR"]["clir/en-de"].mean == 1 / 3 != 0.3333333333


MEANS = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 10**6)
SETTING_MEANS = st.dictionaries(st.sampled_from(list(SIZES)), st.builds(SettingMean, MEANS, COUNTS))
AVERAGES = st.dictionaries(
    st.sampled_from(["moir", "clir", "mlir"]), st.builds(Average, MEANS, MEANS, COUNTS, COUNTS)
)


@given(
    st.dictionaries(st.sampled_from(["AP", "RR@10"]), SETTING_MEANS),
    st.dictionaries(st.sampled_from(["AP", "RR@10"]), AVERAGES),
)
@settings(deadline=None)
def test_no_digit_is_lost_in_a_file(
    means: dict[str, dict[str, SettingMean]], averages: dict[str, dict[str, Average]]
) -> None:
    summary = TaskSummary("own", "AP", 3, 2, tuple(SIZES), means, averages)
    assert through_json(summary) == summary


def test_a_summary_that_was_read_can_be_handed_to_another_process() -> None:
    read = through_json(summarise(table(ROWS, "RR", "RankDistance"))[0])
    assert pickle.loads(pickle.dumps(read)) == read  # noqa: S301  # our own
