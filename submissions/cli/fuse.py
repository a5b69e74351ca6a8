"""``babelboard fuse``: combines the rankings of systems, TREC runs or entries."""

from __future__ import annotations

import gzip
import json
import shlex
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from pydantic import ValidationError

from harness.files import write_atomically
from harness.fusion import Fusion, Method, Norm, check_fusion, fuse, in_order
from harness.progress import OnStderr
from harness.runs import read_run
from submissions.cli.score_report import as_json_content, print_scored
from submissions.entry import check_can_write, check_same_model, write_run
from submissions.fused_entries import Members, check_task, describe_fusion, read_members
from submissions.manifest import Submission
from tasks.definition import describe
from tasks.errors import UsageError
from tasks.task import Task, load_task

if TYPE_CHECKING:
    from harness.score import Scored
    from submissions.entry import Entry

ENTRIES = "Entries"
# What a method can be told.
PARAMETERS = {
    "rrf": ("k",),
    "wsum": ("weight", "norm"),
    "interpolation": ("alpha", "norm"),
}


def command(
    systems: Annotated[
        list[str], typer.Argument(help="TREC runs; or, with --task, entries: ids or folders.")
    ],
    *,
    method: Annotated[Method, typer.Option(help="How rankings become one.")],
    k: Annotated[int | None, typer.Option(help="Of rrf: 1 / (k + rank). Default: 60.")] = None,
    weight: Annotated[
        list[float] | None,
        typer.Option(help="Of wsum: a system's weight; repeated, in their order. Default: 1."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(help="Of interpolation: the weight of the first of two. Default: 0.5."),
    ] = None,
    norm: Annotated[
        Norm | None,
        typer.Option(help="How scores are scaled before they are added. Default: min-max."),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(min=1, help="Fuse this many documents of each ranking. Default: all."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run to write, where TREC runs are fused.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="The task, where entries are fused.", rich_help_panel=ENTRIES)
    ] = None,
    entry: Annotated[
        str | None,
        typer.Option(help="Id of the entry. Default: METHOD-ID-ID.", rich_help_panel=ENTRIES),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name that people read.", rich_help_panel=ENTRIES)
    ] = None,
    keep_runs: Annotated[
        int,
        typer.Option(
            min=0, help="Keep this many documents of each fused ranking.", rich_help_panel=ENTRIES
        ),
    ] = 0,
    data: Annotated[
        Path | None, typer.Option(help="Folder with data files.", rich_help_panel=ENTRIES)
    ] = None,
    root: Annotated[
        Path, typer.Option("--entries", help="Folder of entries.", rich_help_panel=ENTRIES)
    ] = Path("submissions/entries"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fuse the rankings of two or more systems.

    TREC runs become a TREC run. Entries that were scored with --keep-runs become an entry.
    """
    fusion = _fusion(method, {"k": k, "weight": weight or None, "alpha": alpha, "norm": norm})
    check_fusion(fusion, len(systems))
    if task is None:
        _refuse({"--entry": entry, "--name": name, "--keep-runs": keep_runs, "--data": data})
        made = _fuse_files([Path(system) for system in systems], fusion, depth, out)
        print(json.dumps(made, indent=1) if as_json else _in_words(made))
        return
    if out is not None:
        raise UsageError("--out is for TREC runs; a fusion of entries goes to --entries.")
    members = read_members(systems, root, task, depth)
    submission = _submission(members, method, entry, name)
    loaded = load_task(task, data, members.settings)
    written = _fuse_entries(members, loaded, fusion, submission, root, keep_runs)
    if as_json:
        print(json.dumps(as_json_content(*written), indent=1))
    else:
        print_scored(*written)


def _fusion(method: Method, given: dict[str, Any]) -> Fusion:
    """The fusion that the options say; what they leave open is as :class:`Fusion` has it."""
    said = {option: value for option, value in given.items() if value is not None}
    allowed = PARAMETERS[method]
    if wrong := [option for option in said if option not in allowed]:
        raise UsageError(
            f"--{wrong[0]} is not for the method {method}, which takes "
            f"{' and '.join(f'--{option}' for option in allowed)}."
        )
    if "weight" in said:
        said["weights"] = tuple(said.pop("weight"))
    return Fusion(method, **said)


def _refuse(of_entries: dict[str, object]) -> None:
    if wrong := [option for option, value in of_entries.items() if value]:
        raise UsageError(f"{wrong[0]} is for entries, which are fused with --task.")


def _fuse_files(
    paths: list[Path], fusion: Fusion, depth: int | None, out: Path | None
) -> dict[str, Any]:
    """Writes the fusion of TREC runs; returns what there is to say of it."""
    if out is None:
        raise UsageError(
            "Name the run to write with --out; or, to fuse entries, name their task with --task."
        )
    places = [path.resolve() for path in paths]
    if len(set(places)) < len(places):
        raise UsageError("A run is named twice.")
    if out.resolve() in places:
        raise UsageError(f"--out {out} is one of the runs that are fused: name another file.")
    runs = [_first(read_run(path), depth) for path in paths]
    fused = fuse(runs, fusion)
    lines = [
        # The shortest form that is the same in float32.
        f"{query} Q0 {document} {rank} {np.float32(score)} {fusion.method}\n"
        for query, scores in fused.items()
        for rank, (document, score) in enumerate(scores.items(), 1)
    ]
    content = "".join(lines).encode()
    write_atomically(out, gzip.compress(content, mtime=0) if out.suffix == ".gz" else content)
    return {
        "schema_version": 1,
        "run": str(out),
        "runs_fused": len(runs),
        "queries": len(fused),
        "queries_not_in_every_run": sum(any(q not in run for run in runs) for q in fused),
        "documents": len(lines),
    }


def _first(run: dict[str, dict[str, float]], depth: int | None) -> dict[str, dict[str, float]]:
    """The first documents of each ranking, as trec_eval orders them: by scores in float32."""
    found = {}
    for query, scores in run.items():
        with np.errstate(over="ignore"):
            single = np.array(list(scores.values()), dtype=np.float64).astype(np.float32)
        ordered = in_order(dict(zip(scores, single.tolist(), strict=True)))
        found[query] = dict(list(ordered.items())[:depth])
    return found


def _in_words(made: dict[str, Any]) -> str:
    lacking = made["queries_not_in_every_run"]
    return (
        f"{made['runs_fused']} runs, {made['queries']:,} queries, {made['documents']:,} documents."
        + (f" {lacking:,} queries are not in every run." if lacking else "")
        + f" Written to {made['run']}"
    )


def _submission(
    members: Members, method: Method, entry: str | None, name: str | None
) -> Submission:
    chosen = entry or "-".join([method, *members.ids])[:64].rstrip("-._")
    try:
        return Submission.model_validate({"id": chosen, "name": name})
    except ValidationError as error:
        raise UsageError(describe("What was said of the entry", error)) from error


def _fuse_entries(
    members: Members,
    task: Task,
    fusion: Fusion,
    submission: Submission,
    root: Path,
    keep_runs: int,
) -> tuple[Entry, Scored]:
    """Writes the fusion of entries as an entry."""
    # Heavy libraries are loaded only now that everything else is known to be right.
    from harness.fused_runs import FusedRuns
    from harness.score import Plan, score

    check_task(members, task)
    complete = len(task.selected) == len(task.settings)
    check_can_write(root, submission, task.name, complete=complete)
    description = describe_fusion(members, fusion)
    check_same_model(root, submission, description)
    progress = OnStderr()
    fused = FusedRuns(description, members.tables, fusion, members.depth, progress)
    scored = score(fused, task, task.selected, Plan(keep_runs=keep_runs), progress)
    scored = replace(scored, versions={**scored.versions, "ranx": version("ranx")})
    return write_run(root, submission, _again(members, task.name, fusion), scored), scored


def _again(members: Members, task: str, fusion: Fusion) -> str:
    """What to type to get the same ranks."""
    words = ["babelboard", "fuse", *members.ids, "--task", task, "--method", fusion.method]
    if fusion.method == "rrf":
        words += ["--k", str(fusion.k)]
    else:
        words += ["--norm", fusion.norm]
    if fusion.method == "wsum":
        for weight in fusion.weights_of(len(members.ids)):
            words += ["--weight", str(weight)]
    if fusion.method == "interpolation":
        words += ["--alpha", str(fusion.alpha)]
    return shlex.join([*words, "--depth", str(members.depth)])
