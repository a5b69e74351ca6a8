"""Pages of one sort, rendered from a folder of entries, and what a reader finds in them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

from leaderboard.facts import gather
from leaderboard.rendering import environment, render

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

HOSTILE = "<script>alert(1)</script> javascript:x \u202e" + "\U0001f600" + "g" * 400
"""The name of a system that would do harm if it were more than text."""


def rendered(root: Path, sort: ModuleType) -> dict[str, str]:
    """Content by path."""
    facts, templates = gather(root, None), environment()
    return {page.path: render(templates, page).decode() for page in sort.pages(facts)}


class Read(HTMLParser):
    """A page as text, with its tags, links and ids, and its tables by the label of their region.

    Attributes:
        text: All text, with single spaces.
        tags: Every tag, in order.
        links: Targets of links.
        ids: Ids of elements.
        handlers: Attributes that would run something.
        tables: Rows of cells, by label.
        elements: Number of elements.
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.handlers: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._label = ""
        self._in_cell = False
        self._pieces: list[str] = []
        self.feed(content)
        self.text = " ".join(" ".join(self._pieces).split())
        self.elements = len(self.tags)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.handlers += [name for name in found if name.startswith("on") or name == "style"]
        if found.get("id"):
            self.ids.append(found["id"] or "")
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        if found.get("role") == "region":
            self._label = found["aria-label"] or ""
        elif tag == "tr" and self._label:
            self.tables.setdefault(self._label, []).append([])
        elif tag in ("td", "th") and self._label:
            self.tables[self._label][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell &= tag not in ("td", "th")
        if tag == "table":
            self._label = ""

    def handle_data(self, data: str) -> None:
        self._pieces.append(data)
        if self._in_cell:
            row = self.tables[self._label][-1]
            row[-1] = " ".join(f"{row[-1]} {data}".split())


def signed(value: float, decimals: int = 3) -> str:
    """A difference as pages write it; what rounds to 0 has no sign."""
    text = f"{abs(value):.{decimals}f}"
    sign = "" if float(text) == 0 else "−" if value < 0 else "+"
    return sign + (text[1:] if text.startswith("0.") else text)
