"""The bound on float32 products holds against exact arithmetic, also where it is nearly reached."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.embeddings.error_bound import LARGEST_DIMENSION, Rounded, radius, rounded, row_lengths
from harness.embeddings.preparation import Preparation

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
FORMS = st.sampled_from(["float32", "int8", "binary"])


@st.composite
def matrices(
    draw: st.DrawFn, numbers: st.SearchStrategy[float] = NUMBERS
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    dimension = draw(st.integers(1, 9))
    row = st.lists(numbers, min_size=dimension, max_size=dimension)
    sides = [draw(st.lists(row, min_size=1, max_size=4)) for _ in range(2)]
    return np.array(sides[0], dtype=np.float32), np.array(sides[1], dtype=np.float32)


def exact_product(left: NDArray[np.floating], right: NDArray[np.floating]) -> Fraction:
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    return sum((Fraction(a) * Fraction(b) for a, b in pairs), Fraction())


def assert_within(
    queries: NDArray[np.float64], documents: NDArray[np.float64], near: Rounded
) -> None:
    """Products in float32 are no further from the exact ones than the radius says."""
    asked = queries.astype(np.float32)
    lengths, moved = row_lengths(asked), row_lengths(asked - queries)
    away = radius(lengths * (1 + 1e-9), moved * (1 + 1e-9), near)
    with np.errstate(all="ignore"):
        orders = [asked @ near.vectors.T, one_by_one(asked, near.vectors)]
    for query, room in enumerate(away.tolist()):
        for document in range(len(documents)):
            exact = exact_product(queries[query], documents[document])
            for found in orders:
                value = float(found[query, document])
                assert np.isinf(room) or abs(Fraction(value) - exact) <= Fraction(room)


def one_by_one(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Products added from the first component to the last, each sum rounded."""
    found = np.zeros((len(left), len(right)), dtype=np.float32)
    for column in range(left.shape[1]):
        found = found + np.outer(left[:, column], right[:, column])
    return found


@given(matrices())
@settings(deadline=None)
def test_products_of_rounded_vectors_are_within_the_radius(
    pair: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    # A third has no number in float32, so that both sides are moved.
    queries, documents = pair[0].astype(np.float64) / 3, pair[1].astype(np.float64) / 3
    assert_within(queries, documents, rounded(documents))


@given(matrices(), FORMS, st.sampled_from(["cosine", "dot"]), st.booleans())
@settings(deadline=None, max_examples=200)
def test_products_of_prepared_vectors_are_within_the_radius(
    pair: tuple[NDArray[np.float32], NDArray[np.float32]],
    form: str,
    similarity: str,
    unit: bool,
) -> None:
    rows = [side.astype(np.float64) for side in pair]
    if unit:  # lengths so near to 1 that the rows are not scaled
        rows = [
            side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-300) for side in rows
        ]
    queries, stored = (side.astype(np.float32) for side in rows)
    held = Preparation(form, similarity)
    assert_within(held.exact(queries), held.exact(stored), held.rough(stored))


@pytest.mark.parametrize("form", ["float32", "int8", "binary"])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("scale", [1.0, 3.0, 1e-3])
def test_rough_vectors_are_as_long_and_as_near_as_they_say(
    form: str, similarity: str, scale: float
) -> None:
    rows = np.random.default_rng(0).standard_normal((50, 30))
    stored = (scale * rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    held = Preparation(form, similarity)
    near, exact = held.rough(stored), held.exact(stored)
    distance = np.linalg.norm(near.vectors - exact, axis=1).max()
    assert distance <= near.moved <= 1e-6 * near.length
    assert np.linalg.norm(near.vectors.astype(np.float64), axis=1).max() <= near.length


def test_the_radius_is_hand_computed_for_one_component() -> None:
    # gamma_1 |q||p| + |q' - q||p| + (|q| + moved)|p' - p| with u = 2^-24, and next to nothing more
    near = Rounded(np.ones((1, 1), dtype=np.float32), 4.0, 0.25)
    found = radius(np.array([2.0]), np.array([0.5]), near)
    unit = 2.0**-24
    assert found[0] == pytest.approx(unit / (1 - unit) * 8 + 0.5 * 4 + 2.5 * 0.25, rel=2e-6)
    assert found[0] >= unit / (1 - unit) * 8 + 0.5 * 4 + 2.5 * 0.25


def test_a_sum_that_loses_all_small_terms_is_within_the_radius() -> None:
    # 1 + 2^-24 + 2^-24 + ... in order stays 1: an error of (n - 1) 2^-24, as large as it can be.
    dimension = 4096
    document = np.full((1, dimension), 2.0**-12)
    document[0, 0] = 1.0
    query = document.copy()
    assert one_by_one(query.astype(np.float32), document.astype(np.float32))[0, 0] == 1.0
    assert_within(query, document, rounded(document))


@pytest.mark.parametrize("length", [2.0**60, np.inf, np.nan])
def test_there_is_no_bound_where_products_may_overflow(length: float) -> None:
    near = Rounded(np.ones((1, 2), dtype=np.float32), length, 0.0)
    assert np.isinf(radius(np.array([2.0**60]), np.zeros(1), near)).all()


def test_there_is_no_bound_for_more_components_than_it_was_proven_for() -> None:
    wide = np.broadcast_to(np.zeros(1, dtype=np.float32), (1, LARGEST_DIMENSION + 1))
    assert np.isinf(radius(np.ones(1), np.zeros(1), Rounded(wide, 1.0, 0.0))).all()
    assert np.isfinite(radius(np.ones(1), np.zeros(1), Rounded(wide[:, 1:], 1.0, 0.0))).all()


def test_unit_vectors_are_multiplied_as_they_are_stored() -> None:
    rows = np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    held = Preparation(similarity="cosine")
    assert np.shares_memory(held.rough(rows).vectors, rows)
    assert not np.shares_memory(held.rough(3 * rows).vectors, rows)
    assert held.rough(3 * rows).vectors == pytest.approx(rows, rel=1e-6)
