"""A comparison as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from harness.reports.wording import (
    number,
    p_value,
    setting_name,
    signed,
    what_intervals_are,
    what_may_be_claimed,
    what_was_tested,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from harness.comparison import Comparison, PairedDifference, Standing
    from harness.design import Design


def print_comparison(console: Console, comparison: Comparison, title: str) -> None:
    """Prints a block for each setting, then what was tested and what may be claimed.

    Args:
        console: Where to.
        comparison: What to print.
        title: What the scores are of, such as the task.
    """
    for setting, standings in comparison.standings.items():
        tests = [test for test in comparison.tests if test.setting == setting]
        sizes = sorted({test.n for test in tests})
        questions = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        heading = ", ".join(filter(None, (title, setting_name(setting), comparison.measure)))
        console.print(f"[bold]{escape(heading)}[/bold] ({questions} questions)")
        console.print(Padding.indent(_standings(standings), 2))
        console.print(Padding.indent(_differences(tests, comparison.design), 2))
        console.print()
    sentences = [
        f"{what_was_tested(comparison)} {what_intervals_are(comparison)}",
        *what_may_be_claimed(comparison),
        *(f"Note: {note}" for note in comparison.notes),
    ]
    console.print("\n".join(sentences), markup=False)


def _standings(standings: Sequence[Standing]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for standing in standings:
        row = [escape(standing.system), number(standing.mean)]
        if standing.ranks is not None:
            best, worst = standing.ranks
            span = f"rank {best}" if best == worst else f"rank {best} to {worst}"
            row += [standing.letters, span]
        table.add_row(*row)
    return table


def _differences(tests: Sequence[PairedDifference], design: Design) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("A - B", overflow="fold", ratio=1)
    headings = ["difference", f"{100 * (1 - design.alpha):g}% interval", "d_z", "W/T/L"]
    headings.append("p  " if design.correction == "none" else "p adj.  ")
    if design.margin is not None:
        headings.append("p equiv.")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for test in tests:
        interval = (
            "no bound" if test.ci is None else " to ".join(signed(bound) for bound in test.ci)
        )
        row = [
            escape(f"{test.a} - {test.b}"),
            signed(test.difference),
            interval,
            "-" if test.effect_size is None else f"{test.effect_size:+.2f}",
            f"{test.wins}/{test.ties}/{test.losses}",
            p_value(test.p_adjusted) + (" *" if test.p_adjusted < design.alpha else "  "),
        ]
        if test.p_equivalence is not None:
            row.append(p_value(test.p_equivalence))
        table.add_row(*row)
    return table
