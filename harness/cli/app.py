"""The command line: finds the command, and turns errors into one message and an exit code.

Exit codes: 0 done, 1 a check failed, 2 the user's input is wrong, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import errno
import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.lazy_commands import add_commands
from tasks import __version__
from tasks.errors import BabelboardError

# Each command's module and what the help says of it, in the order in which data flows. Modules are
# named, not imported: the rooms after the harness are none of its business, and only the command
# that runs is loaded.
COMMANDS = {
    "tasks": ("tasks.cli.tasks", "What there is to score on."),
    "score": ("submissions.cli.score", "Score a model on tasks and write its entry."),
    "fuse": ("submissions.cli.fuse", "Combine the rankings of systems."),
    "evaluate": ("harness.cli.evaluate", "Measure any TREC run."),
    "compare": ("harness.cli.compare", "Test which differences between systems are real."),
    "bias": ("harness.cli.bias", "Show which languages a system prefers."),
    "power": ("harness.cli.power", "Say how many questions a comparison needs."),
    "export": ("submissions.cli.export", "Write an entry's results for other tools."),
    "train": ("submissions.cli.train", "Train a baseline from its recipe."),
    "lexicon": ("submissions.cli.lexicon", "Show what a lexicon has, or write it to a file."),
    "codeswitch": ("submissions.cli.codeswitch", "Replace words of a text by translations."),
    "contamination": (
        "submissions.cli.contamination",
        "Say which test texts training data share.",
    ),
    "search": ("submissions.cli.search", "Search for how to switch words, without gradients."),
    "baselines": ("submissions.cli.baselines", "Train and score the code-switching baselines."),
    "run-queue": ("submissions.cli.run_queue", "Score the jobs that wait in a folder."),
    "claims": (
        "submissions.cli.claims",
        "Check the claims of the literature on the entries at hand.",
    ),
    "submit": ("submissions.cli.submit", "Begin, check, repeat and pack a submission."),
    "leaderboard": ("leaderboard.cli.leaderboard", "Build the static site."),
}

HELP = "Score retrieval models in every pair of languages, test the differences, show them."

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
STOPPED = "Stopped. What was finished is kept; the same command goes on from there."


def build(chosen: str | None = None, *rest: str) -> typer.Typer:
    """The command line with one command ready to run, and the others named for the help.

    Args:
        chosen: The command.
        rest: What follows it; in a group the command of the group.
    """
    app = typer.Typer(
        name="babelboard",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(help=HELP)(_options)
    add_commands(app, COMMANDS, [chosen, *rest] if chosen else [], "command")
    return app


def main() -> None:
    """Runs the command line and exits."""
    try:
        _refuse_strangers()
        build(*sys.argv[1:])()
    except BabelboardError as error:
        _fail(str(error), 2)
    except ModuleNotFoundError as error:
        _fail(
            f"The package {error.name!r} is missing: scoring needs the extra 'score'. "
            "Install it with: pip install 'babelboard[score]' (in a clone: '.[score]').",
            2,
        )
    except KeyboardInterrupt:
        _fail(STOPPED, 130)
    except SystemExit as done:
        if done.code == 130:  # typer turns Ctrl-C into this, without a word
            _fail(STOPPED, 130)
        raise
    except BrokenPipeError:
        # Whoever read our output has enough of it.
        sys.stdout = None
        sys.exit(0)
    except OSError as error:
        if error.errno in NO_SPACE:
            _fail(f"No space left on the disk while writing {error.filename or 'a file'}.", 2)
        _fail(f"{error.strerror or error}: {error.filename or 'a file'}.", 2)


def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            is_eager=True,
            callback=lambda asked: _show_version() if asked else None,
        ),
    ] = False,
) -> None:
    """Options of the command line as a whole."""


def _show_version() -> None:
    print(f"babelboard {__version__}")
    raise typer.Exit


def _fail(message: str, code: int) -> None:
    print(f"babelboard: {message}", file=sys.stderr)
    sys.exit(code)


def _refuse_strangers() -> None:
    """Our packages have plain names: another `tasks` on the path must not be taken for ours."""
    home = Path(__file__).resolve().parents[2]
    for name in ("tasks", "harness", "submissions", "leaderboard"):
        found = importlib.import_module(name).__file__
        if found is None or Path(found).resolve().parents[1] != home:
            raise BabelboardError(
                f"The package {name!r} was found at {found}, not in {home}. "
                "Install babelboard into an environment of its own."
            )
