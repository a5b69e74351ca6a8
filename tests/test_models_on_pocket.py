"""Every kind of model, tiny and with random weights, scored on ``pocket`` from the command line."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sentence_transformers", reason="needs the extra 'score'")

from harness.models.door import open_model
from harness.models.encoder_options import EncoderOptions
from harness.models.lexical import BM25
from harness.progress import Silent
from harness.score import FirstStage, Plan, score
from tasks.task import load_task
from tests import tiny_models

if TYPE_CHECKING:
    from pathlib import Path

    from harness.run_table import RunTable
    from tests.conftest import RunsCommand

MADE_BY = {
    "dense": "dense",
    "cross-encoder": "cross_encoder",
    "late-interaction": "late_interaction",
    "sparse": "sparse",
    "inference-free": "inference_free_sparse",
}
SETTINGS = ("clir/de-en", "mlir/de-xx")


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {
        kind: getattr(tiny_models, f"write_{name}")(root / name) for kind, name in MADE_BY.items()
    }


@pytest.mark.parametrize("kind", MADE_BY)
def test_a_model_is_recognised_scored_and_written(
    babelboard: RunsCommand, checkpoints: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    stage = ("--first-stage", "bm25", "--depth", "5") if kind == "cross-encoder" else ()
    arguments = ("--task", "pocket", "--settings", "*/de-en", "--entries", tmp_path, "--json")
    done = babelboard("score", checkpoints[kind], *arguments, *stage)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["classes"]["clir"]["settings"] == 1
    (manifest,) = tmp_path.glob("*/submission.toml")
    model = tomllib.loads(manifest.read_text("utf-8"))["model"]
    assert model["kind"] == kind.replace("inference-free", "sparse")
    assert len(model["digest"]) == 64
    assert model["parameters"] > 0


def scores_by_pair(table: RunTable) -> dict[tuple[str, str, str], float]:
    names = (table.setting, table.question, table.document)
    rows = zip(*([c.names[code] for code in c.codes] for c in names), strict=True)
    return dict(zip(rows, table.score.tolist(), strict=True))


@pytest.mark.parametrize("kind", MADE_BY)
def test_scores_depend_neither_on_batches_nor_on_other_settings(
    checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Batches differ with the texts of the other settings, and with the room for tokens."""
    task = load_task("pocket")
    together = [s for s in task.settings if s.id in SETTINGS]
    alone = [s for s in together if s.id == SETTINGS[0]]
    stage = FirstStage("bm25", BM25(), depth=5) if kind == "cross-encoder" else None
    plan = Plan(keep_runs=5, first_stage=stage)
    model = open_model(str(checkpoints[kind]), EncoderOptions())
    name = "_tokens_per_batch" if kind == "cross-encoder" else "tokens_per_batch"
    usual = score(model, task, together, plan, Silent()).runs
    monkeypatch.setattr(type(model), name, 300)
    small = score(model, task, alone, plan, Silent()).runs
    assert usual
    assert small
    first, second = scores_by_pair(usual), scores_by_pair(small)
    shared = [pair for pair in second if pair in first]
    # Two documents that score alike may change places at the end of the list that is kept.
    assert len(shared) >= 0.95 * len(second)
    np.testing.assert_allclose(
        [first[pair] for pair in shared], [second[pair] for pair in shared], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "--first-stage bm25"),
        (("--depth", "5"), "--first-stage"),
        (("--first-stage", "entry:nobody"), "Unknown entry: 'nobody'"),
        (("--first-stage", "./no-such-model"), "./no-such-model"),
        (("--first-stage", "bm25", "--memory", "little"), "at least 16M"),
        (("--first-stage", "bm25", "--embeddings", "int8"), "embeddings"),
        (("--first-stage", "bm25", "--rescore", "7"), "--embeddings int8 or binary"),
        (("--first-stage", "bm25", "--kind", "sparse"), "cross-encoder"),
    ],
)
def test_what_does_not_fit_a_cross_encoder_is_refused(
    babelboard: RunsCommand,
    checkpoints: dict[str, Path],
    tmp_path: Path,
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    some = ("--task", "pocket", "--settings", "moir/en-en", "--entries", tmp_path)
    done = babelboard("score", checkpoints["cross-encoder"], *some, *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_entry_is_a_first_stage_as_deep_as_it_kept(
    babelboard: RunsCommand, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    some = ("--task", "pocket", "--settings", "moir/en-en", "--entries", tmp_path)
    reranker = (checkpoints["cross-encoder"], *some, "--first-stage", "entry:bm25")
    assert babelboard("score", "bm25", *some).returncode == 0
    done = babelboard("score", *reranker)
    assert (done.returncode, "--keep-runs" in done.stderr) == (2, True)
    assert babelboard("score", "bm25", *some, "--keep-runs", "5").returncode == 0
    done = babelboard("score", *reranker, "--depth", "6")
    assert (done.returncode, "--keep-runs 6" in done.stderr) == (2, True)
    done = babelboard("score", *reranker, "--depth", "5", "--entry", "reranked")
    assert done.returncode == 0, done.stderr
    by_model = (checkpoints["cross-encoder"], *some, "--first-stage", "bm25", "--depth", "5")
    assert babelboard("score", *by_model, "--entry", "direct").returncode == 0
    ranks = [
        (tmp_path / name / "ranks/pocket.parquet").read_bytes() for name in ("reranked", "direct")
    ]
    assert ranks[0] == ranks[1]
    manifest = (tmp_path / "reranked" / "submission.toml").read_text("utf-8")
    assert "bm25/runs/pocket.parquet" in manifest
