"""A site with questions of all sorts, and what its pages of questions show."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

from question_entries import write_ranked
from site_entries import TASK, write_entries

from harness.progress import Silent
from leaderboard.facts import gather
from leaderboard.question_index import question_index, systems_of
from leaderboard.rank_shards import rank_shards
from leaderboard.site import build_site
from submissions.entry import read_entry
from tasks.task import load_task

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page
    from rank_tables import Row

OWN = f"questions/{TASK}.html"
POCKET = "questions/pocket.html"
MANY = "questions/many.html"
HARMFUL_ID = "</script><img src=x onerror=alert(1)>&a=\u202e"
HARMED = "document.title === 'harmed' || document.querySelector('main img, main script:not([src])')"
POCKET_SYSTEMS = ("first", "second", "third")
MOIR_ONLY = "third"
MANY_SIZES = {"moir/de-de": 90_000, "clir/de-en": 90_000, "mlir/de-xx": 180_000}
MANY_QUESTIONS = 900
"""So many that ranks are in several parts."""


@cache
def question_entries(base: Path) -> Path:
    """Systems on a task with texts, on one with several relevant documents, and all others'.

    Args:
        base: An existing folder, the same for all tests of a run.
    """
    root = base / "question-entries"
    root.mkdir()
    write_entries(root)
    task = load_task("pocket")
    corpora = task.collection.corpora
    pools = {
        setting.id: sum(len(corpora[code].ids) for code in setting.document_languages)
        for setting in task.settings
    }
    sizes = {"pocket": pools, "many": MANY_SIZES}
    for system in POCKET_SYSTEMS:
        rows = {"pocket": pocket_rows(system)}
        if system != MOIR_ONLY:
            rows["many"] = many_rows(system)
        write_ranked(root, system, rows, sizes)
    return root


@cache
def question_site(base: Path) -> Path:
    """A built site with the scripts that its pages of questions load."""
    entries = question_entries(base)
    out = base / "question-site" / "out"
    build_site(entries, out, Silent())
    facts = gather(entries, None)
    for board in facts.boards:
        scripts = [*question_index(board, facts)]
        for system in systems_of(board):
            for entry in system.entries:
                name = entry.manifest.id
                scripts += rank_shards(name, facts.table(name, board.task.id))
        for path, script in scripts:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(script)
    return out


def draw(*key: str) -> int:
    """A whole number that is the same in every process."""
    return zlib.crc32("\n".join(key).encode())


def free(rank: int, taken: set[int]) -> int:
    """The next rank that no other document of a query has; 0, not retrieved, is always free."""
    while rank and rank in taken:
        rank += 1
    taken.add(rank)
    return rank


def pocket_rows(system: str) -> list[Row]:
    task = load_task("pocket")
    collection = task.collection
    rows: list[Row] = []
    taken: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for setting in task.settings:
        if system == MOIR_ONLY and setting.kind != "moir":
            continue
        for query in setting.query_languages:
            # Its queries are asked once more, and answered as before.
            same = f"mlir/{query}-xx" if setting.id == "mlir/xx-xx" else setting.id
            for code in setting.document_languages:
                judged = collection.judgments[code]
                for place, row in zip(judged.question, judged.document, strict=True):
                    question, document = (
                        collection.questions[place],
                        collection.corpora[code].ids[row],
                    )
                    rank = draw(system, same, query, question, document) % 150 // 3
                    rank = free(rank, taken[setting.id, query, question])
                    rows.append((setting.id, query, question, document, 1, rank))
    return rows


def many_rows(system: str) -> list[Row]:
    """Up to three relevant documents and one that is not, ranks that need four bytes."""
    rows: list[Row] = []
    for setting in MANY_SIZES:
        sides = "de en" if setting.endswith("xx") else setting[-2:]
        for number in range(MANY_QUESTIONS):
            question = HARMFUL_ID if number == 450 else f"q{number:04}"
            taken: set[int] = set()
            for code in sides.split():
                for copy in range(1 + number % 3):
                    document = f"{code}_{number}_{copy}"
                    rank = draw(system, setting, question, document) % 80_000
                    rank = free(max(0, rank - 9_000), taken)
                    rows.append((setting, "de", question, document, 1, rank))
                rows.append((setting, "de", question, f"{code}_{number}_bad", 0, free(1, taken)))
    return rows


def ready(page: Page) -> Page:
    page.wait_for_selector("#ranks table", timeout=60_000)
    return page


def shown_ranks(page: Page) -> list[dict[tuple[str, str], int]]:
    """What each table of ranks says, by query and document language; 0 is not retrieved."""
    tables = page.evaluate(
        """() => [...document.querySelectorAll("#ranks table")].map((table) =>
          [...table.querySelectorAll("td[data-query]")].map((cell) =>
            [cell.dataset.query, cell.dataset.document, cell.textContent]))"""
    )
    return [
        {(query, document): number(text) for query, document, text in cells}
        for cells in tables
        if cells
    ]


def number(text: str) -> int:
    found = re.fullmatch(r"([\d,]+)●?|–not retrieved", text)
    assert found is not None, text
    assert text.endswith("●") == (found[1] == "1")
    return int(found[1].replace(",", "")) if found[1] else 0


def best_ranks(
    root: Path, entry: str, task: str, question: str, prefix: str
) -> dict[tuple[str, str], int]:
    """The best rank of a question's relevant documents, straight from the rank table."""
    table = read_entry(root / entry).ranks(task)
    found: dict[tuple[str, str], list[int]] = {}
    for i in range(len(table)):
        setting = table.setting.names[table.setting.codes[i]]
        asked = table.question.names[table.question.codes[i]]
        is_shown = setting.startswith(prefix) and setting != "mlir/xx-xx"
        if not is_shown or asked != question or table.relevance[i] == 0:
            continue
        document = table.document.names[table.document.codes[i]].partition("_")[0]
        query = table.query_language.names[table.query_language.codes[i]]
        found.setdefault((query, document), []).append(int(table.rank[i]))
    return {pair: min(filter(None, ranks), default=0) for pair, ranks in found.items()}


def chosen(page: Page) -> list[str]:
    return page.locator("#chosen bdi").all_inner_texts()


def title(page: Page) -> str:
    return page.locator("#question-title bdi").evaluate("one => one.textContent")
