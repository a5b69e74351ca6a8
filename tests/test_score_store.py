"""Scores that are kept from build to build are those of the ranks, whatever files come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from question_entries import write_ranked

from harness.task_summary import summarise
from leaderboard import score_store
from leaderboard.score_store import KeptValues, Scored, ScoreStore, scored_from
from submissions.entry import Entry, ranks_path, read_entries
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rank_tables import Row

    from harness.question_scores import QuestionScores
    from harness.ranks import RankTable
    from harness.task_summary import TaskSummary

SIZES = {"moir/de-de": 30, "clir/de-en": 30, "mlir/de-xx": 60, "mlir/xx-xx": 60}
OTHER_SIZES = {"moir/en-en": 9}
Wanted = list[tuple[Entry, str]]


def rows(seed: int) -> list[Row]:
    rng = np.random.default_rng(seed)
    found: list[Row] = []
    for setting, size in SIZES.items():
        for language in ("de", "en") if setting == "mlir/xx-xx" else ("de",):
            for number in range(7):
                rank = int(rng.integers(0, size))
                found.append((setting, language, f"q{number}", f"d{number}", 1, rank))
    return found


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    """Three entries; the first has a second task, of another layout."""
    root = tmp_path / "entries"
    sizes = {"own": SIZES, "other": OTHER_SIZES}
    for seed, name in enumerate("abc"):
        given = {"own": rows(seed)}
        if name == "a":
            given["other"] = [("moir/en-en", "en", "q0", "d0", 1, 3)]
        write_ranked(root, name, given, sizes)
    return [(entry, task) for entry in read_entries(root) for task in entry.manifest.runs]


@pytest.fixture
def summed_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks whose ranks were summed up."""
    calls: list[str] = []

    def counting(table: RankTable) -> tuple[TaskSummary, QuestionScores]:
        calls.append(table.task)
        return summarise(table)

    monkeypatch.setattr(score_store, "summarise", counting)
    return calls


def scored(found: Sequence[Scored | EntryError]) -> list[Scored]:
    assert not [str(one) for one in found if isinstance(one, EntryError)]
    return [one for one in found if isinstance(one, Scored)]


def check_is_of_the_ranks(found: Sequence[Scored | EntryError], wanted: Wanted) -> None:
    """Everything equals, to the last bit, what the ranks come to."""
    for one, (entry, task) in zip(scored(found), wanted, strict=True):
        summary, scores = summarise(entry.ranks(task))
        assert one.summary == summary
        assert one.ranks == entry.manifest.runs[task].ranks
        assert one.layout.digest == scored_from(summary, scores, "").layout.digest
        own = one.scores
        names = own.measure, own.settings, own.questions
        assert names == (scores.measure, scores.settings, scores.questions)
        assert own.setting.tolist() == scores.setting.tolist()
        assert own.question.tolist() == scores.question.tolist()
        assert own.value.tolist() == scores.value.tolist()


def files(folder: Path, kind: str) -> list[Path]:
    return sorted(path for path in folder.rglob(f"*{kind}") if path.parent.name != "layouts")


def layouts(folder: Path) -> list[Path]:
    return sorted(folder.glob("layouts/*.json"))


def test_what_is_kept_is_what_was_computed(
    wanted: Wanted, tmp_path: Path, summed_up: list[str]
) -> None:
    folder = tmp_path / "kept"
    check_is_of_the_ranks(ScoreStore(folder).read(wanted), wanted)
    assert len(summed_up) == len(wanted) == 4
    store = ScoreStore(folder)
    for _ in range(2):
        check_is_of_the_ranks(store.read(wanted), wanted)
    assert len(summed_up) == 4
    assert [len(files(folder, kind)) for kind in (".json", ".npy")] == [4, 4]
    assert len(layouts(folder)) == 2, "entries with the same questions share one"
    assert len({id(one.layout) for one in scored(store.read(wanted))}) == 2


def test_without_a_folder_nothing_is_kept(
    wanted: Wanted, tmp_path: Path, summed_up: list[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    for _ in range(2):
        check_is_of_the_ranks(ScoreStore(None).read(wanted), wanted)
    assert len(summed_up) == 8
    assert sorted(tmp_path.rglob("*")) == before


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def emptied(_: bytes) -> bytes:
    return b""


def flipped(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    return bytes(changed)


def one_line(content: bytes) -> bytes:
    return content.replace(b"\n", b" ")


def other(_: bytes) -> bytes:
    return b'{"no": "scores"}'


def a_list(_: bytes) -> bytes:
    return b"[1, 2]"


def renamed_key(content: bytes) -> bytes:
    return content.replace(b'"measure"', b'"meastre"')


def a_number_too_large(content: bytes) -> bytes:
    return content.replace(b'"setting": [0', b'"setting": [99999999999999999999')


def another_value(content: bytes) -> bytes:
    return content.replace(b'"setting": [0', b'"setting": [1')


Damage = Callable[[bytes], bytes]
ANY_DAMAGE = [cut, emptied, flipped, other, a_list]


@pytest.mark.parametrize("damage", [*ANY_DAMAGE, one_line], ids=lambda one: one.__name__)
def test_a_damaged_summary_is_made_again(
    wanted: Wanted, tmp_path: Path, summed_up: list[str], damage: Damage
) -> None:
    folder = tmp_path / "kept"
    ScoreStore(folder).read(wanted)
    contents = {path: path.read_bytes() for path in files(folder, ".json")}
    for path, content in contents.items():
        path.write_bytes(damage(content))
    check_is_of_the_ranks(ScoreStore(folder).read(wanted), wanted)
    assert len(summed_up) == 8
    assert {path: path.read_bytes() for path in files(folder, ".json")} == contents


@pytest.mark.parametrize("damage", [*ANY_DAMAGE, None], ids=lambda d: d.__name__ if d else "gone")
def test_without_their_file_scores_are_read_from_the_ranks(
    wanted: Wanted, tmp_path: Path, summed_up: list[str], damage: Damage | None
) -> None:
    folder = tmp_path / "kept"
    ScoreStore(folder).read(wanted)
    for path in files(folder, ".npy"):
        if damage:
            path.write_bytes(damage(path.read_bytes()))
        else:
            path.unlink()
    found = ScoreStore(folder).read(wanted)
    assert len(summed_up) == 4, "not before they are asked for"
    check_is_of_the_ranks(found, wanted)
    assert len(summed_up) == 8


@pytest.mark.parametrize(
    "damage",
    [*ANY_DAMAGE, renamed_key, a_number_too_large, another_value, None],
    ids=lambda d: d.__name__ if d else "gone",
)
def test_a_damaged_layout_is_made_again(
    wanted: Wanted, tmp_path: Path, damage: Damage | None
) -> None:
    folder = tmp_path / "kept"
    ScoreStore(folder).read(wanted)
    contents = {path: path.read_bytes() for path in layouts(folder)}
    for path, content in contents.items():
        if damage:
            path.write_bytes(damage(content))
            assert path.read_bytes() != content
        else:
            path.unlink()
    check_is_of_the_ranks(ScoreStore(folder).read(wanted), wanted)
    assert {path: path.read_bytes() for path in layouts(folder)} == contents


def test_other_code_reads_the_ranks_again(
    wanted: Wanted, tmp_path: Path, summed_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    ScoreStore(folder).read(wanted)
    monkeypatch.setattr(score_store, "computing_digest", lambda _: "another")
    check_is_of_the_ranks(ScoreStore(folder).read(wanted), wanted)
    assert len(summed_up) == 8


@pytest.mark.parametrize("is_kept", [True, False])
def test_ranks_that_were_changed_since_they_were_scored_do_not_count(
    wanted: Wanted, tmp_path: Path, is_kept: bool
) -> None:
    folder = tmp_path / "kept"
    if is_kept:
        ScoreStore(folder).read(wanted)
    entry = wanted[-1][0]
    path = ranks_path(entry.folder, "own")
    path.write_bytes(ranks_path(wanted[-2][0].folder, "own").read_bytes())
    for store in (ScoreStore(folder), ScoreStore(None)):
        *others, last = store.read(wanted)
        check_is_of_the_ranks(others, wanted[:-1])
        assert isinstance(last, EntryError)
        assert str(path) in str(last)
        assert "Restore it" in str(last)
    path.unlink()
    for store in (ScoreStore(folder), ScoreStore(None)):
        last = store.read(wanted)[-1]
        assert isinstance(last, EntryError)
        assert "found no file" in str(last)


def test_scores_that_are_neither_kept_nor_in_the_ranks_are_an_error(
    wanted: Wanted, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    last = scored(ScoreStore(folder).read(wanted))[-1]
    for path in files(folder, ".npy"):
        path.unlink()
    ranks_path(wanted[-1][0].folder, "own").unlink()
    with pytest.raises(EntryError, match="Restore it, or score the task again"):
        _ = last.scores


def test_new_ranks_of_an_entry_are_read(wanted: Wanted, tmp_path: Path) -> None:
    folder, root = tmp_path / "kept", tmp_path / "entries"
    before = scored(ScoreStore(folder).read(wanted))[-1]
    write_ranked(root, "c", {"own": rows(77)}, {"own": SIZES})
    again = [(entry, "own") for entry in read_entries(root)]
    found = ScoreStore(folder).read(again)
    check_is_of_the_ranks(found, again)
    assert scored(found)[-1].summary != before.summary


@pytest.fixture
def by_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process reads no ranks; those that it starts do not know of that."""

    def refused(_: RankTable) -> None:
        raise AssertionError("the ranks were read in this process")

    monkeypatch.setattr(score_store, "FEWEST_FOR_PROCESSES", 4)
    monkeypatch.setattr(score_store, "summarise", refused)


@pytest.mark.usefixtures("by_processes")
def test_processes_give_the_same(wanted: Wanted, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    found = scored(ScoreStore(folder).read(wanted))
    assert {type(one.values) for one in found} == {KeptValues}
    check_is_of_the_ranks(found, wanted)
    assert [len(files(folder, kind)) for kind in (".json", ".npy")] == [4, 4]


@pytest.mark.usefixtures("by_processes")
def test_processes_name_an_entry_that_is_damaged(wanted: Wanted, tmp_path: Path) -> None:
    path = ranks_path(wanted[-1][0].folder, "own")
    path.write_bytes(b"no ranks")
    *others, last = ScoreStore(tmp_path / "kept").read(wanted)
    check_is_of_the_ranks(others, wanted[:-1])
    assert isinstance(last, EntryError)
    assert str(path) in str(last)


def test_layouts_differ_where_anything_in_them_does(wanted: Wanted) -> None:
    layout = scored(ScoreStore(None).read(wanted))[-1].layout
    fields = layout.measure, layout.settings, layout.questions, layout.setting, layout.question
    changes = ("nDCG", layout.settings[::-1], layout.questions[::-1], layout.setting + 1)
    digests = {layout.digest}
    for position, change in enumerate((*changes, layout.question + 1)):
        changed = [*fields[:position], change, *fields[position + 1 :]]
        digests.add(score_store.Layout(*changed).digest)
    assert len(digests) == 6


def test_files_are_readable_without_this_program(wanted: Wanted, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    found = scored(ScoreStore(folder).read(wanted))[0]
    (path,) = (one for one in files(folder, ".json") if found.layout.digest in one.read_text())
    content = json.loads(path.read_bytes().split(b"\n", 1)[1])
    assert content["summary"]["task"] == found.summary.task
    values = np.load(path.with_suffix(".npy"), allow_pickle=False)
    assert values.tolist() == found.scores.value.tolist()
