"""Embeddings in fewer bits: by hand, within their bounds, and as ranks see them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from harness.embeddings.quantisation import LARGEST, quantised

Matrix = NDArray[np.float32]
VECTORS = arrays(np.float32, (3, 7), elements=st.floats(-4, 4, width=32))


def test_int8_by_hand() -> None:
    vectors = np.array([[1.27, 0.64, -0.014, 0.016], [-2.54, 0.0, 1.0, 2.54]])
    # The largest component is 127 steps: steps of 0.01 and of 0.02.
    expected = [[1.27, 0.64, -0.01, 0.02], [-2.54, 0.0, 1.0, 2.54]]
    np.testing.assert_allclose(quantised(vectors, "int8"), expected, rtol=1e-12)


def test_binary_by_hand() -> None:
    vectors = np.array([[0.3, -0.2, 0.0, 5.0]], dtype=np.float32)
    assert quantised(vectors, "binary").tolist() == [[1.0, -1.0, -1.0, 1.0]]


@given(VECTORS)
def test_float32_stays_as_it_is(vectors: Matrix) -> None:
    kept = quantised(vectors, "float32")
    assert kept.dtype == np.float64
    np.testing.assert_array_equal(kept, vectors)


@given(VECTORS)
def test_int8_has_at_most_255_levels_and_errs_by_half_a_step(vectors: Matrix) -> None:
    exact = vectors.astype(np.float64)
    step = np.abs(exact).max(axis=1, keepdims=True) / LARGEST
    found = quantised(vectors, "int8")
    assert (np.abs(found - exact) <= step * (0.5 + 1e-9)).all()
    levels = np.divide(found, step, where=step > 0, out=np.zeros_like(found))
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-9)
    assert np.abs(levels).max(initial=0) <= LARGEST + 1e-9


@given(VECTORS, st.integers(-8, 8))
def test_int8_keeps_the_direction_of_a_vector_that_is_scaled(vectors: Matrix, power: int) -> None:
    scaled = quantised(vectors.astype(np.float64) * 2.0**power, "int8")
    np.testing.assert_array_equal(scaled, quantised(vectors, "int8") * 2.0**power)


@given(VECTORS, VECTORS)
def test_the_product_of_signs_is_the_dimension_less_twice_the_hamming_distance(
    left: Matrix, right: Matrix
) -> None:
    products = quantised(left, "binary") @ quantised(right, "binary").T
    bits = np.packbits(left > 0, axis=1)[:, None] ^ np.packbits(right > 0, axis=1)[None]
    hamming = np.bitwise_count(bits).sum(axis=2)
    np.testing.assert_array_equal(products, left.shape[1] - 2.0 * hamming)


@given(VECTORS, st.sampled_from(["int8", "binary", "float32"]))
def test_a_row_does_not_depend_on_the_others(vectors: Matrix, form: str) -> None:
    alone = np.vstack([quantised(row[None], form) for row in vectors])
    np.testing.assert_array_equal(quantised(vectors, form), alone)


@pytest.mark.parametrize("form", ["int8", "float32"])
def test_a_vector_of_zeros_stays_one(form: str) -> None:
    assert quantised(np.zeros((1, 4), dtype=np.float32), form).tolist() == [[0.0] * 4]


@pytest.mark.parametrize("form", ["int8", "binary", "float32"])
def test_no_vectors_give_none(form: str) -> None:
    assert quantised(np.zeros((0, 4), dtype=np.float32), form).shape == (0, 4)
