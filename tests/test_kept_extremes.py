"""What is kept of systems' extremes: it changes what is computed, and never what comes out."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scored_systems import SETTINGS, drawn, many, of_scores

from harness.design import Design
from harness.question_scores import QuestionScores
from harness.significance.signs import Signs
from leaderboard import kept_extremes
from leaderboard.families import columns_of
from leaderboard.kept_extremes import KeptExtremes, Unit
from leaderboard.many_systems import all_pairs_of_many

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.significance.range_of_means import Extremes
    from leaderboard.kept_extremes import Member
    from leaderboard.score_store import Scored

CLASSES = 3
COUNT = 12


@pytest.fixture(scope="module")
def members() -> dict[str, Member]:
    found = many(np.linspace(0.3, 0.6, COUNT).tolist())
    return found | {"s03": (*found["s03"], drawn(0.4, 50))}


@pytest.fixture
def resampled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the number of systems whenever one unit of some is resampled."""
    calls: list[int] = []
    real = kept_extremes.extremes

    def counting(scores: NDArray[np.float64], signs: NDArray[np.floating]) -> Extremes:
        calls.append(len(scores))
        return real(scores, signs)

    monkeypatch.setattr(kept_extremes, "extremes", counting)
    monkeypatch.setattr(kept_extremes, "RESAMPLES_PER_BLOCK", 10_000)
    return calls


def as_bytes(members: Mapping[str, Member], folder: Path | None, task: str = "own") -> bytes:
    """All that a page shows of the class averages of some systems."""
    family = all_pairs_of_many(members, task, folder, by_setting=False)
    places = {unit: columns_of(found) for unit, found in family.places.items()}
    return json.dumps([family.size, family.test, family.resamples, places]).encode()


def without(members: Mapping[str, Member], *names: str) -> dict[str, Member]:
    return {name: member for name, member in members.items() if name not in names}


def kept_file(folder: Path) -> Path:
    (found,) = folder.glob("*.npz")
    return found


def test_what_was_kept_gives_what_was_computed(
    members: dict[str, Member], tmp_path: Path, resampled: list[int]
) -> None:
    computed = as_bytes(members, None)
    assert [as_bytes(members, tmp_path) for _ in range(3)] == [computed] * 3
    assert resampled == [COUNT] * (2 * CLASSES), "without a folder, and once for it"


def test_of_a_new_system_alone_resamples_are_computed(
    members: dict[str, Member], tmp_path: Path, resampled: list[int]
) -> None:
    for names in (("s03", "s04", "s11"), ("s03",), ()):
        found = as_bytes(without(members, *names), tmp_path)
        assert found == as_bytes(without(members, *names), None)
    assert resampled[::CLASSES] == [9, 9, 2, 11, 1, 12]
    before = kept_file(tmp_path).read_bytes()
    as_bytes(members, tmp_path)
    assert kept_file(tmp_path).read_bytes() == before


def test_without_a_system_everything_is_computed_again(
    members: dict[str, Member], tmp_path: Path, resampled: list[int]
) -> None:
    as_bytes(members, tmp_path)
    fewer = without(members, "s00", "s05")
    resampled.clear()
    assert as_bytes(fewer, tmp_path) == as_bytes(fewer, None)
    assert resampled == [COUNT - 2] * (2 * CLASSES)
    assert as_bytes(fewer, None) != as_bytes(members, None)


def test_a_system_in_place_of_another_is_not_taken_for_it(
    members: dict[str, Member], tmp_path: Path, resampled: list[int]
) -> None:
    as_bytes(members, tmp_path)
    other = members | {"s05": (drawn(0.9, 77),)}
    resampled.clear()
    assert as_bytes(other, tmp_path) == as_bytes(other, None)
    assert resampled[:CLASSES] == [COUNT] * CLASSES


def test_a_seed_more_is_another_system(
    members: dict[str, Member], tmp_path: Path, resampled: list[int]
) -> None:
    as_bytes(members, tmp_path)
    other = members | {"s05": (*members["s05"], drawn(0.9, 77))}
    resampled.clear()
    assert as_bytes(other, tmp_path) == as_bytes(other, None)
    assert resampled[:CLASSES] == [COUNT] * CLASSES


def test_systems_of_the_same_ranks_are_resampled_once(
    members: dict[str, Member], tmp_path: Path, resampled: list[int]
) -> None:
    twice = members | {"twin": members["s05"]}
    assert as_bytes(twice, tmp_path) == as_bytes(twice, None)
    assert set(resampled) == {COUNT}
    as_bytes(members, tmp_path)
    assert len(resampled) == 2 * CLASSES, "the twin has not gone"


def flip(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "all but the last byte": lambda content: content[:-1],
    "a byte more": lambda content: content + b"\n",
    "a bit of the checksum": lambda content: flip(content, 5),
    "a bit of the numbers": lambda content: flip(content, len(content) // 2),
    "a bit of the end": lambda content: flip(content, -1),
    "other content": lambda _: b"these are no extremes",
    "checked, but no arrays": lambda _: hashlib.sha256(b"no").hexdigest().encode() + b"no",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_computed_and_written_again(
    members: dict[str, Member], tmp_path: Path, resampled: list[int], damage: str
) -> None:
    computed = as_bytes(members, tmp_path)
    path = kept_file(tmp_path)
    content = path.read_bytes()
    path.write_bytes(DAMAGE[damage](content))
    resampled.clear()
    assert as_bytes(members, tmp_path) == computed
    assert resampled == [COUNT] * CLASSES
    assert path.read_bytes() == content


def test_a_file_of_another_task_in_its_place_is_not_used(
    members: dict[str, Member], tmp_path: Path, resampled: list[int]
) -> None:
    # Its checksum holds, and its systems are others.
    as_bytes(many([0.5] * COUNT, first_seed=500), tmp_path / "other")
    computed = as_bytes(members, tmp_path)
    path = kept_file(tmp_path)
    path.write_bytes(kept_file(tmp_path / "other").read_bytes())
    resampled.clear()
    assert as_bytes(members, tmp_path) == computed
    assert resampled == [COUNT] * CLASSES


def test_other_code_computes_again(
    members: dict[str, Member],
    tmp_path: Path,
    resampled: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed = as_bytes(members, tmp_path)
    asked = []

    def other_digest(module: str) -> str:
        asked.append(module)
        return "another"

    monkeypatch.setattr(kept_extremes, "computing_digest", other_digest)
    resampled.clear()
    assert as_bytes(members, tmp_path) == computed
    assert resampled == [COUNT] * CLASSES
    assert asked == ["kept_extremes"]


UNIT = Unit("moir", (0, 1))
DESIGN = Design(resamples=200)


@pytest.mark.parametrize("change", ["task", "units", "resamples", "seed", "layout"])
def test_anything_that_decides_is_in_the_key(
    members: dict[str, Member], tmp_path: Path, resampled: list[int], change: str
) -> None:
    layout = members["s00"][0].layout
    KeptExtremes(tmp_path, "own", layout, [UNIT], DESIGN).of(members)
    task, units, design, found = "own", [UNIT], DESIGN, members
    if change == "task":
        task = "other"
    elif change == "units":
        units = [Unit("clir", (2,))]
    elif change == "resamples":
        design = Design(resamples=100)
    elif change == "seed":
        design = Design(resamples=200, seed=1)
    else:
        found = {name: (renamed(member[0]),) for name, member in members.items()}
        layout = found["s00"][0].layout
    resampled.clear()
    kept = KeptExtremes(tmp_path, task, layout, units, design).of(found)
    assert resampled == [COUNT]
    fresh = KeptExtremes(None, task, layout, units, design).of(found)
    assert kept[0].highest.tolist() == fresh[0].highest.tolist()
    assert kept[0].lowest.tolist() == fresh[0].lowest.tolist()
    assert len(list(tmp_path.glob("*.npz"))) == 2


def renamed(one: Scored) -> Scored:
    """The same scores on questions with other ids, which have other signs."""
    old = one.scores
    questions = tuple(f"other-{name}" for name in old.questions)
    fields = old.settings, questions, old.setting, old.question, old.value
    return of_scores(QuestionScores(old.measure, *fields))


def test_neither_chunks_nor_blocks_matter(
    members: dict[str, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = as_bytes(members, None)
    monkeypatch.setattr(kept_extremes, "MEMBERS_PER_CHUNK", 5)
    monkeypatch.setattr(kept_extremes, "RESAMPLES_PER_BLOCK", 771)
    assert as_bytes(members, None) == whole


def test_extremes_are_of_each_questions_mean_over_settings_and_seeds() -> None:
    # q1 and q2 are asked in the first setting, q0 and q1 in the second.
    member = tuple(
        of_scores(
            QuestionScores(
                "AP",
                SETTINGS[:2],
                ("q0", "q1", "q2"),
                np.array([0, 0, 1, 1]),
                np.array([1, 2, 0, 1]),
                np.array(values),
            )
        )
        for values in ([0.5, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.5])
    )
    layout = member[0].layout
    (found,) = KeptExtremes(None, "own", layout, [UNIT], DESIGN).of({"one": member})
    by_question = np.array([0.5, (0.25 + 0.75) / 2, 0.0])
    signs = Signs(layout.questions, DESIGN.seed, 200).block(0, 200, np.float64)
    sums = 2.0**32 * (by_question * 3 - by_question.sum()) @ signs
    assert found.highest.tolist() == found.lowest.tolist() == sums.tolist()


def test_a_file_that_cannot_be_read_is_no_obstacle(
    members: dict[str, Member], tmp_path: Path
) -> None:
    layout = members["s00"][0].layout
    folder = tmp_path / "not" / "there"
    kept = KeptExtremes(folder, "own", layout, [UNIT], DESIGN).of(members)
    path = kept_file(folder)
    path.unlink()
    path.symlink_to(path.name)  # a loop: even a privileged user cannot read it
    found = KeptExtremes(folder, "own", layout, [UNIT], DESIGN).of(members)
    assert found[0].highest.tolist() == kept[0].highest.tolist()
    assert path.is_file(), "written anew"
