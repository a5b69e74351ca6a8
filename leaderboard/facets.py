"""What the systems of a board can be narrowed down by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.wording import kind_in_words, method_in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from leaderboard.systems import SiteSystem

_SIZES = ((50e6, "under 50 M"), (200e6, "50–200 M"), (1e9, "200 M–1 B"))


@dataclass(frozen=True, slots=True)
class Facet:
    """A question that each system has one answer to.

    Attributes:
        key: Its name in addresses and scripts.
        title: Its name for people.
        of: The answer of a system.
    """

    key: str
    title: str
    of: Callable[[SiteSystem], str]


def _size(system: SiteSystem) -> str:
    count = system.manifest.model.parameters
    if count is None:
        return "unknown"
    return next((name for limit, name in _SIZES if count < limit), "1 B and more")


FACETS = (
    Facet("method", "Training", lambda system: method_in_words(system.system.training)),
    Facet("kind", "Kind", lambda system: kind_in_words(system.manifest.model.kind)),
    Facet("base", "Base model", lambda system: system.system.base),
    Facet("size", "Parameters", _size),
    Facet("trust", "Trust", lambda system: system.trust.level),
    Facet("shared", "Test questions in training", lambda system: system.contamination.verdict),
)
