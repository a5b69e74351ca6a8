"""Measures by hand, and against trec_eval, its published outputs, and ranx."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest
import pytrec_eval
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.measures import JudgedRanks, Measure, measure, parse_measure
from harness.runs import judged_ranks_of_run, read_qrels, read_run
from tasks.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Run = dict[str, dict[str, float]]
Qrels = dict[str, dict[str, int]]

# Ours by the name that trec_eval gives it.
IN_TREC_EVAL = {
    "map": "AP",
    "map_cut_5": "AP@5",
    "map_cut_20": "AP@20",
    "ndcg": "nDCG",
    "ndcg_cut_5": "nDCG@5",
    "ndcg_cut_10": "nDCG@10",
    "recall_5": "R@5",
    "recall_100": "R@100",
    "P_5": "P@5",
    "success_5": "Success@5",
    "recip_rank": "RR",
}


def judged(queries: list[list[tuple[int, int]]], pool_size: int | list[int] = 1000) -> JudgedRanks:
    """Queries as lists of (relevance, rank); rank 0 is not retrieved."""
    rows = [(query, *pair) for query, pairs in enumerate(queries) for pair in pairs]
    query, relevance, rank = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    sizes = np.broadcast_to(pool_size, len(queries)).astype(np.int64)
    return JudgedRanks(len(queries), query, relevance, rank, sizes)


def values(name: str, run: Run, qrels: Qrels) -> dict[str, float]:
    """A measure of every query of the qrels."""
    return dict(zip(qrels, measure(name, judged_ranks_of_run(run, qrels)).tolist(), strict=True))


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
    ],
)
def test_values_by_hand(name: str, first: float, graded: float, late: float) -> None:
    found = measure(name, judged([FOUND_AT_1_3_25, GRADED, LATE]))
    assert found.tolist() == pytest.approx([first, graded, late], abs=1e-7)


@pytest.mark.parametrize("name", ["AP", "AP@20", "RR@10", "nDCG@10", "R@100", "P@5", "Success@5"])
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


def test_the_order_of_judgments_does_not_matter_within_a_query() -> None:
    one, other = judged([FOUND_AT_1_3_25, GRADED]), judged([FOUND_AT_1_3_25[::-1], GRADED[::-1]])
    for name in [*IN_TREC_EVAL.values(), "RankDistance"]:
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
    ],
)
def test_measures_are_named_as_ir_measures_names_them(name: str, parsed: Measure) -> None:
    assert parse_measure(name) == parsed
    assert parsed.higher_is_better == (name != "RankDistance")


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("APP", "Did you mean AP"),
        ("nDGC@10", "Did you mean nDCG@10"),
        ("rankdistance", "Did you mean RankDistance"),
        ("RankDistance@5", "Did you mean RankDistance"),
        ("P", "Did you mean AP"),
        ("R", "Known: AP, AP@20, P@10, R@100, RR@10, RankDistance, Success@10, nDCG@10."),
        ("Success", "Did you mean Success@10"),
        ("bpref", "Known: AP,"),
        ("ERR@20", "Did you mean RR@10"),
        ("nDCG@10(dcg='exp-log2')", "Known: AP,"),
        ("nDCG(rel=2)@10", "Did you mean nDCG@10"),
        ("P(judged_only=True)@5", "Known: AP,"),
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


@pytest.mark.parametrize("name", ["P@0", "AP@0", "AP@1.5", "AP@'x'", "AP(rel='x')"])
def test_a_cutoff_or_grade_that_is_no_positive_whole_number_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError):
        parse_measure(name)


# Against trec_eval.

# Scores tie often, some only in float32, as trec_eval holds them.
SCORES = st.sampled_from([-1.0, 0.0, -0.0, 0.5, 1.0, 1.0 + 1e-9, 1.0 - 1e-10, 1.5, 1e-42, 1e30])
DOCUMENTS = [*(f"d{number}" for number in range(16)), "D1", "é", "中", "\U0001f600", "～"]
QUERIES = [f"q{number}" for number in range(5)]


@st.composite
def runs(draw: st.DrawFn) -> tuple[Run, Qrels]:
    """A run and judgments that share some queries and some documents."""
    documents = st.sampled_from(DOCUMENTS)
    qrels = draw(
        st.dictionaries(
            st.sampled_from(QUERIES),
            st.dictionaries(documents, st.integers(-2, 3), min_size=1),
            min_size=1,
        )
    )
    run = draw(
        st.dictionaries(st.sampled_from(QUERIES), st.dictionaries(documents, SCORES, min_size=1))
    )
    return run, qrels


def in_trec_eval(run: Run, qrels: Qrels, names: set[str], level: int = 1) -> dict[str, dict]:
    """What trec_eval -c finds: a query that the run lacks counts 0 in everything."""
    # trec_eval hangs or crashes on a query with no grade of 0 or more: a document that is never
    # retrieved gives it one, and changes no value.
    qrels = {query: {**grades, "never retrieved": 0} for query, grades in qrels.items()}
    # pytrec_eval takes a cut-off as a parameter of its measure.
    wanted = {re.sub(r"_(\d+)$", r".\1", name) for name in names}
    found = pytrec_eval.RelevanceEvaluator(qrels, wanted, relevance_level=level).evaluate(run)
    return {query: found.get(query, dict.fromkeys(names, 0.0)) for query in qrels}


@given(runs())
@settings(max_examples=150, deadline=None)
def test_measures_equal_those_of_trec_eval(case: tuple[Run, Qrels]) -> None:
    run, qrels = case
    expected = in_trec_eval(run, qrels, set(IN_TREC_EVAL))
    for theirs, ours in IN_TREC_EVAL.items():
        for query, value in values(ours, run, qrels).items():
            assert value == pytest.approx(expected[query][theirs], abs=1e-9), (ours, query)


@given(runs(), st.sampled_from([1, 2, 10]))
@settings(max_examples=100, deadline=None)
def test_reciprocal_rank_with_a_cutoff_is_that_of_the_run_cut_off(
    case: tuple[Run, Qrels], cutoff: int
) -> None:
    run, qrels = case
    cut = {}
    for query, scores in run.items():
        by_id = sorted(scores, key=str.encode, reverse=True)
        best_first = sorted(by_id, key=lambda name: np.float32(scores[name]), reverse=True)
        cut[query] = {name: scores[name] for name in best_first[:cutoff]}
    expected = in_trec_eval(cut, qrels, {"recip_rank"})
    for query, value in values(f"RR@{cutoff}", run, qrels).items():
        assert value == pytest.approx(expected[query]["recip_rank"], abs=1e-9)


@given(runs(), st.sampled_from([2, 3]))
@settings(max_examples=100, deadline=None)
def test_higher_levels_of_relevance_are_those_of_trec_eval(
    case: tuple[Run, Qrels], level: int
) -> None:
    run, qrels = case
    names = {
        "map": f"AP(rel={level})",
        "map_cut_5": f"AP(rel={level})@5",
        "recip_rank": f"RR(rel={level})",
        "recall_5": f"R(rel={level})@5",
        "P_5": f"P(rel={level})@5",
        "success_5": f"Success(rel={level})@5",
    }
    expected = in_trec_eval(run, qrels, set(names), level)
    for theirs, ours in names.items():
        for query, value in values(ours, run, qrels).items():
            assert value == pytest.approx(expected[query][theirs], abs=1e-9), (ours, query)


def test_graded_judgments_of_trec_evals_own_tests_give_its_values(data: Path) -> None:
    run = read_run(data / "trec_eval" / "results.test")
    qrels = read_qrels(data / "trec_eval" / "qrels.rel_level")
    assert {grade for grades in qrels.values() for grade in grades.values()} == {-1, 0, 1, 2, 3, 4}
    expected = in_trec_eval(run, qrels, set(IN_TREC_EVAL))
    for theirs, ours in IN_TREC_EVAL.items():
        for query, value in values(ours, run, qrels).items():
            assert value == pytest.approx(expected[query][theirs], abs=1e-9), (ours, query)


# Against the outputs that trec_eval publishes with its test inputs.

WITH_CUTOFF = {"map_cut": "AP", "ndcg_cut": "nDCG", "recall": "R", "P": "P", "success": "Success"}


def our_name(theirs: str) -> str | None:
    """Our name of one of trec_eval's measures, if we have it."""
    kind, _, cutoff = theirs.rpartition("_")
    if kind in WITH_CUTOFF and cutoff.isdigit():
        return f"{WITH_CUTOFF[kind]}@{cutoff}"
    return {"map": "AP", "ndcg": "nDCG", "recip_rank": "RR"}.get(theirs)


@pytest.mark.parametrize(
    ("output", "results", "compared"),
    [
        ("out.test", "results.test", 11),
        ("out.test.a", "results.test", 42),
        ("out.test.aq", "results.test", 4 * 42),
        # trec_eval -c: query 302 is not in this run, and counts 0.
        ("out.test.aqc", "results.trunc", 4 * 42),
    ],
)
def test_values_are_those_that_trec_eval_publishes(
    data: Path, tmp_path: Path, output: str, results: str, compared: int
) -> None:
    folder = data / "trec_eval"
    path = tmp_path / results
    # In results.trunc the tag is followed by words that trec_eval passes over.
    lines = (folder / results).read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(" ".join(line.split()[:6]) for line in lines), encoding="utf-8")
    run, qrels = read_run(path), read_qrels(folder / "qrels.test")
    assert ("302" in run) == (results == "results.test")
    seen = 0
    for line in (folder / output).read_text(encoding="utf-8").splitlines():
        theirs, query, printed = line.split(maxsplit=2)
        if ours := our_name(theirs):
            by_query = values(ours, run, qrels)
            found = np.mean(list(by_query.values())) if query == "all" else by_query[query]
            assert f"{found:.4f}" == printed, (theirs, query)
            seen += 1
    assert seen == compared


def without_ties(run: Mapping[str, Mapping[str, float]]) -> Run:
    """The same rankings with distinct scores.

    ranx orders tied documents as its sort happens to leave them. trec_eval's order is a property
    of the ranking, so it is given to ranx as a ranking.
    """
    found = {}
    for query, scores in run.items():
        key = {name: (np.float32(score), name.encode()) for name, score in scores.items()}
        worst_first = sorted(scores, key=key.__getitem__)
        found[query] = {name: float(place) for place, name in enumerate(worst_first, 1)}
    return found


IN_RANX = {"map": "AP", "ndcg@10": "nDCG@10", "mrr@10": "RR@10", "recall@100": "R@100"}
RANX = """
import json, sys
import ranx
qrels, run, measures = json.load(sys.stdin)
run = ranx.Run.from_dict(run)
ranx.evaluate(ranx.Qrels.from_dict(qrels), run, measures)
print(json.dumps({name: dict(run.scores[name]) for name in measures}))
"""


def test_ranx_agrees_on_trec_evals_own_tests(data: Path) -> None:
    if find_spec("ranx") is None:
        pytest.skip("needs the extra 'score'")
    run = read_run(data / "trec_eval" / "results.test")
    qrels = read_qrels(data / "trec_eval" / "qrels.test")
    # Interpreted, in a process of its own: compiling ranx takes a minute, three queries do not.
    finished = subprocess.run(
        [sys.executable, "-c", RANX],
        input=json.dumps([qrels, without_ties(run), list(IN_RANX)]),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    theirs = json.loads(finished.stdout)
    for name, ours in IN_RANX.items():
        assert values(ours, run, qrels) == pytest.approx(theirs[name], abs=1e-9), name


# Properties.

SHARES = ["AP", "AP@5", "RR", "RR@5", "nDCG", "nDCG@5", "R@5", "P@5", "Success@5"]


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
def test_all_but_rank_distance_lie_between_0_and_1(ranked: JudgedRanks) -> None:
    for name in [*SHARES, "AP(rel=2)", "RR(rel=2)@5"]:
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
    for name in SHARES:
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
    for name in ("AP", "RR", "nDCG", "nDCG@5", "R@20", "Success@1"):
        assert measure(name, best).tolist() == pytest.approx(any_relevant.astype(float).tolist())


def test_ndcg_discounts_by_the_logarithm_of_the_rank_plus_1() -> None:
    for rank in (1, 2, 3, 10, 999):
        assert measure("nDCG", judged([[(3, rank)]]))[0] == pytest.approx(1 / math.log2(rank + 1))
