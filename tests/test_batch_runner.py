"""Batches on several devices, and within the memory that there is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.embeddings.batch_runner import BatchRunner, Work, is_out_of_memory
from harness.embeddings.corpus_embeddings import encode_corpus
from harness.embeddings.encoding import Source, encode_sources
from harness.progress import Silent
from tasks.collection import Corpus
from tasks.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.description import Role

TORCH_SAYS = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 139 GiB",
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you",
    "DefaultCPUAllocator: not enough memory: you tried to allocate 4000000000 bytes.",
)


class Small:
    """Runs out of memory above so many padded tokens, and keeps what it was given."""

    tokens_per_batch = 100

    def __init__(self, memory: int, error: type[Exception] = RuntimeError) -> None:
        self.memory = memory
        self.error = error
        self.tried: list[int] = []
        self.done: list[list[str]] = []

    def fingerprint(self, role: Role) -> str:
        return f"{role:_<40}"

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.array([len(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        assert role
        self.tried.append(len(texts))
        if len(texts) * max(map(len, texts)) > self.memory:
            raise self.error(TORCH_SAYS[0])
        self.done.append(list(texts))
        return np.array([[len(text), ord(text[0])] for text in texts], dtype=np.float32)


TEXTS = [letter * 10 for letter in "abcdefghijklmnopqrstuvwxyz"]
NAMES = [f"document {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
EXPECTED = [[10, ord(text[0])] for text in TEXTS]


def encoded(encoder: Small, texts: Sequence[str] = TEXTS) -> NDArray[np.float32]:
    source = Source("document", NAMES[: len(texts)], texts)
    found = encode_sources(encoder, {("document", "en"): source}, None, Silent())
    return found.vectors["document", "en"]


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_a_batch_that_is_too_large_is_halved_and_the_size_remembered(
    error: type[Exception],
) -> None:
    encoder = Small(30, error)
    np.testing.assert_array_equal(encoded(encoder), EXPECTED)
    # Of 10, halves of 5 do not fit either; halves of those do, and no larger one is tried again.
    assert encoder.tried == [10, 5, 2, 2, 1, 2, 2, 1, *[2] * 5, *[2] * 3]
    assert sorted(text for batch in encoder.done for text in batch) == TEXTS


def test_what_fits_is_not_halved() -> None:
    encoder = Small(100)
    encoded(encoder)
    assert encoder.tried == [10, 10, 6]


def test_a_text_that_is_too_long_alone_is_named(tmp_path: Path) -> None:
    texts = ["a" * 2, "b" * 120, "c" * 3]
    source = Source("document", NAMES[:3], texts)
    with pytest.raises(ModelError) as raised:
        encode_sources(Small(80), {("document", "en"): source}, tmp_path, Silent())
    message = str(raised.value)
    assert "document b alone, which has 120 tokens" in message
    assert repr("b" * 80) in message
    assert "--max-tokens" in message


def test_a_corpus_on_disk_is_halved_too(tmp_path: Path) -> None:
    corpus = Corpus("en", tuple(NAMES), tuple(TEXTS))
    encoder = Small(30)
    found = encode_corpus(encoder, corpus, tmp_path, Silent())
    np.testing.assert_array_equal(found.rows.between(0, 26), EXPECTED)
    assert encoder.tried[:3] == [10, 5, 2]
    with pytest.raises(ModelError, match="document document z alone, which has 10 tokens"):
        encode_corpus(Small(9), Corpus("en", ("document z",), ("z" * 10,)), tmp_path, Silent())


def test_other_errors_are_not_taken_for_memory() -> None:
    class Broken(Small):
        def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
            super().encode(texts, role)
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        encoded(Broken(100))


@pytest.mark.parametrize("words", TORCH_SAYS)
def test_how_torch_says_that_memory_is_out(words: str) -> None:
    assert is_out_of_memory(RuntimeError(words))
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))


def test_batches_of_several_devices_come_in_order() -> None:
    together = threading.Barrier(3, timeout=30)
    most = 12
    lengths = np.full(most, 5)

    def run(rows: list[int]) -> list[int]:
        together.wait()  # comes back only if three run at the same time
        return [row * row for row in rows]

    work = Work(run, lengths, lambda row: (str(row), ""))
    batches = [[row] for row in range(most)]
    found = list(BatchRunner(3).run(work, batches))
    assert found == [([row], [row * row]) for row in range(most)]


def test_an_error_on_one_of_several_devices_comes_out() -> None:
    def run(rows: list[int]) -> list[int]:
        if rows == [3]:
            raise ModelError("the fourth")
        return rows

    work = Work(run, np.ones(50, dtype=np.int64), lambda row: (str(row), ""))
    found = BatchRunner(2).run(work, [[row] for row in range(50)])
    assert [next(found)[0] for _ in range(3)] == [[0], [1], [2]]
    with pytest.raises(ModelError, match="the fourth"):
        next(found)
