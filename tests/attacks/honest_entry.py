"""An entry that passes every check, and ways to spoil it."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w

from harness.ranks import RankTable, ranks_as_bytes, read_ranks
from harness.task_summary import summarise
from submissions.about import About, AboutModel, write_about
from submissions.entry import ranks_path, read_entry
from submissions.manifest import Manifest, MethodPart, ModelPart, RunPart, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = Path(__file__).parents[2] / "submissions" / "entries"
TASK = "pocket"
HONEST = "honest"
RANKS = f"ranks/{TASK}.parquet"
SCORES = f"scores/{TASK}.json"
COMMIT = "0123456789abcdef" * 2 + "01234567"


def honest_table() -> RankTable:
    """Ranks of the pocket task as no other entry has them."""
    table = read_ranks(ranks_path(OURS / "bm25", TASK))
    rank = table.rank.copy()
    # Whoever is alone in a ranking may move; its neighbours' ranks stay unlike.
    keys = np.stack([table.setting.codes, table.query_language.codes, table.question.codes])
    _, which, counts = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    alone = counts[which.ravel()] == 1
    rank[alone] = np.minimum(rank[alone] + 3, table.pool_sizes["moir/en-en"])
    return replace(table, rank=rank)


def write_honest(root: Path, table: RankTable | None = None, entry: str = HONEST) -> Path:
    """Writes the entry; with another table, another one."""
    table = table or honest_table()
    folder = root / entry
    content = ranks_as_bytes(table)
    for path, data in (
        (folder / RANKS, content),
        (folder / SCORES, _scores(table)),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    run = RunPart(
        command=f"babelboard score example/{entry} --task {TASK}",
        complete=True,
        settings=len(table.pool_sizes),
        ranks=hashlib.sha256(content).hexdigest(),
        data=dict(read_entry(OURS / "bm25").manifest.runs[TASK].data),
        versions={"babelboard": "0.1.0"},
        hardware={"device": "cpu"},
    )
    model = ModelPart(kind="dense", name=f"example/{entry}", revision=COMMIT)
    method = MethodPart(training="zero-shot", training_data="English pairs")
    name = f"An {entry} system"
    write_manifest(
        folder / "submission.toml",
        Manifest(
            schema_version=1, id=entry, name=name, model=model, method=method, runs={TASK: run}
        ),
    )
    write_about(
        folder,
        About(
            schema_version=1,
            id=entry,
            name=name,
            contact="Jane Doe <jane@example.org>",
            licence="Apache-2.0",
            model=AboutModel(source=f"example/{entry}", revision=COMMIT),
            method=method,
        ),
    )
    return folder


def _scores(table: RankTable) -> bytes:
    return (json.dumps(summarise(table)[0].as_published(), indent=1) + "\n").encode()


def edit(
    folder: Path, change: Callable[[dict[str, Any]], None], path: str = "submission.toml"
) -> None:
    """Changes the content of a TOML or JSON file."""
    file = folder / path
    if path.endswith(".toml"):
        content = tomllib.loads(file.read_text("utf-8"))
        change(content)
        file.write_text(tomli_w.dumps(content), "utf-8")
    else:
        content = json.loads(file.read_text("utf-8"))
        change(content)
        file.write_text(json.dumps(content), "utf-8")


def put(folder: Path, path: str, value: object, file: str = "submission.toml") -> None:
    """Puts a value at a place such as ``model/kind`` of a file."""
    *parents, last = path.split("/")

    def change(content: dict[str, Any]) -> None:
        for part in parents:
            content = content.setdefault(part, {})
        content[last] = value

    edit(folder, change, file)


def rename(folder: Path, name: str) -> None:
    """Gives an entry another name."""
    put(folder, "name", name)
    put(folder, "name", name, "about.toml")


def write_ranks_as_scored(folder: Path, content: bytes) -> None:
    """Writes a rank file, and its checksum into the manifest, as a liar does."""
    (folder / RANKS).write_bytes(content)
    put(folder, f"runs/{TASK}/ranks", hashlib.sha256(content).hexdigest())
