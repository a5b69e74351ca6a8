"""Ranks judged documents in a corpus of mMARCO's size, with made-up vectors, and measures it.

Usage: ``python -m tests.benchmarks.large_corpus [--documents N] [--queries N] [--memory 1G] ...``

The vectors lie in memory-mapped pieces, as those of a real corpus do. Most of the time goes into
a product of queries x dimension x documents; it is timed alone beside the whole, in one process.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.embeddings.corpus_embeddings import ROWS
from harness.embeddings.preparation import Preparation
from harness.embeddings.vector_rows import VectorRows
from harness.memory import parse_memory
from harness.provenance import hardware, versions
from harness.retrieval.dense_retriever import DensePool, DenseQueries
from harness.retrieval.scan import JudgedPairs, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MMARCO = 8_841_823
QUERIES = 6_980
SMALL = 64


def pieces(folder: Path, documents: int, dimension: int) -> VectorRows:
    """Unit vectors in memory-mapped files of :data:`ROWS` rows each."""
    stream = np.random.default_rng(0)
    parts = []
    for first in range(0, documents, ROWS):
        rows = stream.standard_normal((min(ROWS, documents - first), dimension), dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        path = folder / f"{first}.npy"
        np.save(path, rows)
        parts.append(np.load(path, mmap_mode="r"))
    return VectorRows(parts)


def own_memory() -> int:
    """Bytes of this process that are its own: pages of mapped files can be given back."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """The largest memory of the process's own while the block runs."""
    peak, done = [own_memory()], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], own_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def product_alone(queries: NDArray[np.float32], seconds: float = 2.0) -> float:
    """Scores a second of the matrix product by itself."""
    documents = queries[: min(len(queries), 2048)]
    start, rounds = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        queries @ documents.T
        rounds += 1
    return rounds * len(queries) * len(documents) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=MMARCO // 8)
    parser.add_argument("--queries", type=int, default=QUERIES // 10)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--depth", type=int, default=100, help="documents of each ranking to keep")
    parser.add_argument("--memory", nargs="+", default=["256M", "1G", "4G"])
    parser.add_argument("--folder", type=Path, help="where the vectors are written")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    stream = np.random.default_rng(1)
    raw = stream.standard_normal((chosen.queries, chosen.dimension))
    held = Preparation(similarity="cosine")
    queries = DenseQueries(held.exact(raw))
    query = np.arange(chosen.queries)
    judged = stream.integers(0, chosen.documents, chosen.queries)
    order = np.arange(chosen.documents)
    results, found = [], []
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        rows = pieces(Path(folder), chosen.documents, chosen.dimension)
        pool = DensePool(queries, rows, held)
        pairs = JudgedPairs(query, pool.pairs(query, judged), judged)
        some = JudgedPairs(query[:SMALL], pairs.score[:SMALL], pairs.order[:SMALL])
        few = VectorRows([rows.between(0, SMALL)])
        first = (query[:SMALL], 1)
        scan(DensePool(queries, few, held), order[:SMALL], some, first)  # compiles
        for memory in chosen.memory:
            before = own_memory()
            with peak_memory() as peak:
                start = time.perf_counter()
                scanned = scan(pool, order, pairs, (query, chosen.depth), parse_memory(memory))
                seconds = time.perf_counter() - start
            found.append(scanned)
            rate = chosen.documents * chosen.queries / seconds
            results.append(
                {
                    "memory": memory,
                    "seconds": round(seconds, 2),
                    "own_memory_mb": round((peak[0] - before) / 2**20),
                    "scores_per_second": round(rate),
                    "hours_for_mmarco": round(MMARCO * QUERIES / rate / 3600, 2),
                    "share_of_product": round(
                        rate / product_alone(queries.exact.astype(np.float32)), 2
                    ),
                }
            )
            print(results[-1], flush=True)
    same = all(
        (one.before == found[0].before).all()
        and one.top
        and found[0].top
        and (one.top.document == found[0].top.document).all()
        for one in found
    )
    report = {
        "documents": chosen.documents,
        "queries": chosen.queries,
        "dimension": chosen.dimension,
        "depth": chosen.depth,
        "same_ranks_whatever_the_memory": same,
        "results": results,
        "versions": versions(),
        "hardware": hardware("cpu"),
    }
    print(json.dumps(report, indent=1))
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
