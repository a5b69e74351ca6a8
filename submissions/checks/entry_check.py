"""All that is checked of an entry before it is published, all problems at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from submissions import about, status, verification_record
from submissions.checks.folder_checks import check_files
from submissions.checks.judged_pairs import check_judged_pairs
from submissions.checks.other_entries import (
    OtherEntry,
    check_copies,
    check_data_revisions,
    check_names,
    other_entries,
)
from submissions.checks.problems import Problem, Problems, shown
from submissions.checks.rank_file_checks import (
    check_against_definition,
    read_rank_file,
    shown_error,
)
from submissions.checks.run_checks import RunChecks
from submissions.checks.schema_checks import check_schema
from submissions.checks.score_checks import check_kept_runs, check_scores, check_shares
from submissions.checks.text_checks import check_plain_text, check_texts
from submissions.checks.toml_lines import Place, key_lines
from submissions.checks.training_checks import check_picture, check_training
from submissions.entry import TRAINING_RECORD, sha256_of
from submissions.history import read_history
from submissions.manifest import FILE_NAME, Manifest
from submissions.reported import FILE_NAME as REPORTED_FILE
from submissions.reported import Reported
from submissions.structured_text import (
    MOST_JSON_BYTES,
    decode,
    parse_json,
    parse_toml,
    read_bytes,
)
from tasks.errors import EntryError, StructureError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from harness.ranks import RankTable
    from tasks.definition import TaskDefinition

_REASONS = {"encoding": "E010", "syntax": "E011", "depth": "E012"}
_MAINTAINERS = (status.FILE_NAME, verification_record.FILE_NAME)
ENTRY_FILES = (FILE_NAME, REPORTED_FILE, about.FILE_NAME)
"""Files of which an entry has at least one."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an entry is held against.

    Attributes:
        entries: Folder of the other entries; None for none.
        data: A folder that is searched first for the files of tasks.
    """

    entries: Path | None = None
    data: Path | None = None


def check_entry(folder: Path, surroundings: Surroundings | None = None) -> Problems:
    """Checks an entry.

    Args:
        folder: The entry.
        surroundings: What it is held against; by default nothing but the catalogue.

    Raises:
        EntryError: If there is no entry in the folder.
    """
    if not folder.is_dir() or not any(
        (folder / name).is_symlink() or (folder / name).exists() for name in ENTRY_FILES
    ):
        raise EntryError(
            f"{folder} is no entry: it has none of {', '.join(ENTRY_FILES)}. Name the folder of an "
            "entry, or an archive of `babelboard submit pack`."
        )
    check = _Check(folder, surroundings or Surroundings())
    check.run()
    return check.problems


@dataclass(slots=True)
class _Check:
    folder: Path
    surroundings: Surroundings
    problems: Problems = field(default_factory=Problems)
    files: dict[str, Path] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, Mapping[Place, int]] = field(default_factory=dict)
    _said: about.About | None = None

    def run(self) -> None:
        self.files = check_files(self.folder, self.problems)
        for path in self.files:
            self._read_text(path)
        if FILE_NAME in self.content and REPORTED_FILE in self.content:
            self._add(
                "E027",
                REPORTED_FILE,
                "reported numbers beside scored ones",
                "one of both",
                "Move one of the files to an entry of its own.",
            )
        self._about()
        for path in _MAINTAINERS:
            if path in self.content:
                self._add(
                    "W010",
                    path,
                    "a file of the maintainers",
                    "files of submitters; levels of trust are never declared",
                    "Leave it out of a pull request of yours.",
                )
        reported = self._schema(REPORTED_FILE, Reported)
        if isinstance(reported, Reported):
            others = self._others(reported.id)
            check_names(REPORTED_FILE, reported.id, reported.name, others, self.problems)
        elif REPORTED_FILE not in self.files:
            self._scored()

    def _scored(self) -> None:
        """Checks of an entry with runs."""
        if FILE_NAME not in self.files:
            if not any(one.path == FILE_NAME for one in self.problems.found):
                self._add(
                    "E009",
                    FILE_NAME,
                    "no such file",
                    "the manifest that scoring writes",
                    "Score a task: `babelboard score`.",
                )
            return
        manifest = self._schema(FILE_NAME, Manifest)
        if not isinstance(manifest, Manifest):
            return
        # What people say of a system holds, also where they changed it after the scoring.
        said = self._said
        names = about.FILE_NAME if said else FILE_NAME
        if said:
            manifest = manifest.model_copy(update={"name": said.name, "method": said.method})
        lines = self.lines[FILE_NAME]
        definitions = RunChecks(manifest, self.files, lines, self.problems).check()
        others = self._others(manifest.id)
        check_names(names, manifest.id, manifest.name, others, self.problems)
        check_data_revisions(manifest, others, self.problems)
        if TRAINING_RECORD in self.content:
            record = self.content[TRAINING_RECORD]
            check_training(names, manifest, record, self.problems)
        self._people(manifest)
        for task in manifest.runs:
            self._run(task, manifest, definitions.get(task), others)

    def _run(
        self,
        task: str,
        manifest: Manifest,
        definition: TaskDefinition | None,
        others: list[OtherEntry],
    ) -> None:
        """Checks of the files of a run."""
        name = f"ranks/{task}.parquet"
        if name not in self.files:
            return
        table = read_rank_file(name, self.files[name], self.problems)
        if table is None:
            return
        if definition:
            check_against_definition(name, table, manifest.runs[task], definition, self.problems)
            if not self.problems.in_file(name):
                check_judged_pairs(name, table, definition, self.surroundings.data, self.problems)
        check_copies(name, table, sha256_of(self.files[name]) or "", others, self.problems)
        if not self.problems.in_file(name):
            self._follows(task, table, definition)

    def _follows(self, task: str, table: RankTable, definition: TaskDefinition | None) -> None:
        """Checks of what follows from ranks."""
        scores, shares = f"scores/{task}.json", f"language_shares/{task}.json"
        if scores in self.content:
            check_scores(scores, self.content[scores], table, self.problems)
        if shares in self.content and definition:
            check_shares(shares, self.files[shares], table, definition, self.problems)
        kept = f"runs/{task}.parquet"
        if kept in self.files:
            check_kept_runs(kept, self.files[kept], table, self.problems)

    def _about(self) -> None:
        if about.FILE_NAME in self.files:
            found = self._schema(about.FILE_NAME, about.About)
            self._said = found if isinstance(found, about.About) else None
        elif REPORTED_FILE not in self.files:
            self._add(
                "W001",
                about.FILE_NAME,
                "no such file",
                "name, contact, licence and method, as people say them",
                "Begin it with `babelboard submit new`.",
            )

    def _people(self, manifest: Manifest) -> None:
        """The files beside the manifest that have readers of their own."""
        if status.FILE_NAME in self.content:
            self._readable(status.FILE_NAME, lambda: status.read_flags(self.folder))
        if verification_record.FILE_NAME in self.content:
            self._readable(
                verification_record.FILE_NAME,
                lambda: verification_record.read_verification(self.folder),
            )
        for path in self.content:
            folder, _, name = path.partition("/")
            task = name.removesuffix(".json")
            if folder == "history" and task in manifest.runs:
                runs = {task: manifest.runs[task]}
                self._readable(path, lambda runs=runs: read_history(self.folder, runs))

    def _readable(self, path: str, read: Any) -> None:
        try:
            read()
        except EntryError as error:
            self._add(
                "E022",
                path,
                shown_error(error),
                "the form that docs/entries.md describes",
                "Put it right, or leave the file out.",
            )

    def _schema(self, path: str, model: type[BaseModel]) -> BaseModel | None:
        """The content of a file in the form of a model; None if it is not there or has it not."""
        content = self.content.get(path)
        if content is None:
            return None
        lines = self.lines[path]
        found = check_schema(path, content, model, lines, self.problems)
        own = content.get("id")
        if isinstance(own, str) and own != self.folder.resolve().name:
            self._add(
                "E023",
                path,
                f"the id {shown(own)}",
                f"the folder's name, {shown(self.folder.resolve().name)}",
                "Rename the folder, or change the id.",
                line=lines.get(("id",)),
                key="id",
            )
        return found

    def _read_text(self, path: str) -> None:
        """Reads a file of text, with what is wrong in its form and its texts."""
        if path.endswith(".parquet"):
            return
        try:
            text = decode(read_bytes(self.files[path], MOST_JSON_BYTES), path)
            if path.endswith(".toml"):
                self.content[path] = parse_toml(text, path)
                self.lines[path] = key_lines(text)
            elif path.endswith(".json"):
                self.content[path] = parse_json(text, path)
                self.lines[path] = {}
        except StructureError as error:
            self._add(
                _REASONS[error.reason],
                path,
                shown_error(error),
                "UTF-8, well-formed, and flat as the files of entries are",
                "Put it right, or let babelboard write it again.",
                line=error.line,
            )
            return
        except EntryError as error:
            self._add("E001", path, shown_error(error), "plain files", "Put a copy in its place.")
            return
        if path in self.content:
            check_texts(path, self.content[path], self.lines[path], self.problems)
        else:
            check_plain_text(path, text, self.problems)
        if path.endswith(".svg"):
            check_picture(text, self.problems)

    def _others(self, own: str) -> list[OtherEntry]:
        root = self.surroundings.entries
        return other_entries(root, own, self.folder) if root else []

    def _add(self, code: str, path: str, found: str, allowed: str, fix: str, **where: Any) -> None:
        self.problems.add(Problem(code, path, found, allowed, fix, **where))
