"""The site with entries that are withdrawn, disputed, repeated by others, or scored again."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from claim_entries import Trained, write_entry, write_system

from harness.progress import Silent
from leaderboard.facts import gather
from leaderboard.site import build_site
from submissions.about import About, write_about
from submissions.entry import read_entry
from submissions.history import keep_superseded
from submissions.manifest import ModelPart, read_manifest, write_manifest
from submissions.verification_record import TaskVerification, record_verification

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "submission.toml"
TASK = "own"
HOSTILE = "<script>alert(1)</script> & more"
TRAINED = Trained("ml-cs-p050", lambda *_: 1, tasks=(TASK,))


def write(root: Path, number: int, *, tasks: tuple[str, ...] = (TASK,), draw: int = 0) -> None:
    """A lexical system, all of whose runs can be repeated; another draw gives it other ranks."""

    def ranks(setting: str, question: int, _seed: int) -> int:
        return 1 + (question * (3 + number) + draw + len(setting)) % (2 + number)

    name = f"system-{number:03}"
    system = Trained("zero-shot", ranks, tasks=tasks)
    manifest = read_manifest(write_entry(root, system, 1, name=name, record=False) / MANIFEST)
    known = {"data": {"a": "a" * 64}, "versions": {"babelboard": "1"}}
    changed = {
        "name": f"System {number}",
        "model": ModelPart(kind="bm25", name="bm25", settings={"number": number}),
        "runs": {task: run.model_copy(update=known) for task, run in manifest.runs.items()},
    }
    write_manifest(root / name / MANIFEST, manifest.model_copy(update=changed))


def built(root: Path, out: Path, cache: Path | None = None) -> None:
    build_site(root, out, Silent(), cache=cache)


def flag(root: Path, entry: str, name: str, reason: str = "The reason.") -> None:
    text = f'schema_version = 1\n\n[[flags]]\nflag = "{name}"\ndate = 2026-11-21\n'
    (root / entry / "status.toml").write_text(f"{text}reason = '{reason}'\n", "utf-8")


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four systems: one withdrawn, one disputed, one scored again; and one task of the first."""
    root = tmp_path_factory.mktemp("entries")
    write(root, 0, tasks=(TASK, "alone"))
    for number in (1, 2, 3):
        write(root, number)
    flag(root, "system-000", "withdrawn", HOSTILE)
    flag(root, "system-001", "disputed")
    again = read_entry(root / "system-002")
    keep_superseded(again.folder, TASK, again.manifest.runs[TASK], again.ranks(TASK))
    write(root, 2, draw=1)
    return root


@pytest.fixture(scope="module")
def site(entries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "out"
    built(entries, out)
    return out


def test_withdrawn_systems_have_no_place_and_no_part_in_a_test(entries: Path, site: Path) -> None:
    board = json.loads((site / "data" / "boards" / f"{TASK}.json").read_text("utf-8"))
    assert {row["system"] for row in board["rows"]} == {"system-001", "system-002", "system-003"}
    facts = gather(entries, None)
    family = facts.family(TASK)
    assert family is not None
    named = {place.system for places in family.places.values() for place in places}
    assert "system-000" not in named
    assert [board.task.id for board in facts.boards] == [TASK], "nobody else has the other task"
    for path in site.rglob("*.html"):
        if path.name != "system-000.html" and path.parts[-1] != "changes.html":
            assert "system-000" not in path.read_text("utf-8"), path


def test_letters_and_p_values_are_those_without_it(
    entries: Path, site: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "entries"
    shutil.copytree(entries, kept, ignore=shutil.ignore_patterns("system-000"))
    built(kept, tmp_path / "out")
    for form in ("boards", "settings"):
        with_it = (site / "data" / form / f"{TASK}.csv").read_bytes()
        assert with_it == (tmp_path / "out" / "data" / form / f"{TASK}.csv").read_bytes()


def test_withdrawn_systems_keep_their_page_and_data_with_the_reason(site: Path) -> None:
    page = (site / "entries" / "system-000.html").read_text("utf-8")
    assert "<strong>Withdrawn</strong>" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    assert HOSTILE not in page
    assert 'id="own"' in page
    assert 'id="alone"' in page
    assert "tasks/own.html" in page
    assert "tasks/alone.html" not in page, "there is no such page"
    assert "Colour: the score" in page, "it is held against no other"
    for task in (TASK, "alone"):
        for form in ("json", "parquet"):
            assert (site / "data" / "system-000" / f"{task}.{form}").is_file()
    record = json.loads((site / "data" / "system-000" / "record.json").read_text("utf-8"))
    assert record["flags"] == [{"flag": "withdrawn", "date": "2026-11-21", "reason": HOSTILE}]
    assert not (site / "data" / "system-003" / "record.json").exists()


def test_disputed_systems_keep_their_place_with_a_mark(site: Path) -> None:
    task = (site / "tasks" / f"{TASK}.html").read_text("utf-8")
    (about,) = re.findall(r'system-001\.html[^\n]*class="facts">([^<]*)<', task)
    assert about.endswith(" · disputed")
    assert task.count("disputed") == 1
    page = (site / "entries" / "system-001.html").read_text("utf-8")
    assert "<strong>Disputed</strong>" in page
    assert "The reason." in page
    assert "Its numbers stay here" not in page


def test_superseded_results_stay_on_the_page_and_in_the_data(entries: Path, site: Path) -> None:
    page = (site / "entries" / "system-002.html").read_text("utf-8")
    (kept,) = read_entry(entries / "system-002").history[TASK]
    assert kept.run.ranks[:12] in page
    for average in kept.averages.values():
        assert f"{average['RR'].micro:.3f}".lstrip("0") in page
    record = json.loads((site / "data" / "system-002" / "record.json").read_text("utf-8"))
    assert record["superseded"][TASK][0]["run"]["ranks"] == kept.run.ranks
    assert "Superseded" not in (site / "entries" / "system-003.html").read_text("utf-8")


def test_changes_name_flags_and_what_was_scored_again(site: Path) -> None:
    page = (site / "changes.html").read_text("utf-8")
    assert "<strong>Withdrawn.</strong>" in page
    assert "<strong>Disputed.</strong>" in page
    assert "21 November 2026" in page
    again = page.partition("Scored again")[2].partition("</section>")[0]
    assert re.findall(r'href="([^"]+)"', again) == ["entries/system-002.html#superseded"]
    feed = ElementTree.parse(site / "feed.xml")  # noqa: S314  # our own
    titles = [one.text for one in feed.iter("{http://www.w3.org/2005/Atom}title")]
    assert {"Withdrawn: 1 entry", "Disputed: 1 entry"} <= set(titles)


def test_a_seed_that_is_withdrawn_leaves_the_others(tmp_path: Path) -> None:
    write_system(tmp_path, TRAINED, (1, 2, 3))
    flag(tmp_path, "tiny-ml-cs-p050-seed-2", "withdrawn")
    facts = gather(tmp_path, None)
    assert [one.id for one in facts.standing] == ["tiny-ml-cs-p050"]
    assert [entry.manifest.id[-1] for entry in facts.standing[0].entries] == ["1", "3"]
    assert [one.id for one in facts.systems] == ["tiny-ml-cs-p050", "tiny-ml-cs-p050-seed-2"]
    flag(tmp_path, "tiny-ml-cs-p050-seed-1", "withdrawn")
    write_entry(tmp_path, TRAINED, 4)
    ids = [one.id for one in gather(tmp_path, None).systems]
    assert len(set(ids)) == len(ids) == 2
    assert ids == ["tiny-ml-cs-p050", "tiny-ml-cs-p050-seed-1"]


def test_all_seeds_withdrawn_share_a_page(tmp_path: Path) -> None:
    write_system(tmp_path, TRAINED, (1, 2))
    for seed in (1, 2):
        flag(tmp_path, f"tiny-ml-cs-p050-seed-{seed}", "withdrawn")
    facts = gather(tmp_path, None)
    assert facts.standing == ()
    assert [one.id for one in facts.systems] == ["tiny-ml-cs-p050"]
    assert facts.boards == ()
    assert facts.ledger.entries == {}
    assert facts.code_switching.trained == 0


def test_an_entry_with_malformed_flags_is_not_published(entries: Path, tmp_path: Path) -> None:
    root = tmp_path / "entries"
    shutil.copytree(entries, root)
    (root / "system-003" / "status.toml").write_text("withdrawn = true\n", "utf-8")
    facts = gather(root, None)
    assert "system-003" not in facts.entries
    assert "status.toml" in facts.invalid["system-003"]


def test_flags_that_come_later_change_the_site(entries: Path, tmp_path: Path) -> None:
    root = tmp_path / "entries"
    shutil.copytree(entries, root)
    built(root, tmp_path / "out", tmp_path / "cache")
    page = tmp_path / "out" / "entries" / "system-003.html"
    assert "Disputed" not in page.read_text("utf-8")
    flag(root, "system-003", "disputed")
    built(root, tmp_path / "out", tmp_path / "cache")
    assert "<strong>Disputed</strong>" in page.read_text("utf-8")


def test_a_page_says_who_repeated_the_run_and_what_people_wrote(
    entries: Path, tmp_path: Path
) -> None:
    root = tmp_path / "entries"
    shutil.copytree(entries, root, ignore=shutil.ignore_patterns("system-000", "system-001"))
    entry = read_entry(root / "system-002")
    said = {
        "schema_version": 1,
        "id": "system-002",
        "name": "By hand",
        "contact": f"{HOSTILE} <j@x.org>",
        "licence": "MIT",
        "url": "https://example.org/x",
        "model": {"source": "bm25", "base": "org/base", "languages": ["de", "en"]},
        "method": {},
    }
    write_about(entry.folder, About.model_validate(said))
    found = TaskVerification(
        by=HOSTILE[::-1],
        date="2026-11-21",
        ranks=entry.manifest.runs[TASK].ranks,
        tolerance=0.0,
        delta=0.0,
        largest=0.0,
        settings=4,
        judged=160,
        differing=0,
        greatest_change=0,
        versions={},
        hardware={"processor": "A processor"},
    )
    record_verification(entry.folder, TASK, found)
    built(root, tmp_path / "out")
    path = tmp_path / "out" / "entries" / "system-002.html"
    page = path.read_text("utf-8")
    assert 'href="#trust">T3</a>' in page
    assert "For T3 it lacks" not in page
    assert "with <bdi>A processor</bdi>: means differ by 0 at most (against" in page
    assert "0 of 160 judged ranks differ" in page
    for text in ("By hand", "MIT", "org/base", 'href="https://example.org/x"', "<code>de</code>"):
        assert text in page
    assert "<script>alert" not in page
    data = json.loads((path.parents[1] / "data" / "system-002" / "record.json").read_text("utf-8"))
    assert data["repetitions"][TASK]["hardware"] == {"processor": "A processor"}
    stale = found.model_copy(update={"ranks": "a" * 64})
    record_verification(entry.folder, TASK, stale)
    built(root, tmp_path / "out")
    page = path.read_text("utf-8")
    assert 'href="#trust">T2</a>' in page
    assert "void, as the entry was scored again since" in page
