"""The headers of a Parquet file's pages: what a reader will make room for.

The footer of a file says how large its columns become, and may lie. A page is decompressed into as
many bytes as its own header says, so the sum over these is what counts. They are in Thrift's
compact protocol: https://github.com/apache/parquet-format, ``PageHeader`` of ``parquet.thrift``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_HEADER_BYTES = 2**16
MOST_DEPTH = 6
ENCODINGS = {
    0: "PLAIN",
    2: "PLAIN_DICTIONARY",
    3: "RLE",
    4: "BIT_PACKED",
    5: "DELTA_BINARY_PACKED",
    6: "DELTA_LENGTH_BYTE_ARRAY",
    7: "DELTA_BYTE_ARRAY",
    8: "RLE_DICTIONARY",
    9: "BYTE_STREAM_SPLIT",
}
_UNCOMPRESSED, _COMPRESSED = 2, 3
_ENCODING_OF = {5: 2, 7: 2, 8: 4}
"""By field of the header that a kind of page has: the field of the encoding in it."""


class MalformedPageError(ValueError):
    """Bytes that are no header of a page."""


@dataclass(frozen=True, slots=True)
class PageSize:
    """What a page takes.

    Attributes:
        compressed: Bytes in the file, without the header.
        uncompressed: Bytes that it is decompressed into.
        encoding: How its values are written.
    """

    compressed: int
    uncompressed: int
    encoding: str


def pages(file: BinaryIO, start: int, end: int) -> Iterator[PageSize]:
    """The pages of a column chunk.

    Args:
        file: The file.
        start: Where the first page's header begins.
        end: Where the last page ends.

    Raises:
        MalformedPageError: If the headers do not lead from one page to the next and to the end.
    """
    while start < end:
        file.seek(start)
        reader = _Compact(file.read(min(MOST_HEADER_BYTES, end - start)))
        header = reader.struct()
        compressed, uncompressed = header.get(_COMPRESSED), header.get(_UNCOMPRESSED)
        if not isinstance(compressed, int) or not isinstance(uncompressed, int):
            raise MalformedPageError("a page does not say how large it is")
        if compressed < 0 or uncompressed < 0:
            raise MalformedPageError("a page says that its size is negative")
        start += reader.position + compressed
        if start > end:
            raise MalformedPageError("a page reaches beyond the end of its column")
        yield PageSize(compressed, uncompressed, _encoding(header))


def _encoding(header: dict[int, Any]) -> str:
    for kind, field in _ENCODING_OF.items():
        part = header.get(kind)
        if isinstance(part, dict):
            return ENCODINGS.get(part.get(field, -1), "unknown")
    raise MalformedPageError("a page says neither that it holds data nor a dictionary")


class _Compact:
    """Reads Thrift's compact protocol from bytes, no deeper and no further than they may go."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """A struct, by number of the field; fields of kinds that sizes do not need are None."""
        if depth > MOST_DEPTH:
            raise MalformedPageError("a page's header is nested too deep")
        found: dict[int, Any] = {}
        field = 0
        while (head := self._byte()) != 0:
            field = field + (head >> 4) if head >> 4 else self._integer()
            found[field] = self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):  # the kind is the value: true, false
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._integer()
        if kind in (7, 8):
            self._skip(8 if kind == 7 else self._varint())
            return None
        if kind in (9, 10):
            return self._list(depth)
        if kind == 12:
            return self.struct(depth + 1)
        raise MalformedPageError("a page's header holds what no header has")

    def _list(self, depth: int) -> None:
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        for _ in range(size):
            if head & 15 in (1, 2):
                self._byte()
            else:
                self._value(head & 15, depth + 1)

    def _byte(self) -> int:
        if self.position >= len(self._content):
            raise MalformedPageError("a page's header does not end")
        self.position += 1
        return self._content[self.position - 1]

    def _skip(self, count: int) -> None:
        self.position += count
        if self.position > len(self._content):
            raise MalformedPageError("a page's header does not end")

    def _varint(self) -> int:
        value = 0
        for place in range(10):
            byte = self._byte()
            value |= (byte & 127) << (7 * place)
            if byte < 128:
                return value
        raise MalformedPageError("a page's header holds a number that is too long")

    def _integer(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)
