"""What finds the candidates of a reranker: a model, or the rankings that an entry kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.models.description import display_name
from submissions.entry import read_entry
from tasks.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.score import FirstStage

ENTRY_PREFIX = "entry:"


@dataclass(frozen=True, slots=True)
class FirstStageOptions:
    """What a user says of the first stage.

    Attributes:
        name: ``bm25``, another model, or ``entry:ID``; None for none.
        depth: How many documents of each ranking are reranked; None for the default.
    """

    name: str | None
    depth: int | None


def open_first_stage(
    options: FirstStageOptions, root: Path, task: str, device: str | None
) -> FirstStage | None:
    """Opens the first stage that a user names; None for none.

    Args:
        options: What the user says.
        root: Folder of entries.
        task: Name of the task.
        device: Where a neural model runs.

    Raises:
        UsageError: If a depth is given without a first stage, or is more than an entry kept.
        EntryError: If the entry kept no rankings of the task.
    """
    from harness.models.door import BUILT_IN, open_model
    from harness.models.encoder_options import EncoderOptions
    from harness.retrieval.given_runs import KeptRuns
    from harness.score import DEPTH, FirstStage

    if options.name is None:
        if options.depth is not None:
            raise UsageError("--depth says how many candidates of a --first-stage are reranked.")
        return None
    depth = options.depth or DEPTH
    if not options.name.startswith(ENTRY_PREFIX):
        neural = EncoderOptions(device=device)
        model = open_model(options.name, EncoderOptions() if options.name in BUILT_IN else neural)
        return FirstStage(display_name(options.name), model, depth)
    entry = options.name.removeprefix(ENTRY_PREFIX)
    if not (root / entry / "submission.toml").is_file():
        known = [path.parent.name for path in root.glob("*/submission.toml")]
        raise UnknownNameError("entry", entry, known)
    read = read_entry(root / entry)
    table = read.kept_runs(task)
    if depth > table.depth:
        raise UsageError(
            f"--depth {depth} is more than the entry {entry!r} kept of {task}: {table.depth}. "
            f"Score it again with --keep-runs {depth}."
        )
    checksum = {f"{entry}/runs/{task}.parquet": str(read.manifest.runs[task].runs)}
    return FirstStage(options.name, KeptRuns(table), depth, checksum)
