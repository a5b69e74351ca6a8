"""Building a site again: the same bytes as from nothing, and no more work than there must be."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from small_systems import built, make_large, write_contaminated, write_system, write_systems

from leaderboard import drawing, site
from leaderboard.site_files import INVENTORY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TASKS = ("own", "other")
SYSTEMS = 14
NEW = "system-new"
TRAINED = "tiny-ml-cs-p050-seed-1"

Change = tuple["Callable[[Path], None]", frozenset[str]]


def _add(root: Path) -> None:
    write_system(root, NEW, 61, tasks=["own"])


def _add_leader(root: Path) -> None:
    write_system(root, NEW, 60, tasks=["own"])


def _other_ranks(root: Path) -> None:
    write_system(root, "system-009", 9, tasks=TASKS, draw=1)


def _other_name(root: Path) -> None:
    write_system(root, "system-009", 9, tasks=TASKS, name="<b>Renamed</b>")


def _remove(root: Path) -> None:
    shutil.rmtree(root / "system-009")


def _no_record(root: Path) -> None:
    (root / TRAINED / "training.json").unlink()


def _parts_of(system: str) -> frozenset[str]:
    return frozenset(f"{sort} {system}" for sort in ("page", "scores", "entry"))


OF_NINE = frozenset({"task own", "task other"}) | _parts_of("system-009")
PAGES = frozenset(f"page system-{number:03}" for number in range(SYSTEMS)) | {f"page {TRAINED}"}
"""All are held against the leader."""
CHANGES: dict[str, Change] = {
    "nothing": (lambda _: None, frozenset()),
    "added": (_add, frozenset({"task own"}) | _parts_of(NEW)),
    "leader added": (_add_leader, frozenset({"task own"}) | _parts_of(NEW) | PAGES),
    "other ranks": (_other_ranks, OF_NINE),
    "other name": (_other_name, OF_NINE - {"scores system-009", "entry system-009"}),
    "removed": (_remove, frozenset({"task own", "task other"})),
    "no record": (_no_record, frozenset({"task own", f"page {TRAINED}"})),
}
"""What is done to the entries, and the parts that it decides."""


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fourteen systems are many, and are drawn in this process."""
    make_large(monkeypatch, processes=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with entries, and a cache of a build of them."""
    folder = tmp_path_factory.mktemp("kept")
    write_systems(folder / "entries", range(SYSTEMS), tasks=TASKS)
    write_contaminated(folder / "entries", "tiny")
    with pytest.MonkeyPatch.context() as patch:
        make_large(patch, processes=False)
        built(folder / "entries", folder / "site", folder / "cache")
    return folder


@pytest.fixture
def mine(kept: Path, tmp_path: Path) -> Path:
    """The same, for a test to change."""
    for name in ("entries", "cache"):
        shutil.copytree(kept / name, tmp_path / name)
    return tmp_path


def contents(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def differing(a: Mapping[str, bytes], b: Mapping[str, bytes]) -> list[str]:
    return sorted(name for name in {*a, *b} if a.get(name) != b.get(name))


def drawn(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Grows by the name of each part that is drawn."""
    names = set()
    real = drawing.part_files

    def noting(part, facts):  # type: ignore[no-untyped-def]
        names.add(part.name)
        return real(part, facts)

    monkeypatch.setattr(drawing, "part_files", noting)
    return names


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("change", CHANGES)
def test_a_build_again_gives_the_bytes_of_one_from_nothing(
    change: str, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, decided = CHANGES[change]
    entries, out, cache = mine / "entries", mine / "site", mine / "cache"
    built(entries, out, cache)
    before = contents(out)
    apply(entries)
    names = drawn(monkeypatch)
    again = built(entries, out, cache)
    assert names == decided
    after = contents(out)
    built(entries, mine / "cold", mine / "cold-cache")
    assert differing(after, contents(mine / "cold")) == []
    written = [name for name in differing(before, after) if name in after and name != INVENTORY]
    assert again.changed == len(written)
    assert bool(written) == (change != "nothing")


@pytest.mark.usefixtures("large")
def test_a_build_without_a_cache_gives_the_same_bytes(mine: Path) -> None:
    entries = mine / "entries"
    built(entries, mine / "site", mine / "cache")
    built(entries, mine / "bare")
    assert differing(contents(mine / "site"), contents(mine / "bare")) == []
    _add(entries)
    built(entries, mine / "site", mine / "cache")
    built(entries, mine / "bare")
    assert differing(contents(mine / "site"), contents(mine / "bare")) == []


@pytest.mark.usefixtures("large")
def test_two_sites_share_a_cache(mine: Path) -> None:
    entries, cache = mine / "entries", mine / "cache"
    first = built(entries, mine / "one", cache)
    other = built(entries, mine / "two", cache)
    assert first.changed == other.changed > 0
    _add(entries)
    built(entries, mine / "one", cache)
    assert built(entries, mine / "one", cache).changed == 0
    assert built(entries, mine / "two", cache).changed > 0
    assert differing(contents(mine / "one"), contents(mine / "two")) == []
    shutil.rmtree(mine / "two")
    assert built(entries, mine / "two", cache).changed == len(contents(mine / "two")) - 1
    assert differing(contents(mine / "one"), contents(mine / "two")) == []


def test_processes_give_the_same_bytes(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries, out, cache = mine / "entries", mine / "site", mine / "cache"
    with monkeypatch.context() as patch:
        make_large(patch, processes=True)
        here = drawn(patch)
        built(entries, out, cache)
        assert here == set(), "all was drawn by other processes"
        assert (out / "tasks" / "own" / "2.html").is_file()
        assert (out / "data" / "index" / "own" / "clir" / "1.js").is_file()
        _add(entries)
        built(entries, out, cache)
        assert here <= CHANGES["added"][1], "what is left after the long tables is little"
    make_large(monkeypatch, processes=False)
    built(entries, mine / "cold")
    assert differing(contents(out), contents(mine / "cold")) == []


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("where", ["first build", "later build"])
@pytest.mark.parametrize("place", ["a page", "a part"])
def test_a_build_that_is_stopped_is_completed_by_the_next(
    where: str, place: str, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries, out, cache = mine / "entries", mine / "site", mine / "cache"
    if where == "later build":
        built(entries, out, cache)
        _other_name(entries)
    with monkeypatch.context() as patch:
        if place == "a page":
            patch.setattr(site, "render", failing_at("methods.html", site.render))
        else:
            patch.setattr(drawing, "part_files", failing_at("page system-009", drawing.part_files))
        with pytest.raises(KeyboardInterrupt):
            built(entries, out, cache)
    if where == "later build":
        _other_ranks(entries)  # among it the old name: what was written meanwhile is not wanted
    built(entries, out, cache)
    built(entries, mine / "cold")
    assert differing(contents(out), contents(mine / "cold")) == []


def failing_at(name: str, real):  # type: ignore[no-untyped-def]
    """The function, until it is asked for a page or a part."""

    def fails(*arguments):  # type: ignore[no-untyped-def]
        if any(name in (getattr(one, "path", ""), getattr(one, "name", "")) for one in arguments):
            raise KeyboardInterrupt
        return real(*arguments)

    return fails
