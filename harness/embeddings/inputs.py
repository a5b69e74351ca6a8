"""Texts as a model takes them in: read by its tokenizer once, ahead of the model.

What a tokenizer gives serves twice, for the lengths that batches are packed by and for the
encoding. A reader whose tokenizer may work beside the model reads the next texts in a thread of
its own while these are encoded: tokenizers written in Rust let other threads of Python run.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.embeddings.encoding import Encoder
    from harness.models.description import Role


class Inputs(Protocol):
    """Some texts of one role, read."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each text, shape (texts,)."""

    def encode(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Vectors of one batch of these texts, shape (rows, dimension)."""


@runtime_checkable
class Reader(Protocol):
    """A model that keeps what its tokenizer makes of texts.

    Attributes:
        reads_ahead: Whether texts may be read in a thread while others are encoded.
        workers: How many batches can be encoded at the same time: one a device.
    """

    reads_ahead: bool
    workers: int

    def read(self, texts: Sequence[str], role: Role) -> Inputs:
        """Texts of a role, read by the tokenizer."""


@dataclass(frozen=True, slots=True)
class PlainInputs:
    """Texts that the model reads anew when it encodes them."""

    encoder: Encoder
    texts: Sequence[str]
    role: Role
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, encoder: Encoder, texts: Sequence[str], role: Role) -> PlainInputs:
        """Texts with their lengths."""
        return cls(encoder, texts, role, np.asarray(encoder.token_counts(texts), dtype=np.int64))

    def encode(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """See :meth:`Inputs.encode`."""
        return self.encoder.encode([self.texts[row] for row in rows], self.role)


def workers_of(encoder: Encoder) -> int:
    """How many batches an encoder takes at the same time."""
    return encoder.workers if isinstance(encoder, Reader) else 1


def read_in_turn(
    encoder: Encoder, parts: Iterable[Sequence[str]], role: Role
) -> Iterator[tuple[Sequence[str], Inputs]]:
    """Reads texts part by part, the next part while the last one is being encoded.

    Args:
        encoder: The model.
        parts: Lists of texts.
        role: Their role.
    """
    if not isinstance(encoder, Reader):
        for part in parts:
            yield part, PlainInputs.of(encoder, part, role)
        return
    if not encoder.reads_ahead:
        for part in parts:
            yield part, encoder.read(part, role)
        return
    waiting = iter(parts)
    with ThreadPoolExecutor(1, thread_name_prefix="tokenizer") as thread:

        def read_next() -> tuple[Sequence[str], Inputs] | None:
            part = next(waiting, None)
            return None if part is None else (part, encoder.read(part, role))

        ahead = thread.submit(read_next)
        while (found := ahead.result()) is not None:
            ahead = thread.submit(read_next)
            yield found
