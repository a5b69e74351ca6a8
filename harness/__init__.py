"""How it is answered: models, encoding, exact ranks, measures, significance.

For notebooks::

    from harness import Design, compare, from_arrays, from_frame

    result = compare(from_frame(frame), Design(baseline="zero-shot"))
    for test in result.tests:
        print(test.a, test.difference, test.ci, test.p_adjusted)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.comparison import Comparison, compare
    from harness.design import Design
    from harness.paired_scores import PairedScores, from_arrays, from_frame

__all__ = ["Comparison", "Design", "PairedScores", "compare", "from_arrays", "from_frame"]

_HOMES = {
    "Comparison": "harness.comparison",
    "Design": "harness.design",
    "PairedScores": "harness.paired_scores",
    "compare": "harness.comparison",
    "from_arrays": "harness.paired_scores",
    "from_frame": "harness.paired_scores",
}


def __getattr__(name: str) -> object:
    """Loads a public name when it is first used, so that other commands start without it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
