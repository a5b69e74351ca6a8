"""Counts the languages of the first documents of MLIR rankings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.bias.language_shares import DEPTHS, LanguageShares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.retrieval.layout import Layout
    from harness.retrieval.top_documents import TopDocuments


def count_languages(layout: Layout, tops: Mapping[str, TopDocuments]) -> LanguageShares | None:
    """Languages of the first documents of each MLIR ranking; None where there are no such.

    Args:
        layout: The settings and their rows.
        tops: First documents by setting id, at least as many as the deepest count needs.
    """
    starts = np.array([layout.document_start[code] for code in layout.document_languages])
    first_query = np.array([layout.query_start[code] for code in layout.query_languages])
    counts: dict[tuple[str, str, int], NDArray[np.int64]] = {}
    for setting in layout.settings:
        if len(setting.document_languages) == 1:
            continue
        top = tops[setting.id]
        language = np.where(
            top.document < 0, -1, np.searchsorted(starts, top.document, side="right") - 1
        )
        asked = np.searchsorted(first_query, top.query, side="right") - 1
        for number in np.unique(asked).tolist():
            mine = language[asked == number]
            for k in DEPTHS:
                found = [(mine[:, :k] == code).sum(axis=1) for code in range(len(starts))]
                key = (setting.id, layout.query_languages[number], k)
                counts[key] = np.stack(found, axis=1)
    if not counts:
        return None
    return LanguageShares.from_counts(layout.task.name, layout.document_languages, counts)
