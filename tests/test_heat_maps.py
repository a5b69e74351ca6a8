"""Heat maps and their scripts: which baselines there are, and numbers as pages write them."""

from __future__ import annotations

import gzip
import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from claim_entries import Trained, sha256, write_entry, write_system
from hypothesis import given
from hypothesis import strategies as st
from rendered_pages import HOSTILE, Read, signed
from system_html import system_html

from leaderboard.facts import gather
from leaderboard.families import Difference
from leaderboard.heat_maps import (
    LEADER,
    MOST_BASELINES,
    Cell,
    HeatMap,
    choices_of,
    drawn_first,
    heat_map,
    heat_maps,
)
from leaderboard.map_shards import map_shards, thousandths
from leaderboard.numerals import plain
from submissions.manifest import ModelPart, read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from leaderboard.facts import SiteFacts
    from leaderboard.systems import SiteSystem

TASK = "xquad-r"
SIZES = {
    **dict.fromkeys(("moir/de-de", "moir/en-en", "clir/de-en", "clir/en-de"), 200),
    **dict.fromkeys(("mlir/de-xx", "mlir/en-xx"), 400),
}


def ranks(moir: int, clir: int) -> Callable[[str, int, int], int]:
    def rank(setting: str, question: int, seed: int) -> int:
        return (moir if setting.startswith("moir") else clir) + (7 * question + seed) % 5

    return rank


ZERO_SHOT = Trained("zero-shot", ranks(1, 9), sizes=SIZES)
ML_CS = Trained("ml-cs-p050", ranks(2, 2), sizes=SIZES)


def write_other(root: Path, name: str, model: dict[str, Any], ranked: Any) -> None:
    """An entry without a record of a training."""
    folder = write_entry(root, ZERO_SHOT.with_(ranks=ranked), 1, name=name, record=False)
    manifest = read_manifest(folder / "submission.toml")
    changed = manifest.model_copy(
        update={"name": name, "model": ModelPart.model_validate({"name": name, **model})}
    )
    write_manifest(folder / "submission.toml", changed)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("entries")
    write_system(folder, ZERO_SHOT)
    write_system(folder, ML_CS, seeds=(1, 2))
    settings = {"pooling": "mean", "translate_test": "muse"}
    write_entry(folder, ML_CS.with_(settings=settings), 1, name="translated")
    write_other(folder, "base", {"kind": "dense", "digest": sha256("tiny")}, ranks(4, 9))
    write_other(folder, "bm25", {"kind": "bm25"}, ranks(3, 20))
    write_other(folder, "best", {"kind": "dense"}, ranks(1, 1))
    return folder


@pytest.fixture(scope="module")
def facts(root: Path) -> SiteFacts:
    return gather(root, None)


def found(facts: SiteFacts, name: str) -> SiteSystem:
    return next(one for one in facts.systems if one.id == name)


def test_the_closest_baselines_come_first_each_with_its_reason(facts: SiteFacts) -> None:
    choices = choices_of(found(facts, "tiny-ml-cs-p050"), TASK, facts)
    assert [(one.system.id, one.reason) for one in choices] == [
        ("tiny-zero-shot-seed-1", "its own zero-shot"),
        ("base", "before training"),
        ("bm25", "words alone"),
        ("translated", "the same recipe in other conditions"),
        ("best", LEADER),
    ]
    assert drawn_first(choices) == choices[0]


def test_a_leader_and_a_system_with_nothing_close_are_drawn_as_means(facts: SiteFacts) -> None:
    own = choices_of(found(facts, "bm25"), TASK, facts)
    assert [one.system.id for one in own] == ["best"]
    assert drawn_first(own) is None
    assert "best" not in {one.system.id for one in choices_of(found(facts, "best"), TASK, facts)}
    assert drawn_first(()) is None


def test_no_more_baselines_are_offered_than_a_page_has_room_for(tmp_path: Path) -> None:
    write_system(tmp_path, ML_CS)
    for steps in range(8):
        replaced = {"training": {"weight_decay": steps / 100}}
        name = f"zero-{steps}"
        write_entry(tmp_path, ZERO_SHOT.with_(replaced=replaced), 1 + steps, name=name)
    facts = gather(tmp_path, None)
    system = found(facts, "tiny-ml-cs-p050-seed-1")
    assert len(choices_of(system, TASK, facts)) == MOST_BASELINES
    # The page on code-switching takes its pick of all of them.
    maps = list(heat_maps(system, TASK, facts))
    assert len({one.baseline.id for one in maps if one.baseline}) == 8


def test_each_map_is_tested_only_when_it_is_asked_for(
    facts: SiteFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count()
    tested = facts.cache.two_systems
    monkeypatch.setattr(facts.cache, "two_systems", lambda a, b: (next(calls), tested(a, b))[1])
    first = next(iter(heat_maps(found(facts, "tiny-ml-cs-p050"), TASK, facts)))
    assert first.baseline
    assert next(calls) == 1


def test_steps_and_shades_of_cells_by_hand() -> None:
    def cell(difference: float, mean: float = 0.5) -> Cell:
        return Cell(mean, 10, Difference(difference, None, 0.5, 10, significant=False))

    steps = (0.0049, 0.005, 0.02, 0.05, 0.1)
    assert [cell(step).step for step in steps] == [0, 1, 2, 3, 4]
    assert [cell(-step).step for step in steps] == [0, -1, -2, -3, -4]
    assert [cell(0, mean).shade for mean in (0, 0.0999, 0.1, 0.95, 1.0)] == [0, 0, 1, 9, 9]
    assert Cell(0.5, 10, None).step == 0


def test_pairs_are_in_the_order_of_the_page() -> None:
    cells = {
        pair: Cell(0.5, 1, None)
        for pair in (("xx", "xx"), ("en", "xx"), ("en", "en"), ("en", "de"), ("de", "de"))
    }
    map_ = HeatMap(("en", "de"), cells, None, "")
    assert map_.sides == ("en", "de", "xx")
    assert map_.pairs == (("en", "en"), ("en", "de"), ("en", "xx"), ("de", "de"), ("xx", "xx"))


@given(st.floats(-1, 1))
def test_thousandths_are_rounded_as_pages_round(value: float) -> None:
    assert plain(thousandths(value) / 1000) == plain(value)


def shard(content: bytes) -> tuple[str, dict[str, Any]]:
    """Name and content of a script."""
    text = content.decode()
    assert text.startswith("babelboard.register(")
    assert text.endswith(");\n")
    name, value = json.loads(f"[{text[len('babelboard.register(') : -3]}]")
    return str(name), dict(value)


def test_a_script_has_the_columns_of_every_baseline(facts: SiteFacts) -> None:
    system = found(facts, "tiny-ml-cs-p050")
    ((path, content),) = map_shards(system, facts)
    assert path == f"data/maps/tiny-ml-cs-p050/{TASK}.js"
    name, read = shard(content)
    assert f"data/{name}.js" == path
    choices = choices_of(system, TASK, facts)
    assert list(read["baselines"]) == [one.system.id for one in choices]
    marked = set()
    for choice in choices:
        map_ = heat_map(system, TASK, facts, choice)
        columns = read["baselines"][choice.system.id]
        assert read["cells"] == ["-".join(pair) for pair in map_.pairs]
        for index, pair in enumerate(map_.pairs):
            cell = map_.cells[pair]
            change = cell.difference
            assert change
            assert read["shade"][index] == cell.shade
            assert columns["step"][index] == cell.step
            assert signed(columns["difference"][index] / 1000) == signed(change.difference)
            sign = (change.difference > 0) - (change.difference < 0)
            assert columns["significant"][index] == sign * change.significant
            assert columns["p"][index] == (0 if change.p < 0.001 else round(change.p * 1000))
            marked.add(columns["significant"][index])
    assert marked == {-1, 0, 1}


def test_a_pair_without_a_test_has_null(facts: SiteFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = facts.cache.two_systems

    def without_one(*sides: Any) -> dict[str, Difference]:
        return {name: one for name, one in tested(*sides).items() if name != "clir/de-en"}

    monkeypatch.setattr(facts.cache, "two_systems", without_one)
    ((_, content),) = map_shards(found(facts, "bm25"), facts)
    _, read = shard(content)
    columns = read["baselines"]["best"]
    index = read["cells"].index("de-en")
    assert {name: found[index] for name, found in columns.items()} == {
        "step": 0,
        "difference": None,
        "p": None,
        "significant": None,
    }
    assert [found.count(None) for found in columns.values()] == [0, 1, 1, 1]


def test_p_values_by_hand(facts: SiteFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    values = (0.0001, 0.0009, 0.001, 0.0126, 0.5, 1.0)
    ids = ("moir/de-de", "clir/de-en", "mlir/de-xx", "clir/en-de", "moir/en-en", "mlir/en-xx")
    tests = {
        name: Difference(0.1, None, p, 40, significant=p < 0.05)
        for name, p in zip(ids, values, strict=True)
    }
    monkeypatch.setattr(facts.cache, "two_systems", lambda _a, _b: tests)
    ((_, content),) = map_shards(found(facts, "bm25"), facts)
    _, read = shard(content)
    by_cell = dict(zip(read["cells"], read["baselines"]["best"]["p"], strict=True))
    assert [by_cell[name.partition("/")[2]] for name in ids] == [0, 0, 1, 13, 500, 1000]


def test_a_system_that_stands_alone_has_no_script(tmp_path: Path) -> None:
    write_system(tmp_path, ML_CS)
    facts = gather(tmp_path, None)
    (system,) = facts.systems
    assert list(map_shards(system, facts)) == []
    page = system_html(tmp_path)[f"entries/{system.id}.html"]
    assert "data-choices" not in page
    assert "heat_map.js" not in page
    assert "Colour: the score." in Read(page).text


LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi")
LARGE = {
    f"{'moir' if query == document else 'clir'}/{query}-{document}": 200
    for query in LANGUAGES
    for document in LANGUAGES
}


def write_large(root: Path, tasks: int) -> None:
    """A system and its zero-shot, significantly apart in all 100 settings of each task."""
    names = tuple(f"task-{number}" for number in range(tasks))
    for system in (ML_CS.with_(ranks=ranks(1, 1)), ZERO_SHOT.with_(ranks=ranks(30, 30))):
        write_system(root, system.with_(sizes=LARGE, tasks=names), seeds=(1, 2))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    write_large(folder, 5)
    return folder


def test_the_page_of_a_system_with_much_stays_light(large: Path) -> None:
    pages = system_html(large)
    first = Read(pages["entries/tiny-ml-cs-p050.html"])
    assert first.text.count("▲ better") >= 400, (
        "every cell is marked, and most tasks fit on the page"
    )
    assert first.elements <= 3000
    assert first.handlers == []
    # What does not fit has a page of its own, which the first page leads to.
    maps = [path for path in pages if path.startswith("maps/tiny-ml-cs-p050/")]
    assert maps
    for path in maps:
        task = path.rpartition("/")[2].removesuffix(".html")
        assert f"../{path}" in first.links
        assert task in first.ids
        own = Read(pages[path])
        assert own.text.count("▲ better") >= 100
        assert own.elements <= 3000
        assert "../../entries/tiny-ml-cs-p050.html" in own.links
    shown = [one for one in first.ids if one.startswith("task-") and not one.endswith("-title")]
    assert sorted(shown) == [f"task-{number}" for number in range(5)]


def test_a_script_is_small_and_holds_no_markup(tmp_path: Path) -> None:
    """All 196 pairs of 14 languages with six baselines, one of them under a name that harms."""
    codes = (*LANGUAGES, "bn", "fa", "fi", "fr")
    sizes = {f"{'moir' if a == b else 'clir'}/{a}-{b}": 200 for a in codes for b in codes}
    write_system(tmp_path, ML_CS.with_(sizes=sizes))
    for number in range(6):
        replaced = {"training": {"weight_decay": number / 100}, "title": HOSTILE}
        system = ZERO_SHOT.with_(replaced=replaced, sizes=sizes, ranks=ranks(1 + number, 9))
        write_entry(tmp_path, system, number, name=f"zero-{number}")
    facts = gather(tmp_path, None)
    system = found(facts, "tiny-ml-cs-p050-seed-1")
    ((_, content),) = map_shards(system, facts)
    _, read = shard(content)
    assert len(read["baselines"]) == 6
    assert len(read["cells"]) == 196
    assert len(gzip.compress(content)) <= 50_000
    assert b"<" not in content
    page = system_html(tmp_path)["entries/tiny-ml-cs-p050-seed-1.html"]
    assert "<script>alert" not in page
    assert Read(page).handlers == []


def test_page_and_cells_hold_what_is_seen_and_what_is_read(root: Path) -> None:
    page = system_html(root)["entries/tiny-ml-cs-p050.html"]
    shown = Read(page)
    assert page.count('<table class="map"') == 1, "one map a task"
    rows = shown.tables["Pairs of languages of XQuAD-R"]
    assert rows[0][1:] == ["English en", "German de", "All all"]
    cells = [cell for row in rows[1:] for cell in row[1:] if cell]
    assert len(cells) == 6
    assert "difference to Zero-shot (EN-EN) , its own zero-shot." in shown.text
    assert "seeds averaged (about these checkpoints), max-T over the 6 cells" in shown.text
    assert page.count("noscript") == 2
    assert "../data/tiny-ml-cs-p050-seed-1/xquad-r.json" in shown.links
