"""Times step-down max-T against its matrix product alone, and against other libraries.

Usage: ``python -m tests.benchmarks.significance_ratio [--out FILE.json] [--quick]``

The large case is the whole of XQuAD-R for a leaderboard of twenty systems: 1,190 questions,
143 settings and averages, 27,170 pairs; raw, per-setting and global adjusted p-values.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.stats

from harness.provenance import hardware, versions
from harness.significance import max_t as max_t_module
from harness.significance.max_t import Pairs, count_with_numpy, max_t
from harness.significance.max_t_numba import count_with_numba

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LCM = 2520
PEER_SYSTEMS = 10


def scores_of(questions: int, columns: int, seed: int) -> NDArray[np.float64]:
    """RR@10-like scores in units of 1/2520, 45% of them 0."""
    stream = np.random.default_rng(seed)
    rank = stream.integers(1, 11, (questions, columns))
    return np.where(stream.random((questions, columns)) < 0.45, 0, LCM // rank).astype(float)


def fine_scores_of(questions: int, columns: int, seed: int) -> NDArray[np.float64]:
    """AP-like scores in units of 2^-32."""
    return np.rint(np.random.default_rng(seed).random((questions, columns)) * 2**32)


def pairs_of(systems: int, settings: int) -> tuple[Pairs, list[NDArray[np.int64]]]:
    """All pairs of systems in each setting; a family a setting, and one of all."""
    pairs = np.array(list(combinations(range(systems), 2)))
    first = np.concatenate([pairs[:, 0] + s * systems for s in range(settings)])
    second = np.concatenate([pairs[:, 1] + s * systems for s in range(settings)])
    size = len(pairs)
    families = [np.arange(s * size, (s + 1) * size) for s in range(settings)]
    return Pairs(first, second), [*families, np.arange(len(first))]


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def product(scores: NDArray[np.float64], resamples: int) -> Callable[[], None]:
    """The bare matrix product: signs by scores, in the precision that max-T takes."""
    dtype = max_t_module._exact_dtype(scores)
    columns = np.ascontiguousarray(scores.T, dtype=dtype)
    block = 4096
    signs = np.ones((len(scores), block), dtype=dtype)

    def run() -> None:
        for _ in range(0, resamples, block):
            columns @ signs

    return run


def against_product(
    name: str, scores: NDArray[np.float64], shape: tuple[int, int, int], repeats: int
) -> dict[str, object]:
    """Times max-T and the bare product in turn.

    Args:
        name: Name of the row.
        scores: Shape (questions, systems x settings).
        shape: Systems, settings, resamples.
        repeats: How often; medians are reported.
    """
    systems, settings, resamples = shape
    pairs, families = pairs_of(systems, settings)
    questions = [f"q{i}" for i in range(len(scores))]

    def test() -> None:
        max_t(scores, questions, pairs, families, resamples=resamples, seed=0)

    max_t(scores[:, : 2 * systems], questions, *pairs_of(systems, 2), resamples=256, seed=0)
    bare = product(scores, resamples)
    ours, theirs = [], []
    for _ in range(repeats):
        theirs.append(seconds(bare))
        ours.append(seconds(test))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return {
        "case": name,
        "pairs": len(pairs.a),
        "resamples": resamples,
        "seconds": statistics.median(ours),
        "product_seconds": statistics.median(theirs),
        "times_the_product": ratio,
    }


def against_scipy(repeats: int, resamples: int) -> dict[str, object]:
    """One setting of 10 systems: all pairs by max-T, and by scipy one after the other."""
    scores = scores_of(1190, PEER_SYSTEMS, 1)
    pairs, families = pairs_of(PEER_SYSTEMS, 1)
    questions = [f"q{i}" for i in range(len(scores))]

    def ours() -> None:
        max_t(scores, questions, pairs, families, resamples=resamples, seed=0)

    def theirs() -> None:
        for a, b in combinations(range(PEER_SYSTEMS), 2):
            scipy.stats.permutation_test(
                (scores[:, a] - scores[:, b],),
                np.mean,
                permutation_type="samples",
                vectorized=True,
                n_resamples=resamples,
                batch=1024,
                rng=np.random.default_rng(0),
            )

    return _peer("scipy.stats.permutation_test", ours, theirs, repeats, resamples)


def against_ranx(repeats: int, resamples: int) -> dict[str, object]:
    """The same against ranx's Fisher test."""
    from ranx.statistical_tests.fisher_randomization_test import fisher_randomization_test

    scores = scores_of(1190, PEER_SYSTEMS, 1)
    pairs, families = pairs_of(PEER_SYSTEMS, 1)
    questions = [f"q{i}" for i in range(len(scores))]

    def ours() -> None:
        max_t(scores, questions, pairs, families, resamples=resamples, seed=0)

    def theirs() -> None:
        for a, b in combinations(range(PEER_SYSTEMS), 2):
            fisher_randomization_test(
                scores[:, a] / LCM, scores[:, b] / LCM, n_permutations=resamples
            )

    fisher_randomization_test(scores[:, 0] / LCM, scores[:, 1] / LCM, n_permutations=8)
    return _peer("ranx fisher", ours, theirs, repeats, resamples)


def _peer(
    name: str,
    ours: Callable[[], None],
    theirs: Callable[[], None],
    repeats: int,
    resamples: int,
) -> dict[str, object]:
    ours()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    return {
        "case": f"45 pairs, 1,190 questions, against {name}",
        "resamples": resamples,
        "seconds": statistics.median(a for a, _ in pairs),
        "peer_seconds": statistics.median(b for _, b in pairs),
        "times_faster": statistics.median(b / a for a, b in pairs),
    }


def main() -> None:
    """Runs the cases and prints a table; JSON goes to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of the resamples")
    arguments = parser.parse_args()
    resamples = 10_240 if arguments.quick else 101_376
    rows = []
    for name, make in (("RR@10", scores_of), ("AP", fine_scores_of)):
        print(f"{name}, 27,170 pairs ...", file=sys.stderr)
        scores = make(1190, 20 * 143, 0)
        rows.append(against_product(f"{name}, numba", scores, (20, 143, resamples), 3))
    print("without numba ...", file=sys.stderr)
    kept = max_t_module._kernel
    max_t_module._kernel = lambda: count_with_numpy
    rows.append(
        against_product("AP, numpy alone", fine_scores_of(1190, 2860, 0), (20, 143, 10_240), 1)
    )
    max_t_module._kernel = kept
    assert kept() is count_with_numba
    print("scipy ...", file=sys.stderr)
    rows.append(against_scipy(3, 4_000))
    print("ranx ...", file=sys.stderr)
    rows.append(against_ranx(3, 4_000))
    if not arguments.quick:
        print("mMARCO's size, 6,980 questions x 200 settings x 20 systems ...", file=sys.stderr)
        rows.append(
            against_product("mMARCO's size, RR@10", scores_of(6980, 4000, 0), (20, 200, 10_240), 1)
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for row in rows:
        print("  ".join(f"{key} {_shown(value)}" for key, value in row.items()))
    print(f"largest memory {peak:.2f} GiB")
    if arguments.out:
        content = {
            "rows": rows,
            "peak_gib": peak,
            "hardware": hardware("cpu"),
            "versions": versions(),
        }
        arguments.out.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _shown(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else f"{value}"


if __name__ == "__main__":
    main()
