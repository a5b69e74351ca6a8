"""The environment of a job: what scoring needs, and nothing that a job has no business with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from submissions.queue.process_table import TOKEN_VARIABLE
from tasks.data_files import DATA_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from submissions.queue.folder import QueueFolder

KEPT = (
    "CUDA_VISIBLE_DEVICES",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "MKL_NUM_THREADS",
    "NVIDIA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "PATH",
)
"""Passed on as they are."""
NETWORK = (
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "https_proxy",
    "http_proxy",
    "no_proxy",
)
"""Passed on with the network."""
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
_NO_PROXY_THERE = "http://127.0.0.1:9"
"""The discard port, where nothing listens: what honours a proxy reaches nobody."""


def job_environment(
    queue: QueueFolder,
    job: str,
    token: str,
    *,
    network: bool,
    around: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """The variables of an attempt.

    Its home is its own, so that neither tokens nor settings of the user's are found there; the
    hub's cache is the user's, for the models that were fetched before.

    Args:
        queue: The queue.
        job: The job's name.
        token: What marks its processes.
        network: Whether the hub, and what honours proxies, may be reached.
        around: The variables of the run-queue itself.
    """
    work = queue.work(job)
    home = Path(around.get("HOME", "/nonexistent"))
    user_hub = Path(around.get("HF_HOME", home / ".cache" / "huggingface"))
    places = {
        "HF_HUB_CACHE": around.get("HF_HUB_CACHE", str(user_hub / "hub")),
        "IR_DATASETS_HOME": around.get("IR_DATASETS_HOME", str(home / ".ir_datasets")),
    }
    if DATA_VARIABLE in around:
        places[DATA_VARIABLE] = around[DATA_VARIABLE]
    passed = KEPT + NETWORK if network else KEPT
    return {
        **{name: around[name] for name in passed if name in around},
        # The job works in another folder than the run-queue does.
        **{name: str(Path(place).absolute()) for name, place in places.items()},
        **({} if network else {**_OFFLINE, **_nowhere()}),
        "HOME": str(work / "home"),
        "HF_HOME": str(work / "home" / "huggingface"),
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TMPDIR": str(work / "tmp"),
        "XDG_CACHE_HOME": str(queue.cache),
        "PYTHONIOENCODING": "utf-8",
        TOKEN_VARIABLE: token,
    }


def _nowhere() -> dict[str, str]:
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    return dict.fromkeys(names, _NO_PROXY_THERE)
