"""Embeddings on disk: kept, shared, and never half-written."""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.embeddings.embedding_store import EmbeddingStore
from harness.embeddings.text_store import TEXTS_PER_SHARD, text_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

TEXTS = ["a river", "ein Fluss", "नदी", "", "a river "]
VECTORS = np.random.default_rng(7).normal(size=(5, 3)).astype(np.float32)


def filled(folder: Path | None) -> EmbeddingStore:
    store = EmbeddingStore(folder)
    store.add(TEXTS, VECTORS)
    store.save()
    return store


def npz(**arrays: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def only_shard(folder: Path) -> Path:
    (shard,) = folder.iterdir()
    return shard


def test_what_was_saved_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    filled(tmp_path)
    store = EmbeddingStore(tmp_path)
    assert store.damaged == []
    assert all(text in store for text in TEXTS)
    assert "another river" not in store
    backwards = store.matrix(reversed(TEXTS))
    assert backwards.dtype == np.float32
    np.testing.assert_array_equal(backwards, VECTORS[::-1])


def test_without_a_folder_everything_stays_in_memory(tmp_path: Path) -> None:
    store = filled(None)
    np.testing.assert_array_equal(store.matrix(TEXTS), VECTORS)
    assert list(tmp_path.iterdir()) == []


def test_a_shard_is_saved_as_soon_as_it_is_full(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(TEXTS_PER_SHARD)]
    store = EmbeddingStore(tmp_path)
    store.add(texts[:-1], np.ones((len(texts) - 1, 2), dtype=np.float32))
    assert list(tmp_path.iterdir()) == []
    store.add(texts[-1:], np.ones((1, 2), dtype=np.float32))
    assert all(text in EmbeddingStore(tmp_path) for text in texts)
    # Nothing is left to write.
    store.save()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="truncated"),
        pytest.param(lambda whole: whole[:-1], id="last byte missing"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"not a zip archive", id="not a zip"),
        pytest.param(lambda _: b"PK\x03\x04" + bytes(100), id="a zip's beginning only"),
        pytest.param(lambda _: npz(keys=np.zeros((2, 16), np.uint8)), id="no vectors"),
        pytest.param(
            lambda _: npz(keys=np.zeros((2, 16), np.uint8), vectors=VECTORS[:3]), id="more vectors"
        ),
        pytest.param(
            lambda _: npz(keys=np.zeros((5, 8), np.uint8), vectors=VECTORS), id="short keys"
        ),
        pytest.param(
            lambda _: npz(keys=np.zeros((5, 16), np.uint8), vectors=VECTORS[:, 0]), id="no matrix"
        ),
        pytest.param(
            lambda _: npz(keys=np.zeros((1, 16), np.uint8), vectors=np.array([[{}]], object)),
            id="a pickle inside",
        ),
    ],
)
def test_a_damaged_shard_is_reported_removed_and_made_anew(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    filled(tmp_path)
    shard = only_shard(tmp_path)
    shard.write_bytes(damage(shard.read_bytes()))
    store = EmbeddingStore(tmp_path)
    assert store.damaged == [shard]
    assert not shard.exists()
    assert not any(text in store for text in TEXTS)
    filled(tmp_path)
    np.testing.assert_array_equal(EmbeddingStore(tmp_path).matrix(TEXTS), VECTORS)


def test_an_array_file_named_as_a_shard_is_damage(tmp_path: Path) -> None:
    shard = tmp_path / "0.npz"
    with shard.open("wb") as file:
        np.save(file, VECTORS)
    assert EmbeddingStore(tmp_path).damaged == [shard]


def test_one_damaged_shard_leaves_the_others(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "0.npz").write_bytes(b"?")
    store = EmbeddingStore(tmp_path)
    assert store.damaged == [tmp_path / "0.npz"]
    np.testing.assert_array_equal(store.matrix(TEXTS), VECTORS)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_flipped_bit_gives_another_vector(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    filled(folder)
    shard = only_shard(folder)
    content = bytearray(shard.read_bytes())
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << (position % 8)
    shard.write_bytes(content)
    store = EmbeddingStore(folder)
    if store.damaged:
        assert not any(text in store for text in TEXTS)
    for text, vector in zip(TEXTS, VECTORS, strict=True):
        if text in store:
            np.testing.assert_array_equal(store.matrix([text])[0], vector)


def test_a_flipped_bit_in_the_archives_directory_is_damage(tmp_path: Path) -> None:
    # zipfile raises NotImplementedError for the version and RuntimeError for the encryption flag.
    for offset, bit in ((6, 0x40), (8, 0x01)):
        filled(tmp_path)
        shard = only_shard(tmp_path)
        content = bytearray(shard.read_bytes())
        content[content.index(b"PK\x01\x02") + offset] ^= bit
        shard.write_bytes(content)
        assert EmbeddingStore(tmp_path).damaged == [shard]


def test_two_stores_share_a_folder(tmp_path: Path) -> None:
    first, second = EmbeddingStore(tmp_path), EmbeddingStore(tmp_path)
    first.add(TEXTS[:3], VECTORS[:3])
    second.add(TEXTS[2:], VECTORS[2:])
    first.save()
    second.save()
    third = EmbeddingStore(tmp_path)
    np.testing.assert_array_equal(third.matrix(TEXTS), VECTORS)
    assert third.damaged == []


def test_the_same_texts_make_one_shard(tmp_path: Path) -> None:
    first, second = EmbeddingStore(tmp_path), EmbeddingStore(tmp_path)
    for store in (first, second):
        store.add(TEXTS, VECTORS)
        store.save()
    only_shard(tmp_path)


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = EmbeddingStore(tmp_path)
    store.add(TEXTS[:2], VECTORS[:2])
    store.save()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    store.add(TEXTS[2:], VECTORS[2:])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            store.save()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    # With room again, the same store writes what is missing.
    store.save()
    np.testing.assert_array_equal(EmbeddingStore(tmp_path).matrix(TEXTS), VECTORS)


@given(st.lists(st.text(max_size=20), unique=True, max_size=50))
def test_distinct_texts_have_distinct_keys(texts: list[str]) -> None:
    assert len({text_key(text) for text in texts}) == len(texts)
    assert all(len(text_key(text)) == 16 for text in texts)


def test_a_lone_surrogate_has_a_key() -> None:
    assert text_key("\ud800") != text_key("\ud801")
