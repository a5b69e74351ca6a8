"""``babelboard submit``: the way of a submission, from the first file to the archive."""

from __future__ import annotations

import typer

from harness.cli.lazy_commands import add_commands

COMMANDS = {
    "new": ("submissions.cli.submit_new", "Begin an entry: say what the system is."),
    "check": ("submissions.cli.submit_check", "Say all that is wrong with entries."),
    "verify": ("submissions.cli.submit_verify", "Repeat a run, and compare."),
    "pack": ("submissions.cli.submit_pack", "Put an entry into one archive."),
}


def group(chosen: list[str]) -> typer.Typer:
    """The group, with one of its commands ready to run and the others named for the help.

    Args:
        chosen: What was typed after ``submit``.
    """
    app = typer.Typer(
        help="Begin, check, repeat and pack a submission.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    add_commands(app, COMMANDS, chosen)
    return app
