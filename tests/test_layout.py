"""Rows of queries and documents: stacked by language, judged, drawn, and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hand_made_tasks import drawn_task, judged_of, tasks_with_vectors, two_languages
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.retrieval.layout import Layout, languages_asked
from tasks.settings import Setting

if TYPE_CHECKING:
    from hand_made_tasks import KnownVectors

    from tasks.task import Task

MOIR = Setting("moir", ("de",), ("de",))
CLIR = Setting("clir", ("de",), ("en",))
TO_ALL = Setting("mlir", ("en",), ("de", "en"))
FROM_ALL = Setting("mlir", ("de", "en"), ("en",))
ALL = Setting("mlir", ("de", "en"), ("de", "en"))


def names(layout: Layout, rows: list[tuple[int, int]]) -> list[tuple[str, str]]:
    """Queries and documents by their texts and ids."""
    collection = layout.task.collection
    queries = [text for c in layout.query_languages for text in collection.queries[c].texts]
    documents = layout.document_names(np.array([row for _, row in rows], dtype=np.int64))
    return [(queries[q], name) for (q, _), name in zip(rows, documents, strict=True)]


def judged(layout: Layout, setting: Setting) -> list[tuple[str, str]]:
    which = layout.judged_in(setting)
    pairs = zip(layout.judged.query[which], layout.judged.document[which], strict=True)
    return names(layout, [(int(q), int(d)) for q, d in pairs])


def candidates(layout: Layout, setting: Setting) -> list[tuple[str, str]]:
    pairs = zip(*layout.candidates_in(setting), strict=True)
    return names(layout, [(int(q), int(d)) for q, d in pairs])


def test_only_the_languages_that_are_asked_have_rows() -> None:
    assert languages_asked([MOIR]) == (("de",), ("de",))
    assert languages_asked([TO_ALL, CLIR]) == (("de", "en"), ("de", "en"))
    layout = Layout(drawn_task(), [CLIR])
    assert (layout.query_languages, layout.document_languages) == (("de",), ("en",))
    assert layout.query_start == {"de": 0}
    assert layout.document_start == {"en": 0}
    assert layout.document_names(np.array([2, 0])) == ["en_2", "en_0"]


def test_rows_are_stacked_by_language() -> None:
    layout = Layout(drawn_task(), [MOIR, CLIR, ALL])
    assert layout.query_start == {"de": 0, "en": 2}
    assert layout.document_start == {"de": 0, "en": 3}
    assert layout.document_rows(("en",)).tolist() == [3, 4, 5]
    assert layout.document_rows(("de", "en")).tolist() == [0, 1, 2, 3, 4, 5]
    assert layout.document_names(np.array([5, 0, 3])) == ["en_2", "de_0", "en_0"]
    assert layout.order.tolist() == [5, 4, 3, 2, 1, 0]
    assert np.all(np.diff(layout.judged.query) >= 0)


def test_without_a_draw_every_query_meets_every_document_of_a_pool() -> None:
    task, _ = two_languages()
    layout = Layout(task, task.settings)
    assert judged(layout, MOIR) == [("?", "de_a")]
    assert judged(layout, ALL) == [("?", "de_a"), ("?", "en_b")] * 2
    assert [layout.pool_size(setting) for setting in (MOIR, FROM_ALL, ALL)] == [2, 2, 4]
    with pytest.raises(ValueError, match="has no candidates"):
        layout.candidates_in(MOIR)


def test_a_draw_decides_on_each_side_that_has_several_languages() -> None:
    layout = Layout(drawn_task(), [MOIR, CLIR, TO_ALL, FROM_ALL, ALL])
    # One language on a side is as it is.
    assert judged(layout, MOIR) == [("de 0?", "de_2"), ("de 1?", "de_0")]
    assert judged(layout, CLIR) == [("de 0?", "en_2"), ("de 1?", "en_0")]
    # Passage 2 is drawn in German, passage 0 in English; question 0 in English, 1 in German.
    assert judged(layout, TO_ALL) == [("en 0?", "de_2"), ("en 1?", "en_0")]
    assert judged(layout, FROM_ALL) == [("de 1?", "en_0"), ("en 0?", "en_2")]
    assert judged(layout, ALL) == [("de 1?", "en_0"), ("en 0?", "de_2")]
    assert [layout.pool_size(s) for s in (MOIR, CLIR, TO_ALL, FROM_ALL, ALL)] == [3] * 5


def test_candidates_are_those_of_the_question_in_the_language_of_the_setting_or_the_draw() -> None:
    layout = Layout(drawn_task(), [MOIR, CLIR, TO_ALL, FROM_ALL, ALL])
    assert candidates(layout, CLIR) == [
        ("de 0?", "en_0"), ("de 0?", "en_2"),
        ("de 1?", "en_0"), ("de 1?", "en_1"), ("de 1?", "en_2"),
    ]  # fmt: skip
    assert candidates(layout, TO_ALL) == [
        ("en 0?", "en_0"), ("en 0?", "de_2"),
        ("en 1?", "en_0"), ("en 1?", "en_1"), ("en 1?", "de_2"),
    ]  # fmt: skip
    assert candidates(layout, FROM_ALL) == [
        ("de 1?", "en_0"), ("de 1?", "en_1"), ("de 1?", "en_2"),
        ("en 0?", "en_0"), ("en 0?", "en_2"),
    ]  # fmt: skip
    assert candidates(layout, ALL) == [
        ("de 1?", "en_0"), ("de 1?", "en_1"), ("de 1?", "de_2"),
        ("en 0?", "en_0"), ("en 0?", "de_2"),
    ]  # fmt: skip


def test_a_setting_has_the_same_pairs_whatever_is_asked_beside_it() -> None:
    task = drawn_task()
    every = Layout(task, [MOIR, CLIR, TO_ALL, FROM_ALL, ALL])
    for setting in every.settings:
        alone = Layout(task, [setting])
        assert judged(alone, setting) == judged(every, setting)
        assert candidates(alone, setting) == candidates(every, setting)


@given(tasks_with_vectors(), st.data())
@settings(max_examples=60, deadline=None)
def test_judged_pairs_are_those_of_the_collection(
    case: tuple[Task, KnownVectors], data: st.DataObject
) -> None:
    task, _ = case
    kept = data.draw(st.sets(st.sampled_from(task.settings), min_size=1))
    layout = Layout(task, [setting for setting in task.settings if setting in kept])
    assert np.all(np.diff(layout.judged.query) >= 0)
    for setting in layout.settings:
        expected = [
            (f"{language} {question}?", name, grade)
            for language in setting.query_languages
            for question in task.collection.queries[language].question.tolist()
            for name, grade in judged_of(task, setting, question).items()
        ]
        grades = layout.judged.relevance[layout.judged_in(setting)].tolist()
        found = [
            (*pair, grade) for pair, grade in zip(judged(layout, setting), grades, strict=True)
        ]
        assert sorted(found) == sorted(expected)
