"""``make faults``: kill -9 at random moments, disks that fail, and damaged files.

``python -m tests.faults.run --cases 200 [--only score,train] [--seed 1]`` runs each stage again
after each fault and holds what it left against an undisturbed run. It prints the count of cases by
kind, and what was wrong; the exit code is 1 if anything was.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# Before anything is imported that reads them: threads are not copied by a fork.
os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "100"}

from tests.faults.damage import KINDS, TARGETS, check_damage
from tests.faults.kills import check, drawn, drawn_error, undisturbed
from tests.faults.stages import STAGES, prepared

if TYPE_CHECKING:
    from tests.faults.child import Kill
    from tests.faults.kills import Undisturbed
    from tests.faults.stages import Stage

LIGHT = ("harness.cli.compare", "leaderboard.cli.leaderboard", "submissions.queue.supervisor")
HEAVY = (
    "harness.models.dense",
    "harness.score",
    "submissions.baselines.training",
    "submissions.cli.score",
    "submissions.cli.train",
    "tests.tiny_models",
)


def main() -> int:
    """Runs the cases; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run")
    parser.add_argument("--cases", type=int, default=200, help="Kills, of all stages together.")
    parser.add_argument("--errors", type=int, default=40, help="Disks that fail at a step.")
    parser.add_argument("--damages", type=int, default=4, help="Damaged files of each format.")
    parser.add_argument("--only", default=",".join(STAGES), help="Stages, with commas.")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chosen = given.only.split(",")
    if unknown := sorted(set(chosen) - set(STAGES)):
        parser.error(f"--only: unknown {', '.join(unknown)}; known: {', '.join(STAGES)}")
    _import_all(chosen)
    counts: Counter[str] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        root = Path(name).resolve()
        os.environ["XDG_CACHE_HOME"] = str(root / "user-cache")
        for place, one in enumerate(chosen):
            (root / one).mkdir()
            stage = prepared(one, root / one / "shared")
            expected = undisturbed(stage, root / one / "undisturbed")
            print(f"{one}: {expected.seconds:.1f} s, {expected.steps} steps", flush=True)
            cases = Cases(stage, expected, given.seed, root / one, counts)
            wrong += cases.kills(_share(given.cases, place, len(chosen)))
            if expected.steps:
                wrong += cases.errors(_share(given.errors, place, len(chosen)))
            wrong += cases.damages(given.damages)
    for kind, count in sorted(counts.items()):
        print(f"{count:5}  {kind}")
    print(f"{sum(counts.values()):5}  cases in all, {wrong} wrong")
    return 1 if wrong else 0


@dataclass(frozen=True)
class Cases:
    """The cases of a stage; each method gives how many were wrong."""

    stage: Stage
    expected: Undisturbed
    seed: int
    root: Path
    counts: Counter[str]

    def kills(self, number: int) -> int:
        return sum(
            self._kill(f"kill-{case}", drawn(self.expected, case, self.seed))
            for case in range(number)
        )

    def errors(self, number: int) -> int:
        return sum(
            self._kill(f"error-{case}", drawn_error(self.expected, case, self.seed))
            for case in range(number)
        )

    def damages(self, number: int) -> int:
        wrong = 0
        for target in TARGETS:
            if target.stage != self.stage.name:
                continue
            for case in range(number):
                kind = KINDS[case % len(KINDS)]
                draw = (kind, f"{self.seed}-{case}")
                place = self.root / f"damage-{TARGETS.index(target)}-{case}"
                fault = check_damage(self.stage, self.expected, target, draw, place)
                self.counts[f"{self.stage.name}: damage, {target.pattern}, {kind}"] += 1
                wrong += self._say(fault)
        return wrong

    def _kill(self, name: str, kills: tuple[Kill, ...]) -> bool:
        done = check(self.stage, self.expected, kills, self.root / name)
        how = "by the clock" if kills[0].step is None else "at a step"
        if kills[0].error is not None:
            what = f"disk error {errno.errorcode[kills[0].error]}"
        else:
            what = f"kill -9 {how}, {done.landed} landed"
        self.counts[f"{self.stage.name}: {what}"] += 1
        when = ", ".join(map(str, kills))
        return self._say(done.fault and f"{name}, {when}: {done.fault}")

    def _say(self, fault: str | None) -> bool:
        if fault:
            print(f"WRONG: {self.stage.name}: {fault}", flush=True)
        return fault is not None


def _share(number: int, place: int, places: int) -> int:
    return number // places + (place < number % places)


def _import_all(chosen: list[str]) -> None:
    """Imports what children would import each for itself."""
    names = [*LIGHT, *(HEAVY if {"score", "train"} & set(chosen) else ())]
    for name in names:
        importlib.import_module(name)


if __name__ == "__main__":
    sys.exit(main())
