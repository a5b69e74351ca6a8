"""Turns pages into HTML."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from leaderboard.charts.labels import clean
from leaderboard.numerals import plain, signed
from leaderboard.wording import kind_in_words, method_in_words, parameters_in_words
from tasks.languages import POOL, language_name
from tasks.settings import KIND_NAMES

if TYPE_CHECKING:
    from leaderboard.page import Page


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the navigation.

    Attributes:
        section: What pages call it to be marked.
        title: Its text.
        path: Where it leads, from the root of the site.
    """

    section: str
    title: str
    path: str


NAVIGATION = (
    Link("leaderboard", "Leaderboard", "index.html"),
    Link("code-switching", "Code-switching", "code-switching.html"),
    Link("compare", "Compare", "compare.html"),
    Link("questions", "Questions", "questions.html"),
    Link("claims", "Claims", "claims.html"),
    Link("methods", "Methods", "methods.html"),
    Link("submit", "Submit", "submit.html"),
)
SHADES = 10


@cache
def environment() -> Environment:
    """The templates, with the filters that write numbers and names; everything is escaped."""
    made = Environment(
        loader=PackageLoader("leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(kinds=KIND_NAMES, pool=POOL, navigation=NAVIGATION)
    made.filters.update(
        clean=clean,
        score=plain,
        signed=signed,
        p_value=_p_value,
        count=_count,
        shade=_shade,
        language=language_name,
        parameters=parameters_in_words,
        kind=kind_in_words,
        method=method_in_words,
        provenance=_provenance,
    )
    return made


def render(templates: Environment, page: Page) -> bytes:
    """The bytes of a page."""
    template = templates.get_template(page.template)
    return template.render(**page.content, here=page.here, section=page.section).encode()


def _p_value(value: float) -> str:
    """``p = .012`` or ``p < .001``."""
    return "p < .001" if value < 0.001 else f"p = {plain(value)}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _shade(value: float) -> str:
    """The class of a cell's colour: ten steps from 0 to 1."""
    return f"s{min(SHADES - 1, max(0, int(value * SHADES)))}"


def _provenance(value: str) -> str:
    """``seen: X`` and ``secondary: X`` as people say it."""
    tag, _, source = value.partition(": ")
    return f"{'Read in' if tag == 'seen' else 'Second-hand, from'} {source}"
