"""What came to the board and when, as a page and as an Atom feed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from leaderboard.change_record import FEED_ID, flag_changes, read_changes
from leaderboard.charts.labels import clean
from leaderboard.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaderboard.facts import SiteFacts

SECTION = "changes"
LONGEST = 500
"""Characters of what is said of a change."""
MOST_CHANGES = 50
"""On the page, and in the feed."""
MOST_ENTRIES = 100
"""Entries of one change that are named."""


def pages(facts: SiteFacts) -> Iterator[Page]:
    """``changes.html``, and ``feed.xml`` where changes are recorded.

    Raises:
        EntryError: If the record of changes is malformed.
    """
    roots = {entry.folder.parent for entry in facts.entries.values()}
    recorded = [change for root in roots for change in read_changes(root)]
    flagged = flag_changes(facts.entries.values())
    # What XML does not allow, and what would turn the text of a feed around, is left out.
    changes = [
        change.model_copy(update={"what": clean(change.what, LONGEST)})
        for change in sorted([*recorded, *flagged], key=lambda one: one.date, reverse=True)
    ]
    newest = changes[:MOST_CHANGES]
    shown = _shown(facts)
    dated = {name for change in recorded for name in change.entries}
    content = {
        "days": [(day, list(found)) for day, found in groupby(newest, key=lambda c: c.date)],
        "older": len(changes) - len(newest),
        "most": MOST_ENTRIES,
        "shown": shown,
        "undated": [name for name in shown if name not in dated],
        "superseded": [name for name, entry in facts.entries.items() if entry.history],
    }
    yield Page("changes.html", "changes.html", content, SECTION)
    if newest:
        feed = {"changes": newest, "shown": shown, "feed_id": FEED_ID}
        yield Page("feed.xml", "feed.xml", feed, SECTION)


def _shown(facts: SiteFacts) -> dict[str, tuple[str, str]]:
    """By id of an entry, its name and the id of its page."""
    found = {one.id: (clean(one.name), one.id) for one in facts.reported}
    for site in facts.systems:
        for entry in site.entries:
            found[entry.manifest.id] = (clean(entry.manifest.name), site.id)
    return dict(sorted(found.items()))
