"""``babelboard claims``: what the literature claims, checked on the entries at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from submissions.claims.claim import read_claims
from submissions.claims.ledger import settle
from submissions.claims.ledger_data import as_json as ledger_as_json
from submissions.claims.ledger_text import print_ledger
from submissions.entry import read_entries


def command(
    claims: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of claims, or TOML files of your own. Default: all, in short."),
    ] = None,
    *,
    root: Annotated[Path, typer.Option("--entries", help="Folder of entries.")] = Path(
        "submissions/entries"
    ),
    task: Annotated[str | None, typer.Option(help="Look at this task only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the claims of the literature on the entries at hand.

    Each is supported, contradicted, not separated (with the smallest difference that could have
    been seen) or not tested here. With claims named, the evidence is shown as well. Numbers that
    were reported, not measured, are no evidence.
    """
    ledger = settle(read_claims(claims or []), read_entries(root), task)
    if as_json:
        print(json.dumps(ledger_as_json(ledger), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print_ledger(Console(highlight=False), ledger, whole=bool(claims))
