"""Scores a model on a task: from the model to the ranks of the judged documents."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.bias.language_shares import DEPTHS
from harness.bias.top_languages import count_languages
from harness.provenance import hardware, versions
from harness.retrieval.candidate_ranking import (
    RankedSetting,
    candidates_of,
    rank_among,
    score_candidates,
    score_with_retriever,
)
from harness.retrieval.layout import Layout, languages_asked
from harness.retrieval.pool_ranking import rank_pools, rescore_first
from harness.retrieval.retrievers import GivenRankings, PairModel, Retriever
from harness.retrieval.scan import MEMORY
from harness.run_table import run_table
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from harness.bias.language_shares import LanguageShares
    from harness.models.description import ModelDescription
    from harness.progress import Reporter
    from harness.ranks import RankTable
    from harness.retrieval.candidate_ranking import ScoredCandidates
    from harness.retrieval.retrievers import Model, Prepared
    from harness.run_table import RunTable
    from tasks.settings import Setting
    from tasks.task import Task

    Pairs = Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]

DEPTH = 100
"""Documents of a first stage that are reranked, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class FirstStage:
    """Where the candidates of a reranker come from.

    Attributes:
        name: What the entry calls it.
        source: A model that ranks whole pools, or rankings that are given.
        depth: How many documents of each ranking are reranked.
        data: sha256 of the files that it was read from, by name.
    """

    name: str
    source: Model | GivenRankings
    depth: int = DEPTH
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is scored.

    Attributes:
        cache: Folder of the embeddings cache, or None for none.
        memory: Bytes that blocks of documents and scores may take.
        keep_runs: How many documents of each ranking are kept; 0 for none.
        first_stage: What a reranker chooses among, in a task that has no candidates of its own.
    """

    cache: Path | None = None
    memory: int = MEMORY
    keep_runs: int = 0
    first_stage: FirstStage | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What scoring took.

    Attributes:
        texts: Queries and documents of the settings.
        distinct_texts: Distinct ones among them, as the model sees them.
        encoded_texts: Those that were encoded now; the others were in the cache.
        padding: Share of padding among the tokens that were encoded.
        pairs: Pairs of a query and a document that were read together.
        seconds: Wall time by stage.
    """

    texts: int
    distinct_texts: int
    encoded_texts: int
    padding: float
    pairs: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scored:
    """A model's ranks on a task, and how they came about.

    Attributes:
        table: The ranks.
        runs: The first documents of each ranking, if they are kept.
        shares: Languages of the first documents of MLIR rankings, if there are any.
        model: What the model says of itself.
        complete: Whether all the task's settings were scored.
        data: sha256 of each data file, by name.
        versions: Versions of what decided the scores.
        hardware: What it ran on.
        cost: What it took.
    """

    table: RankTable
    runs: RunTable | None
    shares: LanguageShares | None
    model: ModelDescription
    complete: bool
    data: Mapping[str, str]
    versions: Mapping[str, str]
    hardware: Mapping[str, str]
    cost: Cost


def score(
    model: Model, task: Task, settings: Sequence[Setting], plan: Plan, progress: Reporter
) -> Scored:
    """Ranks the judged documents of some settings of a task.

    Args:
        model: From :func:`harness.models.door.open_model`.
        task: What is asked.
        settings: The settings to score, of this task.
        plan: How.
        progress: Where progress goes.

    Raises:
        ModelError: If the model's output cannot be used.
        UsageError: If the plan does not fit the model or the task.
    """
    start = time.perf_counter()
    check_plan(model, task, plan)
    layout = Layout(task, settings)
    languages = languages_asked(settings)
    prepared = model.prepare(task.collection, languages, plan.cache, progress)
    ready = time.perf_counter()
    ranked, pairs = _rank(layout, prepared, plan, progress)
    done = time.perf_counter()
    tops = {name: one.top for name, one in ranked.items() if one.top}
    return Scored(
        table=layout.rank_table({name: (one.judged, one.rank) for name, one in ranked.items()}),
        runs=run_table(layout, tops, plan.keep_runs) if plan.keep_runs else None,
        shares=count_languages(layout, tops),
        model=describe(model, plan),
        complete=len(settings) == len(task.settings),
        data={
            **task.checksums,
            **prepared.data,
            **(plan.first_stage.data if plan.first_stage else {}),
        },
        versions=versions(),
        hardware=hardware(prepared.device),
        cost=Cost(
            texts=prepared.texts,
            distinct_texts=prepared.distinct_texts,
            encoded_texts=prepared.encoded_texts,
            padding=prepared.padding,
            pairs=pairs,
            seconds={"prepare": ready - start, "rank": done - ready},
        ),
    )


def describe(model: Model, plan: Plan) -> ModelDescription:
    """What an entry says of a model that is scored so: its first stage is part of it."""
    description = model.describe()
    if plan.first_stage is None:
        return description
    name, depth = plan.first_stage.name, plan.first_stage.depth
    settings = {**description.settings, "first_stage": name, "depth": depth}
    return replace(description, settings=settings)


def check_plan(model: Model, task: Task, plan: Plan) -> None:
    """Refuses, before any work is done, a plan that does not fit a model or a task.

    Raises:
        UsageError: If a reranker lacks candidates, or candidates are named that are not used.
    """
    needs_candidates = isinstance(model, PairModel)
    if plan.first_stage and task.candidates is not None:
        raise UsageError(
            f"Task {task.name!r} has candidates of its own: leave out --first-stage and --depth."
        )
    if plan.first_stage and isinstance(model, GivenRankings):
        raise UsageError("Rankings that are given need no --first-stage.")
    if needs_candidates and task.candidates is None and plan.first_stage is None:
        raise UsageError(
            f"{model.describe().name!r} is a cross-encoder, which reads a query and a document "
            f"together: it reorders candidates, and task {task.name!r} has none of its own. "
            "Name what finds them: --first-stage bm25, another model, or an entry that was scored "
            "with --keep-runs; and how many with --depth."
        )


def _rank(
    layout: Layout, prepared: Prepared, plan: Plan, progress: Reporter
) -> tuple[dict[str, RankedSetting], int]:
    """Rankings by setting id, and how many pairs were read together."""
    scorer = prepared.scorer
    keep = {setting.id: _kept(setting, plan) for setting in layout.settings}
    if isinstance(scorer, GivenRankings):
        given = scorer.candidates(layout)
        return _rank_each(layout, given, keep), 0
    pairs: Pairs | None = None
    if layout.task.candidates is not None:
        pairs = {setting.id: layout.candidates_in(setting) for setting in layout.settings}
    elif plan.first_stage:
        pairs = _first_stage(layout, plan.first_stage, plan, progress)
    if pairs is not None:
        if isinstance(scorer, PairModel):
            texts = prepared.collection or layout.task.collection
            scored = score_candidates(layout, scorer, texts, pairs, progress)
            return _rank_each(layout, scored, keep), sum(len(q) for q, _ in pairs.values())
        return _rank_each(layout, score_with_retriever(layout, scorer, pairs, progress), keep), 0
    if not isinstance(scorer, Retriever):
        raise UsageError("A model that reads pairs needs candidates.")
    if prepared.second:
        keep = {name: max(depth, prepared.second_depth) for name, depth in keep.items()}
    ranked = rank_pools(layout, scorer, keep, progress, plan.memory)
    if prepared.second:
        ranked = rescore_first(layout, prepared.second, ranked, prepared.second_depth, progress)
    return ranked, 0


def _first_stage(layout: Layout, stage: FirstStage, plan: Plan, progress: Reporter) -> Pairs:
    """The first documents of each ranking of the first stage."""
    depth = {setting.id: stage.depth for setting in layout.settings}
    if isinstance(stage.source, GivenRankings):
        ranked = _rank_each(layout, stage.source.candidates(layout), depth)
    else:
        languages = (layout.query_languages, layout.document_languages)
        prepared = stage.source.prepare(layout.task.collection, languages, plan.cache, progress)
        if not isinstance(prepared.scorer, Retriever):
            raise UsageError(f"{stage.name!r} needs candidates itself: it cannot be a first stage.")
        ranked = rank_pools(layout, prepared.scorer, depth, progress, plan.memory)
    return {name: candidates_of(one.top) for name, one in ranked.items() if one.top}


def _rank_each(
    layout: Layout, scored: Mapping[str, ScoredCandidates], keep: Mapping[str, int]
) -> dict[str, RankedSetting]:
    return {
        setting.id: rank_among(layout, setting, scored[setting.id], keep[setting.id])
        for setting in layout.settings
    }


def _kept(setting: Setting, plan: Plan) -> int:
    """How many documents of a setting's rankings are of use."""
    return max(plan.keep_runs, max(DEPTHS) if len(setting.document_languages) > 1 else 0)
