"""Options of the command line for scoring on a cluster."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cluster.options import ClusterOptions
from harness.models.door import open_model
from tasks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.models.encoder_options import EncoderOptions
    from harness.progress import Reporter
    from harness.retrieval.retrievers import Model

CLUSTER = "A cluster"

Address = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Encode and rerank on a Ray cluster: HOST:PORT, auto, or local for one that is "
        "started on this machine.",
        rich_help_panel=CLUSTER,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--ray-workers",
        min=1,
        help="Workers, each with a copy of the model. Default: 1.",
        rich_help_panel=CLUSTER,
    ),
]
Cpus = Annotated[
    int | None,
    typer.Option(
        "--ray-cpus", min=1, help="Cores of each worker. Default: 1.", rich_help_panel=CLUSTER
    ),
]
Gpus = Annotated[
    float | None,
    typer.Option(
        "--ray-gpus",
        min=0,
        max=1,
        help="GPUs of each worker: 1, or a fraction to share one. Default: 0.",
        rich_help_panel=CLUSTER,
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        "--ray-storage",
        metavar="URL",
        help="Where workers put what they finish: a folder that all machines share, or a URL such "
        "as s3://bucket/folder. Default: the folder for embeddings.",
        rich_help_panel=CLUSTER,
    ),
]
Spill = Annotated[
    Path | None,
    typer.Option(
        "--ray-spill",
        help="Where --ray local puts objects that do not fit its memory.",
        rich_help_panel=CLUSTER,
    ),
]


def cluster_options(
    address: str | None,
    resources: tuple[int | None, int | None, float | None],
    storage: tuple[str | None, Path | None],
    cache: Path,
) -> ClusterOptions | None:
    """What the options ask for; None for this machine alone.

    Args:
        address: Of the cluster.
        resources: Workers, and the cores and GPUs of each.
        storage: Where shards are kept, and where Ray spills.
        cache: Where shards are kept, unless told otherwise.

    Raises:
        UsageError: If there are options of a cluster and no address.
    """
    workers, cpus, gpus = resources
    if address is None:
        if any(value is not None for value in (*resources, *storage)):
            raise UsageError(
                "--ray-workers, --ray-cpus, --ray-gpus, --ray-storage and --ray-spill go with "
                "--ray ADDRESS; --ray local starts a cluster on this machine."
            )
        return None
    return ClusterOptions(
        address=address,
        workers=workers or 1,
        cpus=cpus or 1,
        gpus=gpus or 0,
        storage=storage[0] or str(cache),
        spill=storage[1],
    )


@contextmanager
def opened_model(
    name: str, options: EncoderOptions, cluster: ClusterOptions | None, progress: Reporter
) -> Iterator[Model]:
    """A model on this machine, or on the workers of a cluster until the block ends.

    Raises:
        BabelboardError: If it cannot be opened, or the cluster cannot be used.
    """
    if cluster is None:
        yield open_model(name, options)
        return
    from harness.cluster.door import opened_on_cluster, opener_of

    opener = opener_of(name, options)
    progress.say(f"Starting {cluster.workers} workers on the Ray cluster {cluster.address}")
    with opened_on_cluster(opener, cluster) as model:
        yield model
