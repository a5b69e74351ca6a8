"""Where a training stands: weights, optimiser and counts in one safetensors file.

No random state is kept: all draws are keyed by the seed and the step.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from harness.files import UNFINISHED, sync_folder
from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor, nn

_WEIGHT, _STATE, _DIGEST = "weight:", "state:", "sha256"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands.

    Attributes:
        losses: The loss of each step that was done.
        seconds: What they took.
        threads: Threads that they ran on; with others, sums come out otherwise.
        counts: What was switched, as :meth:`SwitchedTexts.counts` gives it.
    """

    losses: Sequence[float]
    seconds: float
    threads: int
    counts: Mapping[str, Any]

    @property
    def steps(self) -> int:
        """Steps that were done."""
        return len(self.losses)


def save_checkpoint(
    path: Path,
    plan: Mapping[str, str],
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Writes where a training stands; a stop at any moment leaves the old file or the new one.

    Args:
        path: The file.
        plan: What decides the outcome; a checkpoint goes on under the same plan only.
        model: Its weights are kept.
        optimizer: Its moments are kept.
        progress: The rest.
    """
    tensors = {_WEIGHT + name: tensor for name, tensor in _weights(model).items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"{_STATE}{index}:{key}": torch.as_tensor(v) for key, v in state.items()}
    meta = {
        "plan": json.dumps(dict(plan)),
        "losses": json.dumps(list(progress.losses)),
        "seconds": json.dumps(progress.seconds),
        "threads": json.dumps(progress.threads),
        "counts": json.dumps(progress.counts),
    }
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    digest = _digest(meta, sorted(kept), kept.__getitem__)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        save_file(kept, temporary, {**meta, _DIGEST: digest})
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def read_progress(path: Path, plan: Mapping[str, str]) -> Progress | None:
    """Where an earlier run of the same training stopped; None if there was none.

    Raises:
        DataFileError: If the file is damaged.
        UsageError: If it is of another plan; what differs is named.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            said = dict(file.metadata())
            digest = said.pop(_DIGEST, None)  # earlier versions wrote none
            if digest not in (None, _digest(said, sorted(file.keys()), file.get_tensor)):
                raise ValueError("its content is not what was written")
        meta = {key: json.loads(value) for key, value in said.items()}
        before = meta.pop("plan")
        progress = Progress(**meta)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataFileError(
            f"The checkpoint {path} is damaged: {error}. Begin anew with --from-scratch."
        ) from error
    refuse_other_plan(path, before, plan)
    return progress


def refuse_other_plan(path: Path, before: Mapping[str, str], plan: Mapping[str, str]) -> None:
    """Refuses to go on with what another training left.

    Args:
        path: What it left.
        before: Its plan.
        plan: The plan now.

    Raises:
        UsageError: If the plans differ; the message says in what.
    """
    if different := sorted(k for k in {*before, *plan} if before.get(k) != plan.get(k)):
        lines = [
            f"  {k}: then {before.get(k, 'none')}, now {plan.get(k, 'none')}" for k in different
        ]
        raise UsageError(
            f"{path} is of another training:\n"
            + "\n".join(lines)
            + "\nGo on as it was begun, choose another --out, or begin anew with --from-scratch."
        )


def _digest(
    meta: Mapping[str, str], names: Iterable[str], tensor_of: Callable[[str], Tensor]
) -> str:
    """sha256 of all that a checkpoint holds; safetensors itself has no checksum."""
    whole = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in names:
        tensor = tensor_of(name)
        described = json.dumps([name, str(tensor.dtype), list(tensor.shape)])
        whole.update(described.encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()


def restore(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Puts back the weights and the optimiser's moments."""
    weights: dict[str, Tensor] = {}
    states: dict[int, dict[str, Tensor]] = {}
    with safe_open(path, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118  # no mapping
            tensor = file.get_tensor(name)
            if name.startswith(_WEIGHT):
                weights[name.removeprefix(_WEIGHT)] = tensor
            else:
                index, _, key = name.removeprefix(_STATE).partition(":")
                states.setdefault(int(index), {})[key] = tensor
    model.load_state_dict(weights, strict=False)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers, each tensor once: some models share them under several names."""
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    kept = model.state_dict()
    return {name: tensor for name, tensor in named.items() if name in kept}
