"""The kept rankings of several systems, fused setting by setting: what scoring needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.fusion import fuse
from harness.retrieval.candidate_ranking import ScoredCandidates
from harness.retrieval.given_runs import KeptRuns
from harness.retrieval.retrievers import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.fusion import Fusion
    from harness.models.description import ModelDescription
    from harness.progress import Reporter
    from harness.retrieval.layout import Layout
    from harness.run_table import RunTable
    from tasks.collection import Collection


@dataclass(frozen=True, slots=True)
class FusedRuns:
    """A system whose rankings are fused from those that others kept.

    Attributes:
        description: What it says of itself.
        members: The kept rankings, one table a system, of one task.
        fusion: How they are fused.
        depth: How many documents of each ranking are.
        progress: Where progress goes.
    """

    description: ModelDescription
    members: tuple[RunTable, ...]
    fusion: Fusion
    depth: int
    progress: Reporter

    def describe(self) -> ModelDescription:
        """See :meth:`harness.retrieval.retrievers.Model.describe`."""
        return self.description

    def prepare(
        self,
        collection: Collection,
        languages: tuple[Sequence[str], Sequence[str]],
        cache: Path | None,  # noqa: ARG002  # the protocol's: nothing is encoded
        progress: Reporter,  # noqa: ARG002  # the protocol's
    ) -> Prepared:
        """See :meth:`harness.retrieval.retrievers.Model.prepare`."""
        texts = sum(len(collection.queries[code].texts) for code in languages[0])
        return Prepared(
            scorer=self,
            description=self.description,
            device="none: rankings are given",
            texts=texts,
            distinct_texts=texts,
        )

    def candidates(self, layout: Layout) -> dict[str, ScoredCandidates]:
        """See :meth:`harness.retrieval.retrievers.GivenRankings.candidates`.

        Raises:
            UnknownNameError: If a member kept no rankings of a setting.
            DataFileError: If a member names a query or document that the task does not have.
        """
        given = [KeptRuns(table).candidates(layout) for table in self.members]
        found = {}
        total = sum(len(one.query) for member in given for one in member.values())
        with self.progress.track("Fusing", total, "documents") as advance:
            for setting in layout.settings:
                kept = [member.pop(setting.id) for member in given]
                firsts = [_first(layout, one, self.depth) for one in kept]
                runs = [_by_name(layout, first) for first in firsts]
                documents = np.unique(np.concatenate([first.document for first in firsts]))
                found[setting.id] = _by_row(layout, fuse(runs, self.fusion), documents)
                advance(sum(len(one.query) for one in kept))
        return found


def _first(layout: Layout, found: ScoredCandidates, depth: int) -> ScoredCandidates:
    """The first documents of each ranking."""
    by = np.lexsort((layout.order[found.document], -found.score, found.query))
    query = found.query[by]
    kept = by[np.arange(len(query)) - np.searchsorted(query, query) < depth]
    return ScoredCandidates(found.query[kept], found.document[kept], found.score[kept])


def _by_name(layout: Layout, found: ScoredCandidates) -> dict[str, dict[str, float]]:
    """Scores by the query's row, as text, and the document's id."""
    distinct, inverse = np.unique(found.document, return_inverse=True)
    names = layout.document_names(distinct)
    run: dict[str, dict[str, float]] = {}
    rows = zip(found.query.tolist(), inverse.tolist(), found.score.tolist(), strict=True)
    for query, document, score in rows:
        run.setdefault(str(query), {})[names[document]] = score
    return run


def _by_row(
    layout: Layout, run: Mapping[str, Mapping[str, float]], documents: NDArray[np.int64]
) -> ScoredCandidates:
    """A run of :func:`_by_name` as rows; ``documents`` are all that it has."""
    row_of = dict(zip(layout.document_names(documents), documents.tolist(), strict=True))
    sizes = [len(scores) for scores in run.values()]
    query = np.repeat(np.array([int(name) for name in run], dtype=np.int64), sizes)
    document = [row_of[name] for scores in run.values() for name in scores]
    score = [value for scores in run.values() for value in scores.values()]
    by = np.argsort(query, kind="stable")
    return ScoredCandidates(
        query[by], np.array(document, dtype=np.int64)[by], np.array(score, dtype=np.float64)[by]
    )
