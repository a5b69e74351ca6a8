"""What ``babelboard score`` and ``babelboard fuse`` print of what was scored."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tasks.settings import KIND_NAMES

if TYPE_CHECKING:
    from harness.score import Scored
    from submissions.entry import Entry


def as_json_content(entry: Entry, scored: Scored) -> dict[str, Any]:
    """The result for programs."""
    from harness.task_summary import summarise

    result = summarise(scored.table)[0].as_published()
    return {
        "schema_version": 1,
        "entry": str(entry.folder),
        "task": scored.table.task,
        "complete": scored.complete,
        "cost": asdict(scored.cost),
        "classes": result["classes"],
    }


def print_scored(entry: Entry, scored: Scored) -> None:
    """Prints the averages of a task, and what they took."""
    from harness.question_scores import class_averages, question_scores

    console = Console(highlight=False)
    cost = scored.cost
    console.print(
        f"[bold]{escape(entry.manifest.name)}[/bold] on [bold]{scored.table.task}[/bold]: "
        f"{_counted(len(scored.table.pool_sizes), 'setting')} from {_work(scored)}",
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("average over", no_wrap=True)
    for heading in scored.table.measures:
        table.add_column(heading, justify="right", no_wrap=True)
    averages = {m: class_averages(question_scores(scored.table, m)) for m in scored.table.measures}
    for kind, first in averages[scored.table.primary_measure].items():
        rows = {
            "macro": _counted(first.settings, "setting"),
            "micro": _counted(first.questions, "question"),
        }
        for form, over in rows.items():
            values = [getattr(averages[m].get(kind), form, None) for m in scored.table.measures]
            table.add_row(
                f"{KIND_NAMES[kind]} {over}",
                *("" if v is None else f"{v:,.0f}" if v >= 100 else f"{v:.4f}" for v in values),
            )
    console.print(table)
    if not scored.complete:
        console.print("Not all settings of the task: the entry has no place in the ranking.")
    stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in cost.seconds.items())
    console.print(f"{stages}. Written to {entry.folder}", soft_wrap=True, markup=False)


def _work(scored: Scored) -> str:
    """What the model was given, in words."""
    cost, kind = scored.cost, scored.model.kind
    if kind in ("run", "fusion"):
        return "given rankings"
    parts = [f"{cost.texts:,} texts", f"{cost.distinct_texts:,} distinct"]
    if kind in ("dense", "sparse", "late-interaction"):
        parts.append(f"{cost.encoded_texts:,} encoded now")
    if cost.pairs:
        parts.append(f"{cost.pairs:,} pairs reranked")
    return ", ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
