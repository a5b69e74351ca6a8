"""``babelboard bias``: which languages a system prefers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.bias.bias_profile import BiasOptions, bias_profile
from harness.bias.language_shares import read_shares, shares_path
from harness.entry_checksums import check_scored
from harness.entry_folders import entry_folders, task_of
from harness.ranks import read_ranks
from harness.reports.bias_data import as_json as profile_as_json
from harness.reports.bias_text import print_bias
from tasks.errors import UsageError


def command(
    entry: Annotated[str, typer.Argument(help="An entry, as id or folder.")],
    *,
    task: Annotated[
        str | None, typer.Option(help="A task of the entry; needed if it has several.")
    ] = None,
    k: Annotated[
        int, typer.Option("--k", min=1, help="Cut-off of PEER, and of the top k that is looked at.")
    ] = 10,
    measure: Annotated[
        str | None,
        typer.Option("--measure", "-m", help="What gaps and spreads are of. Default: the task's."),
    ] = None,
    peer_weights: Annotated[
        list[str] | None,
        typer.Option(
            "--peer-weight",
            help="Weight of a grade in PEER, as GRADE=WEIGHT; repeated, summing to 1. Default: all "
            "relevant grades alike.",
        ),
    ] = None,
    root: Annotated[
        Path, typer.Option("--entries", help="Folder in which ids are looked up.")
    ] = Path("submissions/entries"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which languages a system prefers, and what crossing languages costs it.

    From the ranks of an entry: rank distance, the preference for the query's language among
    parallel passages, PEER, the gap from MoIR to CLIR and the spread over languages; and the
    languages of the top k, where the entry has them.
    """
    folders = entry_folders([entry], root)
    ((name, folder),) = folders.items()
    chosen = task_of(folders, task)
    ranks, shares = folder / "ranks" / f"{chosen}.parquet", shares_path(folder, chosen)
    check_scored(folder, chosen, "ranks", ranks)
    check_scored(folder, chosen, "shares", shares)
    profile = bias_profile(
        read_ranks(ranks),
        read_shares(shares) if shares.exists() else None,
        BiasOptions(k=k, measure=measure, peer_weights=_weights(peer_weights or [])),
    )
    if as_json:
        print(json.dumps(profile_as_json(profile, entry=name), indent=1, allow_nan=False))
    else:
        print_bias(Console(highlight=False), profile, name)


def _weights(given: list[str]) -> dict[int, float] | None:
    weights: dict[int, float] = {}
    for item in given:
        grade, _, weight = item.partition("=")
        try:
            found = int(grade), float(weight)
        except ValueError:
            raise UsageError(
                f"--peer-weight is GRADE=WEIGHT, such as 2=0.5, found {item!r}."
            ) from None
        if found[0] in weights:
            raise UsageError(f"--peer-weight gives grade {found[0]} twice.")
        weights[found[0]] = found[1]
    return weights or None
