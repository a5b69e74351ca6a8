"""Commands that are named for the help, of which only the one that runs is loaded."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import typer

GROUP_FUNCTION = "group"
"""What a module with a group of commands has: takes the chosen one, gives the group."""


def add_commands(
    app: typer.Typer,
    commands: Mapping[str, tuple[str, str]],
    chosen: list[str],
    function: str | None = None,
) -> None:
    """Adds commands.

    Args:
        app: What they are added to.
        commands: By name, the module and what the help says.
        chosen: What was typed, from this command on.
        function: Name of the function in each module; None for the command's own name.
    """
    for name, (module, summary) in commands.items():
        if chosen[:1] != [name]:
            app.command(name, help=summary)(_not_loaded)
            continue
        loaded = importlib.import_module(module)
        if hasattr(loaded, GROUP_FUNCTION):
            app.add_typer(loaded.group(chosen[1:]), name=name)
        else:
            app.command(name)(getattr(loaded, function or name))


def _not_loaded() -> None:
    """Stands for a command that is only named in the help."""
