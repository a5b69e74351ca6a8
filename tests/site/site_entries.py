"""Entries of made-up systems on a small task, some under names that try to do harm."""

from __future__ import annotations

import datetime
import hashlib
import shutil
from pathlib import Path

import numpy as np
import tomli_w
from claim_entries import Trained, write_system
from rank_tables import rank_table

from harness.ranks import ranks_as_bytes
from submissions.entry import ranks_path
from submissions.manifest import Manifest, MethodPart, ModelPart, RunPart, write_manifest

OURS = Path(__file__).parents[2] / "submissions" / "entries"
TASK = "own"
POOL_SIZES = {
    "moir/de-de": 200,
    "moir/en-en": 200,
    "clir/de-en": 200,
    "clir/en-de": 200,
    "mlir/de-xx": 400,
    "mlir/en-xx": 400,
}
QUESTIONS = 40
SCRIPT = "<script>document.title='harmed'</script><img src=x onerror=alert(1)>"
TURNED = "\u202eright to left\u202d \u05e9\u05dc\u05d5\u05dd \U0001f600"
LONG = "Loooong" + "g" * 490
NAMES = {
    "strong": "Strong",
    "weak": "Weak",
    "script": SCRIPT,
    "turned": TURNED,
    "long": LONG,
    "lacking": "</bdi>\"'; Lacks questions",
}
SKILL = {"strong": 0.5, "weak": 0.1, "script": 0.3, "turned": 0.28, "long": 0.2, "lacking": 0.35}
SEEDED = "tiny-ml-cs-p050"
"""A system of two seeds."""
REPORTED = "elmahdy-2024-xlm-r-hybrid"
"""A system whose numbers were published."""
CHANGES = {
    "added": (["script", "turned", "long", REPORTED], f"{SCRIPT} {TURNED} ]]> &amp; {LONG}"[:500]),
    "removed": (["no-longer-here"], '=HYPERLINK("javascript:alert(1)")'),
}
"""What was said of some entries, by kind of change."""


def write_entries(root: Path) -> Path:
    """Six systems with one entry each, one with two seeds, one that was only reported; changes."""
    for system in NAMES:
        _write_entry(root, system)
    trained = Trained("ml-cs-p050", _rank, tasks=(TASK,), sizes=POOL_SIZES)
    write_system(root, trained, seeds=(1, 2))
    shutil.copytree(OURS / REPORTED, root / REPORTED)
    changes = [
        {"date": datetime.date(2026, 11, 21), "kind": kind, "entries": entries, "what": what}
        for kind, (entries, what) in CHANGES.items()
    ]
    record = tomli_w.dumps({"schema_version": 1, "changes": changes})
    (root / "changes.toml").write_text(record, "utf-8")
    return root


def _rank(setting: str, number: int, seed: int) -> int:
    return 1 + (7 * number + 3 * seed + len(setting) * number) % 9


def _write_entry(root: Path, system: str) -> None:
    rng = np.random.default_rng(list(system.encode()))
    asked = range(5 if system == "lacking" else 0, QUESTIONS)
    rows = []
    for setting, size in POOL_SIZES.items():
        query, document = setting.partition("/")[2].split("-")
        chance = SKILL[system] * (1 if query == document else 0.7)
        for number in asked:
            rank = min(int(rng.geometric(chance)), size)
            rows.append((setting, query, f"q{number:03}", f"{document}_{number}", 1, rank))
    content = ranks_as_bytes(rank_table(rows, POOL_SIZES, TASK))
    path = ranks_path(root / system, TASK)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    manifest = Manifest(
        schema_version=1,
        id=system,
        name=NAMES[system],
        model=ModelPart(kind="dense", name=system),
        method=MethodPart(),
        runs={
            TASK: RunPart(
                command="babelboard score x",
                complete=True,
                settings=len(POOL_SIZES),
                ranks=hashlib.sha256(content).hexdigest(),
                data={},
                versions={},
                hardware={},
            )
        },
    )
    write_manifest(root / system / "submission.toml", manifest)
