"""Inner products of sparse vectors: right, and bit-equal however they are computed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from harness.retrieval.sparse_pool import SparsePool

QUERIES = [[1, 0, 2, 0], [0, 3, 0, 0], [0, 0, 0, 0]]
DOCUMENTS = [[2, 1, 0, 5], [0, 0, 4, 0], [1, 1, 1, 1], [0, 0, 0, 0], [-1, 0, 0.25, 0]]
# Worked out by hand.
SCORES = [[2, 8, 3, 0, -0.5], [3, 0, 3, 0, 0], [0, 0, 0, 0, 0]]


def random_vectors(seed, rows, terms, dtype, share=0.2):
    generator = np.random.default_rng(seed)
    weights = generator.lognormal(0, 3, (rows, terms)) * (generator.random((rows, terms)) < share)
    return sparse.csr_array(weights.astype(dtype))


def all_scores(pool):
    return pool.block(0, pool.documents).scores(0, pool.queries)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_by_hand(dtype):
    pool = SparsePool(
        sparse.csr_array(np.array(QUERIES, dtype)), sparse.csr_array(np.array(DOCUMENTS, dtype))
    )
    assert (pool.queries, pool.documents) == (3, 5)
    assert all_scores(pool).dtype == np.float64
    assert_array_equal(all_scores(pool), SCORES)
    query, document = np.divmod(np.arange(15), 5)
    assert_array_equal(pool.pairs(query, document), np.ravel(SCORES))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), dtype=st.sampled_from([np.float32, np.float64]))
def test_neither_blocks_nor_order_nor_other_documents_change_a_bit(data, dtype):
    seed = data.draw(st.integers(0, 10**6))
    queries = random_vectors(seed, 6, 50, dtype, 0.5)
    documents = random_vectors(seed + 1, 9, 50, dtype, 0.5)
    whole = all_scores(SparsePool(queries, documents))

    order = np.array(data.draw(st.permutations(range(9))))
    others = random_vectors(seed + 2, 3, 50, dtype) * dtype(1000)
    pool = SparsePool(queries, sparse.vstack([documents[order], others], format="csr"))
    cut, top = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 6))
    found = np.block(
        [
            [pool.block(*columns).scores(*lines) for columns in ((0, cut), (cut, 12))]
            for lines in ((0, top), (top, 6))
        ]
    )
    assert_array_equal(found[:, :9], whole[:, order])
    query, document = np.divmod(np.arange(6 * 12), 12)
    assert_array_equal(pool.pairs(query, document), found.ravel())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_are_near_the_exact_ones(dtype):
    queries, documents = random_vectors(1, 4, 200, dtype), random_vectors(2, 5, 200, dtype)
    found = all_scores(SparsePool(queries, documents))
    for i, query in enumerate(queries.toarray().tolist()):
        for j, document in enumerate(documents.toarray().tolist()):
            exact = sum(Fraction(a) * Fraction(b) for a, b in zip(query, document, strict=True))
            assert found[i, j] == pytest.approx(float(exact), rel=1e-14)


def test_documents_with_equal_weights_for_a_querys_terms_tie():
    # The other terms of the second document are large, and stand before, between and after.
    common = {3: 0.1, 5: 1 / 3, 11: 1e-7, 20: 2.7}
    plain, other = np.zeros(30), np.zeros(30)
    for term, weight in common.items():
        plain[term] = other[term] = weight
    other[[0, 4, 15, 29]] = 1e9
    query = np.zeros((1, 30))
    query[0, list(common)] = 0.7, 0.3, 1.1, 0.9
    pool = SparsePool(sparse.csr_array(query), sparse.csr_array(np.array([plain, other])))
    first, second = all_scores(pool)[0]
    assert first == second > 0


def test_terms_in_any_order_and_twice_are_put_in_order():
    indices, weights = np.array([4, 1, 4, 2]), np.array([1.0, 2.0, 0.5, 4.0])
    muddled = sparse.csr_array((weights, indices, np.array([0, 4])), shape=(1, 6))
    asked = sparse.csr_array((weights[::-1].copy(), indices[::-1].copy(), [0, 4]), shape=(1, 6))
    pool = SparsePool(asked, muddled)
    assert all_scores(pool) == 2 * 2 + 4 * 4 + 1.5 * 1.5
    assert pool.pairs(np.array([0]), np.array([0])) == all_scores(pool)[0]
    # The caller's matrices are as they were.
    assert_array_equal(muddled.indices, indices)


def test_a_pool_says_what_its_documents_take():
    documents = random_vectors(3, 10, 40, np.float64)
    pool = SparsePool(documents, documents)
    each = -(-documents.nnz // 10)
    assert pool.bytes_per_document == 2 * each * (8 + 4)


def test_a_pool_without_weights():
    pool = SparsePool(sparse.csr_array((2, 1)), sparse.csr_array((3, 1)))
    assert_array_equal(all_scores(pool), np.zeros((2, 3)))
    assert_array_equal(pool.pairs(np.array([1]), np.array([2])), [0])
