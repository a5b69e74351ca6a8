"""Measures against trec_eval: its published outputs, its code, and the libraries around it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from math import floor
from typing import TYPE_CHECKING

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.measures import measure
from harness.runs import judged_ranks_of_run, read_qrels, read_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import RunsCommand

Run = dict[str, dict[str, float]]
Qrels = dict[str, dict[str, int]]

# Ours by the name that trec_eval gives it. Where they can be told what is relevant: LEVELLED.
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
    "Rprec": "Rprec",
    "bpref": "Bpref",
    "infAP": "infAP",
    "set_P": "SetP",
    "set_recall": "SetR",
    "set_F": "SetF",
    "set_map": "SetAP",
    "set_relative_P": "SetRelP",
    "num_q": "NumQ",
    "num_rel": "NumRel",
    "num_rel_ret": "NumRelRet",
    "num_ret": "NumRet",
}
OF_THE_QRELS = {"num_q", "num_rel"}
"""What a query that the run lacks has all the same."""
LEVELLED = {
    "map": "AP(rel={})",
    "map_cut_5": "AP(rel={})@5",
    "recip_rank": "RR(rel={})",
    "recall_5": "R(rel={})@5",
    "P_5": "P(rel={})@5",
    "success_5": "Success(rel={})@5",
    "Rprec": "Rprec(rel={})",
    "bpref": "Bpref(rel={})",
    "infAP": "infAP(rel={})",
    "set_P": "SetP(rel={})",
    "set_recall": "SetR(rel={})",
    "set_F": "SetF(rel={})",
    "set_map": "SetAP(rel={})",
    "set_relative_P": "SetRelP(rel={})",
    "num_rel": "NumRel(rel={})",
    "num_rel_ret": "NumRet(rel={})",
}


def values(name: str, run: Run, qrels: Qrels) -> dict[str, float]:
    """A measure of every query of the qrels."""
    return dict(zip(qrels, measure(name, judged_ranks_of_run(run, qrels)).tolist(), strict=True))


# The outputs that trec_eval publishes with its test inputs.

WITH_CUTOFF = {
    "P": "P@",
    "iprec_at_recall": "IPrec@",
    "map_cut": "AP@",
    "ndcg_cut": "nDCG@",
    "recall": "R@",
    "success": "Success@",
    "unj": "Unjudged@",
}
# The test's judgments are 0 and 1: the gains of rbp are those of the least grade 1.
PUBLISHED = {**IN_TREC_EVAL, "rbp": "RBP(p=0.9,rel=1)"}
NOT_NAMED_BY_IR_MEASURES = {
    "11pt_avg",
    "G",
    "Rndcg",
    "Rprec_mult",
    "binG",
    "gm_bpref",
    "gm_map",
    "ndcg_rel",
    "num_nonrel_judged_ret",
    "rbp_resid",
    "relative_P",
    "relstring",
    "runid",
    "utility",
}


def our_name(theirs: str) -> str | None:
    """Our name of one of trec_eval's measures, if we have it."""
    kind, _, cutoff = theirs.rpartition("_")
    if kind in WITH_CUTOFF and re.fullmatch(r"[0-9.]+", cutoff):
        return WITH_CUTOFF[kind] + cutoff
    return PUBLISHED.get(theirs)


@pytest.mark.parametrize(
    ("output", "results", "options", "compared"),
    [
        ("out.test", "results.test", (), 28),
        ("out.test.a", "results.test", (), 69),
        ("out.test.aq", "results.test", ("--per-query",), 4 * 69 - 3),
        # trec_eval -c: query 302 is not in this run, and counts 0. Its lines are scattered, and
        # words follow their tags.
        ("out.test.aqc", "results.trunc", ("--per-query",), 4 * 69 - 3),
    ],
)
def test_lines_are_those_that_trec_eval_publishes(
    babelboard: RunsCommand,
    data: Path,
    output: str,
    results: str,
    options: tuple[str, ...],
    compared: int,
) -> None:
    folder = data / "trec_eval"
    expected, left_out = {}, set()
    for line in (folder / output).read_text(encoding="utf-8").splitlines():
        theirs, query, printed = line.split(maxsplit=2)
        if ours := our_name(theirs):
            expected[ours, query] = printed
        else:
            left_out.add(re.sub(r"_[0-9.]+$", "", theirs))
    assert left_out <= NOT_NAMED_BY_IR_MEASURES
    assert len(expected) == compared
    asked = [part for name, query in expected if query == "all" for part in ("-m", name)]
    finished = babelboard(
        "evaluate",
        folder / results,
        *("--qrels", folder / "qrels.test", "--format", "trec", *options, *asked),
    )
    assert finished.returncode == 0
    found = {}
    for line in finished.stdout.splitlines():
        ours, query, printed = line.split("\t")
        assert len(ours) >= 22
        found[ours.rstrip(), query] = printed
    # trec_eval prints no num_q for a single query.
    assert {key: value for key, value in found.items() if key in expected} == expected
    assert {name for name, _ in set(found) - set(expected)} <= {"NumQ"}


# Its code.

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
    # trec_eval hangs, crashes or reads what was there before on a query without a grade of 0 or
    # more, or with none up to the level less 1: documents that are never retrieved give it these.
    unseen = {"never retrieved": 0, "nor this": 1, "nor that": 2}
    return run, {query: {**grades, **unseen} for query, grades in qrels.items()}


def in_trec_eval(run: Run, qrels: Qrels, names: set[str], level: int = 1) -> dict[str, dict]:
    """What trec_eval -c finds: a query that the run lacks counts 0 in everything."""
    # pytrec_eval takes a cut-off as a parameter of its measure.
    wanted = {re.sub(r"_([\d.]+)$", r".\1", name) for name in names}
    found = pytrec_eval.RelevanceEvaluator(qrels, wanted, relevance_level=level).evaluate(run)
    return {query: found.get(query, dict.fromkeys(names, 0.0)) for query in qrels}


def assert_equal(names: Mapping[str, str], run: Run, qrels: Qrels, level: int = 1) -> None:
    expected = in_trec_eval(run, qrels, set(names), level)
    for theirs, ours in names.items():
        for query, value in values(ours, run, qrels).items():
            if query in run or theirs not in OF_THE_QRELS:
                assert value == pytest.approx(expected[query][theirs], abs=1e-9), (ours, query)


@given(runs())
@settings(max_examples=150, deadline=None)
def test_measures_equal_those_of_trec_eval(case: tuple[Run, Qrels]) -> None:
    assert_equal(IN_TREC_EVAL, *case)


@given(runs(), st.sampled_from([2, 3]))
@settings(max_examples=100, deadline=None)
def test_higher_levels_of_relevance_are_those_of_trec_eval(
    case: tuple[Run, Qrels], level: int
) -> None:
    assert_equal({theirs: ours.format(level) for theirs, ours in LEVELLED.items()}, *case, level)


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


@given(runs(), st.sampled_from(["0.00", "0.10", "0.25", "0.50", "0.60", "0.90", "1.00"]))
@settings(max_examples=150, deadline=None)
def test_interpolated_precision_is_that_of_trec_eval(case: tuple[Run, Qrels], recall: str) -> None:
    run, qrels = case
    expected = in_trec_eval(run, qrels, {f"iprec_at_recall_{recall}"})
    for query, value in values(f"IPrec@{recall}", run, qrels).items():
        relevant = sum(grade > 0 for grade in qrels[query].values())
        # pytrec_eval has trec_eval 9, which rounds up from 0.1 on; we round as trec_eval 10 does.
        if int(float(recall) * relevant + 0.9) == floor(float(recall) * relevant + 0.5):
            assert value == pytest.approx(expected[query][f"iprec_at_recall_{recall}"], abs=1e-9)


def test_graded_judgments_of_trec_evals_own_tests_give_its_values(data: Path) -> None:
    run = read_run(data / "trec_eval" / "results.test")
    qrels = read_qrels(data / "trec_eval" / "qrels.rel_level")
    assert {grade for grades in qrels.values() for grade in grades.values()} == {-1, 0, 1, 2, 3, 4}
    assert_equal(IN_TREC_EVAL, run, qrels)
    for level in (2, 3, 4):
        assert_equal(
            {name: ours.format(level) for name, ours in LEVELLED.items()}, run, qrels, level
        )


def test_without_the_queries_that_the_run_lacks_it_is_trec_evals_default(
    babelboard: RunsCommand, data: Path
) -> None:
    folder = data / "trec_eval"
    run, qrels = read_run(folder / "results.trunc"), read_qrels(folder / "qrels.test")
    found = pytrec_eval.RelevanceEvaluator(qrels, {"map", "num_rel"}).evaluate(run)
    asked = ("--qrels", folder / "qrels.test", "--common", "-m", "AP", "-m", "NumRel", "--json")
    finished = babelboard("evaluate", folder / "results.trunc", *asked)
    assert sorted(found) == ["301", "303"]
    assert json.loads(finished.stdout)["measures"] == {
        "AP": pytest.approx(sum(row["map"] for row in found.values()) / 2),
        "NumRel": sum(row["num_rel"] for row in found.values()),
    }


# ir_measures and ranx.


def without_ties(run: Mapping[str, Mapping[str, float]]) -> Run:
    """The same rankings with distinct scores.

    ranx orders tied documents as its sort happens to leave them, and ir_measures by ascending id
    for Judged. trec_eval's order is a property of the ranking, so it is given as a ranking.
    """
    found = {}
    for query, scores in run.items():
        key = {name: (np.float32(score), name.encode()) for name, score in scores.items()}
        worst_first = sorted(scores, key=key.__getitem__)
        found[query] = {name: float(place) for place, name in enumerate(worst_first, 1)}
    return found


IN_IR_MEASURES = [
    *(name for name in IN_TREC_EVAL.values()),
    *("Judged@1", "Judged@5", "Judged@20", "Judged@1000", "MRR", "MAP@10", "NumRet(rel=2)"),
    *("P(rel=2)@20", "AP(rel=2)@20", "Rprec(rel=2)", "Bpref(rel=2)", "infAP(rel=2)"),
    *("SetP(rel=2)", "SetP(relative=True,rel=2)", "SetF(rel=2)", "SetAP(rel=3)", "SetR(rel=3)"),
]


@pytest.mark.parametrize("judgments", ["qrels.test", "qrels.rel_level"])
def test_ir_measures_means_the_same_by_the_same_names(data: Path, judgments: str) -> None:
    run = without_ties(read_run(data / "trec_eval" / "results.trunc"))
    qrels = read_qrels(data / "trec_eval" / judgments)
    by_name = {name: ir_measures.parse_measure(name) for name in IN_IR_MEASURES}
    theirs = ir_measures.calc(list(by_name.values()), qrels, run)
    found = {(m.query_id, m.measure): m.value for m in theirs[1]}
    for name, parsed in by_name.items():
        for query, value in values(name, run, qrels).items():
            if query in run or name not in ("NumQ", "NumRel"):
                assert value == pytest.approx(found[query, parsed], abs=1e-9), (name, query)


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
