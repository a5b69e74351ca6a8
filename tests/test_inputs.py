"""Texts are read once, by a thread that runs ahead where that is safe."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.embeddings import encoding
from harness.embeddings.encoding import Source, encode_sources
from harness.embeddings.inputs import read_in_turn
from harness.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.models.description import Role


@dataclass
class Read:
    texts: Sequence[str]

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.array([len(text) for text in self.texts], dtype=np.int64)

    def encode(self, rows: Sequence[int]) -> NDArray[np.float32]:
        return np.array([[len(self.texts[row])] for row in rows], dtype=np.float32)


class ReadingEncoder:
    """Keeps what it read, and in which thread."""

    tokens_per_batch = 20
    workers = 1

    def __init__(self, *, reads_ahead: bool) -> None:
        self.reads_ahead = reads_ahead
        self.parts: list[list[str]] = []
        self.threads: set[int] = set()
        self.second = threading.Event()

    def fingerprint(self, role: Role) -> str:
        return f"{role:_<40}"

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        raise AssertionError(f"{texts} are read")

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        raise AssertionError(f"{texts} of the role {role} are read")

    def read(self, texts: Sequence[str], role: Role) -> Read:
        assert role == "document"
        self.parts.append(list(texts))
        self.threads.add(threading.get_ident())
        if len(self.parts) == 2:
            self.second.set()
        return Read(texts)


@pytest.mark.parametrize("reads_ahead", [True, False])
def test_each_text_is_read_once(reads_ahead: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "TEXTS_AT_ONCE", 3)
    encoder = ReadingEncoder(reads_ahead=reads_ahead)
    texts = ["a" * number for number in range(1, 9)]
    source = Source("document", texts, [*texts, texts[0]][:8])
    found = encode_sources(encoder, {("document", "en"): source}, None, Silent())
    assert found.vectors["document", "en"][:, 0].tolist() == [*range(1, 9)]
    # Three at a time, the longest first.
    assert [[len(text) for text in part] for part in encoder.parts] == [
        [8, 7, 6],
        [5, 4, 3],
        [2, 1],
    ]
    here = threading.get_ident()
    assert (encoder.threads == {here}) is (not reads_ahead)
    assert len(encoder.threads) == 1


def test_the_next_texts_are_read_while_these_are_encoded() -> None:
    encoder = ReadingEncoder(reads_ahead=True)
    parts = read_in_turn(encoder, [["a"], ["b"], ["c"]], "document")
    part, _ = next(parts)
    assert part == ["a"]
    assert encoder.second.wait(timeout=30)  # nobody has asked for the second part
    assert [part for part, _ in parts] == [["b"], ["c"]]


def test_an_error_while_reading_comes_out() -> None:
    class Broken(ReadingEncoder):
        def read(self, texts: Sequence[str], role: Role) -> Read:
            if texts == ["b"]:
                raise ValueError("no such text")
            return super().read(texts, role)

    parts = read_in_turn(Broken(reads_ahead=True), [["a"], ["b"], ["c"]], "document")
    assert next(parts)[0] == ["a"]
    with pytest.raises(ValueError, match="no such text"):
        next(parts)


def test_nothing_to_read() -> None:
    assert list(read_in_turn(ReadingEncoder(reads_ahead=True), [], "document")) == []
