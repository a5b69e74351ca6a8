"""Finished shards on disk and in fsspec's file systems: whole, or not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("fsspec", reason="needs the extra 'ray'")

from harness.cluster.shard_names import batch_name, pairs_name
from harness.cluster.shard_storage import ShardStorage
from harness.embeddings.checked_array import read_array, write_array
from harness.models.description import ModelDescription
from tasks.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

VECTORS = np.arange(12, dtype=np.float32).reshape(3, 4) / 7


@pytest.fixture(params=["folder", "file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> ShardStorage:
    urls = {
        "folder": str(tmp_path / "shards"),
        "file": f"file://{tmp_path}/shards/",
        "memory": f"memory://{tmp_path.name}",
    }
    return ShardStorage(urls[request.param])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_shard_comes_back_bit_by_bit(storage: ShardStorage, dtype: str) -> None:
    assert not storage.has("a/b.npy")
    assert storage.read("a/b.npy") is None
    storage.write("a/b.npy", VECTORS.astype(dtype))
    assert storage.has("a/b.npy")
    assert storage.names("a") == ["a/b.npy"]
    assert storage.names("c") == []
    found = storage.read("a/b.npy")
    assert found is not None
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, VECTORS.astype(dtype))
    storage.remove(["a/b.npy", "never/was.npy"])
    assert not storage.has("a/b.npy")


@pytest.mark.parametrize("at", [0, 60, 140, -1])
def test_a_shard_with_one_wrong_bit_is_not_read(storage: ShardStorage, at: int) -> None:
    storage.write("one.npy", VECTORS)
    content = bytearray(storage.read_bytes("one.npy") or b"")
    content[at] ^= 1
    storage.write_bytes("one.npy", bytes(content))
    assert storage.read("one.npy") is None


@pytest.mark.parametrize("kept", [0, 15, 16, 100])
def test_a_shard_that_was_cut_is_not_read(storage: ShardStorage, kept: int) -> None:
    storage.write("one.npy", VECTORS)
    storage.write_bytes("one.npy", (storage.read_bytes("one.npy") or b"")[:kept])
    assert storage.read("one.npy") is None


def test_the_cache_of_embeddings_reads_the_same_files(tmp_path: Path) -> None:
    storage = ShardStorage(str(tmp_path))
    storage.write("one.npy", VECTORS)
    np.testing.assert_array_equal(read_array(tmp_path / "one.npy"), VECTORS)
    write_array(tmp_path / "two.npy", VECTORS)
    np.testing.assert_array_equal(storage.read("two.npy"), VECTORS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.npy", "two.npy"]


def test_storage_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", "utf-8")
    with pytest.raises(ClusterError, match=r"taken.* cannot be written.*--ray-storage"):
        ShardStorage(str(tmp_path / "taken")).write("one.npy", VECTORS)
    with pytest.raises(ClusterError, match=r"nothing://x.*Allowed: a folder, or a URL"):
        ShardStorage("nothing://x")


def test_the_name_of_a_shard_changes_with_all_that_decides_it() -> None:
    model = ModelDescription("cross-encoder", "m", digest="d", settings={"max_tokens": 8})
    names = [
        batch_name("f" * 64, ["a", "b"]),
        batch_name("g" * 64, ["a", "b"]),
        batch_name("f" * 64, ["b", "a"]),
        batch_name("f" * 64, ["ab"]),
        pairs_name(model, [("a", "b")]),
        pairs_name(model, [("ab", "")]),
        pairs_name(ModelDescription("cross-encoder", "m", digest="e"), [("a", "b")]),
    ]
    assert len(set(names)) == len(names)
    assert names[0] == batch_name("f" * 64, ("a", "b"))
    other = ModelDescription("cross-encoder", "n", digest="d", settings={"max_tokens": 8})
    assert pairs_name(other, [("a", "b")]) == names[4]  # a folder may be called otherwise
