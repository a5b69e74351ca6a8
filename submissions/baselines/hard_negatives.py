"""Passages that do not answer a query, for cross-encoders.

Litschko et al. 2023 train with four negatives a positive, found by BM25 and other first stages
(MS MARCO's triples). Ours come from the training pairs themselves: BM25's best other passages in
the language of the pair, before anything is switched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from submissions.baselines.batch_languages import keyed_generator
from tasks.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from submissions.baselines.batch_languages import Drawn
    from submissions.baselines.recipe import NegativesPart
    from submissions.baselines.training_pairs import TrainingPairs


class Negatives:
    """Draws negatives.

    Args:
        part: Where they come from, and how many there are.
        pairs: The training pairs.
        seed: Of all draws.

    Raises:
        DataFileError: If a language has too few passages.
    """

    def __init__(self, part: NegativesPart, pairs: TrainingPairs, seed: int) -> None:
        self._part = part
        self._pairs = pairs.pairs
        self._seed = seed
        self._in_language = pairs.by_language()
        self._passages = {
            language: {self._pairs[index].positive: index for index in reversed(indices)}
            for language, indices in self._in_language.items()
        }
        self._indexes: dict[str, _Index] = {}
        self._drawn_from: dict[int, NDArray[np.int64]] = {}
        for language, passages in self._passages.items():
            if len(passages) <= part.per_positive:
                raise DataFileError(
                    f"The training data in {language!r} have {len(passages)} passages; "
                    f"{part.per_positive} negatives a positive need more."
                )

    def of(self, batch: Sequence[Drawn], step: int) -> list[list[int]]:
        """For each pair of a batch, the pairs whose passages are its negatives."""
        generator = keyed_generator(f"{self._seed}:negatives:{step}")
        count = self._part.per_positive
        return [
            generator.choice(self._candidates(drawn.pair), count, replace=False).tolist()
            for drawn in batch
        ]

    def _candidates(self, index: int) -> NDArray[np.int64]:
        """Pairs with another passage: the best for the query, or all."""
        if index not in self._drawn_from:
            pair = self._pairs[index]
            passages = self._passages[pair.language]
            rows = np.array(list(passages.values()))
            others = rows != passages[pair.positive]
            if self._part.source == "random":
                drawn_from: NDArray[np.int64] = rows[others]
                return drawn_from
            scores = np.where(others, self._index(pair.language).scores(index), -1.0)
            depth = min(self._part.depth, int(others.sum()))
            self._drawn_from[index] = rows[np.argsort(-scores, kind="stable")[:depth]]
        return self._drawn_from[index]

    def _index(self, language: str) -> _Index:
        if language not in self._indexes:
            indices = self._in_language[language]
            queries = {index: self._pairs[index].query for index in indices}
            self._indexes[language] = _Index(language, queries, list(self._passages[language]))
        return self._indexes[language]


class _Index:
    """BM25 of the training queries and passages of one language."""

    def __init__(self, language: str, queries: dict[int, str], passages: list[str]) -> None:
        from harness.models.lexical import BM25

        pool = BM25().index({language: list(queries.values())}, {language: passages})
        self._row = {index: row for row, index in enumerate(queries)}
        self._block = pool.block(0, len(passages))

    def scores(self, index: int) -> NDArray[np.float64]:
        """Of the query of a pair and each passage, shape (passages,)."""
        row = self._row[index]
        found: NDArray[np.float64] = self._block.scores(row, row + 1)[0]
        return found
