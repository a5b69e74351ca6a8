"""What the pages that compare systems say without scripts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from site_entries import NAMES, SCRIPT, SEEDED, TASK

from leaderboard.facts import gather
from leaderboard.page import Page
from leaderboard.pages import compare
from leaderboard.rendering import environment, render

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunsCommand

    from leaderboard.facts import SiteFacts


@pytest.fixture(scope="module")
def facts(entries: Path) -> SiteFacts:
    return gather(entries, None)


def test_differences_and_marks_are_those_of_the_command(
    facts: SiteFacts, entries: Path, babelboard: RunsCommand
) -> None:
    (board,) = facts.boards
    pairs = compare.pairs_of(board, facts.scores(TASK))
    seeds = f"{SEEDED}={SEEDED}-seed-1,{SEEDED}-seed-2"
    systems = [row.system.id for row in board.rows]
    sources = [seeds if name == SEEDED else name for name in systems]
    arguments = ("--task", TASK, "--entries", entries, "--format", "json")
    done = babelboard("compare", *sources, *arguments)
    assert done.returncode == 0, done.stderr
    tests = json.loads(done.stdout)["tests"]
    found = {(p.a.system.id, p.b.system.id, kind): p for p in pairs for kind in p.differences}
    assert len(found) == len(tests)
    for test in tests:
        kind = test["setting"]
        pair = found[test["a"], test["b"], kind]
        assert pair.differences[kind] == pytest.approx(test["difference"], abs=1e-12)
        assert (kind in pair.separated) == (test["p_adjusted"] < 0.05)
    assert 0 < sum(len(pair.separated) for pair in pairs) < len(tests)


def test_tables_show_every_pair_and_no_name_is_markup(facts: SiteFacts) -> None:
    tasks, page = compare.pages(facts)
    assert (tasks.path, page.path) == ("compare.html", f"compare/{TASK}.html")
    text = render(environment(), page).decode()
    assert SCRIPT not in text
    systems = len(NAMES) + 1
    assert len(re.findall(r"<tr><th scope=\"row\">", text)) == systems * (systems - 1) // 2
    assert f'href="{page.path}"' in render(environment(), tasks).decode()


def test_more_systems_than_a_page_can_list_are_left_to_the_command(
    facts: SiteFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "MOST_LISTED", len(NAMES))
    _, page = compare.pages(facts)
    text = render(environment(), page).decode()
    assert 'class="pairs"' not in text
    assert "7 systems make 21 pairs" in text
    assert f"babelboard compare SYSTEM SYSTEM --task {TASK}" in text


def test_nothing_to_compare_is_said() -> None:
    page = Page("compare.html", "compare_tasks.html", {"boards": []}, "compare")
    assert "There is nothing to compare yet" in render(environment(), page).decode()


def test_a_task_with_one_system_has_no_page(facts: SiteFacts) -> None:
    alone = replace(facts, entries={"weak": facts.entries["weak"]})
    assert [page.path for page in compare.pages(alone)] == ["compare.html"]
