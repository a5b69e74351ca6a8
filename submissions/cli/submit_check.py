"""``babelboard submit check``: says all that is wrong with entries."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from submissions.archives import ENDING, open_archive
from submissions.checks.codes import CODES
from submissions.checks.entry_check import Surroundings, check_entry
from submissions.checks.problems import Problem, Problems
from tasks.errors import ArchiveError, EntryError, UsageError


def check(
    entries: Annotated[
        list[Path], typer.Argument(help="Folders of entries, or archives of `submit pack`.")
    ],
    *,
    root: Annotated[
        Path | None,
        typer.Option(
            "--entries",
            help="Folder of entries to hold them against. Default: submissions/entries, if there.",
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say all that is wrong with entries, and how to put it right.

    Exit code 1: an entry has errors. Warnings alone do no harm.
    """
    surroundings = Surroundings(entries_folder(root), data)
    found = {str(path): check_path(path, surroundings) for path in entries}
    if as_json:
        print(json.dumps(_as_json(found), indent=1, ensure_ascii=True))
    else:
        for path, problems in found.items():
            print_problems(path, problems)
    if any(problems.errors for problems in found.values()):
        raise typer.Exit(1)


def entries_folder(root: Path | None) -> Path | None:
    """The folder of the other entries: the one that is named, or the usual one if it is there.

    Raises:
        UsageError: If the one that is named is no folder.
    """
    if root is None:
        usual = Path("submissions/entries")
        return usual if usual.is_dir() else None
    if not root.is_dir():
        raise UsageError(f"--entries names {str(root)!r}, which is not a folder.")
    return root


def check_path(path: Path, surroundings: Surroundings) -> Problems:
    """Checks a folder, or the folder that an archive holds.

    Raises:
        EntryError: If it is neither.
    """
    if path.is_dir():
        return check_entry(path, surroundings)
    if not path.is_file():
        raise EntryError(f"There is no entry {path}. Name its folder, or an archive of it.")
    with tempfile.TemporaryDirectory(prefix="babelboard-") as fresh:
        try:
            return check_entry(open_archive(path, Path(fresh)), surroundings)
        except ArchiveError as error:
            problems = Problems()
            problems.add(
                Problem(
                    error.code,
                    path.name,
                    str(error),
                    f"an archive ID{ENDING} as `babelboard submit pack` writes it",
                    "Pack the entry again: `babelboard submit pack ENTRY`.",
                )
            )
            return problems
        except EntryError:
            raise EntryError(
                f"{path} holds no entry. Pack one with `babelboard submit pack`."
            ) from None


def print_problems(path: str, problems: Problems, *, on_stderr: bool = False) -> None:
    """Prints problems for people: a block each, then how many there are."""
    stream = sys.stderr if on_stderr else sys.stdout
    print(f"{path}: {_counted(problems)}", file=stream)
    for one in problems.ordered():
        print(
            f"\n  {one.code} {one.place}\n"
            f"    {CODES[one.code]}\n"
            f"    found:   {one.found}\n"
            f"    allowed: {one.allowed}\n"
            f"    fix:     {one.fix}",
            file=stream,
        )
    for (code, file), count in sorted(problems.left_out.items()):
        print(f"\n  {code} {file}\n    ... and {count:,} more", file=stream)


def _counted(problems: Problems) -> str:
    if not problems.errors and not problems.warnings:
        return "nothing is wrong"
    return ", ".join(
        f"{number:,} {what}{'' if number == 1 else 's'}"
        for number, what in ((problems.errors, "error"), (problems.warnings, "warning"))
        if number
    )


def _as_json(found: dict[str, Problems]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "errors": sum(problems.errors for problems in found.values()),
        "warnings": sum(problems.warnings for problems in found.values()),
        "entries": [
            {
                "path": path,
                "errors": problems.errors,
                "warnings": problems.warnings,
                "problems": [one.as_json() for one in problems.ordered()],
                "not_listed": [
                    {"code": code, "path": file, "count": count}
                    for (code, file), count in sorted(problems.left_out.items())
                ],
            }
            for path, problems in found.items()
        ],
    }
