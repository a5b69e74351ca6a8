"""The documents say what is true: their commands run, their figures are those of the code."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tasks.definition import load_definition, task_names

if TYPE_CHECKING:
    from conftest import RunsCommand

ROOT = Path(__file__).parents[1]
ENTRIES = ROOT / "submissions" / "entries"
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
# Run by .ci/run, which starts the tests; or in need of the network.
ELSEWHERE = ("make ", "python3 -m venv", "build/light/bin/")


def commands(document: Path) -> list[list[str]]:
    blocks = re.findall(r"^```bash\n(.*?)^```", document.read_text("utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines() if line]
    return [shlex.split(line) for line in lines if not line.startswith(ELSEWHERE)]


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if commands(d)], ids=lambda d: d.name)
def test_commands_of_a_document_run(
    babelboard: RunsCommand, document: Path, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    # Of the entries that were trained two are enough: each further one costs seconds.
    trained = {path.name for path in ENTRIES.glob("*-seed-*")} - {
        "zero-shot-seed-1",
        "ml-cs-p050-seed-1",
    }
    kept = shutil.ignore_patterns(*trained)
    shutil.copytree(ENTRIES, tmp_path / "submissions" / "entries", ignore=kept)
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for command in commands(document):
        assert command[0].endswith("babelboard"), f"not known how to run {command}"
        done = babelboard(*command[1:], cwd=tmp_path, env=cache)
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stderr}"
        assert done.stdout


def test_commands_that_run_elsewhere_are_in_ci() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    lines = [
        line
        for document in DOCUMENTS
        for block in re.findall(r"^```bash\n(.*?)^```", document.read_text("utf-8"), re.M | re.S)
        for line in block.splitlines()
        if line.startswith(ELSEWHERE)
    ]
    assert lines
    for line in lines:
        assert line in ci, f"{line!r} is in the documents, but .ci/run does not run it"


def test_links_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_readme_has_the_sizes_of_the_tasks() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in task_names():
        definition, _ = load_definition(name)
        sizes = definition.language_sizes.values()
        candidates = definition.candidate_pairs or sum(size.documents or 0 for size in sizes)
        row = (
            f"| `{name}` | {len(sizes)} | {len(definition.all_settings())} "
            f"| {sum(size.queries or 0 for size in sizes):,} | {candidates:,} |"
        )
        assert row in readme


def test_the_table_in_the_readme_is_what_compare_prints(babelboard) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    start = readme.index("pocket, CLIR average")
    shown = readme[start : readme.index("...", start)].splitlines()
    entries = ROOT / "submissions" / "entries"
    arguments = ("char-ngram", "bm25", "--task", "pocket", "--entries", str(entries))
    printed = babelboard("compare", *arguments, env={"COLUMNS": "80"}).stdout.splitlines()
    assert [line.rstrip() for line in shown if line] == [
        line.rstrip() for line in printed[printed.index(shown[0]) :][: len(shown)] if line
    ]
