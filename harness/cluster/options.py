"""What a user says of the cluster that scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = "local"
"""The address that stands for a cluster started on this machine, for the time of the run."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Where workers run, and what each of them gets.

    Attributes:
        address: ``HOST:PORT`` of a running cluster, ``auto`` for the one that this machine belongs
            to, or ``local``.
        workers: Number of workers, each with a copy of the model.
        cpus: Processor cores of each worker.
        gpus: GPUs of each worker; a fraction where several share one.
        storage: Folder or fsspec URL that this process and all workers reach, where finished
            shards are kept.
        spill: Where a local cluster puts objects that do not fit its memory; None for Ray's own
            temporary folder.
    """

    address: str
    workers: int
    cpus: int
    gpus: float
    storage: str
    spill: Path | None = None
