"""What the training of a system took, as far as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submissions.claims.system import System


@dataclass(frozen=True, slots=True)
class TrainingCost:
    """The training of one seed.

    Attributes:
        seed: The seed.
        steps: Updates of the weights; None where they were not recorded.
        duration: Time of the steps, such as ``4 min 3 s``; None where it was not recorded.
        hardware: What it ran on; empty where it was not recorded.
    """

    seed: int
    steps: int | None
    duration: str | None
    hardware: str


def training_costs(system: System) -> tuple[TrainingCost, ...]:
    """The cost of each seed of which the time was recorded, by seed."""
    return tuple(
        TrainingCost(
            seed=record.seed,
            steps=record.steps,
            duration=None if record.seconds is None else duration(record.seconds),
            hardware=", ".join(_hardware(record.hardware)),
        )
        for record in system.records
        if record.seconds is not None or record.hardware
    )


def duration(seconds: float) -> str:
    """``12 s``, ``4 min 3 s``, ``2 h 5 min``: the two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,} h {minutes % 60} min"


def _hardware(found: dict[str, str]) -> list[str]:
    """The device that computed, then the processor with its cores."""
    parts = [found[key] for key in ("accelerator", "processor") if found.get(key)]
    if cores := found.get("cores"):
        parts.append("1 core" if cores == "1" else f"{cores} cores")
    return [found["device"], *parts] if found.get("device") else parts
