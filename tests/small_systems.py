"""Folders of many small made-up systems, and sites that cut and share out work like large ones."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
from claim_entries import QUESTIONS, Trained
from claim_entries import write_entry as write_trained
from rank_tables import rank_table

from harness.progress import Silent
from harness.ranks import ranks_as_bytes
from leaderboard import board_view, drawing, facts, many_systems, site_parts, tables
from leaderboard.pages import questions
from leaderboard.site import build_site
from submissions.entry import ranks_path
from submissions.manifest import Manifest, MethodPart, ModelPart, RunPart, write_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from leaderboard.facts import SiteFacts
    from leaderboard.site import Built

TASK = "own"
SIZES = {"moir/de-de": 200, "clir/de-en": 200, "mlir/de-xx": 400}
KINDS = ("dense", "sparse", "bm25")
TRAININGS = ("untrained", "as-released", "unknown")
PARAMETERS = (23_000_000, 118_000_000, 7_100_000_000, None)
CUT = (tables, board_view, drawing, site_parts, questions)
LIMITS = (
    (facts, "MANY", 10),
    (many_systems, "MANY", 10),
    *((module, "MOST_ROWS", 10) for module in CUT),
)
"""What a large site is, as numbers of modules: here fifteen systems make one."""


def write_systems(root: Path, numbers: Sequence[int], *, tasks: Sequence[str] = (TASK,)) -> Path:
    """A system for each number, with different answers to what systems are narrowed down by."""
    for number in numbers:
        write_system(root, f"system-{number:03}", number, tasks=tasks)
    return root


def write_system(
    root: Path,
    entry: str,
    number: int,
    *,
    name: str | None = None,
    tasks: Sequence[str] = (TASK,),
    draw: int = 0,
) -> None:
    """A system; another ``draw`` gives it other ranks."""
    runs = {}
    for task in tasks:
        content = _ranks(task, number, draw)
        path = ranks_path(root / entry, task)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        runs[task] = RunPart(
            command="babelboard score x",
            complete=True,
            settings=len(SIZES),
            ranks=hashlib.sha256(content).hexdigest(),
            data={"a": hashlib.sha256(b"a").hexdigest()},
            versions={"babelboard": "1"},
            hardware={},
        )
    manifest = Manifest(
        schema_version=1,
        id=entry,
        name=name or f"System {number}",
        model=ModelPart(
            kind=KINDS[number % len(KINDS)],
            name=f"made-up/base-{number % 7}",
            parameters=PARAMETERS[number % len(PARAMETERS)],
        ),
        method=MethodPart(training=TRAININGS[number % len(TRAININGS) - 1]),
        runs=runs,
    )
    write_manifest(root / entry / "submission.toml", manifest)


def write_contaminated(root: Path, base: str) -> None:
    """A trained system whose training texts hold a question of the task; without distances."""
    trained = Trained("ml-cs-p050", _trained_rank, base=base, tasks=(TASK,), sizes=SIZES)
    folder = write_trained(root, trained, 1)
    record = folder / "training.json"
    shared = {"leaks": True, "questions": {TASK: 1}, "passages": {TASK: 0}}
    content = json.loads(record.read_text("utf-8")) | {"contamination": shared}
    record.write_text(json.dumps(content), "utf-8")


def make_large(patch: pytest.MonkeyPatch, *, processes: bool = True) -> None:
    """Makes fifteen systems many, in this process and in those that draw.

    Args:
        patch: What undoes it.
        processes: Whether processes draw at all.
    """
    for module, name, limit in LIMITS:
        patch.setattr(module, name, limit)
    patch.setattr(drawing, "_pool", _pool)
    patch.setattr(drawing, "FEWEST_FOR_PROCESSES", 5)
    if not processes:
        patch.setattr(drawing, "FEWEST_FOR_PROCESSES", 10**6)
        patch.setattr(drawing, "MOST_ROWS", 10**6)


def built(root: Path, out: Path, cache: Path | None = None) -> Built:
    """A built site."""
    return build_site(root, out, Silent(), cache=cache)


def _trained_rank(setting: str, number: int, seed: int) -> int:
    return 1 + (5 * number + seed + len(setting)) % 7


def _ranks(task: str, number: int, draw: int) -> bytes:
    stream = np.random.default_rng([number, draw, len(task)])
    chance = 0.02 + 0.8 * ((number * 37) % 101) / 101
    rows = []
    for setting, size in SIZES.items():
        query, document = setting.partition("/")[2].split("-")
        for asked in range(QUESTIONS):
            taken = set()
            for language in ("de", "en") if document == "xx" else (document,):
                rank = min(int(stream.geometric(chance)), size)
                rank = rank if rank not in taken else rank % size + 1  # each is given once
                taken.add(rank)
                rows.append((setting, query, f"q{asked:03}", f"{language}_{asked}", 1, rank))
    table = rank_table(rows, SIZES, task)
    return ranks_as_bytes(replace(table, measures=("RR", "RankDistance")))


def _pool(of: SiteFacts | None = None) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, get_context("spawn"), _start, (of,))


def _start(of: SiteFacts | None) -> None:
    """What begins a process that draws: it has the limits that this one has."""
    for module, name, limit in LIMITS:
        setattr(module, name, limit)
    drawing._take(of)
