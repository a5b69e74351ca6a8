"""The data behind the pages, under addresses that stay; ``data/schema.json`` says what they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from leaderboard.board_data import board_columns, setting_columns
from leaderboard.question_index import question_index
from leaderboard.question_shards import task_scripts
from leaderboard.site_parts import FORMS
from submissions.claims.ledger_data import as_json as ledger_as_json
from submissions.reported import TRUST_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from leaderboard.data_table import Column
    from leaderboard.facts import SiteFacts
    from submissions.entry import Entry

_ENTRY = {
    "<entry>/<task>.json": "Means of an entry in every measure, by setting and by class",
    "<entry>/<task>.parquet": "The rank of every judged document: setting, query_language, "
    "question_id, document_id, relevance, rank (empty: not retrieved)",
    "<entry>/reported.json": "Published numbers, not re-run, with their sources",
    "<entry>/record.json": "What is said of an entry, where something is: that it is withdrawn or "
    "disputed, what repetitions of its runs came to, its superseded results",
    "queries/<task>/<name>.js": "Scores of each question by class, as the page Compare reads them",
    "ranks/<task>/<entry>/<part>.js": "The ranks of an entry, as the page Questions reads them",
    "questions/<task>/<name>.js": "Questions of a task, and texts where they may be shown",
    "maps/<system>/<task>.js": "Differences to each baseline, as the page of a system reads them",
    "index/<task>/<name>.js": "Tables of more than 100 systems, as the pages of a task read them",
    "claims.json": "Every claim of the literature with its verdict and the comparisons behind it",
}


def data_files(facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """Data that are made from all entries, by path; those of one are in its parts of the site."""
    yield "data/schema.json", _json(_schema())
    for board in facts.boards:
        yield from question_index(board, facts)
        if board.rows:
            task = board.task.id
            yield from task_scripts(board, facts.layouts(task)[0], facts.questions(task))
    for published in facts.reported:
        content = published.model_dump(mode="json", exclude_none=True)
        reported = _json({"trust_level": TRUST_LEVEL, **content})
        yield f"data/{published.id}/reported.json", reported
    for name, entry in facts.entries.items():
        if record := _record(entry):
            yield f"data/{name}/record.json", _json({"schema_version": 1, **record})
    yield "data/claims.json", _json(ledger_as_json(facts.ledger))


def _record(entry: Entry) -> dict[str, object]:
    """What is said of an entry besides its manifest; empty where nothing is."""
    said: dict[str, object] = {}
    if entry.flags:
        said["flags"] = [flag.model_dump(mode="json") for flag in entry.flags]
    if entry.verification:
        said["repetitions"] = entry.verification.model_dump(mode="json")["tasks"]
    if entry.history:
        said["superseded"] = {
            task: [one.model_dump(mode="json", exclude_none=True) for one in results]
            for task, results in entry.history.items()
        }
    return said


def _schema() -> dict[str, object]:
    return {
        "schema_version": 1,
        "checksums": "../files.json has the sha256 of every file",
        "files": {
            "boards/<task>": _table("All systems of a task, by class", board_columns()),
            "settings/<task>": _table("All systems of a task, by setting", setting_columns()),
            **{path: {"content": content} for path, content in _ENTRY.items()},
        },
    }


def _table(content: str, columns: Sequence[Column]) -> dict[str, object]:
    return {
        "content": content,
        "forms": list(FORMS),
        "columns": {c.name: {"type": c.type, "meaning": c.meaning} for c in columns},
    }


def _json(content: Mapping[str, object]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
