"""The workflows of the repository: what a pull request brings is data, and gains no rights."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

yaml = pytest.importorskip("yaml", reason="needs the extra 'score'")

FOLDER = Path(__file__).parents[2] / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.y*ml"))
GIT, BASH = shutil.which("git") or "", shutil.which("bash") or ""
FOR_PULL_REQUESTS = ("pull_request", "pull_request_target", "issue_comment", "workflow_run")


def parse(text: str) -> dict[str, Any]:
    content = yaml.safe_load(text)
    # YAML 1.1 takes "on" for true.
    return {("on" if key is True else key): value for key, value in content.items()}


def triggers(workflow: dict[str, Any]) -> set[str]:
    on = workflow["on"]
    return {on} if isinstance(on, str) else set(on)


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", ())


def faults(workflow: dict[str, Any]) -> list[str]:
    """What would let a pull request do more than bring data."""
    found = []
    if "permissions" not in workflow:
        found.append("the token's rights are not limited")
    from_others = triggers(workflow).intersection(FOR_PULL_REQUESTS)
    if from_others:
        for part in (workflow, *workflow["jobs"].values()):
            rights = part.get("permissions", {})
            if not isinstance(rights, dict) or set(rights.values()) - {"read", "none"}:
                found.append("a pull request gets a token that may write")
    for step in steps(workflow):
        if "${{" in step.get("run", ""):
            found.append("an expression becomes part of a script")
        if step.get("uses", "").startswith("actions/checkout@"):
            found += faults_of_a_checkout(step.get("with", {}), from_others)
    return found


def faults_of_a_checkout(options: dict[str, Any], from_others: set[str]) -> list[str]:
    found = []
    if options.get("persist-credentials") is not False:
        found.append("a checkout leaves its token on the disk")
    # Without ref, pull_request takes the merge, and pull_request_target the base.
    safe = {"${{ github.event.pull_request.base.sha }}"}
    if from_others == {"pull_request_target"}:
        safe.add("")
    if from_others and str(options.get("ref", "")) not in safe:
        found.append("what a pull request brings is checked out")
    if "repository" in options:
        found.append("another repository is checked out")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_workflow_is_safe(path):
    assert faults(parse(path.read_text("utf-8"))) == []


def test_there_are_the_workflows_of_the_documents():
    assert {"pages.yml", "score.yml", "submission.yml"} <= {path.name for path in FILES}


@pytest.mark.parametrize("name", ["score.yml", "submission.yml"])
def test_actions_of_pull_requests_are_pinned_to_commits(name):
    used = re.findall(r"uses: (\S+)(.*)", (FOLDER / name).read_text("utf-8"))
    assert used
    for action, comment in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_our_own_machine_scores_only_what_a_maintainer_labelled():
    workflow = parse((FOLDER / "score.yml").read_text("utf-8"))
    assert workflow["on"] == {"pull_request_target": {"types": ["labeled"]}}
    (job,) = workflow["jobs"].values()
    assert job["if"] == "github.event.label.name == 'score'"
    assert job["environment"] == "scoring"
    for path in FILES:
        if path.name != "score.yml":
            assert "self-hosted" not in path.read_text("utf-8")


UNSAFE = {
    "permissions:\n  contents: read": ("permissions:\n  contents: write", "may write"),
    "    runs-on: ubuntu-latest": (
        "    permissions: write-all\n    runs-on: ubuntu-latest",
        "may write",
    ),
    "permissions:\n  contents: read\n": ("", "not limited"),
    "base.sha": ("head.sha", "is checked out"),
    "          ref: ${{ github.event.pull_request.base.sha }}\n": ("", "is checked out"),
    "persist-credentials: false": ("persist-credentials: true", "leaves its token"),
    '"$GITHUB_SHA"\n': ('"${{ github.event.pull_request.title }}"\n', "part of a script"),
    "          ref:": ("          repository: other/one\n          ref:", "another repository"),
}


@pytest.mark.parametrize("before", UNSAFE, ids=lambda text: text.strip().replace("\n", " "))
def test_an_unsafe_workflow_would_be_seen(before):
    text = (FOLDER / "submission.yml").read_text("utf-8")
    after, message = UNSAFE[before]
    assert before in text
    assert any(message in fault for fault in faults(parse(text.replace(before, after, 1))))


def test_pull_request_target_with_the_head_would_be_seen():
    text = (FOLDER / "score.yml").read_text("utf-8")
    with_head = "with:\n          ref: ${{ github.event.pull_request.head.sha }}"
    changed = text.replace("with:", with_head, 1)
    assert faults(parse(changed)) == ["what a pull request brings is checked out"]


def git(folder: Path, *arguments: str) -> str:
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    return subprocess.run(
        [GIT, *name, *arguments], cwd=folder, capture_output=True, check=True, encoding="utf-8"
    ).stdout.strip()


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            path.symlink_to(content.removeprefix("-> "))
        else:
            path.write_text(content, "utf-8")


class Pull:
    """A repository, a pull request for it, and a runner's checkout of the base."""

    def __init__(self, folder: Path, files: dict[str, str], *, removed: str | None = None) -> None:
        self.origin, self.clone, self.temp = folder / "origin", folder / "clone", folder / "temp"
        self.origin.mkdir()
        self.temp.mkdir()
        git(self.origin, "init", "--quiet", "--initial-branch=main")
        git(self.origin, "config", "uploadpack.allowAnySHA1InWant", "true")
        write(self.origin, {"README.md": "x", "submissions/entries/old/submission.toml": "old"})
        git(self.origin, "add", ".")
        git(self.origin, "commit", "--quiet", "-m", "base")
        git(self.origin, "checkout", "--quiet", "-b", "pull")
        write(self.origin, files)
        if removed:
            git(self.origin, "rm", "--quiet", "-r", removed)
        git(self.origin, "add", ".")
        git(self.origin, "commit", "--quiet", "-m", "pull")
        self.head = git(self.origin, "rev-parse", "HEAD")
        git(self.origin, "checkout", "--quiet", "main")
        git(self.origin, "merge", "--quiet", "--no-ff", "-m", "merge", "pull")
        self.merge = git(self.origin, "rev-parse", "HEAD")
        git(self.origin, "reset", "--quiet", "--hard", "HEAD^1")
        git(folder, "clone", "--quiet", "--depth=1", f"file://{self.origin}", "clone")

    def run(self, workflow: str, step: str) -> subprocess.CompletedProcess[str]:
        content = parse((FOLDER / workflow).read_text("utf-8"))
        (script,) = (one["run"] for one in steps(content) if one.get("name") == step)
        return subprocess.run(
            [BASH, "-c", script],
            cwd=self.clone,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.temp),
                "LC_ALL": "C",
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_SHA": self.merge,
                "HEAD": self.head,
                "NUMBER": "7",
            },
            capture_output=True,
            check=False,
            encoding="utf-8",
        )


def taken(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): "link"
        if path.is_symlink()
        else path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_entries_of_a_pull_request_are_taken_as_they_are(tmp_path):
    pull = Pull(
        tmp_path,
        {
            "submissions/entries/new/submission.toml": "new",
            "submissions/entries/new/.gitattributes": "* export-ignore filter=lfs ident",
            "submissions/entries/new/README.md": "$Id$",
            "submissions/entries/new/link": "-> /etc/hostname",
            "submissions/entries/old/submission.toml": "changed",
            "submissions/entries/changes.toml": "x",
        },
    )
    done = pull.run("submission.yml", "Take the entries as data")
    assert done.returncode == 0, done.stderr
    assert (pull.temp / "ids").read_text() == "new\nold\n"
    assert taken(pull.temp / "pr" / "submissions" / "entries") == {
        "new/.gitattributes": "* export-ignore filter=lfs ident",
        "new/README.md": "$Id$",
        "new/link": "link",
        "new/submission.toml": "new",
        "old/submission.toml": "changed",
    }
    assert git(pull.clone, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("harness/files.py", "harness/files.py"),
        ("submissions/entries/Upper/submission.toml", "Upper"),
        ("submissions/entries/a b/submission.toml", r"a\ b"),
        ("submissions/entries/x\n::set-output name=a::b/y", r"$'submissions/entries/x\n"),
        ("submissions/entries/loose.txt", "loose.txt"),
        (".github/workflows/submission.yml", "submission.yml"),
    ],
)
def test_a_pull_request_with_other_files_is_told(tmp_path, file, said):
    pull = Pull(tmp_path, {"submissions/entries/new/submission.toml": "new", file: "x"})
    done = pull.run("submission.yml", "Take the entries as data")
    assert done.returncode == 1
    assert "Entries come in a pull request of their own" in done.stdout
    assert said in done.stdout
    assert "\n::" not in done.stdout


def test_an_entry_is_not_removed_by_a_pull_request(tmp_path):
    pull = Pull(tmp_path, {}, removed="submissions/entries/old")
    done = pull.run("submission.yml", "Take the entries as data")
    assert done.returncode == 1
    assert "The entry old is removed" in done.stdout


def test_manifests_of_a_pull_request_are_taken_and_nothing_else(tmp_path):
    pull = Pull(
        tmp_path,
        {
            "jobs/mine.toml": "id = 1",
            "jobs/Large.toml": "x",
            "jobs/large.toml": "#" * 20_000,
            "jobs/link.toml": "-> /etc/passwd",
            "jobs/deep/inner.toml": "x",
            "jobs/run.sh": "exit 1",
            "jobs/x y.toml": "x",
            "setup.py": "raise SystemExit",
        },
    )
    done = pull.run("score.yml", "Take the manifests as data")
    assert done.returncode == 0, done.stderr
    assert taken(pull.temp / "queue") == {"waiting/pr-7-mine.toml": "id = 1"}
    assert done.stdout.count("passed over") == 6
    assert not (pull.clone / "setup.py").exists()


def test_a_pull_request_without_manifests_leaves_an_empty_queue(tmp_path):
    pull = Pull(tmp_path, {"docs/x.md": "x"})
    assert pull.run("score.yml", "Take the manifests as data").returncode == 0
    assert taken(pull.temp / "queue") == {}
