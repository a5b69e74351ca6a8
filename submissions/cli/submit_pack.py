"""``babelboard submit pack``: puts an entry into one archive."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from submissions.archives import ENDING, open_archive, write_archive
from submissions.checks.entry_check import Surroundings, check_entry
from submissions.checks.folder_checks import check_files
from submissions.checks.problems import Problems
from submissions.cli.submit_check import entries_folder, print_problems
from tasks.errors import UsageError


def pack(
    entry: Annotated[Path, typer.Argument(help="Folder of the entry.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help=f"The archive. Default: ID{ENDING} in this folder.")
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            "--entries",
            help="Folder of entries to hold it against. Default: submissions/entries, if there.",
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
) -> None:
    """Put an entry into one archive, with checksums, if it passes `submit check`.

    The same entry gives the same archive. Exit code 1: the entry has errors, and is not packed.
    """
    surroundings = Surroundings(entries_folder(root), data)
    folder = entry.resolve()
    target = _target(out, folder)
    problems = check_entry(entry, surroundings)
    if problems.errors:
        print_problems(str(entry), problems, on_stderr=True)
        raise typer.Exit(1)
    digest, count = _write(folder, target)
    print(f"{target}  {count} files  sha256 {digest}")


def _target(out: Path | None, folder: Path) -> Path:
    target = out or Path(f"{folder.name}{ENDING}")
    if not target.name.endswith(ENDING):
        raise UsageError(f"--out {str(target)!r}: the archive must end in {ENDING}.")
    if target.is_dir() or not target.resolve().parent.is_dir():
        raise UsageError(f"--out {str(target)!r}: name a file in a folder that exists.")
    if target.resolve().is_relative_to(folder):
        raise UsageError(
            f"{str(target)!r} would be a file of the entry itself. Name one elsewhere with --out."
        )
    return target


def _write(folder: Path, target: Path) -> tuple[str, int]:
    """Packs into a file beside the target, opens it as others will, and moves it into place."""
    files = check_files(folder, Problems())
    with tempfile.TemporaryDirectory(dir=target.resolve().parent, prefix=".pack-") as fresh:
        made = Path(fresh) / target.name
        with made.open("wb") as file:
            write_archive(file, folder.name, files)
            file.flush()
            os.fsync(file.fileno())
        open_archive(made, Path(fresh))
        with made.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        made.replace(target)
    return digest, len(files)
