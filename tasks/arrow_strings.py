"""Many strings that stay on disk: a column of a memory-mapped Arrow file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 8192
"""Strings that iteration takes into memory at once."""


class ArrowStrings(Sequence[str]):
    """A sequence of strings over an Arrow column, of which only what is asked for is in memory.

    Attributes:
        array: The column, memory-mapped where it was opened so.
    """

    __slots__ = ("_starts", "array")

    def __init__(self, array: pa.ChunkedArray) -> None:
        self.array = array
        lengths = [0, *(len(chunk) for chunk in array.chunks)]
        self._starts: NDArray[np.int64] = np.cumsum(np.array(lengths, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return tuple(self.array.slice(start, max(stop - start, 0)).to_pylist())
            return tuple(self.take(np.arange(start, stop, step, dtype=np.int64)))
        number = int(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"string {number} of {len(self)}")
        text: str = self.array[number % len(self)].as_py()
        return text

    def __iter__(self) -> Iterator[str]:
        for chunk in self.array.chunks:
            for start in range(0, len(chunk), BATCH):
                yield from chunk.slice(start, BATCH).to_pylist()

    def __repr__(self) -> str:
        return f"ArrowStrings({len(self):,} strings)"

    def take(self, rows: NDArray[np.int64]) -> list[str]:
        """The strings at ``rows``, in the order of ``rows``.

        Chunk by chunk: Arrow itself would join all chunks in memory first.

        Raises:
            IndexError: If a row is negative or not less than the number of strings.
        """
        if not len(rows):
            return []
        if not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)} strings")
        taken: list[str] = [""] * len(rows)
        chunks = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(chunks, kind="stable")
        numbers, begins = np.unique(chunks[order], return_index=True)
        for number, places in zip(numbers, np.split(order, begins[1:]), strict=True):
            within = pa.array(rows[places] - self._starts[number])
            texts = self.array.chunk(int(number)).take(within).to_pylist()
            for place, text in zip(places.tolist(), texts, strict=True):
                taken[place] = text
        return taken

    def rows_of(self, wanted: Sequence[str]) -> NDArray[np.int64]:
        """The row of each wanted string, -1 where it does not occur, its last where it repeats.

        Args:
            wanted: Strings, each once.

        Returns:
            Rows, shape (wanted,).
        """
        rows = np.full(len(wanted), -1, dtype=np.int64)
        names: Any = pa.array(wanted, type=self.array.type)
        for start, chunk in zip(self._starts, self.array.chunks, strict=False):
            places = pc.index_in(chunk, value_set=names)
            found = np.flatnonzero(np.asarray(places.is_valid()))
            rows[np.asarray(places.drop_null())] = start + found
        return rows
