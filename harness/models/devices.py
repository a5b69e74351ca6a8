"""A model on one or several devices of one machine, and what a batch may hold there."""

from __future__ import annotations

import copy
import queue
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from sentence_transformers.base import BaseModel

from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

Loaded = TypeVar("Loaded", bound=BaseModel)

TOKENS_ON_CPU = 2**11
TOKENS_ON_ACCELERATOR = 2**17


def tokens_per_batch(device: torch.device) -> int:
    """Padded tokens of a full batch: what keeps the device busy and fits.

    On a CPU, the processor time of a token is least around 2,048 tokens, for encoders 384 and 768
    wide, in float32 and in bfloat16 with AMX: a batch of 256 spends a sixth to a third of its time
    on being started, and the activations of 8,192 no longer fit the caches, which costs bfloat16
    up to a half (docs/performance.md). An accelerator needs many more to fill its units.
    """
    return TOKENS_ON_ACCELERATOR if device.type == "cuda" else TOKENS_ON_CPU


def device_names(device: str | None) -> tuple[str | None, ...]:
    """The devices that ``--device`` names; None for the best there is.

    Raises:
        ModelError: If there are several, and one of them is not named or named twice; the CPU,
            which may be, is one to each part of a model that runs at the same time.
    """
    names = [name.strip() for name in device.split(",")] if device else [""]
    chosen = tuple(None if name in ("", "auto") else name for name in names)
    twice = len(set(names) - {"cpu"}) < len([name for name in names if name != "cpu"])
    if len(chosen) > 1 and (None in chosen or twice):
        raise ModelError(
            f"--device {device!r}: several devices are given by their names, each once, such as "
            "cuda:0,cuda:1."
        )
    return chosen


class Replicas(Generic[Loaded]):
    """The same model on each of some devices.

    Args:
        model: The model, on the first device.
        devices: Names of the devices.
        compiled: Whether the forward pass is compiled for each.

    Raises:
        ModelError: If there is no such device, or its memory is too small for the model.
    """

    def __init__(
        self, model: Loaded, devices: tuple[str | None, ...], *, compiled: bool = False
    ) -> None:
        self._free: queue.SimpleQueue[Loaded] = queue.SimpleQueue()
        self._models = [model, *(_copied(model, str(device)) for device in devices[1:])]
        for one in self._models:
            if compiled:
                # Lengths differ from batch to batch: one graph for all of them.
                one.compile(dynamic=True)
            self._free.put(one)

    def __len__(self) -> int:
        return len(self._models)

    @contextmanager
    def one(self) -> Iterator[Loaded]:
        """One that is not in use; waits for it."""
        model = self._free.get()
        try:
            yield model
        finally:
            self._free.put(model)


@contextmanager
def compiling(name: str) -> Iterator[None]:
    """Has a compiled model run for the first time, within.

    Raises:
        ModelError: If it cannot be compiled here.
    """
    try:
        yield
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"The model {name!r} cannot be compiled on this machine: {reason}\n"
            "torch.compile needs a C++ compiler, or a GPU that it knows; leave --compile out."
        ) from error


def _copied(model: Loaded, device: str) -> Loaded:
    try:
        return copy.deepcopy(model).to(device)
    except (AssertionError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"The model cannot be put on the device {device!r}: {reason}") from error
