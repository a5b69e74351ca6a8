"""Finished shards, in a folder or in object storage: what is there is whole, or is not read.

A shard is an array as numpy writes it, and behind it the 16 bytes of its BLAKE2b digest: the form
of :mod:`harness.embeddings.checked_array`, so that either can read what the other has written.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec  # type: ignore[import-untyped]  # it ships no types
import numpy as np

from harness.embeddings.checked_array import DIGEST
from harness.files import write_atomically
from tasks.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


class ShardStorage:
    """Shards by name.

    Args:
        url: A folder, or a URL that fsspec knows, such as ``s3://bucket/folder``.

    Raises:
        ClusterError: If fsspec knows no such kind of URL, or lacks the package that it needs.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._fs, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ClusterError(
                f"--ray-storage {url!r} cannot be opened: {error}. Allowed: a folder, or a URL of "
                "fsspec whose package is installed, such as s3://bucket/folder with s3fs."
            ) from error
        self._root = root.rstrip("/")
        self._local = isinstance(self._fs, fsspec.get_filesystem_class("file"))

    def has(self, name: str) -> bool:
        """Whether there is a shard of this name; it may be damaged."""
        return bool(self._fs.exists(self._path(name)))

    def read(self, name: str) -> NDArray[Any] | None:
        """A shard; None where it is missing or not as it was written."""
        content = self.read_bytes(name)
        return None if content is None else _opened(content)

    def read_bytes(self, name: str) -> bytes | None:
        """A file as it is; None where it is missing.

        Raises:
            ClusterError: If the storage cannot be read.
        """
        try:
            found: bytes = self._fs.cat_file(self._path(name))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", error) from error
        return found

    def write(self, name: str, array: NDArray[Any]) -> None:
        """Writes a shard.

        Raises:
            ClusterError: If the storage cannot be written.
        """
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, allow_pickle=False)
        content = buffer.getvalue()
        self.write_bytes(name, content + _digest(content))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Writes a file, whole or not at all.

        Raises:
            ClusterError: If the storage cannot be written.
        """
        path = self._path(name)
        try:
            if self._local:
                # Not flushed to the disk: what a power cut spoils is found out when it is read.
                write_atomically(Path(path), content, durable=False)
            else:
                self._fs.pipe_file(path, content)  # object storage shows no half of an object
        except OSError as error:
            raise self._failed("written", error) from error

    def names(self, folder: str) -> list[str]:
        """What is in a folder; nothing where it is missing."""
        try:
            found = self._fs.ls(self._path(folder), detail=False)
        except FileNotFoundError:
            return []
        return [f"{folder}/{path.rstrip('/').rpartition('/')[2]}" for path in found]

    def remove(self, names: Iterable[str]) -> None:
        """Removes files; those that are not there are passed over."""
        for name in names:
            try:
                self._fs.rm_file(self._path(name))
            except FileNotFoundError:
                continue

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _failed(self, what: str, error: OSError) -> ClusterError:
        return ClusterError(
            f"The shards' storage {self.url} cannot be {what}: {error}. Name a folder or URL with "
            "room, which this machine and all workers may write, by --ray-storage."
        )


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


def _opened(content: bytes) -> NDArray[Any] | None:
    array, digest = content[:-DIGEST], content[-DIGEST:]
    if len(content) < DIGEST or _digest(array) != digest:
        return None
    found: NDArray[Any] = np.lib.format.read_array(io.BytesIO(array), allow_pickle=False)
    return found
