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

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.files import remove_left_behind
from harness.locks import only_writer
from leaderboard.data_files import data_files
from leaderboard.drawing import Drawing
from leaderboard.facts import gather
from leaderboard.pages import (
    changes,
    claims,
    code_switching,
    compare,
    home,
    methods,
    questions,
    reported,
    submit,
    task,
)
from leaderboard.rendering import environment, render
from leaderboard.site_files import SiteWriter, check_out
from leaderboard.site_parts import site_parts
from submissions.manifest import FILE_NAME
from tasks.errors import EntryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.progress import Reporter

ASSETS = Path(__file__).parent / "assets"
STYLES = ("base", "charts", "pages", "compare", "questions", "entry")
"""Parts of the style sheet; what comes later may refine what came before."""
PAGES = (
    home,
    task,
    reported,
    code_switching,
    compare,
    questions,
    claims,
    methods,
    submit,
    changes,
)
"""Pages that are made from all entries; those of one system or task are parts of the site."""


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
        InUseError: If another process is building the site.
        UsageError: If ``out`` holds something else than a site.
    """
    check_out(out)
    with only_writer(out):
        if cache is not None:
            remove_left_behind(cache)
        return _build(root, out, reporter, cache, allow_invalid)


def _build(
    root: Path, out: Path, reporter: Reporter, cache: Path | None, allow_invalid: bool
) -> Built:
    reporter.say(f"Reading {root}")
    with Drawing(sum(1 for _ in root.glob(f"*/{FILE_NAME}"))) as drawing:
        facts = gather(root, cache)
        if facts.invalid and not allow_invalid:
            reasons = "\n".join(f"  {name}: {why}" for name, why in facts.invalid.items())
            raise InvalidEntriesError(
                f"Entries in {root} that cannot be shown: {len(facts.invalid)}.\n{reasons}\n"
                "Mend them, or build without them with --allow-invalid."
            )
        reporter.say(f"Comparing {len(facts.systems)} systems on {len(facts.boards)} tasks")
        writer = SiteWriter(out, _memory(out, cache))
        parts = site_parts(facts)
        stale = [part for part in parts if not writer.is_there(part.name, part.key)]
        drawing.begin(stale, facts)
        writer.put_all(_assets())
        templates = environment()
        for module in PAGES:
            writer.put_all((page.path, render(templates, page)) for page in module.pages(facts))
        writer.put_all(data_files(facts))
        with reporter.track("Drawing", len(stale), "parts") as advance:
            for part, files in drawing.files(stale, facts):
                writer.put_part(part.name, part.key, files)
                advance(1)
    writer.finish()
    return Built(
        index=out / "index.html",
        pages=writer.pages,
        changed=writer.changed,
        entries=len(facts.entries),
        tasks=len(facts.boards),
        reported=len(facts.reported),
        invalid=facts.invalid,
    )


def _assets() -> Iterator[tuple[str, bytes]]:
    """Scripts, and the style sheet."""
    for path in sorted(ASSETS.glob("*.js")):
        yield f"assets/{path.name}", path.read_bytes()
    styles = [(ASSETS / "styles" / f"{name}.css").read_bytes() for name in STYLES]
    yield "assets/site.css", b"\n".join(styles)


def _memory(out: Path, cache: Path | None) -> Path | None:
    """Where it is kept what the parts of a site were made from."""
    if cache is None:
        return None
    name = hashlib.sha256(str(out.resolve()).encode()).hexdigest()
    return cache / "sites" / f"{name}.json"
