"""Joins a Ray cluster, or starts one on this machine: what is wrong with it is said at once."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from harness.cluster.options import LOCAL
from tasks.errors import ClusterError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from harness.cluster.options import ClusterOptions

SECONDS_TO_ANSWER = 5.0
_OBJECT_STORE = 2**28
"""Bytes of a local cluster's object store; shards in flight are small."""
# Every gRPC server answers a connection's first bytes with a SETTINGS frame (RFC 9113, 3.4).
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS = 4


@contextmanager
def connected(options: ClusterOptions) -> Iterator[ModuleType]:
    """Ray, connected; its processes of this run end with the block.

    Raises:
        ClusterError: If Ray is not installed, the address does not answer, the cluster runs other
            versions, or it has too few cores or GPUs.
        UsageError: If options do not fit the address.
    """
    if options.spill is not None and options.address != LOCAL:
        raise UsageError(
            "--ray-spill is for --ray local. A running cluster was told where to spill when it "
            "was started: ray start --head --object-spilling-directory=FOLDER."
        )
    if options.address not in (LOCAL, "auto"):
        check_answers(options.address)
    ray = _imported()
    try:
        _join(ray, options)
    except ConnectionError as error:
        raise ClusterError(
            f"No Ray cluster takes part at --ray {options.address}: {_short(error)}. Start one "
            "with: ray start --head, or take --ray local. If there is one, it may ask for a token: "
            "set RAY_AUTH_MODE and RAY_AUTH_TOKEN here as on its machines."
        ) from error
    except (RuntimeError, ValueError) as error:
        what = "other versions" if "ersion mismatch" in str(error) else "an error"
        raise ClusterError(
            f"The Ray cluster at {options.address!r} answers with {what}: {_short(error)}. All "
            "machines need the same Python, Ray and babelboard."
        ) from error
    try:
        _check_resources(ray, options)
        # Ray prints what it says of dead workers on stdout, which is for results.
        with redirect_stdout(sys.stderr):
            yield ray
    finally:
        ray.shutdown()


def check_answers(address: str) -> None:
    """Refuses an address where no gRPC server, as Ray's, answers within a few seconds.

    Ray itself tries for minutes, and then ends the process.

    Raises:
        ClusterError: If nothing answers, or something else does.
        UsageError: If it is no address.
    """
    host, _, port = address.rpartition(":")
    if address.startswith("ray://") or not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(
            f"--ray {address!r} is no address of a cluster. Allowed: HOST:PORT, as ray start "
            "--head prints it (usually port 6379); auto, on a machine of the cluster; local."
        )
    advice = "Look at it with: ray status --address ADDRESS; start one with: ray start --head."
    try:
        with socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_ANSWER) as there:
            there.settimeout(SECONDS_TO_ANSWER)
            there.sendall(_PREFACE)
            answer = there.recv(9)
    except OSError as error:
        raise ClusterError(
            f"No Ray cluster answers at --ray {address} within {SECONDS_TO_ANSWER:.0f} seconds: "
            f"{error}. {advice}"
        ) from error
    if len(answer) < 4 or answer[3] != _SETTINGS:
        raise ClusterError(f"What answers at --ray {address} is no Ray cluster. {advice}")


def _imported() -> ModuleType:
    # Nothing about this run is for others to know.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ClusterError(
            "--ray needs Ray, which is not installed. Install it with: pip install "
            "'babelboard[score,ray]' (in a clone: '.[score,ray]')."
        ) from error
    found: ModuleType = ray
    return found


def _join(ray: ModuleType, options: ClusterOptions) -> None:
    if options.address != LOCAL:
        ray.init(address=options.address, log_to_driver=False, logging_level="error")
        return
    spill = {}
    if options.spill is not None:
        options.spill.mkdir(parents=True, exist_ok=True)
        spill["object_spilling_directory"] = str(options.spill.resolve())
    ray.init(
        address=LOCAL,
        # Workers share the cores as the system sees fit: more of them than cores is no error.
        num_cpus=options.workers * options.cpus,
        object_store_memory=_OBJECT_STORE,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        **spill,
    )


def _check_resources(ray: ModuleType, options: ClusterOptions) -> None:
    there = ray.cluster_resources()
    wanted = {"CPU": options.workers * options.cpus, "GPU": options.workers * options.gpus}
    for resource, amount in wanted.items():
        if amount > (has := there.get(resource, 0)):
            raise ClusterError(
                f"{options.workers} workers take {amount:g} {resource}s, and the cluster has "
                f"{has:g}. Take fewer --ray-workers, or less for each by --ray-cpus or --ray-gpus."
            )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
