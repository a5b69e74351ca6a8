"""Tables of very many made-up systems, without entries: as a task or a setting has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.question_scores import Average
from leaderboard.families import Family
from leaderboard.many_systems import Places
from leaderboard.system_card import system_card
from leaderboard.systems import SiteSystem
from leaderboard.tables import SystemRow, TaskBoard, TaskTables, TaskText
from submissions.claims.system import System
from submissions.entry import Entry
from submissions.manifest import Manifest, MethodPart, ModelPart, RunPart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

KINDS = ("dense", "sparse", "bm25")
TRAININGS = ("untrained", "zero-shot", "as-released", "code-switched")
CLASSES = ("moir", "clir", "mlir")
HALF = 0.05
RUN = RunPart(
    command="x", complete=True, settings=3, ranks="0" * 64, data={}, versions={}, hardware={}
)


def system(number: int, name: str) -> SiteSystem:
    manifest = Manifest(
        schema_version=1,
        id=f"system-{number:04}",
        name=name,
        model=ModelPart(
            kind=KINDS[number % len(KINDS)],
            name=f"made-up/base-{number % 40}",
            parameters=10_000_000 * 5 ** (number % 5) if number % 6 else None,
        ),
        method=MethodPart(training=TRAININGS[number % len(TRAININGS)]),
        runs={"made-up": RUN},
    )
    entry = Entry(Path("nowhere") / manifest.id, manifest)
    known = System(name, (entry,), (), manifest.method.training, manifest.model.kind, False, None)
    return SiteSystem(manifest.id, known)


def places(means: NDArray[np.float64], half: float = HALF) -> Places:
    """Where systems with these means stand; all intervals have one width."""
    order = np.lexsort((np.arange(len(means)), -means))
    values = means[order]
    at = np.arange(len(means))
    return Places(
        systems=tuple(f"system-{number:04}" for number in order),
        means=values,
        best=np.maximum(at - 3, 0) + 1,
        worst=np.minimum(at + 5, len(means)),
        p=np.full(len(means), 0.01),
        half=half,
        letters=np.stack([at // 4, at // 4 + at % 4], axis=1),
        questions=100,
        alpha=0.05,
    )


def board(
    count: int,
    name_of: Callable[[int], str] = "System {}".format,
    classes: Sequence[str] = CLASSES,
    half: float = HALF,
) -> TaskBoard:
    """The table of a task; every tenth system has no rank distance."""
    stream = np.random.default_rng(count)
    means = {kind: stream.integers(50, 950, count) / 1000 for kind in classes}
    found = {kind: places(values, half) for kind, values in means.items()}
    by = "clir" if "clir" in classes else classes[0]
    at = {kind: {name: i for i, name in enumerate(one.systems)} for kind, one in found.items()}
    rows = [
        SystemRow(
            system=(one := system(number, name_of(number))),
            card=system_card(one),
            averages={kind: Average(0.0, float(means[kind][number]), 1, 100) for kind in classes},
            places={kind: one[at[kind][f"system-{number:04}"]] for kind, one in found.items()},
            rank_distance=None if number % 10 == 0 else float(1200 * means[by][number]),
        )
        for number in range(count)
    ]
    rows.sort(key=lambda row: (-row.averages[by].micro, row.system.id))
    return TaskBoard(
        task=TaskText("made-up", "Made up", "A task.", ""),
        measure="AP",
        questions=100,
        settings=3,
        languages=2,
        sorted_by=by,
        rows=tuple(rows),
        incomplete=(),
        family=Family(count * (count - 1) // 2, "range", 1000, found),
    )


def tables(of: TaskBoard) -> TaskTables:
    """The tables of one setting, in which systems stand as in the first class."""
    family = of.family
    if family is None:
        raise ValueError("a table without tests")
    places = {"moir/de-de": family.places["moir"]}
    cards = {row.system.id: row.card for row in of.rows}
    in_setting = replace(family, places=places)
    return TaskTables(of.task, of.measure, family, in_setting, {"moir/de-de": 100}, cards)


def tied(of: TaskBoard) -> TaskBoard:
    """The same systems, all with one mean."""
    family = of.family
    if family is None:
        raise ValueError("a table without tests")
    same = {kind: places(np.full(len(of.rows), 0.5)) for kind in family.places}
    return replace(of, family=replace(family, places=same))
