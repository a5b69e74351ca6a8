"""Dense rankings against sorting every score: float, quantised, and rescored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.models.description import ModelDescription
from harness.progress import Silent
from harness.retrieval.dense_retriever import prepare_dense
from harness.score import Plan, score
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import Role
    from harness.progress import Reporter
    from harness.retrieval.retrievers import Prepared
    from tasks.collection import Collection

SETTING = "clir/de-en"
DEPTH = 7


def vector_of(text: str) -> NDArray[np.float32]:
    digest = hashlib.blake2b(text.encode(), digest_size=24).digest()
    return np.frombuffer(digest, dtype=np.int8).astype(np.float32)


@dataclass
class HashEncoder:
    """Makes a vector of the hash of a text."""

    embeddings: str = "float32"
    rescore: int = 0
    similarity: str = "cosine"
    tokens_per_batch: int = 4096
    device: str = "cpu"

    @property
    def description(self) -> ModelDescription:
        settings = {
            "similarity": self.similarity,
            "embeddings": self.embeddings,
            "rescore": self.rescore,
        }
        return ModelDescription("dense", "hash", settings=settings)

    def describe(self) -> ModelDescription:
        return self.description

    def fingerprint(self, role: Role) -> str:
        return role

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.full(len(texts), 8)

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:  # noqa: ARG002
        return np.stack([vector_of(text) for text in texts])

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,
        progress: Reporter,
    ) -> Prepared:
        return prepare_dense(self, collection, languages, cache, progress)


def quantised(vectors: NDArray[np.float64], form: str) -> NDArray[np.float64]:
    if form == "int8":
        step = np.abs(vectors).max(axis=1, keepdims=True) / 127
        return np.rint(vectors / step) * step
    return np.where(vectors > 0, 1.0, -1.0) if form == "binary" else vectors


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("rescore", [0, DEPTH])
@pytest.mark.parametrize("form", ["float32", "int8", "binary"])
def test_ranks_are_those_of_sorting(form: str, rescore: int, similarity: str) -> None:
    task = load_task("pocket", patterns=[SETTING])
    model = HashEncoder(form, rescore, similarity)
    table = score(model, task, task.selected, Plan(), Silent()).table
    queries = task.collection.queries["de"]
    corpus = task.collection.corpora["en"]
    scale = unit if similarity == "cosine" else np.asarray
    asked = np.stack([vector_of(text) for text in queries.texts]).astype(float)
    documents = np.stack([vector_of(text) for text in corpus.texts]).astype(float)
    held = scale(quantised(documents, form))
    first = scale(quantised(asked, form)) @ held.T
    second = scale(asked) @ held.T
    by_id = sorted(range(len(corpus.ids)), key=lambda d: corpus.ids[d], reverse=True)
    place = np.argsort(by_id)
    row_of = {question: row for row, question in enumerate(queries.question.tolist())}
    asked_for = [table.question.names[code] for code in table.question.codes]
    found = [table.document.names[code] for code in table.document.codes]
    for question, document, rank in zip(asked_for, found, table.rank.tolist(), strict=True):
        row = row_of[task.collection.questions.index(question)]
        # Rounding stands for the lattice: what ties in exact arithmetic ties there.
        order = np.lexsort((place, -np.round(first[row], 6)))
        if form != "float32" and rescore:
            head = order[:rescore]
            head = head[np.lexsort((place[head], -np.round(second[row][head], 6)))]
            order = np.concatenate([head, order[rescore:]])
        assert corpus.ids[order[rank - 1]] == document
