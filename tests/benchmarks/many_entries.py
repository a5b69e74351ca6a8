"""Made-up entries in numbers, for measuring what the site needs when it has grown.

Each task has every pair of ten languages, and every language against the pool of all: 110
settings. A system has a skill, a gap between languages and some luck of its own.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.files import write_atomically
from harness.ranks import Column, RankTable, ranks_as_bytes
from submissions.entry import ranks_path
from submissions.manifest import FILE_NAME, Manifest, MethodPart, ModelPart, RunPart, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGES = ("ar", "de", "en", "es", "fi", "hi", "ja", "sw", "th", "zh")
TASKS = tuple(f"made-up-{letter}" for letter in "abcde")
QUESTIONS = 100
POOL = 1_000
TRAININGS = ("as-released", "zero-shot", "code-switched", "fine-tuned", "hybrid-batches")
PARAMETERS = (23_000_000, 118_000_000, 278_000_000, 560_000_000, 7_100_000_000)


def entry_id(number: int) -> str:
    """The id of an entry, which its folder has too."""
    return f"system-{number:04}"


def write_entries(root: Path, numbers: range) -> None:
    """Writes entries, each with a run of all tasks, with all cores; those that are there stay."""
    missing = [n for n in numbers if not (root / entry_id(n) / FILE_NAME).is_file()]
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(_write_entry, root), missing, chunksize=10))


def settings() -> dict[str, int]:
    """Sizes of the pools by setting: every pair of languages, and the pool of all."""
    pairs = [(query, document) for query in LANGUAGES for document in LANGUAGES]
    found = {f"moir/{q}-{d}": POOL for q, d in pairs if q == d}
    found |= {f"clir/{q}-{d}": POOL for q, d in pairs if q != d}
    return found | {f"mlir/{q}-xx": POOL * len(LANGUAGES) for q in LANGUAGES}


def rank_table(task: str, number: int) -> RankTable:
    """The ranks that a made-up system gives: one relevant passage in each language."""
    sizes = settings()
    rng = np.random.default_rng([number, TASKS.index(task)])
    skill = 0.05 + 0.6 * rng.beta(2, 3)
    gap = rng.uniform(0.2, 0.9)
    columns: list[list[np.ndarray]] = [[], [], [], [], []]
    hard = np.random.default_rng(TASKS.index(task)).uniform(0.3, 1.0, QUESTIONS)
    asked = np.arange(QUESTIONS)
    for position, setting in enumerate(sizes):
        query, document = setting.partition("/")[2].split("-")
        among = range(len(LANGUAGES)) if document == "xx" else [LANGUAGES.index(document)]
        own = LANGUAGES.index(query)
        chances = [skill * hard * (1 if language == own else gap) for language in among]
        drawn = rng.geometric(np.clip(chances, 1e-3, 1))
        for language, ranks in zip(among, _each_once(np.minimum(drawn, POOL)), strict=True):
            documents = language * QUESTIONS + asked
            rows = (np.full(QUESTIONS, position), np.full(QUESTIONS, own), asked, documents, ranks)
            for column, values in zip(columns, rows, strict=True):
                column.append(values)
    setting, query, question, document, rank = (np.concatenate(one) for one in columns)
    order = np.lexsort((document, question, query, setting))
    names = tuple(f"{code}_{i:03}" for code in LANGUAGES for i in range(QUESTIONS))
    return RankTable(
        task=task,
        pool_sizes=sizes,
        setting=Column(tuple(sizes), setting[order]),
        query_language=Column(LANGUAGES, query[order]),
        question=Column(tuple(f"question-{i:03}" for i in range(QUESTIONS)), question[order]),
        document=Column(names, document[order]),
        relevance=np.ones(len(rank), dtype=np.int64),
        rank=rank[order],
        primary_measure="AP",
        measures=("AP", "nDCG@10", "RR@10", "RankDistance"),
    )


def _each_once(ranks: np.ndarray) -> np.ndarray:
    """The nearest ranks, not smaller, of which no two of a column are the same."""
    order = np.argsort(ranks, axis=0, kind="stable")
    steps = np.arange(len(ranks))[:, np.newaxis]
    ascending = np.take_along_axis(ranks, order, axis=0) - steps
    found = np.empty_like(ranks)
    np.put_along_axis(found, order, np.maximum.accumulate(ascending, axis=0) + steps, axis=0)
    return found


def _write_entry(root: Path, number: int) -> None:
    name = entry_id(number)
    runs = {}
    for task in TASKS:
        content = ranks_as_bytes(rank_table(task, number))
        write_atomically(ranks_path(root / name, task), content)
        runs[task] = RunPart(
            command=f"babelboard score {name} --task {task}",
            complete=True,
            settings=len(settings()),
            ranks=hashlib.sha256(content).hexdigest(),
            data={},
            versions={},
            hardware={},
        )
    manifest = Manifest(
        schema_version=1,
        id=name,
        name=f"System {number}",
        model=ModelPart(
            kind="dense", name=f"made-up/system-{number}", parameters=PARAMETERS[number % 5]
        ),
        method=MethodPart(training=TRAININGS[number % len(TRAININGS)]),
        runs=runs,
    )
    write_manifest(root / name / FILE_NAME, manifest)
