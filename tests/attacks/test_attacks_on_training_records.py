"""Attacks by the record of a training: what it must not hold, or keep quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli_w
from claim_entries import Trained, write_system
from honest_entry import put

from submissions.entry import read_entry
from tasks.errors import EntryError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Checks


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """An entry with a record of its training; its ranks are of no task."""
    system = Trained("ml-cs-p050", lambda _setting, number, _seed: 1 + number % 3)
    write_system(tmp_path, system)
    return tmp_path / "tiny-ml-cs-p050-seed-1"


RECORDS = {
    "json-lists-in-lists": ("E012", b"[" * 100_000),
    "json-objects-in-objects": ("E012", b'{"a":' * 100_000),
    "json-deep-but-closed": ("E012", b"[" * 40 + b"]" * 40),
    "json-not-a-number": ("E011", b'{"seed": NaN}'),
    "json-name-twice": ("E011", b'{"seed": 1, "seed": 2}'),
    "json-number-of-many-digits": ("E011", b'{"seed": ' + b"9" * 100_000 + b"}"),
    "json-not-utf-8": ("E010", b'{"seed": "\xff"}'),
    "json-pickle": ("E010", b"\x80\x04\x95"),
    "json-of-something-else": ("E071", b"{}"),
    "json-list": ("E071", b"[1]"),
}


@pytest.mark.parametrize("attack", RECORDS)
def test_a_record_that_does_harm_is_an_error(trained: Path, problems: Checks, attack: str) -> None:
    code, content = RECORDS[attack]
    (trained / "training.json").write_bytes(content)
    found = {one["code"] for one in problems(trained) if one["path"] == "training.json"}
    assert found == {code}
    if code != "E071":
        with pytest.raises(EntryError, match=r"training\.json"):  # nor does the site follow it
            read_entry(trained)


def test_a_record_of_another_model_is_an_error(trained: Path, problems: Checks) -> None:
    put(trained, "model_digest", "0" * 64, "training.json")
    (one,) = (one for one in problems(trained) if one["code"] == "E071")
    assert one["key"] == "model_digest"


def test_training_on_the_test_questions_must_be_marked(trained: Path, problems: Checks) -> None:
    shared = {"leaks": True, "questions": {"xquad-r": 12}, "passages": {"xquad-r": 0}}
    put(trained, "contamination", shared, "training.json")
    (one,) = (one for one in problems(trained) if one["code"] == "E072")
    assert "12 questions of xquad-r" in one["found"]
    put(trained, "method/contaminated", ["xquad-r"])
    assert not [one for one in problems(trained) if one["code"] == "E072"]


def test_of_two_words_on_the_training_that_of_people_holds(trained: Path, problems: Checks) -> None:
    shared = {"leaks": True, "questions": {"xquad-r": 12}, "passages": {"xquad-r": 0}}
    put(trained, "contamination", shared, "training.json")
    put(trained, "method/contaminated", ["xquad-r"])
    about = {
        "schema_version": 1,
        "id": trained.name,
        "name": "Mine",
        "contact": "Jane Doe",
        "licence": "MIT",
        "model": {"source": "org/model"},
        "method": {"training": "code-switched"},
    }
    (trained / "about.toml").write_text(tomli_w.dumps(about))
    (one,) = (one for one in problems(trained) if one["code"] == "E072")
    assert one["path"] == "about.toml"


def test_a_record_cannot_deny_its_own_numbers(trained: Path, problems: Checks) -> None:
    shared = {"leaks": False, "questions": {"xquad-r": 12}, "passages": {"xquad-r": 0}}
    put(trained, "contamination", shared, "training.json")
    assert "E071" in {one["code"] for one in problems(trained)}
