"""Rows of vectors in parts, in memory or on disk, are one matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.embeddings.vector_rows import VectorRows

if TYPE_CHECKING:
    from pathlib import Path

Matrix = NDArray[np.float32]


@st.composite
def in_parts(draw: st.DrawFn) -> list[Matrix]:
    """One to four parts, some of them empty; no two rows are equal."""
    sizes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    whole = np.arange(3 * sum(sizes), dtype=np.float32).reshape(-1, 3)
    return np.split(whole, np.cumsum(sizes)[:-1])


@given(in_parts(), st.data())
def test_rows_are_those_of_the_joined_matrix(parts: list[Matrix], data: st.DataObject) -> None:
    whole, rows = np.concatenate(parts), VectorRows(parts)
    assert (len(rows), rows.dimension) == whole.shape
    first = data.draw(st.integers(0, len(whole)))
    last = data.draw(st.integers(first, len(whole)))
    np.testing.assert_array_equal(rows.between(first, last), whole[first:last])
    if len(whole):
        some = np.array(data.draw(st.lists(st.integers(0, len(whole) - 1))), dtype=np.int64)
        np.testing.assert_array_equal(rows.at(some), whole[some])
    size = data.draw(st.integers(1, 6))
    blocks = list(rows.blocks(size))
    assert all(len(block) == size for block in blocks[:-1])
    np.testing.assert_array_equal(np.concatenate([whole[:0], *blocks]), whole)


@given(in_parts(), in_parts(), in_parts())
def test_joined_rows_follow_each_other(a: list[Matrix], b: list[Matrix], c: list[Matrix]) -> None:
    joined = VectorRows(a).joined_with([VectorRows(b), VectorRows(c)])
    np.testing.assert_array_equal(joined.between(0, len(joined)), np.concatenate([*a, *b, *c]))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_rows_on_disk_are_read_where_they_are_asked_for(tmp_path: Path, dtype: type) -> None:
    whole = np.arange(60, dtype=dtype).reshape(20, 3)
    for number in range(4):
        np.save(tmp_path / f"{number}.npy", whole[5 * number : 5 * number + 5])
    mapped = [np.load(tmp_path / f"{number}.npy", mmap_mode="r") for number in range(4)]
    rows = VectorRows(mapped)
    inside = rows.between(6, 9)
    # A part is looked at, not copied; several become one in memory.
    assert np.shares_memory(inside, mapped[1])
    np.testing.assert_array_equal(inside, whole[6:9])
    across = rows.between(3, 12)
    np.testing.assert_array_equal(across, whole[3:12])
    some = rows.at(np.array([19, 0, 7, 7]))
    np.testing.assert_array_equal(some, whole[[19, 0, 7, 7]])
    assert across.dtype == some.dtype == inside.dtype == dtype
