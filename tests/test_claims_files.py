"""The files of the ledger: what they mean among the real recipes, and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from claim_entries import RECIPES, Trained, claim_file, part, write_system

from submissions.claims.claim import FOLDER, read_claim, read_claims
from submissions.claims.language_families import FAMILIES, relation
from submissions.claims.setting_choice import SettingChoice
from submissions.claims.system import System, systems_of
from submissions.entry import read_entries
from tasks.errors import DataFileError, UnknownNameError
from tasks.languages import NAMES
from tasks.settings import parallel_settings

if TYPE_CHECKING:
    from pathlib import Path

XQUAD = tuple(s.id for s in parallel_settings(("ar", "de", "el", "en", "es", "ru", "zh")))
NAMES_OF_RECIPES = sorted(p.stem for p in RECIPES.glob("*.toml") if p.stem != "grid")


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, System]:
    """A system of every recipe that the project has, by the recipe's name."""
    root = tmp_path_factory.mktemp("entries")
    for name in NAMES_OF_RECIPES:
        kind = "cross-encoder" if name.startswith("cross-encoder") else "dense"
        write_system(root, Trained(name, lambda *_: 1, kind=kind), seeds=(1, 2, 3))
    found = {s.record.recipe.name: s for s in systems_of(read_entries(root)).found if s.record}
    assert sorted(found) == NAMES_OF_RECIPES
    assert all(system.seeds == (1, 2, 3) for system in found.values())
    return found


def test_every_claim_and_question_of_the_literature_is_there() -> None:
    claims = read_claims()
    assert len(claims) == len(list(FOLDER.glob("*.toml")))
    assert {claim.number for claim in claims} == set(range(1, 21))
    assert [claim.number for claim in claims] == sorted(claim.number for claim in claims)
    questions = {claim.number for claim in claims if claim.kind == "question"}
    assert questions == set(range(16, 21))
    assert all(claim.source for claim in claims if claim.kind == "claim")


@pytest.mark.parametrize(
    ("claim", "method", "recipes"),
    [
        ("code-switching-beats-zero-shot", "zero-shot", r"(cross-encoder-)?zero-shot"),
        ("code-switching-beats-zero-shot", "ml-cs", r"ml-cs-(p050|wiktionary)|cross-encoder-ml-cs"),
        ("code-switching-beats-zero-shot", "bl-cs", r"bl-cs-.*"),
        ("code-switching-beats-zero-shot", "wiki-cs", r"wiki-cs"),
        ("hybrid-batches-are-best-overall", "hybrid", r"hybrid"),
        ("hybrid-batches-are-best-overall", "x-x-mono", r"x-x-mono"),
        ("hybrid-batches-are-best-overall", "x-y", r"x-y"),
        ("the-lexicon-and-the-rate-matter", "p025", r"ml-cs-p025"),
        ("the-lexicon-and-the-rate-matter", "p100", r"ml-cs-p100"),
        # Lexicons of these entries have 5,000 entries each.
        ("the-lexicon-and-the-rate-matter", "small", r"ml-cs-p050|cross-encoder-ml-cs"),
        ("the-lexicon-and-the-rate-matter", "large", r"none"),
        ("the-lexicon-and-the-rate-matter", "wiktionary", r"ml-cs-wiktionary"),
        ("code-switching-and-multitask-add-up", "multitask", r"multitask"),
        ("code-switching-and-multitask-add-up", "both", r"ml-cs-multitask"),
        # Native question answering is no translated training data.
        ("translated-training-data-lead", "fine-tuned", r"none"),
        ("effects-hold-for-large-models", "large-zero-shot", r"none"),
    ],
)
def test_methods_mean_the_recipes_that_are_meant(
    systems: dict[str, System], claim: str, method: str, recipes: str
) -> None:
    (read,) = read_claims([claim])
    meant = [name for name, system in systems.items() if read.methods[method].matches(system)]
    assert meant == [name for name in systems if re.fullmatch(recipes, name)]


def test_every_language_has_a_family_and_a_script() -> None:
    assert set(FAMILIES) == set(NAMES)
    assert relation("de", "en") == relation("en", "de") == "near"
    assert relation("ar", "ru") == "far"
    assert relation("vi", "en") == "far", "a script is not enough"
    assert relation("de", "ru") is relation("de", "de") is relation("de", "xx") is None


def test_choices_of_settings_by_hand(systems: dict[str, System]) -> None:
    moir = SettingChoice(of=("moir",), without=("moir/en-en", "moir/*-zh"))
    assert moir.among(XQUAD) == tuple(f"moir/{c}-{c}" for c in ("ar", "de", "el", "es", "ru"))
    mlir = SettingChoice(of=("mlir",))
    assert "mlir/xx-xx" not in mlir.among(XQUAD), "it repeats the others"
    assert SettingChoice(of=("mlir/*",)).among(XQUAD)[-1] == "mlir/xx-xx"
    near = SettingChoice(of=("clir",), pairs="near").among(XQUAD)
    assert set(near) == {
        f"clir/{a}-{b}" for a in ("de", "en", "es") for b in ("de", "en", "es") if a != b
    }
    unseen = SettingChoice(of=("clir", "mlir"), languages="unseen")
    pair = (systems["zero-shot"], systems["ml-cs-p050"])
    found = unseen.of_systems(XQUAD, pair)
    assert found
    assert all("el" in name for name in found), "Greek is the language without a lexicon"
    seen = SettingChoice(of=("clir", "mlir"), languages="seen").of_systems(XQUAD, pair)
    assert len(found) + len(seen) == 7 * 6 + 7
    own = SettingChoice(of=("clir",), own=True)
    assert own.of_systems(XQUAD, (systems["bl-cs-de-es"], systems["zero-shot"])) == ("clir/de-es",)
    assert own.of_systems(XQUAD, (systems["ml-cs-p050"], systems["zero-shot"])) == ()


def test_trainings_for_one_pair_know_it(systems: dict[str, System]) -> None:
    pairs = {name: s.record.own_pairs for name, s in systems.items() if s.record}
    assert pairs["bl-cs-en-de"] == (("en", "de"),)
    assert pairs["bl-cs-de-es"] == (("de", "es"),)
    assert [name for name in pairs if pairs[name] and not name.startswith("bl-cs")] == []


def test_names_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean moir-does-not-change"):
        read_claims(["moir-does-not-chang"])
    with pytest.raises(DataFileError, match=r"There is no claim .*gone\.toml"):
        read_claims([str(tmp_path / "gone.toml")])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('a = "ml-cs"', 'a = "mlcs"', "Unknown method: 'mlcs'. Did you mean ml-cs?"),
        ('expect = "higher"', 'expect = "better"', "parts.0.expect"),
        ('expect = "higher"', 'expect = "same"', "expect = 'same' needs a margin"),
        ('expect = "higher"', 'expect = "higher"\nmargin = 1.0', "a margin is for expect = 'same'"),
        ('expect = "higher"', 'expect = "same"\nmargin = 0.0', "parts.0.margin"),
        ('of = ["clir"]', 'of = ["clir/*-xy"]', "none of xquad-r has clir/*-xy"),
        ('of = ["clir"]', 'of = ["clir"], pair = "near"', "parts.0.settings.pair"),
        ('tasks = ["xquad-r"]', 'tasks = ["xquad"]', "Unknown task: 'xquad'"),
        ('b = "zero-shot"', 'b = "ml-cs"', "methods.zero-shot: no part is about it"),
        ('b = "zero-shot"', 'b = "ml-cs"', "compared with itself in other settings"),
        ('b = "zero-shot"', 'b = "zero-shot"\nmeasure = "APP"', "Unknown measure: 'APP'"),
        ('b = "zero-shot"', 'b = "zero-shot"\nmeasure = "RankDistance"', "for MLIR settings only"),
        ('kind = "question"', 'kind = "claim"', "a claim needs its source"),
        ('training = ["code-switched"]', "", "at least one condition besides its name"),
        ('id = "mine"', 'id = "yours"', "it must be the file's name"),
        ('id = "mine"', "id = mine", "is not a TOML file"),
    ],
)
def test_a_claim_that_cannot_be_meant_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = claim_file(tmp_path, part("higher"))
    assert read_claim(path)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(DataFileError) as raised:
        read_claim(path)
    if new == 'b = "ml-cs"' and "itself" not in message:
        # A part that is wrong by itself hides what is wrong between parts.
        path.write_text(
            text.replace(old, new).replace("expect", 'settings_b = { of = ["moir"] }\nexpect'),
            "utf-8",
        )
        with pytest.raises(DataFileError) as raised:
            read_claim(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = claim_file(tmp_path, part("better"), part("higher", "{ of = [] }"), part("same"))
    with pytest.raises(DataFileError) as raised:
        read_claim(path)
    for place in ("parts.0.expect", "parts.1.settings.of", "parts.2: "):
        assert place in str(raised.value)
