"""Embeddings on the lattice: exact inner products, whatever the order of summation."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import sparse

from harness.embeddings.lattice import dense_on_lattice, sparse_on_lattice

Matrix = NDArray[np.float64]


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Matrix, Matrix]:
    """Two matrices of one width, whose rows differ in length by orders of magnitude."""
    width = draw(st.integers(1, 40))
    return tuple(  # type: ignore[return-value]
        draw(
            st.one_of(
                arrays(np.float64, (3, width), elements=st.floats(-1, 1, width=32)),
                st.builds(
                    lambda seed, exponent: (
                        np.random.default_rng(seed).normal(size=(3, width))
                        * 2.0 ** np.array([[exponent], [exponent - 3], [exponent - 20]])
                    ),
                    st.integers(0, 2**32 - 1),
                    st.integers(-30, 30),
                ),
            )
        )
        for _ in range(2)
    )


def unit_rows(rows: int, width: int, dtype: type = np.float64) -> Matrix:
    """Rows of length 1, as near as the type comes to it."""
    vectors = np.random.default_rng(7).normal(size=(rows, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(dtype)


def exact_products(left: Matrix, right: Matrix) -> list[list[Fraction]]:
    """Inner products of all rows in rational arithmetic."""
    rows = [[Fraction(x) for x in row] for row in left.tolist()]
    columns = [[Fraction(x) for x in row] for row in right.tolist()]
    return [[sum(map(Fraction.__mul__, a, b), Fraction()) for b in columns] for a in rows]


def as_fractions(products: Matrix) -> list[list[Fraction]]:
    return [[Fraction(x) for x in row] for row in products.tolist()]


@given(matrices())
@settings(max_examples=60, deadline=None)
def test_inner_products_of_dense_vectors_are_exact(pair: tuple[Matrix, Matrix]) -> None:
    left, right = map(dense_on_lattice, pair)
    assert as_fractions(left @ right.T) == exact_products(left, right)


@given(matrices())
@settings(max_examples=60, deadline=None)
def test_inner_products_of_sparse_vectors_are_exact(pair: tuple[Matrix, Matrix]) -> None:
    left, right = (sparse_on_lattice(sparse.csr_array(matrix)) for matrix in pair)
    products = (left @ right.T).toarray()
    assert as_fractions(products) == exact_products(left.toarray(), right.toarray())


@pytest.mark.parametrize("width", [384, 1024, 4096])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_vector_of_length_one_times_itself_is_exact(width: int, dtype: type) -> None:
    # The largest sum of squares that can occur: every partial sum must fit into 53 bits.
    vectors = np.vstack([unit_rows(2, width, dtype), np.full((1, width), width**-0.5, dtype)])
    rounded = dense_on_lattice(vectors)
    assert as_fractions(rounded @ rounded.T) == exact_products(rounded, rounded)


@given(matrices(), st.randoms(use_true_random=False), st.data())
@settings(max_examples=60, deadline=None)
def test_the_order_of_dimensions_and_the_split_into_blocks_do_not_matter(
    pair: tuple[Matrix, Matrix], random: st.random.Random, data: st.DataObject
) -> None:
    left, right = map(dense_on_lattice, pair)
    products = left @ right.T
    order = list(range(left.shape[1]))
    random.shuffle(order)
    np.testing.assert_array_equal(left[:, order] @ right[:, order].T, products)
    cut = data.draw(st.integers(0, len(order)), label="cut")
    parts = left[:, :cut] @ right[:, :cut].T + left[:, cut:] @ right[:, cut:].T
    np.testing.assert_array_equal(parts, products)
    row_by_row = np.vstack([row @ right.T for row in left])
    np.testing.assert_array_equal(row_by_row, products)


def test_equal_rows_tie_wherever_they_stand() -> None:
    # BLAS sums the last columns of a block in another order than the others.
    documents = np.repeat(unit_rows(1, 383, np.float32), 37, axis=0)
    scores = dense_on_lattice(unit_rows(5, 383)) @ dense_on_lattice(documents).T
    assert [len(set(row)) for row in scores.tolist()] == [1] * 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_component_of_a_unit_vector_moves_by_at_most_2_to_the_minus_27(dtype: type) -> None:
    # In float32 a unit vector may be a little longer than 1: that must not double the step.
    vectors = unit_rows(50, 384, dtype)
    assert np.abs(dense_on_lattice(vectors) - vectors.astype(np.float64)).max() <= 2.0**-27


@given(matrices())
@settings(max_examples=60, deadline=None)
def test_rounding_is_small_against_the_longest_row(pair: tuple[Matrix, Matrix]) -> None:
    for vectors in pair:
        longest = np.linalg.norm(vectors, axis=1).max()
        moved = np.abs(dense_on_lattice(vectors) - vectors).max()
        assert moved <= longest * 2.0**-26


@given(matrices())
@settings(max_examples=60, deadline=None)
def test_a_dense_vector_is_rounded_without_regard_to_the_others(
    pair: tuple[Matrix, Matrix],
) -> None:
    for vectors in pair:
        alone = np.vstack([dense_on_lattice(row[None]) for row in vectors])
        np.testing.assert_array_equal(dense_on_lattice(vectors), alone)


def test_a_long_vector_in_the_pool_moves_no_dense_score() -> None:
    query, documents = unit_rows(1, 64), unit_rows(6, 64)[1:]
    scores = dense_on_lattice(query) @ dense_on_lattice(documents).T
    with_long = np.vstack([documents, 1e6 * documents[:1]])
    again = dense_on_lattice(query) @ dense_on_lattice(with_long).T
    np.testing.assert_array_equal(again[:, :-1], scores)


@given(matrices())
@settings(max_examples=60, deadline=None)
def test_a_sparse_vector_alone_lies_on_the_lattice_of_a_dense_one(
    pair: tuple[Matrix, Matrix],
) -> None:
    for vectors in pair:
        vectors[np.abs(vectors) < 0.3] = 0.0
        for row in vectors:
            rounded = sparse_on_lattice(sparse.csr_array(row[None]))
            np.testing.assert_array_equal(rounded.toarray(), dense_on_lattice(row[None]))


@given(st.floats(0.01, 1.0), st.floats(0.0, 1000.0))
def test_documents_with_the_same_weight_of_a_term_tie_whatever_else_they_hold(
    weight: float, other: float
) -> None:
    documents = sparse_on_lattice(sparse.csr_array(np.array([[weight, 0.0], [weight, other]])))
    scores = (documents @ np.array([0.7, 0.0])).tolist()
    assert scores[0] == scores[1]


def test_rounding_again_changes_nothing() -> None:
    once = dense_on_lattice(unit_rows(20, 64))
    np.testing.assert_array_equal(dense_on_lattice(once), once)


def test_the_vectors_given_stay_as_they_are() -> None:
    vectors = unit_rows(3, 8)
    matrix = sparse.csr_array(vectors)
    dense_on_lattice(vectors)
    sparse_on_lattice(matrix)
    np.testing.assert_array_equal(vectors, unit_rows(3, 8))
    np.testing.assert_array_equal(matrix.toarray(), unit_rows(3, 8))


@pytest.mark.parametrize("shape", [(2, 3), (0, 3)])
def test_vectors_of_zeros_and_no_vectors_are_allowed(shape: tuple[int, int]) -> None:
    zeros = np.zeros(shape)
    np.testing.assert_array_equal(dense_on_lattice(zeros), zeros)
    np.testing.assert_array_equal(sparse_on_lattice(sparse.csr_array(zeros)).toarray(), zeros)
