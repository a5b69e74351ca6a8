"""Measures here and in ranx, pytrec_eval and ir_measures, in turn.

::

    python -m tests.benchmarks.measures_ratio [--queries N] [--documents N] [--repeats N]
        [--json FILE]

Made-up rankings, 1,190 queries by 1,000 documents, one relevant document each. All begin with
arrays: here the ranks of the judged documents, which is what scoring finds; there ids and scores of
all documents, which they take as dicts (pytrec_eval, ir_measures) or as a Run made of them (ranx).
Reported are medians of the ratios of neighbouring runs, for wall time and for processor time of all
threads. Exits with 1 where a mean differs by more than 1e-6.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.judged_ranks import JudgedRanks
from harness.measures import measure
from harness.provenance import hardware, versions
from tests.benchmarks.side_by_side import in_turn, ratios, say

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("nDCG@10", "AP", "RR", "R@100")
TREC_NAMES = ("ndcg_cut_10", "map", "recip_rank", "recall_100")
RANX_NAMES = ("ndcg@10", "map", "mrr", "recall@100")
TOLERANCE = 1e-6
Means = dict[str, float]


def sides(queries: int, documents: int) -> dict[str, Callable[[], Means]]:
    """What each library does, from arrays to means."""
    import ir_measures
    import pytrec_eval
    import ranx

    rank = np.random.default_rng(0).integers(1, documents + 1, queries)
    scores = -np.arange(1.0, documents + 1)
    query_ids = [f"q{number}" for number in range(queries)]
    ids = [f"d{number}" for number in range(documents)]
    qrels = {name: {ids[r - 1]: 1} for name, r in zip(query_ids, rank.tolist(), strict=True)}
    every = np.tile(scores, (queries, 1))
    judged = JudgedRanks(
        queries, np.arange(queries), np.ones(queries, np.int64), rank, np.full(queries, documents)
    )
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, set(TREC_NAMES))
    ranx_qrels = ranx.Qrels(qrels)
    parsed = [ir_measures.parse_measure(name) for name in NAMES]
    prepared = ir_measures.evaluator(parsed, qrels)

    def run() -> dict[str, dict[str, float]]:
        rows = every.tolist()
        return {
            name: dict(zip(ids, row, strict=True))
            for name, row in zip(query_ids, rows, strict=True)
        }

    def in_pytrec_eval() -> Means:
        found = evaluator.evaluate(run())
        return {
            name: float(np.mean([values[theirs] for values in found.values()]))
            for name, theirs in zip(NAMES, TREC_NAMES, strict=True)
        }

    def in_ranx() -> Means:
        found = ranx.evaluate(ranx_qrels, ranx.Run(run()), list(RANX_NAMES))
        return {name: float(found[theirs]) for name, theirs in zip(NAMES, RANX_NAMES, strict=True)}

    def in_ir_measures() -> Means:
        return {str(name): value for name, value in prepared.calc_aggregate(run()).items()}

    return {
        "ours": lambda: {name: float(measure(name, judged).mean()) for name in NAMES},
        "ranx": in_ranx,
        "pytrec_eval": in_pytrec_eval,
        "ir_measures": in_ir_measures,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Time measures against other libraries.")
    parser.add_argument("--queries", type=int, default=1190)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="JSON file to write")
    chosen = parser.parse_args()
    if chosen.documents < 100 or min(chosen.queries, chosen.repeats) < 1:
        parser.error("--documents must be at least 100, --queries and --repeats at least 1")
    work = sides(chosen.queries, chosen.documents)
    means = {name: one() for name, one in work.items()}  # compiles, too
    runs = in_turn(work, chosen.repeats)
    report: dict[str, Any] = {
        "schema_version": 1,
        "queries": chosen.queries,
        "documents": chosen.documents,
        "repeats": chosen.repeats,
        **{f"{peer}_over_ours": ratios(runs[peer], runs["ours"]) for peer in list(work)[1:]},
        "means": means,
        "versions": versions()
        | {name: version(name) for name in ("ranx", "pytrec-eval-terrier", "ir-measures")},
        "hardware": hardware("cpu"),
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    equal = all(
        abs(found[name] - means["ours"][name]) <= TOLERANCE
        for found in means.values()
        for name in NAMES
    )
    if not equal:
        say("The means are not the same.")
    return int(not equal)


if __name__ == "__main__":
    sys.exit(main())
