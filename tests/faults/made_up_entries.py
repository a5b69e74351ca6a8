"""Entries of made-up systems, each with other ranks."""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING

from rank_tables import rank_table

from harness.ranks import ranks_as_bytes
from harness.task_summary import summarise
from submissions.manifest import Manifest, ModelPart, RunPart, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

TASK = "own"
SIZES = {"moir/de-de": 40, "clir/de-en": 40, "mlir/de-xx": 80}
QUESTIONS = 12


def write_entry(root: Path, number: int, *, draw: int = 0) -> Path:
    """Writes the entry ``system-<number>``; another ``draw`` gives it other ranks."""
    draws = random.Random(f"{number} {draw}")  # noqa: S311  # ranks, not secrets
    rows = []
    for setting, size in SIZES.items():
        languages = {"moir": ("de",), "clir": ("en",), "mlir": ("de", "en")}[setting[:4]]
        for question in range(QUESTIONS):
            ranks = draws.sample(range(1, 1 + size // (1 + number)), len(languages))
            for language, rank in zip(languages, ranks, strict=True):
                asked = f"q{question:02}"
                rows.append((setting, "de", asked, f"{language}_{question}", 1, rank))
    table = rank_table(rows, SIZES, TASK)
    content = ranks_as_bytes(table)
    entry = root / f"system-{number}"
    (entry / "ranks").mkdir(parents=True, exist_ok=True)
    (entry / "scores").mkdir(exist_ok=True)
    (entry / "ranks" / f"{TASK}.parquet").write_bytes(content)
    published = json.dumps(summarise(table)[0].as_published(), indent=1) + "\n"
    (entry / "scores" / f"{TASK}.json").write_text(published, "utf-8")
    run = RunPart(
        command="babelboard score bm25 --task own",
        complete=True,
        settings=len(SIZES),
        ranks=hashlib.sha256(content).hexdigest(),
        data={"a": hashlib.sha256(b"a").hexdigest()},
        versions={"babelboard": "1"},
        hardware={},
    )
    manifest = Manifest(
        schema_version=1,
        id=entry.name,
        name=f"System {number}",
        model=ModelPart(kind="bm25", name="bm25"),
        runs={TASK: run},
    )
    write_manifest(entry / "submission.toml", manifest)
    return entry
