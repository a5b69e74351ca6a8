"""A page of the site before it is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        path: Where it stands in the site, such as ``entries/bm25.html``.
        template: The template that draws it.
        content: What the template needs.
        section: The link of the navigation that is marked as the place where the reader is.
    """

    path: str
    template: str
    content: Mapping[str, object]
    section: str = ""

    @property
    def here(self) -> str:
        """The way from the page to the root of the site, such as ``../``."""
        return "../" * self.path.count("/")
