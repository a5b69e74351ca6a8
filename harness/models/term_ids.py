"""Texts as numbers of terms: a few bytes a term, where lists of strings take tens."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


class TermIds(Sequence["NDArray[np.int32]"]):
    """The terms of some texts.

    Args:
        flat: Numbers of the terms of one text after the other, shape (terms,).
        ends: Where each text's terms end, shape (texts,).
    """

    def __init__(self, flat: NDArray[np.int32], ends: NDArray[np.int64]) -> None:
        self._flat = flat
        self._starts = np.concatenate([[0], ends])

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> NDArray[np.int32]: ...
    @overload
    def __getitem__(self, index: slice) -> TermIds: ...
    def __getitem__(self, index: int | slice) -> NDArray[np.int32] | TermIds:
        if isinstance(index, slice):
            chosen = [self[number] for number in range(*index.indices(len(self)))]
            ends = np.cumsum([len(terms) for terms in chosen], dtype=np.int64)
            return TermIds(np.concatenate([*chosen, self._flat[:0]]), ends)
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self._flat[self._starts[index] : self._starts[index + 1]]

    @property
    def terms(self) -> int:
        """Number of terms of all texts together."""
        return len(self._flat)

    @classmethod
    def of(cls, texts: Iterable[Iterable[str]], vocabulary: dict[str, int]) -> TermIds:
        """The terms of texts, by their numbers in ``vocabulary``, which grows by new ones."""
        flat, ends = array("i"), array("q")
        for terms in texts:
            flat.extend([vocabulary.setdefault(term, len(vocabulary)) for term in terms])
            ends.append(len(flat))
        return cls(np.array(flat, dtype=np.int32), np.array(ends, dtype=np.int64))

    @classmethod
    def stacked(cls, parts: Sequence[TermIds]) -> TermIds:
        """Texts of several, one after the other."""
        sizes = np.cumsum([0, *(part.terms for part in parts)])
        ends = [part._starts[1:] + size for part, size in zip(parts, sizes, strict=False)]
        return cls(np.concatenate([part._flat for part in parts]), np.concatenate(ends))
