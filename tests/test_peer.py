"""PEER: cases by hand, against scipy, where it is not defined, and the known defect absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, kruskal

from harness.bias.peer import PeerScores, peer
from harness.judged_ranks import JudgedRanks
from harness.runs import judged_ranks_of_run, read_qrels, read_run
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Document = tuple[str, int, int]
    """Language, relevance, rank (0: not retrieved)."""


def measured(
    queries: Sequence[Sequence[Document]], k: int, weights: Mapping[int, float] | None = None
) -> PeerScores:
    rows = [(number, *document) for number, query in enumerate(queries) for document in query]
    languages = sorted({row[1] for row in rows})

    def column(values: Sequence[int]) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    judged = JudgedRanks(
        queries=len(queries),
        query=column([row[0] for row in rows]),
        relevance=column([row[2] for row in rows]),
        rank=column([row[3] for row in rows]),
        pool_size=None,
    )
    return peer(judged, column([languages.index(row[1]) for row in rows]), k, weights)


def one(query: Sequence[Document], k: int, weights: Mapping[int, float] | None = None) -> float:
    scores = measured([query], k, weights)
    assert scores.query.tolist() == [0]
    return float(scores.value[0])


def ranked(**ranks: Sequence[int]) -> list[Document]:
    """Relevant documents: their ranks by language."""
    return [(language, 1, rank) for language, found in ranks.items() for rank in found]


def test_languages_apart_and_languages_alike_by_hand() -> None:
    # Rank sums 3 and 7: H = 12 / (4 * 5) * (9 / 2 + 49 / 2) - 3 * 5 = 2.4.
    assert one(ranked(a=[10, 20], b=[30, 40]), 100) == pytest.approx(chi2.sf(2.4, 1))
    # Rank sums 5 and 5: H = 0.
    assert one(ranked(a=[10, 40], b=[20, 30]), 100) == 1.0
    # Rank sums 6, 5, 10 of 3, 2, 1 ... documents: H = 12 / 42 * (36 / 3 + 64 / 2 + 49) - 21.
    found = one(ranked(a=[1, 5, 6], b=[20, 30], c=[40]), 100)
    sums = {3: 1 + 2 + 3, 2: 4 + 5, 1: 6}
    h = 12 / 42 * sum(total**2 / size for size, total in sums.items()) - 21
    assert found == pytest.approx(chi2.sf(h, 2))


def test_ties_of_missing_documents_are_corrected_by_hand() -> None:
    # Places 1, 2 | 3.5, 3.5: mean ranks 1.5 and 3.5, all within b tied.
    # H = 3 * (2 * 1 + 2 * 1) / (1.5^2 + 0.5^2 + 1 + 1) = 12 / 4.5.
    assert one(ranked(a=[1, 2], b=[0, 0]), 10) == pytest.approx(chi2.sf(12 / 4.5, 1))


def as_published(samples: Sequence[Sequence[int]]) -> float:
    """p as the authors' program has it: raw ranks, and a missing one at (2n + missing + 1) / 2."""
    n, missing = sum(map(len, samples)), sum(rank == 0 for ranks in samples for rank in ranks)
    filled = [[rank or (2 * n + missing + 1) / 2 for rank in ranks] for ranks in samples]
    everything = np.concatenate(filled)
    between = sum(len(s) * (np.mean(s) - everything.mean()) ** 2 for s in filled)
    h = (n - 1) * between / ((everything - everything.mean()) ** 2).sum()
    return float(chi2.sf(h, len(samples) - 1))


def test_missing_documents_do_not_look_best() -> None:
    # One document of a is first and the other missing; those of b are between them: rank sums
    # 1 + 4 and 2 + 3 are equal. At rank 5, where the program puts it, a would have the first two.
    samples = {"a": [50, 0], "b": [80, 90]}
    assert one(ranked(**samples), 100) == 1.0
    assert as_published(list(samples.values())) < 0.14
    # All of b stands before a. With its missing documents at rank 7.5, a would be hardly behind.
    samples = {"a": [60, 0, 0], "b": [50, 51, 52]}
    assert one(ranked(**samples), 100) < 0.05
    assert as_published(list(samples.values())) > 0.15


def test_missing_is_the_same_as_beyond_the_cutoff() -> None:
    values = {one(ranked(a=[3, 9], b=[5, rank]), 10) for rank in (0, 11, 12, 5000)}
    assert len(values) == 1
    assert one(ranked(a=[3, 9], b=[5, 7]), 10) not in values
    assert one(ranked(a=[3, 9], b=[5, 10]), 10) == one(ranked(a=[3, 9], b=[5, 11]), 11)


def test_where_nothing_is_retrieved_nothing_differs() -> None:
    scores = measured([ranked(a=[0, 0], b=[0, 50]), ranked(a=[1, 2], b=[3, 4])], 10)
    assert scores.value[0] == 1.0
    assert (scores.all_tied, len(scores.value)) == (1, 2)


def test_one_document_a_language_says_nothing_and_gets_no_number() -> None:
    # For any order of one document a language H is the number of languages less one.
    assert {round(kruskal([a], [b], [c]).pvalue, 12) for a, b, c in ((1, 2, 3), (9, 4, 7))} == {
        round(chi2.sf(2, 2), 12)
    }
    scores = measured([ranked(a=[1], b=[2], c=[3]), ranked(a=[0], b=[0])], 10)
    assert (scores.mean, len(scores.value)) == (None, 0)
    assert (scores.one_document_each, scores.one_language, scores.all_tied) == (2, 0, 0)
    # One language with two is enough.
    assert len(measured([ranked(a=[1, 4], b=[2], c=[3])], 10).value) == 1


def test_fewer_than_two_languages_are_left_out_and_counted() -> None:
    queries = [
        ranked(a=[1, 2, 3]),
        [("a", 0, 1), ("b", 0, 2), ("b", 0, 3)],  # nothing relevant
        [],
        ranked(a=[1, 2], b=[3, 4]),
    ]
    scores = measured(queries, 10)
    assert scores.query.tolist() == [3]
    assert (scores.one_language, scores.one_document_each) == (3, 0)
    assert scores.mean == pytest.approx(chi2.sf(2.4, 1))


LEVELS: list[Document] = [
    *(("a", 2, 1), ("a", 2, 2), ("b", 2, 3), ("b", 2, 4)),  # p = chi2.sf(2.4, 1)
    *(("a", 1, 5), ("b", 1, 6), ("b", 1, 7), ("a", 1, 8)),  # p = 1
    *(("a", 0, 9), ("a", 0, 10), ("b", 0, 11), ("b", 0, 12)),  # p = chi2.sf(2.4, 1)
]
LOW = float(chi2.sf(2.4, 1))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (None, (LOW + 1) / 2),
        ({1: 0.5, 2: 0.5}, (LOW + 1) / 2),
        ({2: 0.75, 1: 0.25}, 0.75 * LOW + 0.25),
        ({2: 1.0}, LOW),
        ({1: 1.0, 2: 0.0}, 1.0),
        ({0: 0.2, 1: 0.8}, 0.2 * LOW + 0.8),
        ({3: 0.6, 2: 0.1, 1: 0.3}, 0.25 * LOW + 0.75),  # no document has grade 3
    ],
)
def test_levels_are_ranked_apart_and_weighted(
    weights: dict[int, float] | None, expected: float
) -> None:
    assert one(LEVELS, 100, weights) == pytest.approx(expected)


def test_a_level_without_a_test_leaves_its_weight_to_the_others() -> None:
    query = [*LEVELS[:4], ("a", 1, 5), ("b", 1, 6)]
    assert one(query, 100, {1: 0.9, 2: 0.1}) == pytest.approx(LOW)
    scores = measured([query], 100, {1: 1.0})
    assert (len(scores.value), scores.one_document_each) == (0, 1)
    # A level without weight is as if it were not there.
    scores = measured([query], 100, {2: 0.0, 3: 1.0})
    assert (len(scores.value), scores.one_document_each, scores.one_language) == (0, 0, 1)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({1: 0.5}, "must be 0 or more and sum to 1, found 1: 0.5."),
        ({1: 1.5, 2: -0.5}, "sum to 1, found 1: 1.5, 2: -0.5."),
        ({1: float("nan")}, "sum to 1, found 1: nan."),
        ({}, "sum to 1"),
    ],
)
def test_weights_that_are_no_weights(weights: dict[int, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        measured([LEVELS], 10, weights)


def test_a_cutoff_below_one() -> None:
    with pytest.raises(UsageError, match="cut-off of PEER must be at least 1, found 0"):
        measured([LEVELS], 0)


def test_no_queries_at_all() -> None:
    scores = measured([], 10)
    assert (scores.mean, scores.one_language, scores.one_document_each) == (None, 0, 0)


DOCUMENTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.booleans()), min_size=1, max_size=14
)


@given(st.lists(DOCUMENTS, min_size=1, max_size=4), st.integers(1, 20), st.randoms())
@settings(deadline=None)
def test_each_level_equals_the_test_of_scipy(drawn, k: int, random) -> None:
    queries = []
    for documents in drawn:
        places = random.sample(range(1, 25), len(documents))
        queries.append(
            [
                (language, grade, place if retrieved else 0)
                for (language, grade, retrieved), place in zip(documents, places, strict=True)
            ]
        )
    expected = {}
    for number, query in enumerate(queries):
        levels = []
        for grade in (1, 2):
            by_language: dict[str, list[float]] = {}
            for language, level, rank in query:
                if level == grade:
                    place = rank if 0 < rank <= k else float("1e9")
                    by_language.setdefault(language, []).append(place)
            samples = list(by_language.values())
            if len(samples) > 1 and max(map(len, samples)) > 1:
                tied = len(set(np.concatenate(samples))) == 1  # scipy has nan here
                levels.append(1.0 if tied else kruskal(*samples).pvalue)
        if levels:
            expected[number] = np.mean(levels)
    scores = measured(queries, k)
    assert scores.query.tolist() == list(expected)
    np.testing.assert_allclose(scores.value, list(expected.values()), rtol=1e-9, atol=1e-12)
    left_out = scores.one_language + scores.one_document_each
    assert len(expected) + left_out == len(queries)


@given(st.permutations(LEVELS), st.permutations("ab"), st.integers(1, 15))
@settings(deadline=None)
def test_neither_the_order_of_the_rows_nor_the_names_of_languages_count(
    documents: list[Document], names: list[str], k: int
) -> None:
    renamed = [("ab"[names.index(language)], *rest) for language, *rest in documents]
    assert one(renamed, k) == pytest.approx(one(LEVELS, k))


def test_a_plain_run_is_measured_too(tmp_path: Path) -> None:
    order = ["de_1", "de_2", "xx_9", "en_1", "en_2"]
    run, qrels = tmp_path / "run.txt", tmp_path / "qrels.txt"
    run.write_text("".join(f"q Q0 {d} {i} {-i} t\n" for i, d in enumerate(order)))
    qrels.write_text("".join(f"q 0 {d} 1\n" for d in sorted(order) if d != "xx_9"))
    judgments = read_qrels(qrels)
    judged = judged_ranks_of_run(read_run(run), judgments)
    language = np.array([d.startswith("en") for d in judgments["q"]], dtype=np.int64)
    assert peer(judged, language, 10).value.tolist() == [pytest.approx(LOW)]
    # Within the first 2 there is all of de and nothing of en.
    assert peer(judged, language, 2).value.tolist() == [pytest.approx(chi2.sf(12 / 4.5, 1))]
