"""Trust levels: what each condition of T2 changes, on made-up entries and on our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from claim_entries import Trained, write_entry

from leaderboard.systems import site_systems
from submissions.about import About, write_about
from submissions.entry import Entry, read_entry
from submissions.manifest import Manifest, ModelPart, read_manifest, write_manifest
from submissions.trust import (
    NO_CONTACT,
    TO_T3,
    follows_shipped_recipe,
    shipped_digest,
    trust_level,
)
from submissions.verification import TOLERANCES
from submissions.verification_record import TaskVerification, record_verification
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Manifest], Manifest]

OURS = Path(__file__).parents[1] / "submissions" / "entries"
SHA = "a" * 64
COMMIT = "b" * 40
SYSTEM = Trained("ml-cs-p050", lambda _setting, number, _seed: 1 + number % 3)


def with_run(**changes: Any) -> Change:
    def change(manifest: Manifest) -> Manifest:
        runs = {task: run.model_copy(update=changes) for task, run in manifest.runs.items()}
        return manifest.model_copy(update={"runs": runs})

    return change


def with_model(**model: Any) -> Change:
    def change(manifest: Manifest) -> Manifest:
        return manifest.model_copy(update={"model": ModelPart.model_validate(model)})

    return change


WHOLE = with_run(data={"de.json": SHA}, versions={"babelboard": "0.1.0", "python": "3.11"})


def entry(root: Path, *changes: Change, record: bool = True, system: Trained = SYSTEM) -> Entry:
    folder = write_entry(root, system, 1, name="one", record=record)
    manifest = read_manifest(folder / "submission.toml")
    for change in (WHOLE, *changes):
        manifest = change(manifest)
    write_manifest(folder / "submission.toml", manifest)
    return read_entry(folder)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ({"kind": "bm25", "name": "bm25"}, "needs no weights"),
        ({"kind": "char-ngram", "name": "char-ngram"}, "needs no weights"),
        ({"kind": "dense", "name": "org/model", "revision": COMMIT}, f"the commit {COMMIT}"),
    ],
    ids=["bm25", "char-ngram", "hub"],
)
def test_a_model_that_anyone_can_get_is_t2(tmp_path: Path, model: Any, why: str) -> None:
    found = trust_level(entry(tmp_path, with_model(**model), record=False))
    assert found.level == "T2"
    assert any(why in reason for reason in found.holds)
    assert found.needed == (TO_T3,)


def test_a_training_by_a_shipped_recipe_is_t2(tmp_path: Path) -> None:
    found = trust_level(entry(tmp_path))
    assert found.level == "T2"
    assert "the model is made by the recipe ml-cs-p050, which comes with babelboard" in found.holds


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ({"kind": "dense", "name": "mine", "digest": SHA}, "a model that anyone can get"),
        ({"kind": "run", "name": "given"}, "only its rankings were given"),
        ({"kind": "fusion", "name": "both", "digest": SHA}, "as public as the entries"),
    ],
    ids=["folder", "run", "fusion"],
)
def test_a_model_that_cannot_be_had_is_t1(tmp_path: Path, model: Any, why: str) -> None:
    found = trust_level(entry(tmp_path, with_model(**model), record=False))
    assert found.level == "T1"
    (needed,) = found.needed
    assert why in needed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (with_run(data={}), "sha256 of every data file is recorded; not of xquad-r"),
        (with_run(versions={}), "versions of the software are recorded; not of xquad-r"),
        (with_run(versions={"numpy": "2"}), "versions of the software are recorded; not of"),
    ],
    ids=["data", "versions", "babelboard"],
)
def test_what_is_not_recorded_makes_it_t1(tmp_path: Path, change: Change, why: str) -> None:
    found = trust_level(entry(tmp_path, change))
    assert found.level == "T1"
    (needed,) = found.needed
    assert why in needed
    assert len(found.holds) == 4, "all else holds"


def test_one_task_that_lacks_something_is_enough(tmp_path: Path) -> None:
    def second_without_data(manifest: Manifest) -> Manifest:
        (run,) = manifest.runs.values()
        runs = {**manifest.runs, "mlqa-r": run.model_copy(update={"data": {}})}
        return manifest.model_copy(update={"runs": runs})

    found = trust_level(entry(tmp_path, second_without_data))
    assert found.needed == ("the sha256 of every data file is recorded; not of mlqa-r",)


@pytest.mark.parametrize(
    ("replaced", "why"),
    [
        ({"training": {"steps": 3}}, "this training changed ml-cs-p050"),
        ({"name": "my-own"}, "this training changed my-own"),
    ],
    ids=["steps", "name"],
)
def test_another_recipe_is_t1(tmp_path: Path, replaced: Any, why: str) -> None:
    found = trust_level(entry(tmp_path, system=SYSTEM.with_(replaced=replaced)))
    assert found.level == "T1"
    assert why in found.needed[0]


def test_a_recipe_ships_by_what_decides_its_weights() -> None:
    recipe = SYSTEM.loaded()
    assert follows_shipped_recipe(recipe.model_copy(update={"title": "Other words", "seeds": (9,)}))
    assert not follows_shipped_recipe(recipe.model_copy(update={"base": "package:other"}))
    assert shipped_digest("grid") is None, "what the recipes share is no recipe"
    assert shipped_digest("no-such") is None


def test_without_runs_there_is_no_level(tmp_path: Path) -> None:
    bare = entry(tmp_path, lambda manifest: manifest.model_copy(update={"runs": {}}))
    with pytest.raises(EntryError, match="no runs"):
        trust_level(bare)


def test_a_record_of_another_model_is_refused(tmp_path: Path) -> None:
    made = entry(tmp_path)
    path = made.folder / "training.json"
    content = {**json.loads(path.read_text("utf-8")), "model_digest": SHA}
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(EntryError, match="Copy the record of the model that was scored"):
        trust_level(made)


def test_a_system_has_the_lowest_level_of_its_seeds(tmp_path: Path) -> None:
    folders = [write_entry(tmp_path, SYSTEM, seed) for seed in (1, 2)]
    manifest = read_manifest(folders[0] / "submission.toml")
    write_manifest(folders[0] / "submission.toml", WHOLE(manifest))
    ((system,), _) = site_systems(map(read_entry, folders))
    assert [trust_level(one).level for one in system.entries] == ["T2", "T1"]
    assert system.trust == trust_level(system.entries[1])


def verified(
    root: Path, *changes: Change, contact: str | None = "Jane Doe <j@x.org>", **found: Any
) -> Entry:
    """An entry whose run was repeated by John Roe, exactly; but for what is said otherwise."""
    made = entry(root, with_model(kind="bm25", name="bm25"), *changes, record=False)
    if contact is not None:
        said = {
            "schema_version": 1,
            "id": "one",
            "name": "One",
            "contact": contact,
            "licence": "MIT",
            "model": {"source": "bm25"},
            "method": {},
        }
        write_about(made.folder, About.model_validate(said))
    content = {
        "by": "John Roe",
        "date": "2026-11-21",
        "ranks": made.manifest.runs["xquad-r"].ranks,
        "tolerance": 0.0,
        "delta": 0.0,
        "largest": 0.0,
        "settings": 4,
        "judged": 160,
        "differing": 0,
        "greatest_change": 0,
        "versions": {},
        "hardware": {},
    }
    record_verification(made.folder, "xquad-r", TaskVerification.model_validate(content | found))
    return read_entry(made.folder)


def test_a_repetition_by_somebody_else_is_t3(tmp_path: Path) -> None:
    found = trust_level(verified(tmp_path))
    assert (found.level, found.needed) == ("T3", ())
    assert found.holds[-1] == "John Roe repeated xquad-r on 2026-11-21: means differ by 0 at most"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"by": "Jane Doe"}, "the record of 2026-11-21 is by Jane Doe, the submitter"),
        ({"by": "J <J@x.org>"}, "the submitter"),
        ({"ranks": SHA}, f"is void, as it is of ranks with sha256 {SHA}, and the entry has others"),
        (
            {"largest": 1e-9, "tolerance": 0.1},
            "differed by 1e-09, and 0 is allowed",
        ),
        ({"largest": 0.5, "tolerance": 1.0}, "it differed by 0.5, and 0 is allowed"),
        ({"contact": None}, NO_CONTACT),
    ],
    ids=["submitter", "address", "stale", "differs", "lax", "no contact"],
)
def test_what_a_repetition_lacks_for_t3(tmp_path: Path, found: Any, why: str) -> None:
    level = trust_level(verified(tmp_path, **found))
    assert level.level == "T2"
    (needed,) = level.needed
    assert why in needed


@pytest.mark.parametrize(
    ("delta", "tolerance", "level"),
    [
        (TOLERANCES["bfloat16"], 1.0, "T3"),
        (TOLERANCES["bfloat16"] * 1.01, 1.0, "T2"),
        (1e-4, 1e-4, "T3"),
        (1.1e-4, 1e-4, "T2"),
    ],
    ids=["at most", "more", "stricter", "more than stricter"],
)
def test_the_tolerance_of_the_format_counts_and_a_stricter_one(
    tmp_path: Path, delta: float, tolerance: float, level: str
) -> None:
    hub = {"kind": "dense", "name": "org/model", "revision": COMMIT}
    model = with_model(**hub, settings={"dtype": "bfloat16"})
    made = verified(tmp_path, model, delta=delta, tolerance=tolerance)
    assert trust_level(made).level == level


def test_every_run_must_be_repeated(tmp_path: Path) -> None:
    def with_second(manifest: Manifest) -> Manifest:
        (run,) = manifest.runs.values()
        return manifest.model_copy(update={"runs": {**manifest.runs, "mlqa-r": run}})

    found = trust_level(verified(tmp_path, with_second))
    assert found.level == "T2"
    (needed,) = found.needed
    assert needed.startswith("a repetition of mlqa-r by somebody else")
    assert needed.endswith("there is no record of one")


def test_a_repetition_does_not_make_a_closed_model_open(tmp_path: Path) -> None:
    closed = with_model(kind="dense", name="mine", digest=SHA)
    assert trust_level(verified(tmp_path, closed)).level == "T1"


@pytest.mark.parametrize(
    ("name", "level"),
    [("bm25", "T2"), ("ml-cs-p050-seed-1", "T2"), ("all-minilm-l6-v2", "T1")],
)
def test_levels_of_our_own_entries(name: str, level: str) -> None:
    assert trust_level(read_entry(OURS / name)).level == level
