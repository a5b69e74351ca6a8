"""``babelboard leaderboard``: builds the static site."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.progress import OnStderr
from leaderboard.preview import HOST, server
from leaderboard.site import InvalidEntriesError, build_site
from tasks.data_files import cache_folder


def command(
    *,
    root: Annotated[Path, typer.Option("--entries", help="Folder of entries.")] = Path(
        "submissions/entries"
    ),
    out: Annotated[Path, typer.Option(help="Folder of the site.")] = Path("site"),
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder for tests from build to build. Default: the user's cache."),
    ] = None,
    allow_invalid: Annotated[
        bool,
        typer.Option("--allow-invalid", help="Leave damaged entries out and build all the same."),
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show the site on this machine until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of --serve.")] = 8000,
) -> None:
    """Build the static site from entries: plain files, for any web server or none.

    What was built before and has not changed is left alone.
    """
    progress = OnStderr()
    kept = cache or cache_folder() / "site"
    try:
        built = build_site(root, out, progress, cache=kept, allow_invalid=allow_invalid)
    except InvalidEntriesError as error:
        progress.say(str(error))
        raise typer.Exit(1) from error
    for name, why in built.invalid.items():
        progress.say(f"Left out: {name}. {why}")
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"{built.pages} pages on {built.entries} entries and {built.tasks} tasks, "
        f"{built.reported} reported entries; {built.changed} files written. "
        f"Open {built.index.resolve().as_uri()}"
    )
    if serve:
        with server(out, port) as running:
            console.print(f"Serving http://{HOST}:{running.server_port}/ until Ctrl-C.")
            with suppress(KeyboardInterrupt):
                running.serve_forever()
