"""Measures by hand, their names, and properties; tests/test_trec_eval.py has other tools."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.measures import JudgedRanks, Measure, measure, parse_measure
from harness.runs import judged_ranks_of_run
from tasks.errors import UnknownNameError, UsageError

# Those of a ranking, those of the set that was retrieved, and counts.
RANKED = [
    *("AP", "AP@5", "Bpref", "IPrec@0.4", "Judged@5", "P@5", "R@5", "RBP(p=0.9,rel=1)", "RR"),
    *("RR@5", "Rprec", "SetR", "Success@5", "Unjudged@5", "infAP", "nDCG", "nDCG@5"),
]
OF_SETS = ["SetAP", "SetF", "SetP", "SetRelP"]
COUNTS = ["NumQ", "NumRel", "NumRelRet"]
OF_POOLS = ["RankDistance", "RankDistanceShare"]


def judged(queries: list[list[tuple[int, int]]], pool_size: int | list[int] = 1000) -> JudgedRanks:
    """Queries as lists of (relevance, rank); rank 0 is not retrieved."""
    rows = [(query, *pair) for query, pairs in enumerate(queries) for pair in pairs]
    query, relevance, rank = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    sizes = np.broadcast_to(pool_size, len(queries)).astype(np.int64)
    return JudgedRanks(len(queries), query, relevance, rank, sizes)


def of_run(*queries: tuple[list[int | None], int]) -> JudgedRanks:
    """Queries as the grades down the ranking, None where unjudged, and relevant but not found."""
    run, qrels = {}, {}
    for number, (grades, missed) in enumerate(queries):
        run[f"q{number}"] = {f"d{rank}": -float(rank) for rank in range(len(grades))}
        found = {f"d{rank}": grade for rank, grade in enumerate(grades) if grade is not None}
        qrels[f"q{number}"] = {**found, **{f"m{n}": 1 for n in range(missed)}}
    return judged_ranks_of_run(run, qrels)


# By hand.

FOUND_AT_1_3_25 = [(1, 1), (1, 3), (0, 2), (1, 25), (1, 0)]
"""Relevant at ranks 1, 3 and 25; one more is not retrieved; the document at rank 2 is not."""
GRADED = [(1, 1), (0, 2), (2, 4), (3, 0), (-1, 3)]
"""Grade 1 at rank 1, grade 2 at rank 4, grade 3 not retrieved."""
LATE = [(1, 12), (1, 101)]


@pytest.mark.parametrize(
    ("name", "first", "graded", "late"),
    [
        ("AP", (1 + 2 / 3 + 3 / 25) / 4, (1 + 2 / 4) / 3, (1 / 12 + 2 / 101) / 2),
        ("AP@20", (1 + 2 / 3) / 4, (1 + 2 / 4) / 3, 1 / 12 / 2),
        ("AP@3", (1 + 2 / 3) / 4, 1 / 3, 0),
        ("AP(rel=2)", 0, (1 / 4) / 2, 0),
        ("RR", 1, 1, 1 / 12),
        ("RR@10", 1, 1, 0),
        ("RR(rel=2)@10", 0, 1 / 4, 0),
        ("R@100", 3 / 4, 2 / 3, 1 / 2),
        ("R(rel=2)@3", 0, 0, 0),
        ("R(rel=2)@4", 0, 1 / 2, 0),
        ("P@5", 2 / 5, 2 / 5, 0),
        ("P(rel=2)@5", 0, 1 / 5, 0),
        ("P@20", 2 / 20, 2 / 20, 1 / 20),
        ("Success@1", 1, 1, 0),
        ("Success(rel=2)@3", 0, 0, 0),
        ("Success@12", 1, 1, 1),
        # log2 of 2, 3, 4, 5, 13: 1, 1.5850, 2, 2.3219, 3.7004
        ("nDCG@10", 1.5 / 2.5616063, (1 + 2 / 2.3219281) / (3 + 2 / 1.5849625 + 1 / 2), 0),
        ("nDCG@2", 1 / 1.6309298, 1 / (3 + 2 / 1.5849625), 0),
        ("nDCG", 1.7127460 / 2.5616063, 1.8613531 / 4.7618595, 0.4201087 / 1.6309298),
        ("RankDistance", 999, 999, 89),
        ("RankDistanceShare", 0.999, 0.999, 0.089),
        ("Rprec", 2 / 4, 1 / 3, 0),
        ("Rprec(rel=2)", 0, 0, 0),
        ("SetR", 3 / 4, 2 / 3, 1),
        ("NumRel", 4, 3, 2),
        ("NumRel(rel=2)", 0, 2, 0),
        ("NumRelRet", 3, 2, 2),
        ("NumQ", 1, 1, 1),
        # One document is judged and not relevant: it comes after the first, before the others.
        ("Bpref", (1 + 0 + 0) / 4, (1 + 0) / 3, 1),
        # Share 0.5: of 4 documents 2; of 3 documents 1.5, so 2; of 2 documents 1.
        ("IPrec@0.5", 2 / 3, 2 / 4, 1 / 12),
        ("IPrec@0", 1, 1, 1 / 12),
        ("IPrec@0.75", 3 / 25, 2 / 4, 2 / 101),
        ("IPrec@1", 0, 0, 2 / 101),
        ("RBP(p=0.5,rel=1)", 0.5 * (1 + 0.5**2 + 0.5**24), 0.5 * (1 + 0.5**3), 0.5**12),
        ("RBP(p=0.5,rel=1)@3", 0.5 * (1 + 0.5**2), 0.5, 0),
        ("RBP(rel=2)", 0, 0.2 * 0.8**3, 0),
        ("Judged@1", 1, 1, 0),
        ("Judged@4", 3 / 4, 1, 0),
        ("Judged@200", 4 / 200, 4 / 200, 2 / 200),
        # A negative grade says that a document was in the pool and nobody judged it.
        ("Unjudged@4", 1 / 4, 1 / 4, 1),
    ],
)
def test_values_by_hand(name: str, first: float, graded: float, late: float) -> None:
    found = measure(name, judged([FOUND_AT_1_3_25, GRADED, LATE]))
    assert found.tolist() == pytest.approx([first, graded, late], abs=1e-7)


def test_inferred_average_precision_by_hand() -> None:
    # Relevant at 2 and 5; at 1 a document of the pool that nobody judged, at 3 one that is not
    # relevant; the document at 4 was not in the pool. At 2: one of the pool before, none judged;
    # at 5: three of the pool before, two judged, one of them relevant.
    ranked = judged([[(-1, 1), (1, 2), (0, 3), (1, 5), (1, 0)]])
    e = 1e-5
    at_2 = 1 / 2 + (1 / 2) * (0 + e) / (0 + 2 * e)
    at_5 = 1 / 5 + (3 / 5) * (1 + e) / (2 + 2 * e)
    assert measure("infAP", ranked)[0] == pytest.approx((at_2 + at_5) / 3, abs=1e-12)


def test_binary_preference_counts_no_more_of_the_others_than_there_are_relevant() -> None:
    # Two relevant; three judged others come before the second, but two are the most that count.
    assert measure("Bpref", judged([[(0, 1), (1, 2), (0, 3), (0, 4), (1, 5)]]))[0] == 1 / 4
    # Fewer others than relevant documents: they are all that could come before.
    assert measure("Bpref", judged([[(0, 1), (1, 2), (1, 3), (1, 0)]]))[0] == 0
    # No other at all; documents that nobody judged do not count.
    assert measure("Bpref", judged([[(1, 7), (-1, 3), (1, 0)]]))[0] == 1 / 2


def test_measures_of_the_retrieved_set_by_hand() -> None:
    # 2 of 4 retrieved are relevant, 3 are relevant in all; nothing found; nothing retrieved.
    ranked = of_run(([1, None, 0, 2], 1), ([0, None], 1), ([], 1))
    expected = {
        "NumRet": [4, 2, 0],
        "NumRelRet": [2, 0, 0],
        "SetP": [2 / 4, 0, 0],
        "SetRelP": [2 / 3, 0, 0],
        "SetR": [2 / 3, 0, 0],
        "SetF": [4 / 7, 0, 0],
        "SetAP": [2 / 4 * 2 / 3, 0, 0],
        "SetP(rel=2)": [1 / 4, 0, 0],
        "SetRelP(rel=2)": [1, 0, 0],
        "SetF(rel=2)": [2 / 5, 0, 0],
    }
    for name, found in expected.items():
        assert measure(name, ranked).tolist() == pytest.approx(found), name


def test_what_was_judged_in_runs_that_are_shorter_than_the_cutoff() -> None:
    # Of 4 retrieved, 2 are judged; of 2, both; nothing is retrieved.
    ranked = of_run(([1, None, 0, None], 0), ([0, -1], 1), ([], 1))
    assert measure("Judged@2", ranked).tolist() == [1 / 2, 1, 0]
    assert measure("Judged@10", ranked).tolist() == [2 / 4, 1, 0]
    # As in trec_eval: empty ranks hold nothing unjudged, a negative grade is none.
    assert measure("Unjudged@2", ranked).tolist() == [1 / 2, 1 / 2, 0]
    assert measure("Unjudged@10", ranked).tolist() == [2 / 10, 1 / 10, 0]


def test_a_rank_file_counts_its_whole_pool_as_retrieved() -> None:
    ranked = judged([[(1, 1), (0, 3)], [(1, 0)]], [4, 20])
    assert measure("Judged@10", ranked).tolist() == [2 / 4, 0]
    assert measure("Unjudged@10", ranked).tolist() == [2 / 10, 1]


@pytest.mark.parametrize("name", [*OF_SETS, "NumRet"])
def test_a_rank_file_does_not_tell_how_many_documents_were_retrieved(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} needs the number of documents retrieved"):
        measure(name, judged([FOUND_AT_1_3_25]))
    assert parse_measure(name).is_for_runs


@pytest.mark.parametrize("name", [*RANKED, *COUNTS, *OF_POOLS])
def test_all_others_can_be_computed_from_a_rank_file(name: str) -> None:
    assert not parse_measure(name).is_for_runs
    assert np.isfinite(measure(name, judged([FOUND_AT_1_3_25, []]))).all()


@pytest.mark.parametrize("name", OF_POOLS)
def test_a_run_does_not_tell_the_size_of_the_pool(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} needs the size of the pool"):
        measure(name, of_run(([1, 0], 0)))


NO_CREDIT = ["AP", "AP@20", "RR@10", "nDCG@10", "R@100", "P@5", "Success@5", "Rprec", "Bpref"]
NO_CREDIT += ["infAP", "IPrec@0", "IPrec@0.5", "RBP(rel=1)", "SetR", "NumRelRet"]


@pytest.mark.parametrize("name", NO_CREDIT)
def test_queries_without_judgments_or_without_relevant_documents_count_0(name: str) -> None:
    found = measure(name, judged([[], [(0, 1), (-1, 2)], [(1, 1)], [(1, 0)], []]))
    assert found[2] > 0
    assert found[[0, 1, 3, 4]].tolist() == [0, 0, 0, 0]
    assert measure(name, judged([])).tolist() == []


def test_rank_distance_by_hand() -> None:
    queries = [
        [(1, 4), (1, 9), (1, 2)],  # 9 - 2
        [(1, 4), (0, 900)],  # one relevant document is no distance away from itself
        [(1, 3), (1, 0)],  # not retrieved: as if last of the pool, 50 - 3
        [(1, 0), (1, 0)],
        [(0, 1), (0, 40)],
        [],
    ]
    assert measure("RankDistance", judged(queries, 50)).tolist() == [7, 0, 47, 0, 0, 0]
    # Every query has a pool of its own.
    pools = judged([[(1, 3), (1, 0)], [(1, 3), (1, 0)]], [10, 1000])
    assert measure("RankDistance", pools).tolist() == [7, 997]
    assert measure("RankDistanceShare", pools).tolist() == [0.7, 0.997]
    assert measure("RankDistanceShare", judged([[], [(1, 1)]], [0, 1])).tolist() == [0, 0]


def test_the_order_of_judgments_does_not_matter_within_a_query() -> None:
    one, other = judged([FOUND_AT_1_3_25, GRADED]), judged([FOUND_AT_1_3_25[::-1], GRADED[::-1]])
    for name in [*RANKED, *COUNTS, *OF_POOLS]:
        np.testing.assert_array_equal(measure(name, one), measure(name, other))


# Names.


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("AP", Measure("AP")),
        ("AP@20", Measure("AP", 20)),
        ("AP(rel=2)@20", Measure("AP", 20, 2)),
        ("RR@10", Measure("RR", 10)),
        ("MRR@10", Measure("RR", 10)),
        ("MAP", Measure("AP")),
        ("nDCG@10", Measure("nDCG", 10)),
        ("R@100", Measure("R", 100)),
        ("P(rel=2)@5", Measure("P", 5, 2)),
        ("Success@1", Measure("Success", 1)),
        ("RankDistance", Measure("RankDistance")),
        ("RankDistanceShare", Measure("RankDistanceShare")),
        ("Unjudged@10", Measure("Unjudged", 10)),
        ("Judged@10", Measure("Judged", 10)),
        ("BPref(rel=3)", Measure("Bpref", least_relevant=3)),
        ("RPrec", Measure("Rprec")),
        ("IPrec@0.10", Measure("IPrec", recall=0.1)),
        ("IPrec(rel=2)@1", Measure("IPrec", least_relevant=2, recall=1.0)),
        ("RBP(rel=1)", Measure("RBP", persistence=0.8)),
        ("RBP(p=0.5, rel=2)@10", Measure("RBP", 10, 2, persistence=0.5)),
        ("NumRet", Measure("NumRet")),
        ("NumRet(rel=2)", Measure("NumRelRet", least_relevant=2)),
        ("NumRelRet", Measure("NumRelRet")),
        ("SetRelP", Measure("SetRelP")),
        ("SetP(rel=2,relative=True)", Measure("SetRelP", least_relevant=2)),
        ("SetP(relative=False)", Measure("SetP")),
        ("P(cutoff=5)", Measure("P", 5)),
    ],
)
def test_measures_are_named_as_ir_measures_names_them(name: str, parsed: Measure) -> None:
    assert parse_measure(name) == parsed
    lower = ("RankDistance", "RankDistanceShare", "Unjudged@10")
    assert parsed.higher_is_better == (name not in lower)
    assert parsed.is_for_mlir == name.startswith("RankDistance")
    assert parsed.is_count == name.startswith("Num")


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("APP", "Did you mean AP"),
        ("nDGC@10", "Did you mean nDCG@10"),
        ("rankdistance", "Did you mean RankDistance"),
        ("RankDistance@5", "Did you mean RankDistance"),
        ("P", "Did you mean P@10?"),
        ("R", "Did you mean R@100?"),
        ("Success", "Did you mean Success@10"),
        ("bpref", "Did you mean Bpref?"),
        ("IPrec", "Did you mean IPrec@0.1?"),
        ("IPrec@1.5", "Did you mean IPrec@0.1?"),
        ("RBP(p=0.9)", "Did you mean RBP(p=0.9,rel=1)?"),
        ("RBP(p=1,rel=1)", "Did you mean RBP(p=0.9,rel=1)?"),
        ("SetF(beta=2.0)", "Did you mean SetF?"),
        ("SetP(relative=1)", "Did you mean SetP?"),
        ("NumRet@5", "Did you mean NumRet?"),
        ("AP(rel=1,rel=2)", "Did you mean AP?"),
        ("AP(cutoff=5)@10", "Did you mean AP?"),
        ("AP(rel=True)", "Did you mean AP?"),
        ("Unjudged(rel=1)@10", "Did you mean Unjudged@10?"),
        # trec_eval's names, and ours for them.
        ("map", "Did you mean AP?"),
        ("map_cut_5", "Did you mean AP@5?"),
        ("ndcg_cut.10", "Did you mean nDCG@10?"),
        ("iprec_at_recall_0.10", "Did you mean IPrec@0.10?"),
        ("recip_rank", "Did you mean RR?"),
        ("set_relative_P", "Did you mean SetRelP?"),
        ("unj_20", "Did you mean Unjudged@20?"),
        ("gm_map", "Did you mean"),
        ("ERR@20", "Did you mean RR@10"),
        ("nDCG@10(dcg='exp-log2')", "Known: AP,"),
        ("nDCG(rel=2)@10", "Did you mean nDCG@10"),
        ("P(judged_only=True)@5", "Did you mean P@10?"),
        ("P@-5", "Did you mean P@10"),
        ("AP@", "Did you mean AP"),
        ("AP AP", "Did you mean AP"),
        ("__import__('os')", "Known: AP,"),
        ("", "Known: AP,"),
    ],
)
def test_unknown_measures_are_refused_with_a_suggestion(name: str, suggested: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_measure(name)
    assert str(caught.value).startswith(f"Unknown measure: {name!r}. {suggested}")


@pytest.mark.parametrize("name", ["P@0", "AP@0", "AP@1.5", "AP@'x'", "AP(rel='x')", "AP(rel=0)"])
def test_a_cutoff_or_grade_that_is_no_positive_whole_number_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError):
        parse_measure(name)


# Properties.

BETTER_ABOVE = ["AP", "AP@5", "Bpref", "IPrec@0.4", "RBP(p=0.9,rel=1)", "RR", "RR@5", "Rprec"]
BETTER_ABOVE += ["SetR", "Success@5", "nDCG", "nDCG@5"]


@st.composite
def ranked_queries(draw: st.DrawFn) -> JudgedRanks:
    """Judged documents at distinct ranks up to 20, or not retrieved."""
    queries = []
    for _ in range(draw(st.integers(1, 4))):
        ranks = draw(st.lists(st.integers(1, 20), unique=True, max_size=8))
        ranks += [0] * draw(st.integers(0, 2))
        queries.append([(draw(st.integers(-1, 3)), rank) for rank in draw(st.permutations(ranks))])
    return judged(queries, 20)


@given(ranked_queries())
@settings(deadline=None)
def test_all_but_rank_distance_and_counts_lie_between_0_and_1(ranked: JudgedRanks) -> None:
    ranked = replace(ranked, retrieved=ranked.pool_size)
    for name in [*RANKED, *OF_SETS, "AP(rel=2)", "RR(rel=2)@5", "RankDistanceShare"]:
        found = measure(name, ranked)
        assert found.shape == (ranked.queries,)
        assert ((found >= 0) & (found <= 1 + 1e-12)).all(), name
    distance = measure("RankDistance", ranked)
    assert ((distance >= 0) & (distance <= 19)).all()


@given(ranked_queries(), st.data())
@settings(deadline=None)
def test_a_relevant_document_that_moves_up_lowers_no_measure(
    ranked: JudgedRanks, data: st.DataObject
) -> None:
    relevant = np.flatnonzero(ranked.relevance > 0).tolist()
    assume(relevant)
    row = data.draw(st.sampled_from(relevant), label="row")
    taken = set(ranked.rank[ranked.query == ranked.query[row]].tolist())
    worst = int(ranked.rank[row]) or 21
    free = [rank for rank in range(1, worst) if rank not in taken]
    assume(free)
    better = ranked.rank.copy()
    better[row] = data.draw(st.sampled_from(free), label="new rank")
    for name in [*BETTER_ABOVE, "P@5", "R@5"]:
        before, after = measure(name, ranked), measure(name, replace(ranked, rank=better))
        assert (after >= before - 1e-12).all(), name


@given(ranked_queries())
@settings(deadline=None)
def test_the_best_ranking_has_the_highest_values(ranked: JudgedRanks) -> None:
    rank = ranked.rank.copy()
    for query in range(ranked.queries):
        rows = np.flatnonzero(ranked.query == query)
        rank[rows[np.argsort(-ranked.relevance[rows], kind="stable")]] = np.arange(len(rows)) + 1
    best = replace(ranked, rank=rank)
    any_relevant = np.bincount(ranked.query[ranked.relevance > 0], minlength=ranked.queries) > 0
    for name in ("AP", "Bpref", "IPrec@1", "RR", "Rprec", "SetR", "nDCG", "nDCG@5", "Success@1"):
        assert measure(name, best).tolist() == pytest.approx(any_relevant.astype(float).tolist())


def test_ndcg_discounts_by_the_logarithm_of_the_rank_plus_1() -> None:
    for rank in (1, 2, 3, 10, 999):
        assert measure("nDCG", judged([[(3, rank)]]))[0] == pytest.approx(1 / math.log2(rank + 1))
