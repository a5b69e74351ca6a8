"""The training itself: AdamW, step by step, with checkpoints.

It is a loop of our own in place of sentence-transformers' trainers, because a run that was killed
must go on to the same weights, bit by bit, without pickles of optimisers and random states, and
because the languages of a batch are drawn step by step.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

import torch

from submissions.baselines.training_checkpoint import (
    Progress,
    read_progress,
    restore,
    save_checkpoint,
)
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from harness.progress import Reporter
    from submissions.baselines.recipe import TrainingPart
    from submissions.baselines.step_texts import StepSource, StepTexts

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


class Loss(Protocol):
    """What is minimised."""

    def __call__(self, texts: StepTexts) -> Tensor:
        """The loss of a step, shape ()."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is trained, and how.

    Attributes:
        model: A model of sentence-transformers.
        loss: Of that model.
        numbers: Steps, learning rate and the like.
        seed: Of dropout; batches have it too.
        plan: What decides the outcome; see :mod:`submissions.baselines.training_checkpoint`.
        checkpoint: The file that says where the training stands.
        every: Steps from one checkpoint to the next.
        threads: That torch computes with on a CPU, unless the checkpoint has another number; None
            takes torch's own.
    """

    model: Any
    loss: Loss
    numbers: TrainingPart
    seed: int
    plan: Mapping[str, str]
    checkpoint: Path
    every: int
    threads: int | None = None


def run_steps(job: Job, source: StepSource, reporter: Reporter) -> Progress:
    """Trains a model in place, from its last checkpoint if there is one.

    Raises:
        ModelError: If a loss or gradient is no finite number; the last checkpoint is kept.
        UsageError: If there is a checkpoint of another plan.
    """
    numbers, total = job.numbers, job.numbers.steps
    optimizer = torch.optim.AdamW(_groups(job.model, numbers.weight_decay), numbers.learning_rate)
    before = read_progress(job.checkpoint, job.plan)
    losses: list[float] = []
    seconds, threads = 0.0, job.threads or torch.get_num_threads()
    if before:
        restore(job.checkpoint, job.model, optimizer)
        source.texts.restore(before.counts)
        losses, seconds, threads = list(before.losses), before.seconds, before.threads
        reporter.say(f"Going on after step {before.steps} of {total}")
    first, start = len(losses), time.monotonic()

    def standing() -> Progress:
        spent = seconds + time.monotonic() - start
        return Progress(losses, spent, threads, source.texts.counts())

    with _deterministic(threads), reporter.track("Training", total - first, "steps") as advance:
        job.model.train()
        for step, texts in source.steps(first, total):
            # Set anew: numba, which finds negatives, changes the number that torch takes too.
            torch.set_num_threads(threads)
            torch.manual_seed(_step_seed(job.seed, step))
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(numbers, step)
            losses.append(_update(job, optimizer, texts, step))
            if (step + 1) % job.every == 0 or step + 1 == total:
                save_checkpoint(job.checkpoint, job.plan, job.model, optimizer, standing())
            advance(1)
    job.model.eval()
    return standing()


def learning_rate(numbers: TrainingPart, step: int) -> float:
    """The rate of a step, counted from 0: linear to the highest, then linear to 0 after the last.

    Of w steps of warm-up, the first has 1 / w of the highest.
    """
    warmup, total = round(numbers.warmup * numbers.steps), numbers.steps
    rising = (step + 1) / warmup if step < warmup else 1.0
    falling = (total - step) / max(1, total - warmup)
    return numbers.learning_rate * min(rising, falling)


def _update(job: Job, optimizer: torch.optim.Optimizer, texts: StepTexts, step: int) -> float:
    """One step; gives its loss."""
    optimizer.zero_grad(set_to_none=True)
    device = job.model.device.type
    reduced = job.numbers.dtype == "bfloat16"
    with torch.autocast(device, dtype=torch.bfloat16, enabled=reduced):
        loss = job.loss(texts)
    loss.backward()  # type: ignore[no-untyped-call]
    value = loss.item()
    norm = torch.nn.utils.clip_grad_norm_(job.model.parameters(), job.numbers.max_gradient_norm)
    if not torch.isfinite(norm) or not torch.isfinite(loss):
        what = "loss" if not torch.isfinite(loss) else "gradient"
        number = value if what == "loss" else float(norm)
        kept = step // job.every * job.every
        raise ModelError(
            f"The {what} of step {step + 1} is {number}: training stopped. "
            + (f"The checkpoint of step {kept} is kept: {job.checkpoint}. " if kept else "")
            + "Try a lower learning_rate, a longer warmup, or dtype 'float32', in another --out "
            "or with --from-scratch."
        )
    optimizer.step()
    return float(value)


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters with and without weight decay: biases and weights of normalisation have none."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]


def _step_seed(seed: int, step: int) -> int:
    """Seed of dropout in a step."""
    return int.from_bytes(blake2b(f"{seed}:dropout:{step}".encode(), digest_size=7).digest(), "big")


@contextmanager
def _deterministic(threads: int) -> Iterator[None]:
    """The same sums in the same order each time; the state of torch is put back afterwards."""
    os.environ.setdefault(_CUBLAS, ":4096:8")  # without it cuBLAS refuses to be deterministic
    deterministic: Any = torch.utils.deterministic
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        deterministic.fill_uninitialized_memory,
    )
    with torch.random.fork_rng():
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        deterministic.fill_uninitialized_memory = False  # nothing reads it, and it costs a tenth
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
            deterministic.fill_uninitialized_memory = before[2]
