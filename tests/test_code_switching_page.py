"""The page on code-switching: its numbers are those of the tests, its words follow from them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from claim_entries import Trained, claim_file, part, write_entry, write_system
from rank_tables import rank_table
from rendered_pages import HOSTILE, Read, rendered, signed

from leaderboard.code_switching import code_switching
from leaderboard.code_switching_words import answer, overall, scope_of, tally, verdicts
from leaderboard.facts import gather
from leaderboard.pages import code_switching as page
from submissions.claims.claim import read_claims
from submissions.claims.ledger import settle
from submissions.claims.ledger_data import as_json
from submissions.entry import read_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import RunsCommand
    from rank_tables import Row

    from harness.ranks import RankTable
    from leaderboard.code_switching import CodeSwitching

SIZES = {
    "moir/de-de": 200,
    "moir/en-en": 200,
    "clir/de-en": 200,
    "clir/en-de": 200,
    "mlir/de-xx": 400,
    "mlir/en-xx": 400,
}


def ranks(moir: int, clir: int, mlir: int, spread: int = 4) -> Callable[[str, int, int], int]:
    """Ranks that start at a number for each class, and vary over questions and a little by seed."""

    def rank(setting: str, question: int, seed: int) -> int:
        start = {"moir": moir, "clir": clir, "mlir": mlir}[setting.partition("/")[0]]
        return start + (7 * question + seed * sum(setting.encode())) % spread

    return rank


ZERO_SHOT = Trained("zero-shot", ranks(1, 9, 9), sizes=SIZES)
ML_CS = Trained("ml-cs-p050", ranks(1, 3, 5, 5), sizes=SIZES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "entries"
    folder.mkdir()
    return folder


def found_in(root: Path) -> CodeSwitching:
    return code_switching(gather(root, None))


def read(root: Path) -> Read:
    (content,) = rendered(root, page).values()
    return Read(content)


def test_numbers_are_those_of_compare(root: Path, babelboard: RunsCommand) -> None:
    for system in (ZERO_SHOT, ML_CS):
        write_system(root, system)
    entries = ("tiny-ml-cs-p050-seed-1", "tiny-zero-shot-seed-1")
    arguments = (*entries, "--task", "xquad-r", "--format", "json", "--entries", root)
    tests = json.loads(babelboard("compare", *arguments).stdout)["tests"]
    (study,) = found_in(root).studies
    (row,) = study.methods
    # Near pairs and seen languages are all of CLIR here: they cost max-T nothing.
    assert set(row.found) == {"moir", "clir", "mlir", "near", "seen"}
    by_setting = {test["setting"]: test for test in tests}
    assert set(by_setting) == {"moir", "clir", "mlir"}
    for key, theirs in by_setting.items():
        ours = row.found[key]
        assert ours.difference == pytest.approx(theirs["difference"], rel=1e-9)
        assert ours.p_adjusted == pytest.approx(theirs["p_adjusted"], rel=1e-9)
        assert ours.ci == pytest.approx(theirs["ci"])
    table = read(root).tables["Differences on XQuAD-R"]
    assert table[0] == ["Method", "MoIR", "CLIR", "MLIR"]
    for cell, key in zip(table[1][1:], ("moir", "clir", "mlir"), strict=True):
        theirs = by_setting[key]
        low, high = theirs["ci"]
        assert cell.startswith(signed(theirs["difference"]))
        assert cell.endswith(f"{signed(low)} to {signed(high)}")
        significant = theirs["p_adjusted"] < 0.05
        better = theirs["difference"] > 0
        assert ("▲ better" in cell) == (significant and better)
        assert ("▼ worse" in cell) == (significant and not better)
    means = [f"{by_setting[key]['mean_b']:.3f}".lstrip("0") for key in ("moir", "clir", "mlir")]
    assert table[2][1:] == means


def test_seeds_are_tested_as_in_the_ledger(root: Path, tmp_path: Path) -> None:
    for system in (ZERO_SHOT, ML_CS):
        write_system(root, system, seeds=(1, 2, 3))
    claim = claim_file(
        tmp_path,
        part("higher", '{ of = ["moir"] }', id_="moir"),
        part("higher", id_="clir"),
        part("higher", '{ of = ["mlir"] }', id_="mlir"),
        part("higher", '{ of = ["clir"], pairs = "near" }', id_="near"),
        part("higher", '{ of = ["clir"], languages = "seen" }', id_="seen"),
    )
    (theirs,) = as_json(settle(read_claims([str(claim)]), read_entries(root)))["claims"]
    (study,) = found_in(root).studies
    assert study.by_seeds
    assert study.family_size == theirs["family"]["size"] == 5
    for one in theirs["parts"]:
        (evidence,) = one["evidence"]
        ours = study.methods[0].found[one["id"]]
        assert ours.p_adjusted == pytest.approx(evidence["p_adjusted"], rel=1e-9)
        assert ours.ci == pytest.approx(evidence["ci"])
        assert ours.outcome == evidence["outcome"]
    assert "3 seeds" in read(root).text
    assert "t over questions and seeds, Holm" in read(root).text


@pytest.mark.parametrize(
    ("trained", "said", "words"),
    [
        (
            ranks(1, 3, 5),
            "Better across languages, not separated from zero-shot within one language",
            "Across languages yes; within one language not separated",
        ),
        (
            ranks(6, 3, 5),
            "Better across languages, worse within one language",
            "Across languages yes; within one language worse",
        ),
        (
            ranks(6, 20, 20),
            "Worse across languages and within one language",
            "Across languages no, it does worse; within one language worse",
        ),
        (
            ranks(1, 3, 20),
            "Better in CLIR, worse in MLIR, not separated from zero-shot within one language",
            (
                "Across languages better in 1 of 2 averages, worse in 1 of 2 averages; "
                "within one language not separated"
            ),
        ),
        (
            ranks(1, 9, 9),
            "Not separated from zero-shot across languages and within one language",
            "Across languages not shown; within one language not separated",
        ),
    ],
    ids=["better", "at a price", "worse", "mixed", "open"],
)
def test_words_follow_from_the_tests(
    root: Path, trained: Callable[[str, int, int], int], said: str, words: str
) -> None:
    write_system(root, ZERO_SHOT)
    write_system(root, ML_CS.with_(ranks=trained))
    found = found_in(root)
    (study,) = found.studies
    assert study.main is not None
    assert answer(study.main.found) == said
    assert overall(found.studies) == words
    text = read(root).text
    assert f"{said}." in text
    assert f"{words}." in text


def test_verdicts_name_sizes_and_scope(root: Path) -> None:
    write_system(root, ZERO_SHOT.with_(ranks=lambda _setting, question, _seed: 1 + question % 2))
    write_system(root, ML_CS.with_(ranks=lambda _setting, question, _: 1 + (question + 1) % 2))
    (study,) = found_in(root).studies
    main = study.main
    assert main is not None
    assert {word for _, word, _ in verdicts(main.found)} == {"not separated"}
    sizes = [one.detectable for _, _, one in verdicts(main.found)]
    text = read(root).text
    for size in sizes:
        assert size is not None
        assert f"{size:.3f}".lstrip("0") + " could have been seen" in text
    scope = scope_of(main)
    assert scope.startswith("xquad-r; dense models from tiny, trained on ")
    assert "1 seed a system. It is about these checkpoints" in scope
    assert scope in text


def test_the_main_method_is_chosen_by_its_training(root: Path) -> None:
    better = ranks(1, 1, 1)
    for recipe, ranked in (
        ("zero-shot", ranks(1, 9, 9)),
        ("ml-cs-p025", better),
        ("ml-cs-p050", ranks(1, 20, 20)),
        ("wiki-cs", better),
        ("bl-cs-en-de", better),
        ("hybrid", better),
    ):
        write_system(root, Trained(recipe, ranked, sizes=SIZES))
    (study,) = found_in(root).studies
    assert study.main is not None
    assert study.main.site.id == "tiny-ml-cs-p050-seed-1"
    assert study.methods[-1] is study.main, "the table is sorted by the gain in CLIR"
    own = {row.site.id for row in study.methods if "own" in row.found}
    assert own == {"tiny-bl-cs-en-de-seed-1"}
    clir = next(c for c, _, _ in verdicts(study.main.found) if c.id == "clir")
    expected = "In CLIR, 4 of 5 methods do better than zero-shot, 1 worse, 0 are not separated."
    assert tally(study.methods, clir) == expected
    assert expected in read(root).text


def test_only_systems_that_differ_in_their_training_are_compared(root: Path) -> None:
    write_system(root, ZERO_SHOT)
    write_system(root, ML_CS)
    write_system(root, ML_CS.with_(recipe="ml-cs-p025", base="other"))
    write_system(root, ML_CS.with_(recipe="ml-cs-p100", replaced={"training": {"steps": 7}}))
    write_entry(root, ML_CS.with_(recipe="cldr-cs"), 1, complete=False)
    write_entry(root, ML_CS.with_(recipe="wiki-cs"), 1, record=False)
    (study,) = found_in(root).studies
    assert [row.site.id for row in study.methods] == ["tiny-ml-cs-p050-seed-1"]
    shown = read(root)
    assert "tiny-wiki-cs-seed-1 has no training.json" in shown.text


def test_each_base_model_has_its_own_answer(root: Path) -> None:
    for base, trained in (("small", ranks(1, 3, 5)), ("large", ranks(6, 20, 20))):
        write_system(root, ZERO_SHOT.with_(base=base))
        write_system(root, ML_CS.with_(base=base, ranks=trained))
    found = found_in(root)
    assert {study.zero_shot.system.base for study in found.studies} == {"small", "large"}
    # One family for the task: five contrasts of two methods.
    assert {study.family_size for study in found.studies} == {10}
    shown = read(root)
    for study in found.studies:
        name = study.zero_shot.name
        assert f"XQuAD-R against {name}" in shown.text
        assert f"Differences on XQuAD-R against {name}" in shown.tables
    said = "Across languages better in 2 of 4 averages, worse in 2 of 4 averages"
    assert said in shown.text
    assert len(shown.ids) == len(set(shown.ids))


def test_translate_test_counts_as_a_method(root: Path) -> None:
    write_system(root, ZERO_SHOT)
    settings = {"pooling": "mean", "translate_test": "muse"}
    write_entry(root, ZERO_SHOT.with_(settings=settings), 1, name="translated")
    (study,) = found_in(root).studies
    assert [row.site.id for row in study.methods] == ["translated"]
    assert study.main is None
    assert study.pairs is None
    assert "No method here is trained on code-switched text." in read(root).text


def test_the_map_shows_gains_and_marks_what_is_significant(root: Path) -> None:
    write_system(root, ZERO_SHOT)
    write_system(root, ML_CS)
    (study,) = found_in(root).studies
    assert study.pairs is not None
    differences = {pair: cell.difference for pair, cell in study.pairs.cells.items()}
    shown = read(root).tables["Pairs of languages of XQuAD-R"]
    cells = {
        (query, document): shown[row][column]
        for row, query in enumerate(("en", "de", "xx"), 1)
        for column, document in enumerate(("en", "de", "xx"), 1)
    }
    assert shown[0][1:] == ["English en", "German de", "All all"]
    marked = 0
    for pair, change in differences.items():
        assert change is not None
        assert cells[pair].startswith(signed(change.difference, 2))
        assert ("▲ better" in cells[pair]) == (change.significant and change.difference > 0)
        marked += change.significant
    assert marked == 4, "CLIR and MLIR gain, MoIR does not"
    assert "Of 6 settings 4 gain, 0 lose, 2 are not separated." in read(root).text


def test_a_rank_distance_gains_by_falling(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_translations(rows: list[Row], sizes: Mapping[str, int], task: str) -> RankTable:
        """A second relevant document in MLIR, the further behind the worse the first is."""
        second = [
            (*row[:3], f"yy{row[3]}", 1, 2 * row[5] + 10)
            for row in rows
            if row[0].startswith("mlir")
        ]
        return replace(rank_table([*rows, *second], sizes, task), measures=("RR", "RankDistance"))

    monkeypatch.setattr("claim_entries.rank_table", with_translations)
    write_system(root, ZERO_SHOT.with_(ranks=ranks(1, 9, 9)))
    write_system(root, ML_CS.with_(ranks=ranks(1, 9, 5)))
    (study,) = found_in(root).studies
    one = study.methods[0].found["distance"]
    assert one.pair.measure == "RankDistance"
    # The ranks of the first are 9 to 12, then 5 to 8; the distance is that rank and 10 more.
    assert one.difference == pytest.approx(-4)
    assert one.outcome == "for"
    shown = read(root)
    cell = shown.tables["Differences on XQuAD-R"][1][4]
    assert cell.startswith("−4.0 ▲ better")
    assert shown.tables["Differences on XQuAD-R"][2][4] == "20.5"
    assert "Rank distance supported −4.0" in shown.text


@pytest.mark.parametrize(
    ("systems", "said"),
    [
        ((), "There is no entry of a zero-shot training, nor of any other"),
        ((ZERO_SHOT,), "There is a zero-shot training, and no entry of another"),
        ((ML_CS,), "There is no entry of a zero-shot training to hold the others against."),
        ((ZERO_SHOT, ML_CS.with_(base="other")), "share no task in full, base model, kind"),
    ],
    ids=["nothing", "zero-shot alone", "trained alone", "other bases"],
)
def test_what_is_missing_is_said(root: Path, systems: tuple[Trained, ...], said: str) -> None:
    for system in systems:
        write_system(root, system)
    shown = read(root)
    assert said in shown.text
    assert "babelboard baselines zero-shot ml-cs-p050 --task xquad-r --data DIR" in shown.text
    assert not shown.tables


def test_hostile_names_are_text(root: Path) -> None:
    write_system(root, ZERO_SHOT.with_(replaced={"title": HOSTILE}))
    write_system(root, ML_CS.with_(replaced={"title": HOSTILE[::-1]}))
    shown = read(root)
    assert "script" not in shown.tags
    assert not shown.handlers
    assert not [link for link in shown.links if link.lower().startswith("javascript")]
    assert " ".join(HOSTILE.split()) in shown.text
    assert len(shown.ids) == len(set(shown.ids))
