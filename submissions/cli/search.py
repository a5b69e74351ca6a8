"""``babelboard search``: searches for a switching policy without gradients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from harness.locks import only_writer
from harness.progress import OnStderr
from submissions.baselines.recipe_file import load_recipe
from submissions.baselines.search_file import load_search
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from submissions.baselines.policy_search import Searched
    from submissions.baselines.trial_log import Found

RECORD = "search.json"


def command(
    search: Annotated[Path, typer.Argument(help="What to search for: a TOML file.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder for trials and result. Default: build/NAME.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with training data, lexicons and held-out pairs.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads on a CPU; another number gives other last digits."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume/--from-scratch", help="Go on from the last trial, or begin anew."),
    ] = True,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials in place of the file's; may be more later.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search for how to switch words: rates, lexicons and languages, without gradients.

    Each trial trains for a few steps and measures how well translations that were held out are
    found. A search that was stopped goes on to the same trials.
    """
    asked = load_search(search)
    if trials is not None:
        asked = asked.model_copy(update={"trials": trials})
    base = search.parent / asked.recipe
    recipe = load_recipe(base)
    folder = out or Path("build") / asked.name
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out names {str(folder)!r}, which is not a folder.")

    from submissions.baselines.policy_sampler import import_optuna

    import_optuna()  # said before the data are read

    from submissions.baselines.policy_recipe import write_search_record, write_winner
    from submissions.baselines.policy_search import search_policy
    from submissions.baselines.training import Where

    where = Where(
        out=folder,
        data=data,
        device=None if device == "auto" else device,
        from_scratch=not resume,
        threads=threads,
    )
    with only_writer(folder):
        found = search_policy(asked, recipe, where, OnStderr())
        written = write_winner(folder, asked, base, found)
        write_search_record(folder / RECORD, asked, found, found.header.plan["device"])
    halves = _halves(found)
    if as_json:
        content = {
            "schema_version": 1,
            "recipe": str(written),
            "trials": len(found.trials),
            "best": found.best.model_dump(mode="json"),
            **{
                name: {half: scores.mean for half, scores in both.items()}
                for name, both in halves.items()
            },
        }
        print(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        _show(found, halves, written)


def _halves(found: Searched) -> dict[str, dict[str, Found]]:
    """What each model found of both halves."""
    first, best, header = found.trials[0], found.best, found.header
    pairs = {
        "untrained": (header.searched, header.reported),
        "base": (first.searched, first.reported),
        "winner": (best.searched, best.reported),
    }
    return {
        name: {"searched": searched, "reported": reported}
        for name, (searched, reported) in pairs.items()
        if reported is not None  # it is there for all three
    }


def _show(found: Searched, halves: Mapping[str, Mapping[str, Found]], written: Path) -> None:
    from submissions.baselines.policy_recipe import in_words

    console = Console(highlight=False)
    sizes = [sum(half.values()) for half in found.sentences]
    table = Table(box=None, pad_edge=False)
    table.add_column("RR@10 of translations")
    for half, size in zip(("chosen on", "not chosen on"), sizes, strict=True):
        table.add_column(f"{half} ({size:,} pairs)", justify="right")
    names = {
        "untrained": "untrained",
        "base": f"{found.recipe.name}, trial 1",
        "winner": f"best, trial {found.best.trial} of {len(found.trials)}",
    }
    for name, both in halves.items():
        table.add_row(names[name], *(f"{both[half].mean:.4f}" for half in ("searched", "reported")))
    console.print(table)
    languages: Any = Table(box=None, pad_edge=False)
    languages.add_column("not chosen on")
    columns = list(halves["winner"]["reported"].to_target)
    for code in columns:
        languages.add_column(code, justify="right")
    for name, both in halves.items():
        other = both["reported"]
        mean = [(other.to_target[code] + other.to_source[code]) / 2 for code in columns]
        languages.add_row(names[name], *(f"{value:.3f}" for value in mean))
    console.print(languages)
    console.print(f"Best: {in_words(found.recipe)}", soft_wrap=True, markup=False)
    console.print(f"{written}", soft_wrap=True, markup=False)
