"""``babelboard claims``: what it prints, its JSON, and its exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from claim_entries import SIZES, Trained, claim_file, part, write_system

if TYPE_CHECKING:
    from conftest import RunsCommand

REPOSITORY = Path(__file__).parents[1]
POOL = {**SIZES, "mlir/de-xx": 400, "mlir/en-xx": 400}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Zero-shot and ML-CS, three seeds each: better in CLIR, worse in MoIR, alike in MLIR."""
    folder = tmp_path_factory.mktemp("entries")
    starts = {"zero-shot": (1, 9), "ml-cs-p050": (2, 3)}
    for recipe, (moir, clir) in starts.items():

        def rank(setting: str, question: int, seed: int, moir: int = moir, clir: int = clir) -> int:
            start = {"moir": moir, "clir": clir, "mlir": 5}[setting[:4]]
            return start + (5 * question + seed * (clir + len(setting))) % 4

        write_system(folder, Trained(recipe, rank, sizes=POOL), seeds=(1, 2, 3))
    name = "litschko-2023-zero-shot"  # reported numbers: they change nothing
    shutil.copytree(REPOSITORY / "submissions" / "entries" / name, folder / name)
    return folder


def test_the_overview_has_every_claim(babelboard: RunsCommand, root: Path) -> None:
    done = babelboard("claims", "--entries", root)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert " 3  not separated  code-switching-beats-zero-shot (2 of 5 parts tested)" in lines
    assert "      supported: ML-CS in CLIR" in lines
    assert " 5  contradicted  moir-does-not-change (3 of 4 parts tested)" in lines
    assert "14  not tested here  hybrid-batches-lower-rank-distance" in lines
    text = " ".join(done.stdout.split())
    assert "No entry of: Hybrid batches; Monolingual batches (X-X-mono)." in text
    assert "Entries: 3 code-switched, 3 zero-shot." in text
    assert "BEIR is no task of babelboard" in text


def test_a_claim_that_is_named_is_shown_with_its_evidence(
    babelboard: RunsCommand, root: Path
) -> None:
    done = babelboard("claims", "code-switching-beats-zero-shot", "--entries", root)
    text = " ".join(done.stdout.split())
    assert "Source: Litschko, Artemova and Plank 2023" in text
    assert "supported: ML-CS in CLIR (higher)" in text
    assert "xquad-r, 2 CLIR settings, RR, 40 questions, tiny: ML-CS, p = 0.5 - Zero-shot" in text
    assert "could have been seen" in text
    assert (
        "Scope: xquad-r; dense models from tiny, trained on train/squad.en.jsonl; 3 seeds" in text
    )
    assert "The source has cross-encoders from mMiniLMv2" in text
    assert "these checkpoints" not in text


def test_json_is_the_same_every_time(babelboard: RunsCommand, root: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(root, moved)
    first = babelboard("claims", "--entries", root, "--json")
    other = {"PYTHONHASHSEED": "1"}  # sets come in another order than in this process
    second = babelboard("claims", "--entries", moved, "--json", env=other)
    assert first.returncode == 0
    assert first.stdout == second.stdout
    content = json.loads(first.stdout)
    assert content["schema_version"] == 1
    assert content["entries"] == {"code-switched": 3, "zero-shot": 3}
    assert sum(content["verdicts"].values()) == len(content["claims"]) == 21
    for claim in content["claims"]:
        for one in claim["parts"]:
            assert (one["verdict"] == "not tested here") == (one["evidence"] == [])
            assert bool(one["why_not"]) == (one["evidence"] == [])
            assert (one["detectable"] is not None) <= (one["verdict"] == "not separated")
    (clir,) = (c for c in content["claims"] if c["id"] == "code-switching-beats-zero-shot")
    assert clir["parts"][1]["detectable"] > 0


def test_the_entries_of_the_repository(babelboard: RunsCommand) -> None:
    entries = REPOSITORY / "submissions" / "entries"
    done = babelboard("claims", "--entries", entries, "--json")
    assert done.returncode == 0, done.stderr
    # Reported numbers have no training that could be looked at.
    scored = len(list(entries.glob("*/submission.toml")))
    assert sum(json.loads(done.stdout)["entries"].values()) == scored


def test_a_claim_of_ones_own(babelboard: RunsCommand, root: Path, tmp_path: Path) -> None:
    path = claim_file(tmp_path, part("lower", '{ of = ["moir"] }'))
    done = babelboard("claims", path, "--entries", root, "--task", "xquad-r")
    assert " 1  supported  mine" in done.stdout
    assert "on xquad-r" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("moir-does-not-chnge",),
            "Unknown claim: 'moir-does-not-chnge'. Did you mean moir-does-not-change?",
        ),
        (("gone.toml",), "There is no claim gone.toml"),
        (("--task", "xquad"), "Unknown task of these claims: 'xquad'. Did you mean xquad-r?"),
        (("--entries", "nowhere"), "There is no folder of entries nowhere."),
    ],
)
def test_what_is_wrong_is_said(
    babelboard: RunsCommand, root: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = babelboard("claims", "--entries", root, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
