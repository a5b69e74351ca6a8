"""Rank files: their form, their rows, and whether they answer what the task asks."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from harness.parquet_caps import THRIFT_LIMITS
from harness.rank_faults import row_faults
from harness.ranks import METADATA_KEY, SCHEMA, TIE_RULE, read_unchecked_ranks
from submissions.checks.problems import Problem, Problems, shown
from submissions.structured_text import decode, parse_json
from tasks.collection import document_language
from tasks.errors import EntryError, StructureError, TooLargeError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.ranks import RankTable
    from submissions.manifest import RunPart
    from tasks.definition import TaskDefinition
    from tasks.settings import Setting

_AGAIN = "Score the task again: `babelboard score` writes the file."
_KEYS = {"schema_version", "task", "tie_rule", "primary_measure", "measures", "pool_sizes"}
_CODES = {"no pool": "E042", "rank": "E051", "order": "E050", "rank twice": "E051"}
_HIGHEST_GRADE = 10


def read_rank_file(name: str, path: Path, problems: Problems) -> RankTable | None:
    """The ranks in a file, if it has the form of a rank file and its rows can be.

    Args:
        name: The file, relative to the entry.
        path: Where it is.
        problems: Takes what is wrong.
    """
    try:
        table = read_unchecked_ranks(path)
    except EntryError as error:
        problems.add(_unreadable(name, error))
        return None
    _check_form(name, path, problems)
    faulty = False
    for fault in row_faults(table):
        faulty = True
        problems.add(
            Problem(
                _CODES[fault.kind],
                name,
                fault.message,
                "rows in order, each once, with ranks from 1 to the size of the pool, each once",
                _AGAIN,
                row=fault.row,
            )
        )
    return None if faulty else table


def _unreadable(name: str, error: EntryError) -> Problem:
    code = "E040" if "cannot be read as Parquet" in str(error) else "E042"
    if isinstance(error, TooLargeError):
        code = "E041"
    columns = ", ".join(f"{field.name} ({field.type})" for field in SCHEMA)
    return Problem(code, name, shown_error(error), f"a rank file: {columns}", _AGAIN)


def shown_error(error: Exception) -> str:
    """An error's message on one line, without what could act on a terminal or tell of a folder."""
    words = shown(" ".join(str(error).split()), most=400)[1:-1].split(" ")
    return " ".join(word.rpartition("/")[2] if word.startswith("/") else word for word in words)


def _check_form(name: str, path: Path, problems: Problems) -> None:
    """Whether columns and metadata are ours to the letter: what others add may be meant for us."""

    def add(found: str, allowed: str) -> None:
        problems.add(Problem("E042", name, found, allowed, _AGAIN))

    file = pq.ParquetFile(path, **THRIFT_LIMITS)
    for expected, found in zip(SCHEMA, file.schema_arrow, strict=True):
        if (expected.type, expected.nullable) != (found.type, found.nullable):
            add(
                f"column {expected.name!r} of type {_kind(found.type, nullable=found.nullable)}",
                _kind(expected.type, nullable=expected.nullable),
            )
    metadata: dict[bytes, bytes] = file.metadata.metadata or {}
    for key in sorted(metadata.keys() - {METADATA_KEY.encode()}):
        add(
            f"metadata {shown(key.decode('utf-8', 'backslashreplace'))}",
            f"metadata {METADATA_KEY!r} alone",
        )
    try:
        what = f"the metadata of {name}"
        content = parse_json(decode(metadata[METADATA_KEY.encode()], what), what)
    except StructureError as error:
        add(shown_error(error), "JSON of six keys")
        return
    if unknown := sorted(content.keys() - _KEYS):
        add(f"the key {shown(unknown[0])} in the metadata", ", ".join(sorted(_KEYS)))
    if content.get("tie_rule") != TIE_RULE:
        add(f"tie_rule {shown(content.get('tie_rule'))}", TIE_RULE)


def _kind(kind: object, *, nullable: bool) -> str:
    return f"{kind}{' or null' if nullable else ''}"


def check_against_definition(
    name: str, table: RankTable, run: RunPart, definition: TaskDefinition, problems: Problems
) -> None:
    """Whether a table is of the task: its settings, measures, languages and pools.

    Args:
        name: The rank file, relative to the entry.
        table: What it holds.
        run: What the manifest says of it.
        definition: The task.
        problems: Takes what is wrong.
    """

    def add(code: str, found: str, allowed: str, fix: str = _AGAIN, row: int | None = None) -> None:
        problems.add(Problem(code, name, found, allowed, fix, row=row))

    task = name.partition("/")[2].removesuffix(".parquet")
    if table.task != task:
        add("E043", f"ranks of the task {shown(table.task)}", f"the task {task}")
    wanted = (definition.primary_measure, definition.measures)
    if (table.primary_measure, table.measures) != wanted:
        add(
            "E043",
            f"the measures {shown(', '.join(table.measures))}, first of all "
            f"{shown(table.primary_measure)}",
            f"{', '.join(wanted[1])}, first of all {wanted[0]}",
        )
    settings = {setting.id: setting for setting in definition.all_settings()}
    for setting in table.pool_sizes.keys() - settings.keys():
        near = get_close_matches(setting, settings, n=3, cutoff=0.5)
        add(
            "E044",
            f"the setting {shown(setting)}",
            f"the {len(settings)} settings of {task}",
            f"Did you mean {' or '.join(near)}?" if near else _AGAIN,
        )
    _check_complete(name, table, run, list(settings), problems)
    _check_languages(name, table, settings, problems)
    if definition.source == "squad-r":
        _check_pools(name, table, definition, settings, problems)
    low, high = int(table.relevance.min(initial=0)), int(table.relevance.max(initial=0))
    if low < 0 or high > _HIGHEST_GRADE:
        row = int((table.relevance < 0).argmax() if low < 0 else table.relevance.argmax())
        add("E049", f"relevance {table.relevance[row]}", f"0 to {_HIGHEST_GRADE}", row=row)


def _check_complete(
    name: str, table: RankTable, run: RunPart, settings: list[str], problems: Problems
) -> None:
    if run.settings != len(table.pool_sizes):
        problems.add(
            Problem(
                "E045",
                name,
                f"{len(table.pool_sizes)} settings",
                f"{run.settings}, as submission.toml says",
                _AGAIN,
            )
        )
    answered = {table.setting.names[code] for code in set(table.setting.codes.tolist())}
    missing = [setting for setting in settings if setting not in answered]
    if missing:
        listed = ", ".join(missing[:8]) + (f", ... ({len(missing)})" if len(missing) > 8 else "")
        problems.add(
            Problem(
                "E045" if run.complete else "W008",
                name,
                f"no ranks in {listed}",
                f"ranks in all {len(settings)} settings",
                "Score the task without --settings.",
            )
        )
    elif not run.complete:
        problems.add(
            Problem(
                "E022",
                name,
                "all settings, in a run that is said not to be complete",
                "complete = true where all settings were scored",
                _AGAIN,
            )
        )


def _check_languages(
    name: str, table: RankTable, settings: dict[str, Setting], problems: Problems
) -> None:
    """Whether queries and documents are in the languages of their settings."""
    code_of = [document_language(document) for document in table.document.names]
    # Of each combination the first row is enough.
    rows = zip(
        table.setting.codes.tolist(),
        table.query_language.codes.tolist(),
        [code_of[code] for code in table.document.codes.tolist()],
        strict=True,
    )
    first = {combination: row for row, combination in reversed(list(enumerate(rows)))}
    for (setting_code, query, document), row in sorted(first.items(), key=lambda one: one[1]):
        setting = settings.get(table.setting.names[setting_code])
        if setting is None:
            continue
        for what, found, allowed in (
            ("a query", table.query_language.names[query], setting.query_languages),
            ("a document", document, setting.document_languages),
        ):
            if found not in allowed:
                problems.add(
                    Problem(
                        "E053",
                        name,
                        f"{what} in {shown(found)} in setting {setting.id}",
                        ", ".join(allowed),
                        _AGAIN,
                        row=row,
                    )
                )


def _check_pools(
    name: str,
    table: RankTable,
    definition: TaskDefinition,
    settings: dict[str, Setting],
    problems: Problems,
) -> None:
    sizes = definition.language_sizes
    for setting_id, found in table.pool_sizes.items():
        setting = settings.get(setting_id)
        languages = setting.document_languages if setting else ()
        counts = [n for code in languages if (n := sizes[code].documents) is not None]
        size = sum(counts)
        if counts and len(counts) == len(languages) and found != size:
            problems.add(
                Problem(
                    "E052",
                    name,
                    f"a pool of {found:,} documents in setting {setting_id}",
                    f"{size:,}",
                    _AGAIN,
                )
            )
    asked = Counter(
        {
            (table.setting.names[s], table.query_language.names[q], question)
            for s, q, question in zip(
                table.setting.codes.tolist(),
                table.query_language.codes.tolist(),
                table.question.codes.tolist(),
                strict=True,
            )
        }
    )
    counted = Counter(setting for setting, _, _ in asked)
    for setting_id, setting in settings.items():
        if setting.kind != "moir" or setting_id not in counted:
            continue
        queries = sizes[setting.query_languages[0]].queries
        if queries is not None and counted[setting_id] != queries:
            problems.add(
                Problem(
                    "E047" if counted[setting_id] < queries else "E046",
                    name,
                    f"{counted[setting_id]:,} questions in setting {setting_id}",
                    f"{queries:,}",
                    _AGAIN,
                )
            )
