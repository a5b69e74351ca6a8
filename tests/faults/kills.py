"""Kills of a stage at drawn moments, and whether a rerun gives what an undisturbed run gives."""

from __future__ import annotations

import errno
import random
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults.child import Ended, Kill, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.stages import Contents, Stage

MOST_KILLS = 3
"""That one case may have: the rerun is killed too."""


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody killed.

    Attributes:
        before: What was there before it.
        after: What it left.
        said: What it printed.
        seconds: How long it took.
        steps: Steps that changed the file system.
    """

    before: Contents
    after: Contents
    said: str
    seconds: float
    steps: int


@dataclass(frozen=True)
class Case:
    """One case that was run.

    Attributes:
        stage: Which command.
        kills: When it was to be killed, one after the other.
        landed: How many of them came before the end.
        fault: What is wrong; None if nothing is.
    """

    stage: str
    kills: tuple[Kill, ...]
    landed: int
    fault: str | None


def undisturbed(stage: Stage, folder: Path) -> Undisturbed:
    """Runs a stage to its end.

    Raises:
        RuntimeError: If it does not come there.
    """
    place = stage.begin(folder)
    before = stage.results_of(place)
    ended = run(stage.work(), place)
    if ended.code != 0 or ended.steps is None:
        raise RuntimeError(f"{stage.name} ends with {ended.code}: {ended.said}")
    after = stage.results_of(place)
    shutil.rmtree(place)
    return Undisturbed(before, after, stage.said(ended), ended.seconds, ended.steps)


def drawn(expected: Undisturbed, number: int, seed: int) -> tuple[Kill, ...]:
    """The kills of a case: those by the clock and those by the step take turns."""
    draws = random.Random(f"{seed}:{number}")  # noqa: S311  # moments, not secrets
    kills = []
    for _ in range(1 if draws.random() < 0.75 else draws.randint(2, MOST_KILLS)):
        if number % 2 or not expected.steps:
            kills.append(Kill(after=draws.uniform(0, expected.seconds)))
        else:
            kills.append(Kill(step=draws.randint(1, expected.steps)))
    return tuple(kills)


ERRORS = (errno.ENOSPC, errno.EROFS)


def drawn_error(expected: Undisturbed, number: int, seed: int) -> tuple[Kill, ...]:
    """A disk that is full, or cannot be written any more, from a drawn step on."""
    draws = random.Random(f"error {seed}:{number}")  # noqa: S311  # steps, not secrets
    step = draws.randint(1, max(1, expected.steps))
    return (Kill(step=step, error=ERRORS[number % len(ERRORS)]),)


def check(stage: Stage, expected: Undisturbed, kills: tuple[Kill, ...], folder: Path) -> Case:
    """Runs one case."""
    place = stage.begin(folder)
    landed, fault = 0, None
    for kill in kills:
        ended = run(stage.work(), place, kill)
        landed += ended.was_killed
        # After an error nothing but removals may have been left to do.
        may_end_with = (0,) if kill.error is None else (0, 2)
        if not ended.was_killed and ended.code not in may_end_with:
            fault = f"ended with {ended.code}: {ended.said}"
        if "Traceback" in ended.said:
            fault = f"a traceback: {ended.said}"
        fault = fault or stage.check_killed(place, expected.before, expected.after)
    fault = fault or _rerun_fault(stage, expected, place, run(stage.work(), place))
    if fault is None:
        shutil.rmtree(place)
    return Case(stage.name, kills, landed, fault)


def _rerun_fault(stage: Stage, expected: Undisturbed, place: Path, again: Ended) -> str | None:
    if again.code != 0:
        return f"the rerun ended with {again.code}: {again.said}"
    if stage.said(again) != expected.said:
        return "the rerun printed something else"
    found = stage.results_of(place)
    other = sorted(
        name for name in {*found, *expected.after} if found.get(name) != expected.after.get(name)
    )
    if other:
        return f"the rerun left other files: {', '.join(other[:5])} ({len(other)})"
    left = sorted(path.name for path in place.iterdir() if path.name.startswith("."))
    return f"the rerun left {', '.join(left)}" if left else None
