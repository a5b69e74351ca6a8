"""What a system ranked in pools of several languages: the view that measures of bias take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.question_scores import judged_ranks
from harness.ranks import Column
from tasks.collection import document_language
from tasks.languages import POOL
from tasks.settings import counted_in_average, kind_of, languages_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.judged_ranks import JudgedRanks
    from harness.ranks import RankTable


@dataclass(frozen=True, slots=True)
class PoolRankings:
    """The judged documents of some queries that are asked against a pool of languages.

    Attributes:
        setting: Id of the setting.
        query_language: Language of the queries.
        languages: Languages of the judged documents, ascending.
        judged: Ranks of the judged documents of each query.
        language: Index in ``languages`` of each judged document, shape (judgments,).
    """

    setting: str
    query_language: str
    languages: tuple[str, ...]
    judged: JudgedRanks
    language: NDArray[np.int64]


def pool_rankings(table: RankTable) -> tuple[PoolRankings, ...]:
    """The rankings of each MLIR setting and query language of a table, in its order.

    Left out are settings with documents in one language, and ``mlir/xx-xx`` where it asks the
    queries of the other settings once more.
    """
    counted = set(counted_in_average(table.setting.names))
    found = []
    for code, name in enumerate(table.setting.names):
        if name not in counted or kind_of(name) != "mlir" or languages_of(name)[1] != POOL:
            continue
        in_setting = table.setting.codes == code
        asked = np.unique(table.query_language.codes[in_setting])
        for query_code in sorted(asked, key=lambda c: table.query_language.names[c]):
            rows = np.flatnonzero(in_setting & (table.query_language.codes == query_code))
            part = _rows(table, rows)
            judged, _ = judged_ranks(part)
            documents = [document_language(part.document.names[c]) for c in part.document.codes]
            languages, language = np.unique(documents, return_inverse=True)
            found.append(
                PoolRankings(
                    setting=name,
                    query_language=table.query_language.names[query_code],
                    languages=tuple(str(one) for one in languages),
                    judged=judged,
                    language=np.asarray(language, dtype=np.int64).reshape(-1),
                )
            )
    return tuple(found)


def _rows(table: RankTable, rows: NDArray[np.int64]) -> RankTable:
    """The table of some rows."""

    def some(column: Column) -> Column:
        return Column(column.names, column.codes[rows])

    return replace(
        table,
        setting=some(table.setting),
        query_language=some(table.query_language),
        question=some(table.question),
        document=some(table.document),
        relevance=table.relevance[rows],
        rank=table.rank[rows],
    )
