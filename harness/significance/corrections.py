"""Corrections for testing a family of hypotheses."""

from __future__ import annotations


def bonferroni(p: float, family_size: int) -> float:
    """The adjusted p-value: with it below alpha, the chance of any false alarm is below alpha."""
    return min(1.0, p * family_size)
