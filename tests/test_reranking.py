"""Reranking: which documents a second stage sees, and where each of them ends."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("bm25s", reason="needs the extra 'score'")

from harness.models.description import ModelDescription
from harness.models.lexical import BM25
from harness.progress import Silent
from harness.retrieval.candidate_ranking import ScoredCandidates
from harness.retrieval.retrievers import Prepared
from harness.score import FirstStage, Plan, describe, score
from tasks.collection import Candidates, Draw
from tasks.errors import UsageError
from tasks.settings import Setting
from tasks.task import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.progress import Reporter
    from harness.ranks import RankTable
    from harness.retrieval.layout import Layout
    from tasks.collection import Collection
    from tasks.task import Task

GREEN, WHITE = "Which thing looks green?", "Which thing looks white?"
GRASS, SNOW = "Grass looks green.", "Snow looks white."


@dataclass
class Reader:
    """Scores a pair by a table, else 0, and keeps what it read."""

    table: Mapping[tuple[str, str], float] = field(default_factory=dict)
    read: list[tuple[str, str]] = field(default_factory=list)

    def describe(self) -> ModelDescription:
        return ModelDescription("cross-encoder", "reader")

    def prepare(
        self,
        collection: Collection,  # noqa: ARG002
        languages: tuple[Sequence[str], Sequence[str]],  # noqa: ARG002
        cache: Path | None,  # noqa: ARG002
        progress: Reporter,  # noqa: ARG002
    ) -> Prepared:
        return Prepared(self, self.describe(), "cpu", texts=0, distinct_texts=0)

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        self.read += pairs
        on_pairs(len(pairs))
        return np.array([self.table.get(pair, 0.0) for pair in pairs])


class Hashing(Reader):
    """Scores a pair by its texts, whatever they are; many tie."""

    def scores_of(
        self, pairs: Sequence[tuple[str, str]], on_pairs: Callable[[int], None]
    ) -> NDArray[np.float64]:
        super().scores_of(pairs, on_pairs)
        return np.array([float(sum(map(ord, query + document)) % 5) for query, document in pairs])


@dataclass(frozen=True)
class Given:
    """Rankings by setting: for each query row, rows of documents, best first."""

    rows: Mapping[str, Mapping[int, Sequence[int]]]

    def candidates(self, layout: Layout) -> dict[str, ScoredCandidates]:
        found = {}
        for setting in layout.settings:
            pairs = [
                (q, d, -place)
                for q, documents in self.rows[setting.id].items()
                for place, d in enumerate(documents)
            ]
            query, document, score = zip(*pairs, strict=True)
            found[setting.id] = ScoredCandidates(
                np.array(query), np.array(document), np.array(score, dtype=float)
            )
        return found


def own(path: Path, *patterns: str) -> Task:
    return load_task(str(path), patterns=patterns)


def ranks_of(table: RankTable) -> dict[tuple[str, str, str], int]:
    """Rank by setting, question and document."""
    columns = (table.setting, table.question, table.document)
    names = zip(*([c.names[code] for code in c.codes] for c in columns), strict=True)
    return dict(zip(names, table.rank.tolist(), strict=True))


def test_the_second_stage_decides_the_order(own_task: Path) -> None:
    reader = Reader({(GREEN, GRASS): 1.0, (GREEN, SNOW): 2.0, (WHITE, SNOW): 5.0})
    first = Given({"moir/en-en": {0: [0, 1], 1: [0, 1]}})
    plan = Plan(first_stage=FirstStage("given", first))
    task = own(own_task, "moir/en-en")
    scored = score(reader, task, task.selected, plan, Silent())
    assert ranks_of(scored.table) == {
        ("moir/en-en", "q0", "en_0_0"): 2,
        ("moir/en-en", "q1", "en_0_1"): 1,
    }
    assert Counter(reader.read) == Counter(
        [(GREEN, GRASS), (GREEN, SNOW), (WHITE, GRASS), (WHITE, SNOW)]
    )
    assert scored.cost.pairs == 4


def test_what_the_first_stage_leaves_out_is_not_retrieved(own_task: Path) -> None:
    reader = Reader({(GREEN, GRASS): 1.0, (WHITE, SNOW): 1.0})
    first = Given({"moir/en-en": {0: [1, 0], 1: [1, 0]}})
    plan = Plan(first_stage=FirstStage("given", first, depth=1))
    task = own(own_task, "moir/en-en")
    table = score(reader, task, task.selected, plan, Silent()).table
    assert ranks_of(table) == {
        ("moir/en-en", "q0", "en_0_0"): 0,
        ("moir/en-en", "q1", "en_0_1"): 1,
    }
    assert Counter(reader.read) == Counter([(GREEN, SNOW), (WHITE, SNOW)])


def test_a_query_without_candidates_retrieves_nothing(own_task: Path) -> None:
    first = Given({"moir/en-en": {1: [1]}})
    plan = Plan(first_stage=FirstStage("given", first))
    task = own(own_task, "moir/en-en")
    table = score(Reader(), task, task.selected, plan, Silent()).table
    assert ranks_of(table)["moir/en-en", "q0", "en_0_0"] == 0


def test_equal_scores_go_by_descending_id(own_task: Path) -> None:
    first = Given({"moir/en-en": {0: [0, 1], 1: [0, 1]}})
    plan = Plan(first_stage=FirstStage("given", first))
    task = own(own_task, "moir/en-en")
    table = score(Reader(), task, task.selected, plan, Silent()).table
    assert ranks_of(table) == {
        ("moir/en-en", "q0", "en_0_0"): 2,
        ("moir/en-en", "q1", "en_0_1"): 1,
    }


def test_a_setting_is_ranked_alike_alone_and_among_others() -> None:
    task = load_task("pocket")
    some = [s for s in task.settings if s.id in ("moir/en-en", "clir/en-de", "mlir/en-xx")]
    plan = Plan(first_stage=FirstStage("bm25", BM25(), depth=7))
    together = ranks_of(score(Hashing(), task, some, plan, Silent()).table)
    assert 0 < sum(rank > 0 for rank in together.values()) < len(together)
    assert max(together.values()) <= 7
    for setting in some:
        alone = ranks_of(score(Hashing(), task, [setting], plan, Silent()).table)
        assert alone == {key: rank for key, rank in together.items() if key[0] == setting.id}


def test_a_pair_is_read_once_whatever_the_settings() -> None:
    task = load_task("pocket")
    some = [s for s in task.settings if s.id in ("moir/en-en", "mlir/en-xx", "mlir/xx-xx")]
    reader = Hashing()
    plan = Plan(first_stage=FirstStage("bm25", BM25(), depth=10))
    score(reader, task, some, plan, Silent())
    texts = Counter(reader.read)
    # Two documents may have one text; no row is read twice.
    assert max(texts.values()) <= max(Counter(task.collection.corpora["en"].texts).values())


def test_the_entry_says_what_the_first_stage_was() -> None:
    plan = Plan(first_stage=FirstStage("bm25", BM25(), depth=7))
    assert describe(Reader(), plan).settings == {"first_stage": "bm25", "depth": 7}
    assert describe(Reader(), Plan()).settings == {}


@pytest.mark.parametrize("draw_of_second", [0, 1])
def test_a_task_with_candidates_ranks_those(own_task: Path, draw_of_second: int) -> None:
    """q0 has both passages as candidates, q1 only the first; each passage in one language."""
    whole = own(own_task)
    pool = Setting("mlir", ("de", "en"), ("de", "en"))
    pair = Setting("clir", ("en",), ("de",))
    task = replace(
        whole,
        settings=(pair, pool),
        chosen=(pair, pool),
        candidates=Candidates(np.array([0, 2, 3]), np.array([0, 1, 0])),
        draw=Draw(
            ("de", "en"),
            np.array([1, 0], dtype=np.int8),
            np.array([0, draw_of_second], dtype=np.int8),
        ),
    )
    german = task.collection.corpora["de"].texts
    reader = Reader({(GREEN, german[1]): 1.0, (GREEN, SNOW): 1.0})
    table = score(reader, task, task.selected, Plan(), Silent()).table
    second = ("de", "en")[draw_of_second]
    assert table.pool_sizes == {"clir/en-de": 2, "mlir/xx-xx": 2}
    assert ranks_of(table) == {
        ("clir/en-de", "q0", "de_0_0"): 2,
        ("clir/en-de", "q1", "de_0_1"): 0,
        ("mlir/xx-xx", "q0", "de_0_0"): 2,
        ("mlir/xx-xx", "q1", f"{second}_0_1"): 0,
    }
    asked = dict.fromkeys(reader.read)
    assert (GREEN, GRASS) not in asked  # that passage is drawn in German
    by_model = score(BM25(), task, task.selected, Plan(), Silent()).table
    assert ranks_of(by_model).keys() == ranks_of(table).keys()
    assert ranks_of(by_model)["mlir/xx-xx", "q1", f"{second}_0_1"] == 0


def test_a_reranker_without_candidates_is_refused(own_task: Path) -> None:
    task = own(own_task)
    with pytest.raises(UsageError, match="--first-stage bm25"):
        score(Reader(), task, task.selected, Plan(), Silent())


def test_candidates_that_would_not_be_used_are_refused(own_task: Path) -> None:
    task = replace(own(own_task), candidates=Candidates(np.array([0, 0, 0]), np.array([], int)))
    plan = Plan(first_stage=FirstStage("bm25", BM25()))
    with pytest.raises(UsageError, match="candidates of its own"):
        score(Reader(), task, task.selected, plan, Silent())


def test_a_reranker_is_no_first_stage(own_task: Path) -> None:
    task = own(own_task)
    plan = Plan(first_stage=FirstStage("reader", Reader()))
    with pytest.raises(UsageError, match="cannot be a first stage"):
        score(Hashing(), task, task.selected, plan, Silent())
