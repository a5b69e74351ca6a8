"""Corrections for testing a family of hypotheses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from tasks.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Adjustment = Callable[[NDArray[np.float64]], NDArray[np.float64]]

Correction = Literal["bonferroni", "holm", "hochberg", "hommel", "bh", "by"]
CORRECTIONS: tuple[Correction, ...] = get_args(Correction)


def adjust(p: NDArray[np.float64], method: Correction) -> NDArray[np.float64]:
    """Adjusted p-values of a family: reject where they are below alpha.

    ``bonferroni`` and ``holm`` (1979) keep the chance of any false alarm below alpha whatever the
    dependence; ``hochberg`` (1988) and ``hommel`` (1988) do so where p-values are positively
    dependent, and reject at least as much as ``holm``. ``bh`` (Benjamini & Hochberg 1995) keeps
    the expected share of false alarms among rejections below alpha where p-values are positively
    dependent, ``by`` (Benjamini & Yekutieli 2001) whatever the dependence.

    The step-wise methods need p-values finer than alpha / m: where p is (1 + c) / (1 + B) from B
    resamples and m is large, they cannot reject anything; use step-down max-T there.

    Args:
        p: One for each hypothesis of the family, above 0, in any order, shape (m,).
        method: Name of the correction.

    Returns:
        In the order of ``p``, shape (m,).

    Raises:
        UnknownNameError: If there is no such correction.
        UsageError: If a p-value is not above 0 and at most 1.
    """
    if method not in _METHODS:
        raise UnknownNameError("correction", method, CORRECTIONS)
    allowed = (p > 0) & (p <= 1)
    if not allowed.all():
        raise UsageError(f"A p-value is above 0 and at most 1, found {p[~allowed][0]:g}.")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(_METHODS[method](p[order]), 1.0)
    return adjusted


def _bonferroni(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    return ascending * len(ascending)


def _holm(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum.accumulate(ascending * _at_least_as_large(ascending))


def _hochberg(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    return _running_minimum(ascending * _at_least_as_large(ascending))


def _hommel(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    """By the algorithm of Wright 1992, "Adjusted p-values for simultaneous inference"."""
    m = len(ascending)
    adjusted = ascending.copy()
    for size in range(m, 1, -1):
        # A hypothesis is rejected once Simes' test rejects every set that holds it. Of the sets
        # of one size, the last to be rejected holds it and the largest others.
        rest = m - size + 1
        simes = float((size * ascending[rest:] / np.arange(2, size + 1)).min())
        np.maximum(adjusted[:rest], np.minimum(size * ascending[:rest], simes), out=adjusted[:rest])
        np.maximum(
            adjusted[rest:], min(size * float(ascending[rest - 1]), simes), out=adjusted[rest:]
        )
    return adjusted


def _bh(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    m = len(ascending)
    return _running_minimum(ascending * (m / np.arange(1, m + 1)))


def _by(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    return _bh(ascending) * float((1 / np.arange(1, len(ascending) + 1)).sum())


def _at_least_as_large(ascending: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each p-value, how many hypotheses have no smaller one: m, m - 1, ..., 1."""
    return np.arange(len(ascending), 0, -1)


def _running_minimum(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest of each value and those after it."""
    return np.minimum.accumulate(ascending[::-1])[::-1]


_METHODS: Mapping[Correction, Adjustment] = {
    "bonferroni": _bonferroni,
    "holm": _holm,
    "hochberg": _hochberg,
    "hommel": _hommel,
    "bh": _bh,
    "by": _by,
}
