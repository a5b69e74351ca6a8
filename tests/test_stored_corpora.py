"""Corpora that lie on disk are scored like those in memory, by every kind of model."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("ir_datasets", reason="needs the extra 'score'")

from harness.models.door import open_model
from harness.models.encoder_options import EncoderOptions
from harness.progress import Silent
from harness.score import FirstStage, Plan, score
from tasks.arrow_strings import ArrowStrings
from tasks.task import load_task
from tests import tiny_models
from tests.irds_homes import miracl_home, mmarco_home

if TYPE_CHECKING:
    from pathlib import Path

    from harness.ranks import RankTable
    from tasks.task import Task

KINDS = ("dense", "sparse", "late_interaction", "cross_encoder")
BUILT_IN = ("bm25", "char-ngram")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def refused(*_: object, **__: object) -> None:
        pytest.fail("a test reached for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    for kind in KINDS:
        getattr(tiny_models, f"write_{kind}")(folder / kind)
    return folder


def in_memory(task: Task) -> Task:
    corpora = {
        code: replace(corpus, ids=tuple(corpus.ids), texts=tuple(corpus.texts))
        for code, corpus in task.collection.corpora.items()
    }
    return replace(task, collection=replace(task.collection, corpora=corpora))


def same(one: RankTable, other: RankTable) -> bool:
    columns = ("setting", "query_language", "question", "document")
    named = [
        [
            [getattr(table, name).names[code] for code in getattr(table, name).codes]
            for name in columns
        ]
        for table in (one, other)
    ]
    ranks = np.array_equal(one.rank, other.rank)
    return named[0] == named[1] and ranks and one.pool_sizes == other.pool_sizes


@pytest.mark.parametrize("home", ["miracl", "mmarco", "rerank", "rerank+paper-draw"])
@pytest.mark.parametrize("model", [*BUILT_IN, *KINDS])
def test_ranks_are_those_of_a_corpus_in_memory(
    tmp_path: Path, models: Path, model: str, home: str
) -> None:
    path = miracl_home(tmp_path) if home == "miracl" else mmarco_home(tmp_path)
    name, _, form = home.partition("+")
    if name == "rerank":
        path = path.with_name("rerank.toml")
    # The form goes after the name of a task file, as after any name of a task.
    task = load_task(f"{path}{'+' if form else ''}{form}")
    assert all(isinstance(c.texts, ArrowStrings) for c in task.collection.corpora.values())
    opened = open_model(model if model in BUILT_IN else str(models / model), EncoderOptions())
    dense = open_model(str(models / "dense"), EncoderOptions())
    needs = model == "cross_encoder" and task.candidates is None
    plan = Plan(
        cache=tmp_path / "embeddings",
        keep_runs=5,
        first_stage=FirstStage("dense", dense, depth=4) if needs else None,
    )
    stored = score(opened, task, task.selected, plan, Silent())
    held = score(opened, in_memory(task), task.selected, plan, Silent())
    assert len(stored.table) > 0
    # No question of tiny-mmarco has a word of its passages.
    assert (stored.table.rank > 0).any() or model in BUILT_IN
    assert same(stored.table, held.table)
    assert stored.runs
    assert held.runs
    assert np.array_equal(stored.runs.document.codes, held.runs.document.codes)
    assert np.allclose(stored.runs.score, held.runs.score, atol=1e-5)
    # The second time, what is on disk is not encoded again.
    again = score(opened, task, task.selected, plan, Silent())
    assert again.cost.encoded_texts == 0
    assert same(again.table, stored.table)
