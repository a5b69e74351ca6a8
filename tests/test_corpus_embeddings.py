"""Embeddings of corpora that lie on disk: encoded piece by piece, resumed, and never mixed up."""

from __future__ import annotations

import hashlib
import os
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.embeddings import corpus_embeddings
from harness.embeddings.corpus_embeddings import encode_corpus
from harness.progress import Silent
from tasks.collection import Corpus
from tasks.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.embeddings.vector_rows import VectorRows
    from harness.models.description import Role

ROWS = 4


class HashEncoder:
    """Makes a vector of the hash of a text, and keeps what it was given."""

    tokens_per_batch = 40

    def __init__(self, stop_after: int | None = None) -> None:
        self.seen: list[str] = []
        self._stop_after = stop_after

    def fingerprint(self, role: Role) -> str:
        return role

    def token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.array([len(text.split()) + 2 for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
        assert role == "document"
        if self._stop_after is not None and len(self.seen) >= self._stop_after:
            raise KeyboardInterrupt
        self.seen += texts
        return np.stack([vector_of(text) for text in texts])


def vector_of(text: str) -> NDArray[np.float32]:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return np.frombuffer(digest, dtype=np.uint8).astype(np.float32)


def corpus_of(texts: Sequence[str]) -> Corpus:
    return Corpus("en", tuple(f"en_{i}" for i in range(len(texts))), tuple(texts))


def encoded_by(encoder: HashEncoder, texts: Sequence[str], folder: Path) -> tuple[VectorRows, int]:
    found = encode_corpus(encoder, corpus_of(texts), folder, Silent())
    return found.rows, found.encoded


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_embeddings, "ROWS", ROWS)


@given(st.lists(st.text(max_size=6), min_size=1, max_size=15))
def test_rows_are_those_of_the_texts(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    rows, encoded = encoded_by(HashEncoder(), texts, folder)
    np.testing.assert_array_equal(rows.between(0, len(texts)), np.stack([*map(vector_of, texts)]))
    assert encoded <= len(texts)
    again = HashEncoder()
    rows, encoded = encoded_by(again, texts, folder)
    assert (again.seen, encoded) == ([], 0)
    np.testing.assert_array_equal(rows.between(0, len(texts)), np.stack([*map(vector_of, texts)]))


def test_a_text_that_a_piece_has_twice_is_encoded_once(tmp_path: Path) -> None:
    encoder = HashEncoder()
    rows, encoded = encoded_by(encoder, ["a", "b", "a", "a"], tmp_path)
    assert sorted(encoder.seen) == ["a", "b"]
    assert encoded == 2
    np.testing.assert_array_equal(rows.at(np.array([3, 1])), [vector_of("a"), vector_of("b")])


def test_a_run_that_was_stopped_goes_on_after_the_last_whole_piece(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(11)]
    with pytest.raises(KeyboardInterrupt):
        encode_corpus(HashEncoder(stop_after=ROWS), corpus_of(texts), tmp_path, Silent())
    again = HashEncoder()
    encode_corpus(again, corpus_of(texts), tmp_path, Silent())
    assert sorted(again.seen) == sorted(texts[ROWS:])


def test_only_what_changed_is_encoded_again(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(12)]
    encode_corpus(HashEncoder(), corpus_of(texts), tmp_path, Silent())
    changed = [*texts[:5], "other", *texts[6:]]
    again = HashEncoder()
    rows, _ = encoded_by(again, changed, tmp_path)
    assert sorted(again.seen) == sorted(changed[4:8])
    np.testing.assert_array_equal(rows.at(np.array([5]))[0], vector_of("other"))


@pytest.mark.parametrize("damage", ["cut", "emptied", "another shape"])
def test_a_damaged_piece_is_encoded_again(tmp_path: Path, damage: str) -> None:
    texts = [f"text {number}" for number in range(ROWS)]
    encode_corpus(HashEncoder(), corpus_of(texts), tmp_path, Silent())
    (piece,) = tmp_path.iterdir()
    content = piece.read_bytes()
    if damage == "another shape":
        np.save(piece, np.zeros((ROWS + 1, 8), dtype=np.float32))
    else:
        piece.write_bytes(content[:-8] if damage == "cut" else b"")
    again = HashEncoder()
    encode_corpus(again, corpus_of(texts), tmp_path, Silent())
    assert sorted(again.seen) == texts
    assert piece.read_bytes() == content


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_bit_that_was_flipped_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    texts = [f"text {number}" for number in range(2 * ROWS)]
    whole, _ = encoded_by(HashEncoder(), texts, folder)
    expected = whole.between(0, len(texts)).copy()
    piece = data.draw(st.sampled_from(sorted(folder.iterdir())))
    content = bytearray(piece.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    piece.write_bytes(content)
    again = HashEncoder()
    rows, encoded = encoded_by(again, texts, folder)
    assert encoded == len(again.seen) == ROWS
    np.testing.assert_array_equal(rows.between(0, len(texts)), expected)


def test_damage_is_said(tmp_path: Path) -> None:
    said: list[str] = []

    class Listening(Silent):
        def say(self, line: str) -> None:
            said.append(line)

    encode_corpus(HashEncoder(), corpus_of(["a"]), tmp_path, Listening())
    assert said == []
    (piece,) = tmp_path.iterdir()
    np.save(piece, np.zeros((1, 8), np.float32))  # what a piece was before it had a digest
    encode_corpus(HashEncoder(), corpus_of(["a"]), tmp_path, Listening())
    assert len(said) == 1
    assert str(piece) in said[0]


def test_a_full_disk_is_seen_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 11 texts of 8 numbers of 4 bytes take 352; one byte less is free.
    asked: list[Path] = []

    def usage(free: int) -> Callable[[Path], SimpleNamespace]:
        def found(folder: Path) -> SimpleNamespace:
            asked.append(folder)
            return SimpleNamespace(free=free)

        return found

    texts = [f"text {number}" for number in range(11)]
    folder = tmp_path / "not" / "yet"
    monkeypatch.setattr(shutil, "disk_usage", usage(351))
    with pytest.raises(UsageError, match=r"take 352 bytes in .*not/yet, where 351 bytes .*--cache"):
        encode_corpus(HashEncoder(), corpus_of(texts), folder, Silent())
    assert asked == [tmp_path]
    assert not folder.exists()

    monkeypatch.setattr(shutil, "disk_usage", usage(352))
    encode_corpus(HashEncoder(), corpus_of(texts), folder, Silent())
    # What is there already needs no room: of the second and third piece, the third has changed.
    monkeypatch.setattr(shutil, "disk_usage", usage(128))
    encode_corpus(HashEncoder(), corpus_of([*texts, "one more"][ROWS:]), folder, Silent())


def test_what_a_killed_run_left_is_removed_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / ".a.npy.x.part", tmp_path / ".b.npy.y.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    encode_corpus(HashEncoder(), corpus_of(["a"]), tmp_path, Silent())
    assert (old.exists(), new.exists()) == (False, True)


def test_padding_is_counted(tmp_path: Path) -> None:
    # Two pieces; 4 + 3 + 3 + 3 tokens in a batch of four, then 5 tokens.
    texts = ["a a", "b", "c", "d", "e e e"]
    found = encode_corpus(HashEncoder(), corpus_of(texts), tmp_path, Silent())
    assert (found.tokens, found.padded) == (13 + 5, 16 + 5)


def test_an_embedding_that_is_not_finite_names_its_document(tmp_path: Path) -> None:
    class Overflowing(HashEncoder):
        def encode(self, texts: Sequence[str], role: Role) -> NDArray[np.float32]:
            return super().encode(texts, role) * np.float32(np.nan)

    with pytest.raises(ModelError, match="document en_"):
        encode_corpus(Overflowing(), corpus_of(["a"]), tmp_path, Silent())
    assert not list(tmp_path.iterdir())
