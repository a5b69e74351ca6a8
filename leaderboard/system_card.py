"""What a table says of a system besides its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaderboard.facets import FACETS
from leaderboard.wording import method_in_words, parameters_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leaderboard.systems import SiteSystem


@dataclass(frozen=True, slots=True)
class SystemCard:
    """A system in a table; little enough to be handed to another process a thousand times.

    Attributes:
        id: Its id.
        name: Name that people read.
        about: What is known of it, in a line.
        facets: Its answers, by key of a facet.
    """

    id: str
    name: str
    about: str
    facets: Mapping[str, str]


def system_card(system: SiteSystem) -> SystemCard:
    """The card of a system."""
    answers = {facet.key: facet.of(system) for facet in FACETS}
    return SystemCard(system.id, system.name, _about(system), answers)


def _about(system: SiteSystem) -> str:
    known = [method_in_words(system.system.training)]
    if system.manifest.model.parameters:
        known.append(f"{parameters_in_words(system.manifest.model.parameters)}\u00a0parameters")
    if len(system.entries) > 1:
        known.append(f"{len(system.entries)} seeds")
    if system.is_disputed:
        known.append("disputed")
    return " · ".join(known)
