"""Compact letters: systems that share a letter are not separated by the tests."""

from __future__ import annotations

from string import ascii_lowercase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet


def compact_letters(
    systems: Sequence[str], separated: AbstractSet[tuple[str, str]]
) -> dict[str, str]:
    """Letters by insert and absorb (Piepho 2004, "An algorithm for a letter-based representation").

    Args:
        systems: Names, best first.
        separated: Pairs that differ significantly, in either order.

    Returns:
        The letters of each system, ``a`` for the group of the best.
    """
    columns = [frozenset(systems)]
    for one, other in sorted(separated):
        inserted = []
        for column in columns:
            if one in column and other in column:
                inserted += [column - {one}, column - {other}]
            else:
                inserted.append(column)
        # Absorb: a column that lies within another says nothing more.
        distinct = set(inserted)
        columns = [c for c in distinct if not any(c < larger for larger in distinct)]
    place = {system: position for position, system in enumerate(systems)}
    columns.sort(key=lambda column: sorted(place[system] for system in column))
    names = [letter(position) for position in range(len(columns))]
    return {
        system: "".join(n for n, column in zip(names, columns, strict=True) if system in column)
        for system in systems
    }


def letter(position: int) -> str:
    """``a`` to ``z``, then ``a1``, ``b1``, ..."""
    round_, place = divmod(position, len(ascii_lowercase))
    return ascii_lowercase[place] + (str(round_) if round_ else "")
