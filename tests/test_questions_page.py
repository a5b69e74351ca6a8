"""Pages of questions: which questions they list, what their scripts hold, and what they show."""

from __future__ import annotations

import gzip
import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from claim_entries import Trained, write_system
from question_entries import write_ranked
from rank_tables import rank_table
from rendered_pages import HOSTILE, Read, rendered

from harness.question_scores import QuestionScores, question_scores
from leaderboard.data_scripts import parts_by_size
from leaderboard.facts import gather
from leaderboard.pages import questions as page
from leaderboard.passages import question_texts, shown_language
from leaderboard.question_index import question_index
from leaderboard.question_lists import question_lists
from leaderboard.rendering import environment, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rank_tables import Row

MOST_BYTES = 50_000
MOST_ELEMENTS = 3_000
MOST_PAGE_BYTES = 100_000
SIZES = {"moir/de-de": 200, "clir/de-en": 200, "clir/en-de": 200}


def scores(ranks: Mapping[str, tuple[int, int]]) -> QuestionScores:
    """Reciprocal ranks from the ranks of each question in the two CLIR settings."""
    rows = [("moir/de-de", "de", question, "de_1", 1, 1) for question in ranks]
    for question, (first, second) in ranks.items():
        rows.append(("clir/de-en", "de", question, "en_1", 1, first))
        rows.append(("clir/en-de", "en", question, "de_1", 1, second))
    return question_scores(rank_table(rows, SIZES), "RR")


def test_lists_by_hand() -> None:
    found = question_lists(
        [
            ("strong", scores({"q1": (1, 1), "q2": (1, 2), "q3": (4, 4)})),
            ("weak", scores({"q1": (2, 2), "q2": (4, 4), "q4": (10, 10)})),
        ],
        "clir",
    )
    assert found is not None
    # Means over the systems that have the question: .75, (.75 + .25) / 2, .25, .1.
    assert [(q.id, pytest.approx(q.mean)) for q in found.hardest] == [
        ("q4", 0.1),
        ("q3", 0.25),
        ("q2", 0.5),
        ("q1", 0.75),
    ]
    assert [q.id for q in found.easiest] == ["q1", "q2", "q3", "q4"]
    # q1 and q2 differ by .5 each, q3 and q4 have one system.
    assert [q.id for q in found.disputed] == ["q1", "q2"]
    first = found.disputed[0]
    assert (first.best, first.best_score, first.worst, first.worst_score) == (
        "strong",
        1.0,
        "weak",
        0.5,
    )


def test_lists_are_as_long_as_they_may_be() -> None:
    ranks = {f"q{i:02}": (i + 1, i + 1) for i in range(30)}
    both = [("a", scores(ranks)), ("b", scores(dict.fromkeys(ranks, (1, 1))))]
    found = question_lists(both, "clir", most=7)
    assert found is not None
    assert [q.id for q in found.hardest] == [f"q{i:02}" for i in range(29, 22, -1)]
    assert [q.id for q in found.easiest] == [f"q{i:02}" for i in range(7)]
    assert [q.id for q in found.disputed] == [q.id for q in found.hardest]


def test_low_is_good_where_the_measure_says_so() -> None:
    values = np.array([3.0, 1.0, 2.0])
    one = QuestionScores(
        "RankDistance", ("mlir/de-xx",), ("a", "b", "c"), np.zeros(3, int), np.arange(3), values
    )
    other = QuestionScores(
        "RankDistance", ("mlir/de-xx",), ("a", "b", "c"), np.zeros(3, int), np.arange(3), values + 1
    )
    found = question_lists([("one", one), ("other", other)], "mlir")
    assert found is not None
    assert [q.id for q in found.hardest] == ["a", "c", "b"]
    assert (found.disputed[0].best, found.disputed[0].worst) == ("one", "other")


def test_equal_scores_are_in_the_order_of_ids_and_not_disputed() -> None:
    same = scores({f"q{i}": (3, 7) for i in range(5)})
    found = question_lists([("a", same), ("b", same)], "clir")
    assert found is not None
    assert [q.id for q in found.hardest] == [q.id for q in found.easiest]
    assert [q.id for q in found.hardest] == [f"q{i}" for i in range(5)]
    assert found.disputed == ()
    assert question_lists([("a", same)], "mlir") is None
    assert question_lists([], "clir") is None


def test_parts_are_filled_in_order() -> None:
    assert parts_by_size("abcde", [2, 2, 2, 9, 1], 4) == ["ab", "c", "d", "e"]
    assert parts_by_size("", [], 4) == []


def test_texts_are_those_of_the_task_that_is_carried() -> None:
    texts = question_texts("pocket")
    assert len(texts) == 75
    found = texts["p01-1"]
    assert found.queries["en"] == "In which mountains does the Amazon begin?"
    assert found.queries["ar"] == "في أي جبال تقع منابع الأمازون؟"
    assert found.passages["de"] == {
        "de_0_1": "Er entspringt hoch in den Anden Perus und durchquert Brasilien von Westen nach "
        "Osten."
    }
    assert set(found.queries) == set(found.passages)
    assert len(found.queries) == 11


def test_other_texts_are_not_shown() -> None:
    assert question_texts("xquad-r") == {}
    assert question_texts("someone-elses") == {}
    assert [shown_language(codes) for codes in (["ar", "en"], ["de", "ar"], [])] == [
        "en",
        "ar",
        None,
    ]


HARMFUL_ID = "</script><b onclick=alert(1)>&?q=\u202e"


def ranked(least: int, settings: Iterable[str] = tuple(SIZES)) -> list[Row]:
    """One relevant document for each question, in ranks that go round."""
    return [
        (setting, setting[5:7], question, f"{setting[8:]}_{i}", 1, (i + least) % 4)
        for i, question in enumerate(["q1", "q2", "q3", HARMFUL_ID])
        for setting in settings
    ]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Systems with a harmful name, with two seeds, and with some settings only."""
    root = tmp_path_factory.mktemp("entries")
    sizes = {"own": SIZES}
    write_ranked(root, "hostile", {"own": ranked(1)}, sizes, HOSTILE)
    write_ranked(root, "plain", {"own": ranked(2)}, sizes)
    write_ranked(root, "some", {"own": ranked(3, ["moir/de-de"])}, sizes)
    made = Trained("ml-cs-p050", lambda _, i, seed: 1 + (i + seed) % 5, tasks=("two",))
    write_system(root, made, seeds=(1, 2))
    return root


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    return rendered(root, page)


def test_pages_of_all_tasks(pages: dict[str, str]) -> None:
    assert list(pages) == ["questions.html", "questions/two.html", "questions/own.html"]
    chooser = Read(pages["questions.html"])
    assert {"questions/two.html", "questions/own.html"} <= set(chooser.links)
    assert "4 questions, 3 systems" in chooser.text
    assert "40 questions, 1 systems" not in chooser.text


def test_what_is_listed(pages: dict[str, str], root: Path) -> None:
    read = Read(pages["questions/own.html"])
    facts = gather(root, None)
    board = next(board for board in facts.boards if board.task.id == "own")
    found = question_lists(facts.scores("own").items(), board.sorted_by)
    assert found is not None
    links = [link for link in read.links if link.startswith("?q=")]
    listed = [*found.hardest, *found.easiest, *found.disputed]
    assert [parse_qs(link[1:])["q"] for link in links] == [[one.id] for one in listed]
    assert {parse_qs(link[1:])["show"][0] for link in links} == {"clir"}
    pairs = [parse_qs(link[1:])["systems"][0] for link in links if "systems" in link]
    assert pairs == [f"{one.best},{one.worst}" for one in found.disputed]
    assert "Mean RR in CLIR over 2 systems" in read.text
    assert "not in babelboard\u2019s catalogue" in read.text


def test_harmful_names_and_ids_are_text(pages: dict[str, str]) -> None:
    for content in pages.values():
        read = Read(content)
        assert read.handlers == []
        assert "b" not in read.tags
        assert len(read.ids) == len(set(read.ids))
        assert all("src" in script for script in re.findall("<script[^>]*>", content))
    assert HARMFUL_ID in Read(pages["questions/own.html"]).text


def test_one_system_has_nothing_to_dispute(pages: dict[str, str]) -> None:
    content = pages["questions/two.html"]
    assert 'id="hardest"' in content
    assert 'id="disputed"' not in content


def test_without_entries_there_is_a_page_that_says_so(tmp_path: Path) -> None:
    found = rendered(tmp_path, page)
    assert list(found) == ["questions.html"]
    assert "no questions to look at yet" in Read(found["questions.html"]).text


def test_scripts_list_all_systems_and_settings(root: Path) -> None:
    facts = gather(root, None)
    boards = {board.task.id: board for board in facts.boards}
    found = scripts(question_index(boards["own"], facts))
    assert found["questions/own/ids/1"] == sorted(["q1", "q2", "q3", HARMFUL_ID])
    systems = found["questions/own/systems/1"]
    assert [one["id"] for one in systems] == [
        *(row.system.id for row in boards["own"].rows),
        "some",
    ]
    assert {"id": "hostile", "name": HOSTILE, "seeds": ["hostile"]} in systems
    index = found["questions/own/index"]
    assert index["settings"] == list(SIZES)
    assert index["parts"] == {"ids": 1, "systems": 1, "texts": 0}
    assert index["starts"] == []
    two = scripts(question_index(boards["two"], facts))
    (system,) = two["questions/two/systems/1"]
    assert system["seeds"] == ["tiny-ml-cs-p050-seed-1", "tiny-ml-cs-p050-seed-2"]


def fake_facts(systems: int, task: str, questions: list[str]) -> Any:
    """Facts of very many systems, as far as the pages and scripts of questions need them."""
    rng = np.random.default_rng(0)
    names = ("clir/de-en", "clir/en-de")
    rows = []
    kept = {}
    for number in range(systems):
        value = rng.random(len(questions) * len(names))
        found = QuestionScores(
            "AP",
            names,
            tuple(questions),
            np.repeat(np.arange(len(names)), len(questions)),
            np.tile(np.arange(len(questions)), len(names)),
            value,
        )
        id_ = f"{rng.bytes(10).hex()}-{number}"
        entry = SimpleNamespace(manifest=SimpleNamespace(id=id_))
        system = SimpleNamespace(id=id_, name=f"{rng.bytes(20).hex()}", entries=[entry])
        rows.append(SimpleNamespace(system=system))
        layout = SimpleNamespace(digest="same", settings=names, questions=tuple(questions))
        kept[id_] = SimpleNamespace(scores=found, layout=layout)
    text = SimpleNamespace(id=task, title=task.upper(), licence="CC BY 4.0")
    board = SimpleNamespace(
        task=text,
        measure="AP",
        questions=len(questions),
        languages=2,
        sorted_by="clir",
        rows=rows,
        incomplete=(),
    )
    return SimpleNamespace(
        boards=(board,),
        seeds=lambda system, _: [kept[system.id]],
        scored=lambda entry, _: kept[entry],
    )


def scripts(found: Iterator[tuple[str, bytes]]) -> dict[str, Any]:
    contents = {}
    for path, script in found:
        match = re.fullmatch(r"babelboard\.register\((.*)\);\n", script.decode("ascii"), re.DOTALL)
        assert match is not None
        name, content = json.loads(f"[{match[1]}]")
        assert path == f"data/{name}.js"
        contents[name] = content
    return contents


def test_a_thousand_systems_fit() -> None:
    questions = [f"{i:040x}" for i in range(3_000)]
    facts = fake_facts(1_000, "own", questions[:100])
    for made in page.pages(facts):
        content = render(environment(), made)
        assert Read(content.decode()).elements <= MOST_ELEMENTS
        assert len(gzip.compress(content)) <= MOST_PAGE_BYTES
    large = fake_facts(1_000, "own", questions)
    made_scripts = list(question_index(large.boards[0], large))
    assert max(len(gzip.compress(script)) for _, script in made_scripts) <= MOST_BYTES
    found = scripts(iter(made_scripts))
    counts = found["questions/own/index"]["parts"]
    assert counts["ids"] > 1
    assert counts["systems"] > 1
    ids = [id_ for n in range(counts["ids"]) for id_ in found[f"questions/own/ids/{n + 1}"]]
    assert ids == questions


def test_scripts_of_texts() -> None:
    questions = sorted(question_texts("pocket"))
    facts = fake_facts(2, "pocket", questions)
    made = list(question_index(facts.boards[0], facts))
    assert max(len(gzip.compress(script)) for _, script in made) <= MOST_BYTES
    found = scripts(iter(made))
    index = found["questions/pocket/index"]
    parts = [found[f"questions/pocket/texts/{n + 1}"] for n in range(index["parts"]["texts"])]
    assert len(parts) > 1
    assert index["starts"] == [part[0]["question"] for part in parts]
    texts = [one for part in parts for one in part]
    assert [one["question"] for one in texts] == questions
    expected = question_texts("pocket")
    for one in texts:
        assert one["queries"] == expected[one["question"]].queries
        assert one["passages"] == expected[one["question"]].passages
