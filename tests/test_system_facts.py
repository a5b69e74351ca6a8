"""What is known of a system besides its scores: contamination, cost, and how to cite it."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from claim_entries import Trained, write_entry
from hypothesis import given
from hypothesis import strategies as st
from rendered_pages import Read
from system_html import system_html
from test_changes_page import write_record

from leaderboard.bibtex import bibtex, citation, field
from leaderboard.contamination import TaskTexts
from leaderboard.facts import gather
from leaderboard.systems import site_systems
from leaderboard.training_cost import duration, training_costs
from submissions.entry import read_entry
from submissions.manifest import ModelPart, read_manifest, write_manifest
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

    from leaderboard.systems import SiteSystem

SYSTEM = Trained("ml-cs-p050", lambda _setting, number, _seed: 1 + number % 3)
CLEAN = {"leaks": False, "questions": {"xquad-r": 0}, "passages": {"xquad-r": 0}}
HARDWARE = {"processor": "A <processor>", "cores": "2", "device": "cpu"}


def add(folder: Path, **more: Any) -> Path:
    """Adds to the record of a training."""
    path = folder / "training.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **more}), "utf-8")
    return folder


def one_system(*folders: Path) -> SiteSystem:
    ((system,), _) = site_systems(map(read_entry, folders))
    return system


def shared(questions: int, passages: int, **more: int) -> dict[str, Any]:
    """What a check found on XQuAD-R, and nothing on other tasks."""
    return {
        "leaks": questions > 0,
        "questions": {"xquad-r": questions, **more},
        "passages": {"xquad-r": passages, **more},
    }


@pytest.mark.parametrize(
    ("check", "verdict", "texts"),
    [
        (CLEAN, "none found", TaskTexts(0, 0)),
        (shared(3, 0), "found", TaskTexts(3, 0)),
        (shared(0, 2), "found", TaskTexts(0, 2)),
        ({"leaks": False, "questions": {"pocket": 0}, "passages": {"pocket": 0}}, *2 * (None,)),
        (None, None, None),
    ],
    ids=["clean", "question", "passage", "another task", "no check"],
)
def test_contamination_is_what_the_record_says(
    tmp_path: Path, check: Any, verdict: str | None, texts: TaskTexts | None
) -> None:
    folder = write_entry(tmp_path, SYSTEM, 1)
    if check:
        add(folder, contamination=check)
    found = one_system(folder).contamination
    assert found.verdict == (verdict or "not checked")
    assert found.is_trained
    assert found.tasks == {"xquad-r": texts}


def test_what_its_submitter_says_counts_without_a_record(tmp_path: Path) -> None:
    folder = write_entry(tmp_path, SYSTEM, 1, record=False)
    path = folder / "submission.toml"
    manifest = read_manifest(path)
    for tasks, verdict in ((("mlqa-r",), "not checked"), (("mlqa-r", "xquad-r"), "found")):
        method = manifest.method.model_copy(update={"contaminated": tasks})
        write_manifest(path, manifest.model_copy(update={"method": method}))
        assert one_system(folder).contamination.verdict == verdict
    (page,) = system_html(tmp_path).values()
    text = Read(page).text
    assert "Found: without a record" in text
    assert "Its submitter says that they hold questions of xquad-r." in text


def test_another_form_of_a_task_has_the_same_texts(tmp_path: Path) -> None:
    folder = write_entry(tmp_path, SYSTEM.with_(tasks=("xquad-r+context",)), 1)
    add(folder, contamination=shared(1, 0))
    assert one_system(folder).contamination.tasks == {"xquad-r+context": TaskTexts(1, 0)}


def test_one_task_that_was_not_compared_leaves_a_system_unchecked(tmp_path: Path) -> None:
    folder = write_entry(tmp_path, SYSTEM.with_(tasks=("xquad-r", "pocket")), 1)
    add(folder, contamination=CLEAN)
    assert one_system(folder).contamination.verdict == "not checked"
    add(folder, contamination=shared(1, 0))
    assert one_system(folder).contamination.verdict == "found", "what is found is found"


def test_seeds_have_the_most_of_any(tmp_path: Path) -> None:
    folders = [write_entry(tmp_path, SYSTEM, seed) for seed in (1, 2)]
    add(folders[0], contamination=shared(1, 5))
    assert one_system(*folders).contamination.verdict == "not checked", "one seed was not"
    add(folders[1], contamination=shared(2, 4))
    assert one_system(*folders).contamination.tasks == {"xquad-r": TaskTexts(2, 5)}


@pytest.mark.parametrize(
    ("kind", "training", "verdict"),
    [
        ("bm25", "untrained", "none found"),
        ("char-ngram", "untrained", "none found"),
        ("bm25", "translate-test", "none found"),
        ("dense", "as-released", "not checked"),
        ("run", "untrained", "not checked"),
        ("bm25", "fine-tuned", "not checked"),
    ],
)
def test_only_what_is_not_trained_needs_no_check(
    tmp_path: Path, kind: str, training: str, verdict: str
) -> None:
    folder = write_entry(tmp_path, SYSTEM, 1, record=False)
    manifest = read_manifest(folder / "submission.toml")
    model = ModelPart.model_validate({"kind": kind, "name": "x"})
    method = manifest.method.model_copy(update={"training": training})
    changed = manifest.model_copy(update={"model": model, "method": method})
    write_manifest(folder / "submission.toml", changed)
    found = one_system(folder).contamination
    assert found.verdict == verdict
    assert found.is_trained == (verdict == "not checked")


@pytest.mark.parametrize(
    "wrong",
    [
        {**CLEAN, "leaks": True},
        {**shared(1, 0), "leaks": False},
        {**CLEAN, "questions": {"xquad-r": -1}},
        {**CLEAN, "questions": {"xquad-r": "0"}},
        {**CLEAN, "questions": {"xquad-r": 0.0}},
        {**CLEAN, "passages": {}},
        {**CLEAN, "leaks": "no"},
    ],
    ids=["no leak", "leak", "negative", "text", "float", "tasks", "word"],
)
def test_a_record_that_contradicts_itself_is_refused(tmp_path: Path, wrong: Any) -> None:
    folder = add(write_entry(tmp_path, SYSTEM, 1), contamination=wrong)
    with pytest.raises(EntryError, match="contamination"):
        one_system(folder)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (242.9, "4 min 3 s"),
        (3599.4, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (7529, "2 h 5 min"),
        (3_600_000, "1,000 h 0 min"),
    ],
)
def test_durations_by_hand(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_cost_is_what_was_recorded_and_no_more(tmp_path: Path) -> None:
    folders = [write_entry(tmp_path, SYSTEM, seed) for seed in (1, 2, 3)]
    assert training_costs(one_system(folders[0]).system) == ()
    add(folders[1], seconds=242.9, hardware=HARDWARE)
    add(folders[2], seconds=9.0, steps=7, hardware={"device": "cuda", "accelerator": "H200"})
    second, third = training_costs(one_system(*folders).system)
    assert (second.seed, second.steps, second.duration) == (2, 150, "4 min 3 s")
    assert second.hardware == "cpu, A <processor>, 2 cores"
    assert (third.seed, third.steps, third.duration) == (3, 7, "9 s")
    assert third.hardware == "cuda, H200"


def test_the_page_says_all_of_it(tmp_path: Path) -> None:
    folder = write_entry(tmp_path, SYSTEM, 1)
    add(folder, contamination=shared(1, 2000), seconds=242.9, hardware=HARDWARE)
    write_record(tmp_path, date=date(2025, 3, 1), kind="added", entries=[folder.name])
    (page,) = system_html(tmp_path).values()
    text = Read(page).text
    assert "Contamination found" in text
    assert "XQuAD-R : 1 question, 2,000 passages" in text
    assert "150 steps in 4 min 3 s on cpu, A <processor>, 2 cores" in text
    assert "T1 : all scores are recomputed from ranks" in text
    assert "For T2 it lacks:" in text
    assert "year = {2025}," in text


def test_a_page_does_not_speak_of_what_is_not_recorded(tmp_path: Path) -> None:
    write_entry(tmp_path, SYSTEM, 1, record=False)
    (page,) = system_html(tmp_path).values()
    text = Read(page).text
    assert "Not checked: without a record of the training" in text
    assert "Cost of training" not in text
    assert "year = {20" not in bibtex_of(text)


def test_the_year_is_that_of_the_first_time_it_was_added(tmp_path: Path) -> None:
    folder = write_entry(tmp_path, SYSTEM, 1)
    for kind, expected in (("added", True), ("changed", False), ("removed", False)):
        write_record(tmp_path, date=date(2024, 1, 1), kind=kind, entries=[folder.name, "bm25"])
        (page,) = system_html(tmp_path).values()
        own = bibtex_of(Read(page).text)
        assert ("year = {2024}" in own) == expected


@pytest.mark.parametrize(("second", "year"), [(2024, 2024), (2030, 2026)])
def test_an_entry_that_was_added_again_keeps_its_first_year(
    tmp_path: Path, second: int, year: int
) -> None:
    write_entry(tmp_path, SYSTEM, 1, name="bm25")
    write_record(tmp_path, date=date(second, 1, 1), kind="added")
    (page,) = system_html(tmp_path).values()
    assert f"year = {{{year}}}" in bibtex_of(Read(page).text)


def bibtex_of(text: str) -> str:
    """The entry's own part of what the page says under Cite."""
    return text.partition("@misc")[2].partition("@")[0]


def test_bibtex_by_hand(tmp_path: Path) -> None:
    folders = [write_entry(tmp_path, SYSTEM, seed, name=f"mine-seed-{seed}") for seed in (1, 2)]
    made = bibtex(one_system(*folders), ["xquad-r", "mlqa-r", "own"], {"mine-seed-2": 2027})
    own, lareqa = made.split("\n\n")
    assert own == (
        "@misc{babelboard-mine,\n"
        "  title = {{ML-CS, p = 0.5}},\n"
        "  howpublished = {babelboard, entries mine-seed-1, mine-seed-2},\n"
        "  year = {2027},\n"
        "  note = {Model: mine-seed-1},\n"
        "}"
    )
    # Both tasks are of one paper; the third is in no catalogue.
    assert lareqa == f"{citation('xquad-r')}\n"
    assert lareqa.startswith("@inproceedings{roy-etal-2020-lareqa,")
    assert citation("xquad-r+context") == citation("xquad-r")


def test_a_commit_is_cited_and_a_year_that_is_not_known_is_not(tmp_path: Path) -> None:
    folder = write_entry(tmp_path, SYSTEM, 1, record=False)
    manifest = read_manifest(folder / "submission.toml")
    model = ModelPart.model_validate({"kind": "dense", "name": "a_b/c", "revision": "c" * 40})
    write_manifest(folder / "submission.toml", manifest.model_copy(update={"model": model}))
    made = bibtex(one_system(folder), [], {})
    assert f"  note = {{Model: a\\_b/c, revision {'c' * 40}}},\n" in made
    assert "year" not in made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100 % of {A} & $b_1$", r"100 \% of \textbraceleft{}A\textbraceright{} \& \$b\_1\$"),
        ("}, year = {1", r"\textbraceright{}, year = \textbraceleft{}1"),
        (r"\input{x}", r"\textbackslash{}input\textbraceleft{}x\textbraceright{}"),
        ("a\u202eb\u2066c\nd", "abc d"),
        ("~^#<>", r"\textasciitilde{}\textasciicircum{}\#\textless{}\textgreater{}"),
        ("Zürich 中文", "Zürich 中文"),
    ],
    ids=["usual", "end of a field", "command", "turned", "signs", "letters"],
)
def test_fields_by_hand(text: str, expected: str) -> None:
    assert field(text) == expected


@given(st.text(max_size=60))
def test_a_field_ends_where_it_should(text: str) -> None:
    made = field(text)
    depth = 0
    for character in made:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert "\n" not in made
    bare = re.sub(r"\\([a-z]+\{\}|[&%$#_])", "", made)
    assert not set(bare) & set("\\%$#&_{}~^")


def test_facts_of_a_folder_have_them_too(tmp_path: Path) -> None:
    write_entry(tmp_path, SYSTEM, 1)
    (system,) = gather(tmp_path, None).systems
    assert system.trust.level == "T1"
    assert system.contamination.verdict == "not checked"
