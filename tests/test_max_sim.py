"""MaxSim: right by hand, equal to sentence-transformers, and bit-equal however it is computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from harness.embeddings.ragged_rows import Ragged, RaggedRows

pytest.importorskip("torch", reason="needs the extra 'score'")

import torch
from sentence_transformers.util.similarity import maxsim

from harness.embeddings.lattice import dense_on_lattice
from harness.retrieval import max_sim
from harness.retrieval.max_sim import EMPTY_DOCUMENT, MaxSimPool, MaxSimRetriever, token_sums

QUERIES = [[[1, 0], [0, 1]], [[1, 0]], [[-1, 0], [0, 2], [3, 0]]]
DOCUMENTS = [[[1, 0], [0.5, 0.5]], [[0, 1]], [[-1, -1], [0, 0]], []]
# Worked out by hand: the best match of each query token, added up.
SCORES = [
    [1 + 0.5, 0 + 1, 0 + 0, EMPTY_DOCUMENT],
    [1, 0, 0, EMPTY_DOCUMENT],
    [-0.5 + 1 + 3, 0 + 2 + 0, 1 + 0 + 0, EMPTY_DOCUMENT],
]


def rows(texts):
    """Texts as lists of token vectors of two dimensions."""
    return RaggedRows([Ragged.of([np.array(t, dtype=np.float32).reshape(-1, 2) for t in texts])])


def random_texts(seed, texts, dimension=8, longest=6, shortest=0):
    """Token vectors of uneven length, and of numbers of tokens that differ."""
    generator = np.random.default_rng(seed)
    tokens = generator.integers(shortest, longest + 1, texts)
    matrices = [generator.normal(size=(n, dimension)) * generator.uniform(0.1, 30) for n in tokens]
    return [matrix.astype(np.float32) for matrix in matrices]


def pool_of(queries, documents, *, mean=False):
    return MaxSimPool(
        RaggedRows([Ragged.of(queries)]), RaggedRows([Ragged.of(documents)]), "cpu", mean=mean
    )


def all_scores(pool):
    return pool.block(0, pool.documents).scores(0, pool.queries)


def test_scores_by_hand():
    pool = MaxSimPool(rows(QUERIES), rows(DOCUMENTS), "cpu", mean=False)
    assert (pool.queries, pool.documents) == (3, 4)
    assert_array_equal(all_scores(pool), SCORES)
    query, document = np.divmod(np.arange(12), 4)
    assert_array_equal(pool.pairs(query, document), np.ravel(SCORES))


def test_the_mean_is_over_the_tokens_of_the_query():
    pool = MaxSimPool(rows(QUERIES), rows(DOCUMENTS[:3]), "cpu", mean=True)
    lengths = np.array([[2], [1], [3]])
    assert_array_equal(all_scores(pool), np.array(SCORES)[:, :3] / lengths)
    assert pool.pairs(np.array([2]), np.array([0])) == [3.5 / 3]


@pytest.mark.parametrize("mean", [False, True])
def test_a_query_without_tokens_scores_0_and_a_document_without_tokens_comes_last(mean):
    pool = MaxSimPool(rows([[], [[1, 0]]]), rows(DOCUMENTS), "cpu", mean=mean)
    found = all_scores(pool)
    assert_array_equal(found[0], [0, 0, 0, EMPTY_DOCUMENT])
    assert found[1].argmin() == 3
    assert_array_equal(pool.pairs(np.array([0, 0]), np.array([3, 1])), [EMPTY_DOCUMENT, 0])


def test_a_pool_of_empty_documents():
    pool = MaxSimPool(rows(QUERIES), rows([[], []]), "cpu", mean=False)
    assert (all_scores(pool) == EMPTY_DOCUMENT).all()


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_sentence_transformers(seed, mean):
    queries = random_texts(seed, 9, dimension=32, shortest=1)
    documents = random_texts(seed + 100, 13, dimension=32, longest=20)
    documents[5] = documents[5][:0]
    found = all_scores(pool_of(queries, documents, mean=mean))
    theirs = maxsim(
        [torch.from_numpy(query) for query in queries],
        [torch.from_numpy(document) for document in documents],
        length_normalize=mean,
    ).numpy()
    filled = [len(document) > 0 for document in documents]
    np.testing.assert_allclose(found[:, filled], theirs[:, filled], rtol=1e-5, atol=1e-4)
    # Theirs is divided by the length of the query, and so differs from query to query.
    assert (theirs[:, np.logical_not(filled)] < theirs[:, filled].min()).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_neither_blocks_nor_tiles_nor_order_change_a_bit(data):
    seed = data.draw(st.integers(0, 10**6))
    queries, documents = random_texts(seed, 7), random_texts(seed + 1, 11)
    whole = all_scores(pool_of(queries, documents))

    order = np.array(data.draw(st.permutations(range(11))))
    pool = pool_of(queries, [documents[i] for i in order])
    cut, top = data.draw(st.integers(0, 11)), data.draw(st.integers(0, 7))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(max_sim, "QUERY_TOKENS", data.draw(st.integers(1, 20)))
        patch.setattr(max_sim, "DOCUMENT_TOKENS", data.draw(st.integers(1, 20)))
        patch.setattr(max_sim, "PAIRS_AT_ONCE", data.draw(st.integers(1, 20)))
        found = np.block(
            [
                [pool.block(*columns).scores(*lines) for columns in ((0, cut), (cut, 11))]
                for lines in ((0, top), (top, 7))
            ]
        )
        assert_array_equal(found, whole[:, order])
        query = np.array(data.draw(st.lists(st.integers(0, 6), max_size=30)), dtype=np.int64)
        document = np.array([(7 * number) % 11 for number in range(len(query))], dtype=np.int64)
        assert_array_equal(pool.pairs(query, document), found[query, document])


def test_numbers_of_threads_do_not_change_a_bit():
    pool = pool_of(random_texts(1, 40, 64, 30), random_texts(2, 60, 64, 40))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(all_scores(pool))
    finally:
        torch.set_num_threads(before)
    assert_array_equal(found[0], found[1])
    assert_array_equal(found[0], found[2])


def test_equal_documents_tie_wherever_they_stand():
    documents = random_texts(3, 30, 48, 25, shortest=1)
    documents[29] = documents[0]
    found = all_scores(pool_of(random_texts(4, 20, 48, 32), documents))
    assert_array_equal(found[:, 0], found[:, 29])


def test_other_documents_do_not_change_a_score():
    queries, documents = random_texts(5, 6), random_texts(6, 5)
    alone = all_scores(pool_of(queries, documents))
    others = [matrix * np.float32(1e6) for matrix in random_texts(7, 4)]
    assert_array_equal(all_scores(pool_of(queries, [*documents, *others]))[:, :5], alone)


def test_a_long_query_is_added_up_token_by_token():
    queries, documents = random_texts(8, 3, 16, 1024, 900), random_texts(9, 4, 16, 50, 1)
    found = all_scores(pool_of(queries, documents))
    for i, query in enumerate(queries):
        for j, document in enumerate(documents):
            products = dense_on_lattice(query) @ dense_on_lattice(document).T
            assert found[i, j] == sum(products.max(axis=1).tolist())


def test_what_a_gpu_computes_is_bit_equal_to_the_compiled_loops():
    queries, documents = random_texts(10, 25, 16, 30), random_texts(11, 40, 16, 20)
    pool = pool_of(queries, documents)
    asked, found = Ragged.of(queries), Ragged.of(documents)
    products = torch.from_numpy(dense_on_lattice(found.values) @ dense_on_lattice(asked.values).T)
    sums = token_sums(products, asked.offsets, found.offsets)
    filled = np.diff(found.offsets) > 0
    assert sums.shape == (25, 40)
    assert 0 < filled.sum() < 40
    assert_array_equal(sums[:, filled], all_scores(pool)[:, filled])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_bits():
    queries, documents = random_texts(12, 50, 128, 32), random_texts(13, 80, 128, 60)
    on_cpu = pool_of(queries, documents)
    on_gpu = MaxSimPool(
        RaggedRows([Ragged.of(queries)]), RaggedRows([Ragged.of(documents)]), "cuda", mean=False
    )
    assert_array_equal(all_scores(on_gpu), all_scores(on_cpu))
    query, document = np.arange(50), np.arange(50) % 80
    assert_array_equal(on_gpu.pairs(query, document), on_cpu.pairs(query, document))


def test_a_pool_has_its_corpora_one_after_the_other():
    queries = rows(QUERIES)
    corpora = {"de": rows(DOCUMENTS[:1]), "en": rows(DOCUMENTS[1:])}
    retriever = MaxSimRetriever(queries, corpora, "cpu")
    assert retriever.pool_independent
    assert retriever.retrieves_all
    assert_array_equal(all_scores(retriever.pool(("de", "en"))), SCORES)
    turned = np.array(SCORES)[:, [1, 2, 3, 0]]
    assert_array_equal(all_scores(retriever.pool(("en", "de"))), turned)


def test_a_pool_says_what_its_documents_take():
    # 20 tokens in 4 documents; a token has 16 numbers, in float32 and twice in float64.
    documents = [np.zeros((n, 16), dtype=np.float32) for n in (1, 2, 7, 10)]
    pool = pool_of([documents[0]], documents)
    assert pool.bytes_per_document == 5 * 16 * (4 + 8 + 8)
