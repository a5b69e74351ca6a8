"""Builds the site: facts from entries, pages from facts, files from pages.

::

    index.html                      the leading systems of every task
    tasks/<task>.html               one task: every system
    settings/<task>/<setting>.html  one pair of languages: every system
    entries/<id>.html               one system: every pair of languages, or what was reported
    data/<id>/<task>.json, .parquet what the pages were computed from
    data/<id>/reported.json         published numbers with their sources
    files.json                      sha256 of every file of the site
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from leaderboard.data_files import data_files
from leaderboard.facts import gather
from leaderboard.pages import (
    changes,
    claims,
    code_switching,
    compare,
    home,
    methods,
    reported,
    setting,
    submit,
    system,
    task,
)
from leaderboard.rendering import environment, render
from leaderboard.site_files import check_out, write_files
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.progress import Reporter

ASSETS = Path(__file__).parent / "assets"
STYLES = ("base", "charts", "pages", "compare")
"""Parts of the style sheet; what comes later may refine what came before."""
PAGES = (
    home,
    task,
    setting,
    system,
    reported,
    code_switching,
    compare,
    claims,
    methods,
    submit,
    changes,
)
"""All sorts of pages, in the order of the files."""


class InvalidEntriesError(EntryError):
    """Some entries cannot be shown: a check that failed, not a mistake on the command line."""


@dataclass(frozen=True, slots=True)
class Built:
    """A site that was built.

    Attributes:
        index: The page to open.
        pages: Number of pages.
        changed: Number of files that were written, as they had changed.
        entries: Number of entries that were scored.
        tasks: Number of tasks that they were scored on.
        reported: Number of reported entries.
        invalid: Entries that were left out, with the reason.
    """

    index: Path
    pages: int
    changed: int
    entries: int
    tasks: int
    reported: int
    invalid: Mapping[str, str]


def build_site(
    root: Path,
    out: Path,
    reporter: Reporter,
    *,
    cache: Path | None = None,
    allow_invalid: bool = False,
) -> Built:
    """Builds the site from a folder of entries; the same entries give the same bytes.

    Args:
        root: Folder of entries.
        out: Folder of the site; what an earlier build left there and is no longer needed goes.
        reporter: Where progress goes.
        cache: Folder in which families of tests are kept from build to build, or None for none.
        allow_invalid: Whether to build all the same if an entry is damaged: without it.

    Raises:
        InvalidEntriesError: If an entry is damaged or malformed and may not be left out; all such
            are named.
        UsageError: If ``out`` holds something else than a site.
    """
    check_out(out)
    reporter.say(f"Reading {root}")
    facts = gather(root, cache)
    if facts.invalid and not allow_invalid:
        reasons = "\n".join(f"  {name}: {why}" for name, why in facts.invalid.items())
        raise InvalidEntriesError(
            f"Entries in {root} that cannot be shown: {len(facts.invalid)}.\n{reasons}\n"
            "Mend them, or build without them with --allow-invalid."
        )
    reporter.say(f"Comparing {len(facts.systems)} systems on {len(facts.boards)} tasks")
    templates = environment()
    files = {f"assets/{path.name}": path.read_bytes() for path in sorted(ASSETS.glob("*.js"))}
    styles = [(ASSETS / "styles" / f"{name}.css").read_bytes() for name in STYLES]
    files["assets/site.css"] = b"\n".join(styles)
    found = list(chain.from_iterable(module.pages(facts) for module in PAGES))
    with reporter.track("Drawing", len(found), "pages") as advance:
        for page in found:
            files[page.path] = render(templates, page)
            advance(1)
    files |= data_files(facts)
    changed = write_files(out, files)
    return Built(
        index=out / "index.html",
        pages=len(found),
        changed=changed,
        entries=len(facts.entries),
        tasks=len(facts.boards),
        reported=len(facts.reported),
        invalid=facts.invalid,
    )
