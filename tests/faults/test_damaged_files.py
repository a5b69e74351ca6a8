"""Bits turned and cuts made all over small files: found, or made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.embeddings.embedding_store import EmbeddingStore
from leaderboard.site_files import INVENTORY, SiteWriter, check_out
from tasks.errors import DataFileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = {"a.html": b"one", "data/b.json": b"{}"}


def damages(content: bytes, every: int) -> Iterator[bytes]:
    """The content with one bit turned, one of so many, and cut at one of so many places."""
    for bit in range(0, 8 * len(content), every):
        turned = bytearray(content)
        turned[bit // 8] ^= 1 << bit % 8
        yield bytes(turned)
    for size in range(0, len(content), every):
        yield content[:size]


def test_a_damaged_checkpoint_is_always_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra 'score'")
    from submissions.baselines.training_checkpoint import (
        Progress,
        read_progress,
        restore,
        save_checkpoint,
    )

    model = torch.nn.Linear(5, 3)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2, 5)).sum().backward()
    optimizer.step()
    progress = Progress([0.5, 0.25], 1.5, 1, {"languages": {}})
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, {"recipe": "x"}, model, optimizer, progress)
    content = path.read_bytes()
    assert read_progress(path, {"recipe": "x"}) == progress
    fresh = torch.nn.Linear(5, 3)
    restore(path, fresh, torch.optim.AdamW(fresh.parameters()))
    assert torch.equal(fresh.weight, model.weight)
    for damaged in damages(content, every=7):
        path.write_bytes(damaged)
        with pytest.raises(DataFileError, match=r"is damaged.*--from-scratch"):
            read_progress(path, {"recipe": "x"})


def test_a_damaged_shard_never_gives_other_vectors(tmp_path: Path) -> None:
    vectors = {f"text {number}": np.full(3, number, np.float32) for number in range(2)}
    store = EmbeddingStore(tmp_path)
    store.add(list(vectors), vectors.values())
    store.save()
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    for damaged in damages(content, every=3):
        path.write_bytes(damaged)
        found = EmbeddingStore(tmp_path)
        for text, vector in vectors.items():
            if text in found:
                assert np.array_equal(found.arrays([text])[0], vector)


def test_a_damaged_inventory_changes_no_file_of_a_site(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    content = (out / INVENTORY).read_bytes()
    for damaged in damages(content, every=5):
        (out / INVENTORY).write_bytes(damaged)
        try:
            check_out(out)
        except UsageError as error:
            assert "is damaged" in str(error)  # noqa: PT017  # not every damage shows
        write(out)
        assert (out / INVENTORY).read_bytes() == content
        assert {name: (out / name).read_bytes() for name in FILES} == FILES
        assert len(list(out.rglob("*"))) == len(FILES) + 2, "a folder and the inventory"


def write(out: Path) -> None:
    writer = SiteWriter(out, None)
    writer.put_all(FILES.items())
    writer.finish()
