"""Ranks and measures of all settings, beside the bare matrix products, in turn.

::

    python -m tests.benchmarks.ranking_ratio [--data DIR] [--dimension N] [--repeats N]
        [--json FILE]

All settings of XQuAD-R where its files are at hand, else of pocket. Made-up unit vectors, a query
near the documents that are relevant to it. Sides, all from the same embeddings in memory:

- ``ours``: ranks of all judged documents in all settings, and all measures with their summaries;
- ``ranks``: only the ranks;
- ``float64``: only the ranks, from exact scores of all documents;
- ``product``: the products of float32 matrices, all queries by each corpus, and nothing else.

Reported are medians of the ratios of neighbouring runs, for wall time and for processor time of all
threads. Exits with 1 where the ranks are not those of the exact scores.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.embeddings.preparation import Preparation
from harness.embeddings.vector_rows import VectorRows
from harness.progress import Silent
from harness.provenance import hardware, versions
from harness.retrieval.dense_retriever import DenseQueries, DenseRetriever
from harness.retrieval.layout import Layout
from harness.retrieval.pool_ranking import rank_pools
from harness.task_summary import summarise
from tasks.errors import BabelboardError
from tests.benchmarks.encoding_ratio import find_task
from tests.benchmarks.exact_only import ExactOnly
from tests.benchmarks.side_by_side import in_turn, ratios, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.ranks import RankTable
    from harness.retrieval.retrievers import Pool, Retriever
    from tasks.task import Task

NOISE = 0.15
"""Of each component, beside a topic of length 1."""


@dataclass(frozen=True, slots=True)
class ExactRetriever:
    """A retriever of which only exact scores are to be had."""

    retriever: DenseRetriever
    pool_independent: bool = True
    retrieves_all: bool = True

    def pool(self, document_languages: tuple[str, ...]) -> Pool:
        """See :meth:`harness.retrieval.retrievers.Retriever.pool`."""
        return ExactOnly.of(self.retriever.pool(document_languages))


def made_up(
    task: Task, dimension: int
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Vectors of all queries, stacked by language, and of the documents by language."""
    stream, collection = np.random.default_rng(0), task.collection
    topics = unit(stream.standard_normal((len(collection.questions), dimension)))
    queries, documents = [], {}
    for code in sorted(collection.queries):
        topic = topics[collection.queries[code].question]
        queries.append(unit(topic + NOISE * stream.standard_normal(topic.shape)))
    for code in sorted(collection.corpora):
        found = NOISE * stream.standard_normal((len(collection.corpora[code].ids), dimension))
        judged = collection.judgments[code]
        np.add.at(found, judged.document, topics[judged.question])
        documents[code] = unit(found)
    return np.concatenate(queries), documents


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    """The same directions, of length 1."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def ranks_of(task: Task, retriever: Retriever) -> RankTable:
    """All settings of a task."""
    layout = Layout(task, task.settings)
    ranked = rank_pools(layout, retriever, {}, Silent())
    return layout.rank_table({name: (one.judged, one.rank) for name, one in ranked.items()})


def measure(task: Task, dimension: int, repeats: int) -> dict[str, Any]:
    """All sides in turn, and whether the ranks are the same."""
    queries, documents = made_up(task, dimension)
    held, found = Preparation(similarity="cosine"), {}

    def retriever() -> DenseRetriever:
        rows = {code: VectorRows([vectors]) for code, vectors in documents.items()}
        return DenseRetriever(DenseQueries(held.exact(queries)), rows, held)

    def ranks() -> None:
        found["ranks"] = ranks_of(task, retriever())

    def exact() -> None:
        found["float64"] = ranks_of(task, ExactRetriever(retriever()))

    def product() -> None:
        for vectors in documents.values():
            queries @ vectors.T

    sides = {
        "ours": lambda: summarise(ranks_of(task, retriever())),
        "ranks": ranks,
        "float64": exact,
        "product": product,
    }
    in_turn(sides, 1)  # compiles, and starts threads
    runs = in_turn(sides, repeats)
    return {
        "schema_version": 1,
        "task": task.name,
        "settings": len(task.settings),
        "queries": len(queries),
        "documents": sum(map(len, documents.values())),
        "dimension": dimension,
        "repeats": repeats,
        **{f"{name}_over_product": ratios(runs[name], runs["product"]) for name in list(sides)[:3]},
        "same_as_float64": bool(np.array_equal(found["ranks"].rank, found["float64"].rank)),
        "versions": versions(),
        "hardware": hardware("cpu"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Time ranks and measures against products.")
    parser.add_argument("--data", type=Path, help="folder that holds xquad-r/")
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="JSON file to write")
    chosen = parser.parse_args()
    if min(chosen.dimension, chosen.repeats) < 1:
        parser.error("--dimension and --repeats must be at least 1")
    try:
        report: Mapping[str, Any] = measure(
            find_task(chosen.data), chosen.dimension, chosen.repeats
        )
    except BabelboardError as error:
        parser.error(str(error))
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if not report["same_as_float64"]:
        say("The ranks are not those of the exact scores.")
    return int(not report["same_as_float64"])


if __name__ == "__main__":
    sys.exit(main())
