"""Renders the site: Jinja pages, a style sheet, and the data behind them.

::

    index.html                      every task, every system
    entries/<id>.html               one system: every pair of languages, or what was reported
    data/<id>/<task>.json, .parquet what the pages were computed from
    data/<id>/reported.json         published numbers with their sources
    files.json                      sha256 of every file of the site
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.files import write_atomically
from harness.question_scores import summary
from leaderboard.reported import reported_boards
from leaderboard.reported_entry import reported_task
from leaderboard.tables import entry_task, task_board
from submissions.entry import ranks_path, read_entries
from submissions.reported import TRUST_LEVEL, read_reported
from tasks.errors import EntryError, UsageError
from tasks.languages import POOL, language_name
from tasks.settings import KIND_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.ranks import RankTable
    from leaderboard.reported import ReportedBoard
    from leaderboard.tables import TaskBoard, TaskText
    from submissions.entry import Entry
    from submissions.reported import Reported

INVENTORY = "files.json"
SHADES = 10
MODEL_KINDS = {
    "dense": "Dense encoder",
    "sparse": "Learned sparse encoder",
    "late-interaction": "Late interaction",
    "cross-encoder": "Cross-encoder reranker",
    "bm25": "BM25, words and stems",
    "char-ngram": "TF-IDF of character n-grams",
    "run": "Run files",
    "fusion": "Fusion of systems",
}
ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True, slots=True)
class Built:
    """A site that was built.

    Attributes:
        index: The page to open.
        pages: Number of pages.
        entries: Number of systems that were scored.
        tasks: Number of tasks that they were scored on.
        reported: Number of reported entries.
    """

    index: Path
    pages: int
    entries: int
    tasks: int
    reported: int


@dataclass(frozen=True, slots=True)
class Section:
    """One task on the first page.

    Attributes:
        task: The task.
        board: Systems that were scored on it, if any.
        reported: Published results on it, if any.
    """

    task: TaskText
    board: TaskBoard | None
    reported: ReportedBoard | None


def build_site(entries_root: Path, out: Path) -> Built:
    """Builds the site from a folder of entries; the same entries give the same bytes.

    Args:
        entries_root: Folder of entries.
        out: Folder of the site; what an earlier build left there and is no longer needed goes.

    Raises:
        EntryError: If there are no entries, or one of them is damaged.
        UsageError: If ``out`` holds something else than a site.
    """
    _check_out(out)
    entries = [entry for entry in read_entries(entries_root) if entry.manifest.runs]
    if not entries:
        raise EntryError(f"There are no scored entries in {entries_root}.")
    tables = {
        entry.manifest.id: {task: entry.ranks(task) for task in entry.manifest.runs}
        for entry in entries
    }
    reported = read_reported(entries_root)
    boards = _boards(entries, tables)
    environment = _environment()
    files = {"assets/site.css": (ASSETS / "site.css").read_bytes()}
    files["index.html"] = _render(
        environment, "index.html", sections=_sections(boards, reported), here=""
    )
    for entry in entries:
        found = tables[entry.manifest.id]
        ordered = {
            board.task.id: found[board.task.id] for board in boards if board.task.id in found
        }
        files |= _entry_files(environment, entry, ordered)
    for published in reported:
        files |= _reported_files(environment, published)
    _write(out, files)
    pages = sum(name.endswith(".html") for name in files)
    return Built(out / "index.html", pages, len(entries), len(boards), len(reported))


def _sections(boards: Sequence[TaskBoard], reported: Sequence[Reported]) -> list[Section]:
    published = reported_boards(reported)
    scored = [Section(b.task, b, published.pop(b.task.id, None)) for b in boards]
    return [*scored, *(Section(board.task, None, board) for board in published.values())]


def _entry_files(
    environment: Environment, entry: Entry, tables: Mapping[str, RankTable]
) -> dict[str, bytes]:
    name = entry.manifest.id
    tasks = [entry_task(entry, table) for table in tables.values()]
    page = _render(environment, "entry.html", entry=entry.manifest, tasks=tasks, here="../")
    files = {f"entries/{name}.html": page}
    for task, table in tables.items():
        scores = json.dumps(summary(table), indent=1) + "\n"
        files[f"data/{name}/{task}.json"] = scores.encode()
        files[f"data/{name}/{task}.parquet"] = ranks_path(entry.folder, task).read_bytes()
    return files


def _reported_files(environment: Environment, entry: Reported) -> dict[str, bytes]:
    tasks = [reported_task(entry, task) for task in entry.tasks]
    page = _render(environment, "reported.html", entry=entry, tasks=tasks, here="../")
    content = {"trust_level": TRUST_LEVEL, **entry.model_dump(mode="json", exclude_none=True)}
    return {
        f"entries/{entry.id}.html": page,
        f"data/{entry.id}/reported.json": (json.dumps(content, indent=1) + "\n").encode(),
    }


def _boards(entries: Sequence[Entry], tables: dict[str, dict[str, RankTable]]) -> list[TaskBoard]:
    names = sorted({task for found in tables.values() for task in found})
    boards = []
    for task in names:
        having = [entry for entry in entries if task in entry.manifest.runs]
        ranks = {entry.manifest.id: tables[entry.manifest.id][task] for entry in having}
        boards.append(task_board(task, ranks, having))
    # The largest task first: it says most.
    return sorted(boards, key=lambda b: (-b.questions * b.settings, b.task.id))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(kinds=KIND_NAMES, pool=POOL)
    environment.filters.update(
        score=_score,
        signed=_signed,
        count=_count,
        shade=_shade,
        language=language_name,
        parameters=_parameters,
        kind=MODEL_KINDS.__getitem__,
        provenance=_provenance,
    )
    return environment


def _render(environment: Environment, template: str, **content: object) -> bytes:
    return environment.get_template(template).render(**content).encode()


def _score(value: float, digits: int = 3) -> str:
    """``.386``: no leading zero, as it says nothing."""
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0.") else text


def _signed(value: float) -> str:
    """``−.171`` with a real minus sign."""
    return ("−" if value < 0 else "+") + _score(abs(value))


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _shade(value: float) -> str:
    """The class of a cell's colour: ten steps from 0 to 1."""
    return f"s{min(SHADES - 1, max(0, int(value * SHADES)))}"


def _parameters(value: int) -> str:
    """``23 M`` or ``7.1 B``."""
    for unit, name in ((10**9, "B"), (10**6, "M")):
        if value >= unit:
            return f"{value / unit:.{1 if value < 10 * unit else 0}f} {name}"
    return f"{value:,}"


def _provenance(value: str) -> str:
    """``seen: X`` and ``secondary: X`` as people say it."""
    tag, _, source = value.partition(": ")
    return f"{'Read in' if tag == 'seen' else 'Second-hand, from'} {source}"


def _check_out(out: Path) -> None:
    if out.is_file():
        raise UsageError(f"{out} is a file; name a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / INVENTORY).is_file():
        raise UsageError(
            f"{out} holds something else than a site of babelboard. Name another folder with --out."
        )


def _write(out: Path, files: dict[str, bytes]) -> None:
    inventory = out / INVENTORY
    before = json.loads(inventory.read_text(encoding="utf-8")) if inventory.is_file() else {}
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    for name, content in files.items():
        path = out / name
        if before.get(name) != digests[name] or not path.is_file():
            write_atomically(path, content)
    write_atomically(inventory, (json.dumps(digests, indent=1) + "\n").encode())
    for name in set(before) - set(files):
        path = (out / name).resolve()
        if path.is_relative_to(out.resolve()):
            path.unlink(missing_ok=True)
