"""A comparison as JSON and as rows of CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from harness.reports.csv_cells import csv_cell

if TYPE_CHECKING:
    from harness.comparison import Comparison, PairedDifference

SCHEMA_VERSION = 1
COLUMNS = (
    "setting",
    "a",
    "b",
    "n",
    "mean_a",
    "mean_b",
    "difference",
    "ci_low",
    "ci_high",
    "p",
    "p_setting",
    "p_adjusted",
    "effect_size",
    "wins",
    "ties",
    "losses",
    "p_equivalence",
)


def as_json(comparison: Comparison, **context: str) -> dict[str, Any]:
    """A comparison in the documented form, with what else is known of it (the task, say)."""
    design = comparison.design
    has_resamples = design.test in ("sign-flip", "tukey")
    return {
        "schema_version": SCHEMA_VERSION,
        "unit": "question",
        **context,
        "measure": comparison.measure,
        "alpha": design.alpha,
        "interval": design.interval,
        "family": {
            "size": comparison.family_size,
            "scope": design.family,
            "correction": "tukey" if design.test == "tukey" else design.correction,
        },
        "tests": [
            {
                "a": test.a,
                "b": test.b,
                "setting": test.setting,
                "n": test.n,
                "mean_a": test.mean_a,
                "mean_b": test.mean_b,
                "difference": test.difference,
                "ci": None if test.ci is None else list(test.ci),
                "p": test.p,
                "p_setting": test.p_setting,
                "p_adjusted": test.p_adjusted,
                "effect_size": test.effect_size,
                "wins": test.wins,
                "ties": test.ties,
                "losses": test.losses,
                "p_equivalence": test.p_equivalence,
                "test": design.test,
                "resamples": design.resamples if has_resamples else None,
                "exact": test.exact,
                "seed": design.seed if has_resamples else None,
            }
            for test in comparison.tests
        ],
        "letters": comparison.letters,
        "ranks": {
            setting: {s.system: list(s.ranks) for s in standings if s.ranks}
            for setting, standings in comparison.standings.items()
        },
        "notes": list(comparison.notes),
    }


def as_csv(comparison: Comparison) -> str:
    """A row for each test; a name that a spreadsheet would take for a formula is quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for test in comparison.tests:
        writer.writerow([csv_cell(value) for value in _row(test)])
    return buffer.getvalue()


def _row(test: PairedDifference) -> list[object]:
    low, high = test.ci if test.ci is not None else (None, None)
    values = {"ci_low": low, "ci_high": high}
    return [values[name] if name in values else getattr(test, name) for name in COLUMNS]
