"""Texts as the ids of their tokens, and batches of them as tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"
NOT_OF_TOKENS = ("modality", "prompt_length")
"""What sentence-transformers adds to the tensors of a batch, the same for each batch."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Ids of the tokens of texts, one text after the other.

    Attributes:
        ids: Shape (tokens of all texts,).
        ends: Where each text ends, shape (texts,).
    """

    ids: NDArray[np.int32]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[Sequence[int]]) -> Tokens:
        """The ids of each text."""
        lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
        ids = np.fromiter((one for text in texts for one in text), np.int32, int(lengths.sum()))
        return cls(ids, np.cumsum(lengths))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each text, shape (texts,)."""
        return np.diff(self.ends, prepend=0)

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        """The ids of one text."""
        return self.ids[self.ends[row - 1] if row else 0 : self.ends[row]]


@dataclass(frozen=True, slots=True)
class Padding:
    """How a tokenizer pads.

    Attributes:
        id: Of the token that fills.
        type_id: Of the segment of that token.
        left: Whether it is put before the text.
    """

    id: int
    type_id: int
    left: bool

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> Padding:
        """The padding that a tokenizer declares."""
        # A model that never pads has no such token; nothing reads it where the mask is 0.
        return cls(
            int(tokenizer.pad_token_id or 0),
            int(tokenizer.pad_token_type_id),
            tokenizer.padding_side == "left",
        )

    def padded(self, rows: Sequence[NDArray[Any]], fill: int) -> torch.Tensor:
        """Rows of numbers as one int64 tensor, shape (rows, longest)."""
        longest = max(len(row) for row in rows)
        found = np.full((len(rows), longest), fill, dtype=np.int64)
        for place, row in enumerate(rows):
            if len(row):
                found[place, longest - len(row) if self.left else 0 :][: len(row)] = row
        return torch.from_numpy(found)

    def mask(self, lengths: NDArray[np.int64]) -> torch.Tensor:
        """1 for a token and 0 for padding, int64, shape (rows, longest)."""
        places = np.arange(int(lengths.max()))
        if self.left:
            places = places[::-1]
        return torch.from_numpy((places < lengths[:, None]).astype(np.int64))


def same_features(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether two batches are equal: the same entries, and each with the same content."""
    return ours.keys() == theirs.keys() and all(
        torch.equal(ours[key], value)
        if isinstance(value, torch.Tensor) and isinstance(ours[key], torch.Tensor)
        else type(ours[key]) is type(value) and ours[key] == value
        for key, value in theirs.items()
    )
