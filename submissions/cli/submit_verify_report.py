"""What ``babelboard submit verify`` prints of what came out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from harness.measures import RANK_DISTANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from submissions.entry import Entry
    from submissions.verification import SettingDifference, TaskComparison

MOST_SETTINGS = 20
"""Settings of a task that are printed; ``--json`` has all."""
NARROWEST = 100
"""Characters of the table: cut short, its numbers would say nothing."""


def as_json_content(entry: Entry, compared: Sequence[TaskComparison]) -> dict[str, Any]:
    """The result for programs."""
    return {
        "schema_version": 1,
        "entry": entry.manifest.id,
        "holds": all(one.holds for one in compared),
        "tasks": {
            one.task: {
                "holds": one.holds,
                "tolerance": one.tolerance,
                "delta": one.delta,
                "largest": one.largest,
                "averages": dict(one.averages),
                "judged": one.judged,
                "differing": one.differing,
                "greatest_change": one.greatest_change,
                "mismatches": one.mismatches,
                "settings": {found.setting: _setting_as_json(found) for found in one.settings},
            }
            for one in compared
        },
    }


def _setting_as_json(found: SettingDifference) -> dict[str, Any]:
    return {
        "judged": found.judged,
        "differing": found.differing,
        "greatest_change": found.greatest_change,
        "questions": found.questions,
        "largest": found.largest,
        "differences": dict(found.means),
    }


def print_compared(entry: Entry, compared: Sequence[TaskComparison]) -> None:
    """Prints the settings that differ, and what that comes to."""
    for one in compared:
        _print_task(one)
        verdict = "verified" if one.holds else "NOT verified"
        say(
            f"{entry.manifest.id} on {one.task}: {verdict}. {one.differing:,} of {one.judged:,} "
            f"judged ranks differ, by up to {one.greatest_change:,}; the mean of a measure in a "
            f"setting by up to {one.largest:.4g}. "
            f"Against the tolerance of {one.tolerance:g} counts {one.delta:.4g}."
        )
        for mismatch in one.mismatches:
            say(mismatch)


def _print_task(compared: TaskComparison) -> None:
    """The settings that differ, the worst first."""
    differing = [one for one in compared.settings if one.differing or one.largest]
    if not differing:
        return
    differing.sort(key=lambda one: -one.largest)
    measures = list(dict.fromkeys(name for one in differing for name in one.means))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("setting", "ranks", "by up to", *(_short(name) for name in measures)):
        is_name = heading == "setting"
        table.add_column(heading, no_wrap=True, justify="left" if is_name else "right")
    for one in differing[:MOST_SETTINGS]:
        means = [f"{one.means[name]:+.4f}" if name in one.means else "" for name in measures]
        table.add_row(one.setting, f"{one.differing:,}", f"{one.greatest_change:,}", *means)
    console = Console(highlight=False)
    console.print(table, width=max(console.width, NARROWEST))
    if len(differing) > MOST_SETTINGS:
        say(f"{len(differing) - MOST_SETTINGS} more settings differ, by less: see --json.")


def _short(measure: str) -> str:
    return "distance" if measure == RANK_DISTANCE else measure


def say(line: str) -> None:
    """Prints a line as it is."""
    Console(highlight=False).print(line, soft_wrap=True, markup=False)
