"""The GPU's way of counting, run on the CPU: it must count what the others count."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from harness.significance import max_t_torch
from harness.significance.max_t import Pairs, count_with_numpy
from harness.significance.max_t_torch import TorchEngine


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slab", [3, 4096])
def test_torch_counts_what_numpy_counts(
    dtype: type[np.floating], slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(max_t_torch, "PAIRS_PER_SLAB", slab)
    stream = np.random.default_rng(1)
    scores = stream.integers(0, 4, (30, 10)).astype(dtype)
    sides = np.array([(a + k, b + k) for k in (0, 5) for a, b in combinations(range(5), 2)])
    pairs = Pairs(sides[:, 0], sides[:, 1])
    differences = (scores[:, pairs.a] - scores[:, pairs.b]).astype(np.float64)
    scale = 1 / np.sqrt((differences**2).sum(axis=0))
    observed = np.abs(differences.sum(axis=0)) * scale
    families = [np.arange(10), np.arange(10, 20), np.arange(20)]
    orders = [members[np.argsort(observed[members], kind="stable")] for members in families]
    signs = stream.choice([-1.0, 1.0], (30, 200)).astype(dtype)
    columns = np.ascontiguousarray(scores.T)

    expected = count_with_numpy(columns @ signs, pairs, observed, scale, orders)
    found = TorchEngine(columns, "cpu").count(signs, pairs, observed, scale, orders)

    np.testing.assert_array_equal(found.alone, expected.alone)
    for one, other in zip(found.together, expected.together, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(found.largest, expected.largest, strict=True):
        np.testing.assert_array_equal(one, other)
    assert expected.alone.any()
