"""Scripts of scores: what the page decodes is what the tests start from."""

from __future__ import annotations

import base64
import gzip
import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.paired_scores import from_question_scores
from harness.question_scores import QuestionScores
from leaderboard.question_shards import (
    class_scores,
    system_scripts,
    task_questions,
    task_scripts,
)
from leaderboard.score_store import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SETTINGS = ("moir/de-de", "moir/en-en", "clir/de-en", "mlir/de-xx", "mlir/en-xx", "mlir/xx-xx")
HOSTILE = "</script><script>alert(1)</script>&\u2028\u202e\"'"
MOST_BYTES = 50_000


def question_scores(
    questions: Sequence[str], seed: int = 0, missing: Sequence[int] = ()
) -> QuestionScores:
    """Random scores of every question in every setting, but for the questions left out."""
    rng = np.random.default_rng(seed)
    asked = np.array([i for i in range(len(questions)) if i not in set(missing)])
    return QuestionScores(
        measure="AP",
        settings=SETTINGS,
        questions=tuple(questions),
        setting=np.repeat(np.arange(len(SETTINGS)), len(asked)),
        question=np.tile(asked, len(SETTINGS)),
        value=rng.random(len(SETTINGS) * len(asked)),
    )


def board(systems: Mapping[str, str], measure: str = "AP") -> Any:
    rows = []
    for name, title in systems.items():
        entry = SimpleNamespace(manifest=SimpleNamespace(id=name))
        rows.append(SimpleNamespace(system=SimpleNamespace(id=name, name=title, entries=[entry])))
    return SimpleNamespace(task=SimpleNamespace(id="own"), measure=measure, rows=rows)


def question_shards(
    board: Any, scores: Mapping[str, QuestionScores]
) -> Iterator[tuple[str, bytes]]:
    """All scripts of a task."""
    layouts = [
        Layout(one.measure, one.settings, one.questions, one.setting, one.question)
        for one in scores.values()
    ]
    found = task_questions("own", layouts)
    yield from task_scripts(board, layouts[0], found)
    for system, of_system in scores.items():
        yield from system_scripts(found, system, of_system)


def registered(script: bytes) -> tuple[str, Any]:
    """Name and content that a script gives to ``babelboard.register``."""
    found = re.fullmatch(r"babelboard\.register\((.*)\);\n", script.decode("ascii"), re.DOTALL)
    assert found is not None
    name, content = json.loads(f"[{found[1]}]")
    return name, content


def contents(scripts: Mapping[str, bytes]) -> dict[str, Any]:
    return dict(registered(script) for script in scripts.values())


def decoded(text: str) -> np.ndarray:
    planes = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
    return np.ascontiguousarray(planes.reshape(8, -1).T).view("<f8")[:, 0]


def test_a_task_of_one_part() -> None:
    questions = ["q1", "q2", "q3"]
    scores = {"b": question_scores(questions, 1), "a": question_scores(questions, 2)}
    scripts = dict(question_shards(board({"b": "Bee", "a": "Ay"}), scores))
    assert list(scripts) == [
        "data/queries/own/systems.js",
        "data/queries/own/1/questions.js",
        "data/queries/own/1/scores/b.js",
        "data/queries/own/1/scores/a.js",
    ]
    found = contents(scripts)
    assert [f"data/{name}.js" for name in found] == list(scripts)
    assert found["queries/own/systems"] == {
        "task": "own",
        "measure": "AP",
        "higher_is_better": True,
        "classes": {"moir": 2, "clir": 1, "mlir": 2},  # mlir/xx-xx asks the others' queries again
        "parts": 1,
        "systems": [
            {"id": "b", "name": "Bee", "seeds": ["b"]},
            {"id": "a", "name": "Ay", "seeds": ["a"]},
        ],
    }
    assert found["queries/own/1/questions"] == questions


def test_scores_are_those_that_compare_starts_from() -> None:
    questions = [f"q{i}" for i in range(50)]
    scores = {
        "a": question_scores(questions, 1, missing=(3, 49)),
        "b": question_scores(questions[::-1], 2),  # in another order
    }
    found = contents(dict(question_shards(board({"a": "A", "b": "B"}), scores)))
    paired = from_question_scores(scores)
    assert found["queries/own/1/questions"] == list(paired.questions)
    for column, system in enumerate(paired.systems):
        encoded = found[f"queries/own/1/scores/{system}"]
        assert tuple(encoded) == paired.settings
        for place, setting in enumerate(paired.settings):
            np.testing.assert_array_equal(
                decoded(encoded[setting]), paired.values[:, place, column]
            )
    listed = found["queries/own/systems"]
    assert listed["classes"] == paired.averaged_over
    assert np.isnan(paired.values[:, :, 0]).any()


@pytest.mark.parametrize(
    "questions",
    [
        [f"{i:05}" for i in range(4_501)],
        [f"{i:05}" + "é" * 500 for i in range(300)],
        ["q" * 60_000, "r", "s" * 60_000],
    ],
    ids=["many questions", "long ids", "ids longer than a script"],
)
def test_parts_hold_every_question_once(questions: list[str]) -> None:
    scores = {"a": question_scores(questions)}
    found = contents(dict(question_shards(board({"a": "A"}), scores)))
    parts = found["queries/own/systems"]["parts"]
    assert parts > 1
    ids = [id_ for n in range(1, parts + 1) for id_ in found[f"queries/own/{n}/questions"]]
    assert ids == sorted(questions)
    values = [decoded(found[f"queries/own/{n}/scores/a"]["moir"]) for n in range(1, parts + 1)]
    whole = class_scores(scores["a"], sorted(questions)).values["moir"]
    np.testing.assert_array_equal(np.concatenate(values), whole)
    assert f"queries/own/{parts + 1}/questions" not in found


def test_no_script_is_larger_than_allowed() -> None:
    rng = np.random.default_rng(0)
    questions = [rng.bytes(20).hex() for _ in range(5_000)]  # as incompressible as ids can be
    scores = {"a": question_scores(questions)}
    sizes = {
        path: len(gzip.compress(script))
        for path, script in question_shards(board({"a": "A"}), scores)
    }
    assert max(sizes.values()) <= MOST_BYTES
    assert len(sizes) > 5


@given(name=st.text(min_size=1), question=st.text(min_size=1))
def test_no_text_ends_a_script_element(name: str, question: str) -> None:
    scores = {"a": question_scores([question, "</script>"])}
    scripts = dict(question_shards(board({"a": name}), scores))
    for script in scripts.values():
        assert not set("<>&\u2028\u2029") & set(script.decode("ascii"))
    found = contents(scripts)
    assert found["queries/own/systems"]["systems"][0]["name"] == name
    assert set(found["queries/own/1/questions"]) == {question, "</script>"}


def test_hostile_names_come_back_as_they_were() -> None:
    scores = {"a": question_scores([HOSTILE])}
    scripts = dict(question_shards(board({"a": HOSTILE}), scores))
    assert all(b"</script" not in script for script in scripts.values())
    assert contents(scripts)["queries/own/systems"]["systems"][0]["name"] == HOSTILE


def test_the_same_scores_give_the_same_bytes() -> None:
    scores = {"a": question_scores([f"q{i}" for i in range(100)])}
    first, second = (list(question_shards(board({"a": "A"}), scores)) for _ in range(2))
    assert first == second


def test_measures_of_bias_are_better_when_they_are_low() -> None:
    found = contents(
        dict(question_shards(board({"a": "A"}, "RankDistance"), {"a": question_scores(["q"])}))
    )
    assert found["queries/own/systems"]["higher_is_better"] is False
