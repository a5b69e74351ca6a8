"""What a result was made with: versions and hardware, without a trace of who and where."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tasks import __version__

PACKAGES = (
    "torch",
    "transformers",
    "sentence-transformers",
    "mteb",
    "bm25s",
    "PyStemmer",
    "scikit-learn",
    "numpy",
    "scipy",
    "pyarrow",
)


def versions() -> dict[str, str]:
    """Versions of babelboard, Python and the packages that decide a score."""
    found = {"babelboard": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def hardware(device: str) -> dict[str, str]:
    """Processor, number of cores, and the device that encoded."""
    found = {
        "processor": _processor(),
        "cores": str(os.cpu_count() or 1),
        "device": device,
    }
    if device.startswith("cuda"):
        import torch

        found["accelerator"] = torch.cuda.get_device_name(device)
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
