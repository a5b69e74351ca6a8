"""The data behind the pages, under addresses that stay; ``data/schema.json`` says what they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.question_scores import summary
from leaderboard.board_data import board_columns, board_table, setting_columns, settings_table
from leaderboard.question_shards import question_shards
from submissions.claims.ledger_data import as_json as ledger_as_json
from submissions.entry import ranks_path
from submissions.reported import TRUST_LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaderboard.data_table import Column, DataTable
    from leaderboard.facts import SiteFacts

FORMS = ("json", "csv", "parquet", "tex")
"""A table is there in each: ``boards/<task>.csv``."""
_ENTRY = {
    "<entry>/<task>.json": "Means of an entry in every measure, by setting and by class",
    "<entry>/<task>.parquet": "The rank of every judged document: setting, query_language, "
    "question_id, document_id, relevance, rank (empty: not retrieved)",
    "<entry>/reported.json": "Published numbers, not re-run, with their sources",
    "queries/<task>/<name>.js": "Scores of each question by class, as the page Compare reads them",
    "claims.json": "Every claim of the literature with its verdict and the comparisons behind it",
}


def data_files(facts: SiteFacts) -> dict[str, bytes]:
    """Content by path."""
    files = {"data/schema.json": _json(_schema())}
    for board in facts.boards:
        tables = {"boards": board_table(board), "settings": settings_table(board, facts)}
        files |= dict(question_shards(board, facts.scores(board.task.id)))
        for folder, table in tables.items():
            files |= {f"data/{folder}/{board.task.id}.{k}": v for k, v in _forms(table).items()}
    for name, entry in facts.entries.items():
        for task in entry.manifest.runs:
            files[f"data/{name}/{task}.json"] = _json(summary(facts.table(name, task)))
            files[f"data/{name}/{task}.parquet"] = ranks_path(entry.folder, task).read_bytes()
    for published in facts.reported:
        content = published.model_dump(mode="json", exclude_none=True)
        files[f"data/{published.id}/reported.json"] = _json({"trust_level": TRUST_LEVEL, **content})
    files["data/claims.json"] = _json(ledger_as_json(facts.ledger))
    return files


def _forms(table: DataTable) -> dict[str, bytes]:
    made = (table.as_json(), table.as_csv(), table.as_parquet(), table.as_latex())
    return dict(zip(FORMS, made, strict=True))


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
