"""Matrices of texts: cut, chosen and joined, in memory and on disk."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from harness.embeddings.ragged_rows import Ragged, RaggedRows
from harness.embeddings.ragged_store import RaggedStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LENGTHS = (3, 0, 1, 4, 0)
MATRICES = [
    np.random.default_rng(length).normal(size=(length, 2)).astype(np.float32) for length in LENGTHS
]
TEXTS = ["a river", "ein Fluss", "नदी", "", "a river "]


def matrices_of(ragged):
    ends = ragged.offsets[1:-1]
    assert ragged.offsets[0] == 0
    assert ragged.offsets[-1] == len(ragged.values)
    return np.split(ragged.values, ends)


def assert_same(ragged, expected):
    assert len(ragged) == len(expected)
    for found, matrix in zip(matrices_of(ragged), expected, strict=True):
        assert_array_equal(found, matrix)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_is_asked_for_is_what_went_in(data):
    cuts = data.draw(st.sets(st.integers(1, 4)).map(sorted))
    parts = [
        Ragged.of(MATRICES[first:last]) for first, last in zip([0, *cuts], [*cuts, 5], strict=True)
    ]
    rows = RaggedRows(parts)
    assert (len(rows), rows.rows, rows.width) == (5, sum(LENGTHS), 2)
    first = data.draw(st.integers(0, 5))
    last = data.draw(st.integers(first, 5))
    between = rows.between(first, last)
    assert len(between) == last - first
    if first < last:
        assert_same(between, MATRICES[first:last])
    chosen = data.draw(st.lists(st.integers(0, 4), min_size=1))
    assert_same(rows.at(np.array(chosen)), [MATRICES[i] for i in chosen])


def test_joined_texts_follow_one_another():
    first, second = RaggedRows([Ragged.of(MATRICES[:2])]), RaggedRows([Ragged.of(MATRICES[2:])])
    assert_same(first.joined_with([second, first]).between(0, 7), [*MATRICES, *MATRICES[:2]])
    assert_same(second.joined_with([]).between(0, 3), MATRICES[2:])


def test_no_texts_are_no_rows():
    nothing = RaggedRows([Ragged.of(MATRICES)]).at(np.array([], dtype=np.int64))
    assert len(nothing) == 0
    assert nothing.values.shape == (0, 2)


def filled(folder: Path | None) -> RaggedStore:
    store = RaggedStore(folder)
    store.add(TEXTS, MATRICES)
    store.save()
    return store


def test_what_was_saved_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    filled(tmp_path)
    store = RaggedStore(tmp_path)
    assert store.damaged == []
    assert all(text in store for text in TEXTS)
    assert "another river" not in store
    found = store.ragged(reversed(TEXTS))
    assert found.values.dtype == np.float32
    assert_same(found, MATRICES[::-1])
    assert_same(filled(None).ragged(TEXTS), MATRICES)


def test_texts_without_any_rows_are_kept_too(tmp_path: Path) -> None:
    store = RaggedStore(tmp_path)
    store.add(TEXTS[:2], [np.empty((0, 2), dtype=np.float32)] * 2)
    store.save()
    found = RaggedStore(tmp_path).ragged(TEXTS[:2])
    assert found.values.shape == (0, 2)
    assert_array_equal(found.offsets, [0, 0, 0])


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


KEYS = np.zeros((2, 16), np.uint8)
VALUES = np.ones((3, 2), np.float32)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="truncated"),
        pytest.param(lambda _: b"not a zip archive", id="not a zip"),
        pytest.param(lambda _: npz(keys=KEYS, values=VALUES), id="no lengths"),
        pytest.param(lambda _: npz(keys=KEYS, lengths=np.array([1, 2])), id="no values"),
        pytest.param(
            lambda _: npz(keys=KEYS, values=VALUES, lengths=np.array([1, 1])), id="more values"
        ),
        pytest.param(
            lambda _: npz(keys=KEYS, values=VALUES, lengths=np.array([1, 3])), id="fewer values"
        ),
        pytest.param(
            lambda _: npz(keys=KEYS, values=VALUES, lengths=np.array([4, -1])), id="negative"
        ),
        pytest.param(
            lambda _: npz(keys=KEYS, values=VALUES, lengths=np.array([1, 1, 1])), id="more texts"
        ),
        pytest.param(
            lambda _: npz(keys=KEYS[:, 8:], values=VALUES, lengths=np.array([1, 2])), id="keys"
        ),
        pytest.param(
            lambda _: npz(keys=KEYS, values=VALUES[:, 0], lengths=np.array([1, 2])), id="no matrix"
        ),
        pytest.param(
            lambda _: npz(keys=KEYS[:0], values=VALUES[:0], lengths=np.array([], int)), id="empty"
        ),
    ],
)
def test_a_damaged_shard_is_reported_removed_and_made_anew(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    filled(tmp_path)
    (shard,) = tmp_path.iterdir()
    shard.write_bytes(damage(shard.read_bytes()))
    store = RaggedStore(tmp_path)
    assert store.damaged == [shard]
    assert not shard.exists()
    assert not any(text in store for text in TEXTS)
    filled(tmp_path)
    assert_same(RaggedStore(tmp_path).ragged(TEXTS), MATRICES)
