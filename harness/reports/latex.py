"""A comparison as a LaTeX table for a paper; it needs the package booktabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.reports.wording import (
    number,
    what_was_tested,
)
from tasks.settings import KIND_NAMES

if TYPE_CHECKING:
    from harness.comparison import Comparison, Standing

MOST_COLUMNS = 8
"""More settings than this go down the page instead of across."""

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def as_latex(comparison: Comparison, title: str) -> str:
    """A table environment: means, the best in bold, marks for what the tests separate.

    Args:
        comparison: What to print.
        title: What the scores are of, such as the task.
    """
    settings = list(comparison.standings)
    systems = sorted(
        {s.system for found in comparison.standings.values() for s in found},
        key=[s.system for s in comparison.standings[settings[0]]].index,
    )
    cells = {
        (setting, standing.system): _cell(comparison, setting, standing, standings[0])
        for setting, standings in comparison.standings.items()
        for standing in standings
    }
    across = len(settings) <= MOST_COLUMNS
    columns, rows = (settings, systems) if across else (systems, settings)
    heading = [escape(_short(name)) if across else escape(name) for name in columns]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_caption(comparison, title)}}}",
        r"\begin{tabular}{l" + "r" * len(columns) + "}",
        r"\toprule",
        " & ".join(["System" if across else "Setting", *heading]) + r" \\",
        r"\midrule",
    ]
    for row in rows:
        keys = [(column, row) if across else (row, column) for column in columns]
        label = escape(row if across else _short(row))
        if label.startswith(("[", "*")):  # which the line break before it would take for its own
            label = "{}" + label
        lines.append(" & ".join([label, *(cells[key] for key in keys)]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(lines)


def escape(text: str) -> str:
    """Text as LaTeX shows it literally."""
    return "".join(_ESCAPES.get(character, character) for character in text)


def _short(setting: str) -> str:
    return KIND_NAMES.get(setting, setting)


def _cell(comparison: Comparison, setting: str, standing: Standing, best: Standing) -> str:
    text = number(standing.mean).removeprefix("0")
    if standing.mean == best.mean:
        text = rf"\textbf{{{text}}}"
    mark = standing.letters or _mark(comparison, setting, standing.system)
    return text + (rf"\textsuperscript{{{mark}}}" if mark else "")


def _mark(comparison: Comparison, setting: str, system: str) -> str:
    """Against a baseline: + or - where the system is significantly better or worse."""
    for test in comparison.tests:
        if (test.setting, test.a) == (setting, system):
            if test.p_adjusted < comparison.design.alpha:
                better = (test.difference > 0) == comparison.higher_is_better
                return "+" if better else "$-$"
            break
    return ""


def _caption(comparison: Comparison, title: str) -> str:
    sizes = sorted({test.n for test in comparison.tests})
    span = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    of = ", ".join(filter(None, (title, comparison.measure, f"{span} questions")))
    alpha = comparison.design.alpha
    if comparison.design.baseline is None:
        marks = f"Systems that share a letter are not separated (adjusted p at least {alpha:g})."
    else:
        marks = (
            f"+ and - mark what is significantly better and worse than "
            f"{comparison.design.baseline} (adjusted p below {alpha:g})."
        )
    sentences = [f"{of}. Best in bold. {marks}", what_was_tested(comparison)]
    if any(note.startswith("Some systems lack") for note in comparison.notes):
        sentences.append("Pairs are compared on the questions that both systems have.")
    return escape(" ".join(sentences))
