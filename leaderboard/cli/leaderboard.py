"""``babelboard leaderboard``: builds the static site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from leaderboard.pages import build_site


def command(
    *,
    root: Annotated[Path, typer.Option("--entries", help="Folder of entries.")] = Path(
        "submissions/entries"
    ),
    out: Annotated[Path, typer.Option(help="Folder of the site.")] = Path("site"),
) -> None:
    """Build the static site from entries: plain files, for any web server or none."""
    built = build_site(root, out)
    Console(highlight=False, soft_wrap=True).print(
        f"{built.pages} pages on {built.entries} systems and {built.tasks} tasks, "
        f"{built.reported} reported entries. Open {built.index.resolve().as_uri()}"
    )
