"""The loss of each step as a picture, in SVG."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 624, 30, 274
WINDOW = 10
"""Steps of the mean that is drawn beside the steps themselves."""


def loss_curve(title: str, losses: Sequence[float]) -> str:
    """Draws losses; the same losses give the same text.

    Args:
        title: What was trained.
        losses: Of each step, from the first, at least one.
    """
    interval = nice_interval(max(losses) / 5)
    top = max(1, math.ceil(max(losses) / interval)) * interval
    spread = max(1, len(losses) - 1)

    def x(step: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (step - 1) / spread, 2)

    def y(loss: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * loss / top, 2)

    def points(values: Sequence[float]) -> str:
        return " ".join(f"{x(step)},{y(value)}" for step, value in enumerate(values, 1))

    shown = sorted({1, *(round(1 + spread * part / 4) for part in (1, 2, 3)), len(losses)})
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("loss_curve.svg.jinja").render(
        title=title,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        bottom=BOTTOM,
        window=WINDOW,
        steps=points(losses),
        means=points(running_means(losses, WINDOW)),
        x_ticks=[{"at": x(step), "label": f"{step:,}"} for step in shown],
        y_ticks=[
            {"at": y(number * interval), "label": f"{number * interval:g}"}
            for number in range(round(top / interval) + 1)
        ],
    )


def running_means(values: Sequence[float], window: int) -> list[float]:
    """The mean of each value and those before it, ``window`` in all where there are so many."""
    found = []
    for end in range(1, len(values) + 1):
        part = values[max(0, end - window) : end]
        found.append(sum(part) / len(part))
    return found


def nice_interval(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below a number."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-12))
