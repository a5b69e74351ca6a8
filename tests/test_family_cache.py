"""What is kept of families of tests: taken for the same ranks and code, and for nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.question_scores import QuestionScores
from harness.task_summary import TaskSummary
from leaderboard import family_cache
from leaderboard.family_cache import FamilyCache
from leaderboard.score_store import scored_from

if TYPE_CHECKING:
    from pathlib import Path

    from leaderboard.score_store import Scored

SETTINGS = ("clir/de-en", "clir/en-de")
GROUPS = {"a": ["a"], "b": ["b"]}


def scored(seed: int) -> Scored:
    count = 40
    scores = QuestionScores(
        measure="AP",
        settings=SETTINGS,
        questions=tuple(f"q{i:02}" for i in range(count)),
        setting=np.repeat([0, 1], count),
        question=np.tile(np.arange(count), 2),
        value=np.random.default_rng(seed).random(2 * count).round(3),
    )
    nothing = TaskSummary("own", "AP", count, 2, SETTINGS, {}, {})
    return scored_from(nothing, scores, f"{seed:064x}")


@pytest.fixture
def systems() -> dict[str, Scored]:
    return {"a": scored(1), "b": scored(2)}


def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows whenever a family is computed."""
    calls: list[str] = []
    real = family_cache.all_pairs

    def counting(*arguments: object) -> object:
        calls.append("all pairs")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(family_cache, "all_pairs", counting)
    return calls


def test_what_was_kept_is_what_was_computed(
    systems: dict[str, Scored], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = computed(monkeypatch)
    cold = FamilyCache(None).all_pairs(systems, GROUPS)
    found = [FamilyCache(tmp_path).all_pairs(systems, GROUPS) for _ in range(2)]
    assert found == [cold, cold]
    assert len(calls) == 2, "without a folder, and once for it"


@pytest.mark.parametrize("change", ["ranks", "code", "settings", "damage"])
def test_anything_that_decides_is_in_the_key(
    systems: dict[str, Scored], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    calls = computed(monkeypatch)
    before = FamilyCache(tmp_path).all_pairs(systems, GROUPS)
    patterns: tuple[str, ...] = ()
    if change == "ranks":
        systems["b"] = scored(3)
    elif change == "code":
        monkeypatch.setattr(family_cache, "computing_digest", lambda _: "another")
    elif change == "settings":
        patterns = ("*",)
    else:
        (kept,) = tmp_path.glob("*.json")
        content = json.loads(kept.read_text("utf-8"))
        content["family"]["size"] = 99
        kept.write_text(json.dumps(content), "utf-8")
    after = FamilyCache(tmp_path).all_pairs(systems, GROUPS, patterns)
    assert len(calls) == 2
    assert (after == before) == (change in ("code", "damage"))
