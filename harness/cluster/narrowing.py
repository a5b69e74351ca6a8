"""Finds out which input of a shard its workers die of."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Input = TypeVar("Input")


def narrowed(inputs: Sequence[Input], dies: Callable[[Sequence[Input]], bool]) -> Sequence[Input]:
    """The smallest part of a shard, by halving, that a worker dies of.

    It takes one worker's death for each halving, and one run where a half does no harm.

    Args:
        inputs: Those of the shard.
        dies: Whether a worker dies of some of them.

    Returns:
        One input, or more where their halves do no harm by themselves, as with memory that is too
        small for all at once.
    """
    suspects = inputs
    while len(suspects) > 1:
        middle = len(suspects) // 2
        guilty = next((half for half in (suspects[:middle], suspects[middle:]) if dies(half)), None)
        if guilty is None:
            break
        suspects = guilty
    return suspects
