"""Exact search of the first documents here and with faiss, in turn, beside the bare product.

::

    python -m tests.benchmarks.search_ratio [--vectors N] [--queries N] [--dimension N]
        [--depth N] [--repeats N] [--json FILE]

faiss (``pip install faiss-cpu``) searches with ``IndexFlatIP``: inner products in float32, as they
come. Here the first documents are those of exact inner products. The bare product is that of
float32 matrices of the same shapes, in the blocks that are used here, and nothing else.

Made-up unit vectors; the index is built, and code compiled, before anything is timed. Reported are
medians of the ratios of neighbouring runs, for wall time and for processor time of all threads,
which other work on the machine changes less. Exits with 1 where the documents found differ from
those of float64 products of all vectors, or faiss finds others whose scores are not within 1e-5.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.embeddings.preparation import Preparation
from harness.embeddings.vector_rows import VectorRows
from harness.provenance import hardware, versions
from harness.retrieval.dense_retriever import DensePool, DenseQueries
from harness.retrieval.scan import DOCUMENTS_PER_BLOCK, SCORE_BYTES, JudgedPairs, scan
from tests.benchmarks.exact_only import ExactOnly
from tests.benchmarks.side_by_side import in_turn, ratios, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harness.retrieval.top_documents import TopDocuments

TOLERANCE = 1e-5
NO_PAIRS = JudgedPairs(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))


def unit_vectors(rows: int, dimension: int, seed: int) -> NDArray[np.float32]:
    """Directions that are as likely as any other."""
    found = np.random.default_rng(seed).standard_normal((rows, dimension), dtype=np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def bare_product(
    queries: NDArray[np.float32], vectors: NDArray[np.float32], height: int
) -> Callable[[], None]:
    """Products of all blocks into the same memory."""
    room = np.empty(height * DOCUMENTS_PER_BLOCK, dtype=np.float32)

    def multiply() -> None:
        for left in range(0, len(vectors), DOCUMENTS_PER_BLOCK):
            block = vectors[left : left + DOCUMENTS_PER_BLOCK]
            for first in range(0, len(queries), height):
                some = queries[first : first + height]
                out = room[: len(some) * len(block)].reshape(len(some), len(block))
                np.matmul(some, block.T, out=out)

    return multiply


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """All sides in turn, and whether they found the same."""
    import faiss

    vectors = unit_vectors(chosen.vectors, chosen.dimension, 0)
    queries = unit_vectors(chosen.queries, chosen.dimension, 1)
    index = faiss.IndexFlatIP(chosen.dimension)
    index.add(vectors)
    held = Preparation(similarity="cosine")
    pool = DensePool(DenseQueries(held.exact(queries)), VectorRows([vectors]), held)
    order, top = np.arange(len(vectors)), (np.arange(len(queries)), chosen.depth)
    found: dict[str, Any] = {}

    def ours() -> None:
        found["ours"] = scan(pool, order, NO_PAIRS, top).top

    def theirs() -> None:
        found["faiss"] = index.search(queries, chosen.depth)

    few = DensePool(DenseQueries(held.exact(queries)), VectorRows([vectors[:1024]]), held)
    scan(few, order[:1024], NO_PAIRS, top)  # compiles
    index.search(queries[:2], chosen.depth)
    height = SCORE_BYTES // (8 * DOCUMENTS_PER_BLOCK)
    product = bare_product(queries, vectors, height)
    runs = in_turn({"ours": ours, "faiss": theirs, "product": product}, chosen.repeats)
    exact = ExactOnly.of(pool)
    same = same_as_float64(found["ours"], scan(exact, order, NO_PAIRS, top).top)
    scores, documents = found["faiss"]
    off = float(np.abs(found["ours"].score - scores).max())
    return {
        "schema_version": 1,
        "vectors": chosen.vectors,
        "queries": chosen.queries,
        "dimension": chosen.dimension,
        "depth": chosen.depth,
        "repeats": chosen.repeats,
        "faiss_over_ours": ratios(runs["faiss"], runs["ours"]),
        "ours_over_product": ratios(runs["ours"], runs["product"]),
        "same_as_float64": same,
        "share_same_place_as_faiss": float((found["ours"].document == documents).mean()),
        "largest_difference_of_scores": off,
        "versions": {**versions(), "faiss": faiss.__version__},
        "hardware": hardware("cpu"),
    }


def same_as_float64(found: TopDocuments, expected: TopDocuments | None) -> bool:
    """Whether documents and scores are equal to the last bit."""
    return (
        expected is not None
        and np.array_equal(found.document, expected.document)
        and np.array_equal(found.score, expected.score)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Time exact search against faiss.")
    parser.add_argument("--vectors", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="JSON file to write")
    chosen = parser.parse_args()
    try:
        report = measure(chosen)
    except ModuleNotFoundError as error:
        if error.name != "faiss":
            raise
        parser.error("faiss is not installed: pip install faiss-cpu")
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    equal = report["same_as_float64"] and report["largest_difference_of_scores"] <= TOLERANCE
    if not equal:
        say("The documents found are not the same.")
    return int(not equal)


if __name__ == "__main__":
    sys.exit(main())
