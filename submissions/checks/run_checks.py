"""The runs of a manifest against the catalogue: tasks, data, files, and what makes a run whole."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from submissions.checks.problems import Problem, Problems, shown
from submissions.checks.toml_lines import Place, line_of
from submissions.entry import sha256_of
from submissions.manifest import FILE_NAME, Manifest, RunPart
from submissions.trust import LEXICAL
from tasks.definition import load_definition, task_names
from tasks.errors import BabelboardError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tasks.definition import TaskDefinition

OF_RUNS = {
    "ranks": ("ranks", "parquet"),
    "runs": ("runs", "parquet"),
    "shares": ("language_shares", "json"),
}
"""By key of a run: folder and ending of the file whose sha256 it is."""
_WITH_TASK = {*OF_RUNS.values(), ("scores", "json"), ("history", "json")}


class RunChecks:
    """Checks of a manifest that has the right form.

    Args:
        manifest: The manifest.
        files: Files of the entry, by path within it.
        lines: Lines of the manifest's keys.
        problems: Takes what is found.
    """

    def __init__(
        self,
        manifest: Manifest,
        files: Mapping[str, Path],
        lines: Mapping[Place, int],
        problems: Problems,
    ) -> None:
        self._manifest = manifest
        self._files = files
        self._lines = lines
        self._problems = problems

    def check(self) -> dict[str, TaskDefinition]:
        """Checks all runs; the definitions of those whose task is known, by task."""
        if not self._manifest.runs:
            self._add(
                "E029", ("runs",), "no run", "at least one", "Score a task: `babelboard score`."
            )
        self._model()
        definitions = {}
        for task, run in self._manifest.runs.items():
            definition = self._definition(task)
            self._files_of(task, run)
            if definition:
                definitions[task] = definition
                self._data(task, run, definition)
        self._strangers()
        return definitions

    def _definition(self, task: str) -> TaskDefinition | None:
        names = task_names()
        try:
            if task.partition("+")[0] in names:
                return load_definition(task)[0]
            near = get_close_matches(task, names, n=3, cutoff=0.5)
            fix = f"Did you mean {' or '.join(near)}?" if near else "Remove the run."
        except BabelboardError as error:  # a form that the task does not have
            fix = str(error)
        self._add("E024", ("runs", task), f"the task {shown(task)}", ", ".join(names), fix)
        return None

    def _model(self) -> None:
        model = self._manifest.model
        for key, value in model.settings.items():
            if "remote_code" in key.lower() and value not in (False, "", 0, "false", "False"):
                self._add(
                    "E028",
                    ("model", "settings", key),
                    f"{shown(key)} = {shown(value)}",
                    "models of known architectures",
                    "Score the model without --trust-remote-code.",
                )
        if model.kind not in LEXICAL and not (model.revision or model.digest):
            self._add(
                "W007",
                ("model",),
                "neither the commit of a hub model nor the sha256 of its files",
                "a model that can be told from every other",
                "Score a hub model with --revision, for the trust level T2.",
            )

    def _files_of(self, task: str, run: RunPart) -> None:
        for key, (folder, ending) in OF_RUNS.items():
            expected = getattr(run, key)
            if expected is None:
                continue
            path = f"{folder}/{task}.{ending}"
            if path not in self._files:
                self._problems.add(
                    Problem(
                        "E009",
                        path,
                        "no such file that may be read",
                        f"the file whose sha256 stands in runs.{task}.{key}",
                        "Put it back, or score the task again.",
                    )
                )
                continue
            found = sha256_of(self._files[path])
            if found != expected:
                self._add(
                    "E030",
                    ("runs", task, key),
                    f"{path} has sha256 {found}",
                    f"sha256 {expected}",
                    "Put back the file that was scored, or score the task again. Neither file is "
                    "to be edited.",
                )
        if f"scores/{task}.json" not in self._files:
            self._problems.add(
                Problem(
                    "W009",
                    f"scores/{task}.json",
                    "no such file",
                    "the scores of each run, for readers without Parquet",
                    "Score the task again, which writes it.",
                )
            )

    def _data(self, task: str, run: RunPart, definition: TaskDefinition) -> None:
        known = {file.name: file.sha256 for file in definition.files.values()}
        if not known:
            return
        for name, sha256 in run.data.items():
            if name not in known:
                self._add(
                    "E031",
                    ("runs", task, "data", name),
                    f"the data file {shown(name)}",
                    ", ".join(sorted(known)),
                    "Score the task of the catalogue, with its own files.",
                )
            elif known[name] not in (None, sha256):
                self._add(
                    "E031",
                    ("runs", task, "data", name),
                    f"sha256 {sha256}",
                    f"sha256 {known[name]}",
                    "Score the task again with the files of the catalogue: numbers from other "
                    "data cannot be compared.",
                )
        missing = sorted(known.keys() - run.data.keys())
        if missing:
            self._add(
                "E031",
                ("runs", task, "data"),
                f"no sha256 of {', '.join(missing)}",
                "the sha256 of each data file",
                "Score the task again, which writes them.",
            )

    def _strangers(self) -> None:
        """Files of tasks that the manifest has no run of."""
        for path in self._files:
            folder, _, name = path.partition("/")
            task, _, ending = name.rpartition(".")
            if (folder, ending) not in _WITH_TASK:
                continue
            run = self._manifest.runs.get(task)
            key = next((k for k, of in OF_RUNS.items() if of == (folder, ending)), None)
            if run is None or (key and getattr(run, key) is None):
                self._problems.add(
                    Problem(
                        "E003",
                        path,
                        f"a file that {FILE_NAME} does not name",
                        "files of its runs",
                        "Remove it, or score the task again.",
                    )
                )

    def _add(self, code: str, place: Place, found: str, allowed: str, fix: str) -> None:
        key = ".".join(shown(part)[1:-1] for part in place)
        line = line_of(self._lines, place)
        self._problems.add(Problem(code, FILE_NAME, found, allowed, fix, line=line, key=key))
