"""Labels: what may be in one, how wide it is, and how it is shortened."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Texts = TypeVar("Texts", bound=DataclassInstance)

NO_LABEL = "(no name)"
LONGEST = 200
"""Most characters of a label in a table."""
LONGEST_TEXT = 1000
"""Most characters of a title or a description."""
JOINERS = "\u200c\u200d"
"""Scripts and emoji are spelled with these; other format characters are instructions."""
WIDE_ENOUGH = {"narrow": 0.36, "usual": 0.62, "broad": 0.86, "full": 1.05}
"""Widths in em, on the safe side of the system fonts'."""
NARROW = frozenset("ijlftrI.,:;'|!()[]/ -·")
BROAD = frozenset("MWmw@%—→←")
LINK = re.compile(r"(?!//)[\w./#-]*", re.ASCII)


def clean(label: str, longest: int = LONGEST) -> str:
    """A label on one line without control characters, those that turn the writing included.

    Args:
        label: Any text.
        longest: Most characters; a longer one ends in an ellipsis.
    """
    spaced = " ".join(label.split())
    kept = "".join(character for character in spaced if _is_text(character))
    text = " ".join(kept.split()) or NO_LABEL
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def cleaned(texts: Texts) -> Texts:
    """A dataclass with each of its texts cleaned; what is empty stays so."""
    found = {field.name: getattr(texts, field.name) for field in fields(texts)}
    changes = {
        name: clean(value, LONGEST_TEXT)
        for name, value in found.items()
        if isinstance(value, str) and value
    }
    return replace(texts, **changes)


def width(label: str, font_size: float) -> float:
    """About how wide a label is drawn, in the unit of ``font_size``."""
    return font_size * sum(map(_em, label))


def site_link(link: str) -> str:
    """A link within the site.

    Raises:
        ValueError: If it leads elsewhere.
    """
    if not LINK.fullmatch(link):
        raise ValueError(f"{link!r} is no link within the site: a relative path is needed")
    return link


def _is_text(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character in JOINERS
    # Cn has the code points that XML does not allow.
    return category not in ("Cc", "Cs", "Cn")


def _em(character: str) -> float:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return WIDE_ENOUGH["full"]
    if character in NARROW:
        return WIDE_ENOUGH["narrow"]
    broad = character in BROAD or character.isupper()
    return WIDE_ENOUGH["broad" if broad else "usual"]
