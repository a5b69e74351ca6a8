"""``babelboard run-queue``: works off a folder of jobs on a scoring machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from harness.progress import OnStderr
from submissions.cli.run_queue_report import as_json_content, print_jobs
from submissions.queue.folder import QueueFolder, find_queue, open_queue
from submissions.queue.limits import Limits, parse_duration, parse_size, share_of_memory
from submissions.queue.status import JobStatus, counts, status_of
from tasks.errors import UsageError

LIMITS = "Limits of an attempt"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of the queue; jobs lie in waiting/.")],
    *,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Jobs that run at a time.")] = 1,
    retries: Annotated[
        int,
        typer.Option(
            min=0, max=100, help="Repetitions of a job that crashed, or was lost with a run-queue."
        ),
    ] = 2,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch/--once", help="Wait for more jobs, or end when all are worked off (default)."
        ),
    ] = False,
    network: Annotated[
        bool, typer.Option("--network", help="Let jobs fetch models and data.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="Folder with data files.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = None,
    time_limit: Annotated[
        str, typer.Option(help="Wall time, such as 90s, 30m, 6h or 2d.", rich_help_panel=LIMITS)
    ] = "6h",
    memory_limit: Annotated[
        str | None,
        typer.Option(
            help="Memory of all its processes, such as 512M or 16G. Default: nine tenths of the "
            "machine's, shared by the workers.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    disk_limit: Annotated[
        str,
        typer.Option(
            help="Disk that its working folder takes, such as 20G.", rich_help_panel=LIMITS
        ),
    ] = "20G",
    status: Annotated[
        bool, typer.Option("--status", help="Show the jobs of the queue, and change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score the jobs that wait in a folder, each in a process of its own, within limits.

    A job is a TOML file with id, model, tasks and options of babelboard score. Those that are
    scored have their entry in entries/. Stopped at any moment, the same command goes on.
    """
    if status:
        if watch:
            raise UsageError("--status shows the jobs once: leave out --watch.")
        _print(find_queue(folder), None, as_json=as_json)
        return
    limits = Limits(
        seconds=parse_duration("--time-limit", time_limit),
        memory=parse_size("--memory-limit", memory_limit)
        if memory_limit is not None
        else share_of_memory(workers),
        disk=parse_size("--disk-limit", disk_limit),
    )
    if data is not None and not data.is_dir():
        raise UsageError(f"--data names {str(data)!r}, which is not a folder.")
    queue = open_queue(folder)

    from submissions.queue.score_command import ScoreOnThisMachine
    from submissions.queue.stopping import on_signals
    from submissions.queue.supervisor import QueueOptions, run_queue

    options = QueueOptions(limits, workers, retries, watch, network)
    with on_signals() as stop:
        finished = run_queue(queue, options, ScoreOnThisMachine(data, device), OnStderr(), stop)
    _print(queue, finished, as_json=as_json)
    if stop.asked:
        raise KeyboardInterrupt
    if any(one.state != "done" for one in finished):
        raise typer.Exit(1)


def _print(queue: QueueFolder, finished: list[JobStatus] | None, *, as_json: bool) -> None:
    """Prints the jobs that came to an end, or all of the queue, and how many there are."""
    everything = status_of(queue)
    shown = everything if finished is None else finished
    if as_json:
        print(json.dumps(as_json_content(shown, counts(everything)), indent=1))
    else:
        print_jobs(shown, counts(everything))
