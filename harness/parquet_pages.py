"""The headers of a Parquet file's pages: what a reader will make room for.

The footer of a file says how large its columns become, and may lie. A page is decompressed into as
many bytes as its own header says, so the sum over these is what counts. They are in Thrift's
compact protocol: https://github.com/apache/parquet-format, ``PageHeader`` of ``parquet.thrift``.

Where the pages are is read from the footer, ``FileMetaData``, in the same way: pyarrow's own
``RowGroupMetaData.column`` ends the whole process where a column's statistics contradict its
schema, as an error of C++ is not turned into one of Python there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_HEADER_BYTES = 2**16
MOST_DEPTH = 10
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
_ROW_GROUPS = 4
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
            number = part.get(field)
            return ENCODINGS.get(number, "unknown") if isinstance(number, int) else "unknown"
    raise MalformedPageError("a page says neither that it holds data nor a dictionary")


@dataclass(frozen=True, slots=True)
class ColumnChunk:
    """Where the pages of a column are, in one row group.

    Attributes:
        values: Number of its values.
        start: Where its first page begins.
        end: Where its last page ends.
    """

    values: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Some rows of a file.

    Attributes:
        rows: Number of them.
        chunks: The columns, in the schema's order.
    """

    rows: int
    chunks: tuple[ColumnChunk, ...]


def row_groups(footer: bytes) -> list[RowGroup]:
    """The row groups that a footer names.

    Raises:
        MalformedPageError: If they are not there, or lack a size or a place.
    """
    groups = _Compact(footer).struct().get(_ROW_GROUPS)
    return [
        RowGroup(_number(group, 3), tuple(map(_chunk, _structs(group.get(1)))))
        for group in _structs(groups)
    ]


def _chunk(column: dict[int, Any]) -> ColumnChunk:
    content = column.get(3)
    if not isinstance(content, dict):
        raise MalformedPageError("its footer does not say where a column is")
    starts = [content[field] for field in (9, 11) if content.get(field)]
    start = min(starts) if starts and all(isinstance(one, int) for one in starts) else 0
    return ColumnChunk(_number(content, 5), start, start + _number(content, 7))


def _structs(value: object) -> list[dict[int, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise MalformedPageError("its footer does not list its row groups and columns")
    return value


def _number(content: dict[int, Any], field: int) -> int:
    value = content.get(field)
    if not isinstance(value, int) or value < 0:
        raise MalformedPageError("its footer lacks the size of a column or row group")
    return value


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

    def _list(self, depth: int) -> list[Any]:
        """The values of a list; true and false have a byte each there."""
        if depth > MOST_DEPTH:
            raise MalformedPageError("it is nested too deep")
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        kind = head & 15
        return [
            self._byte() if kind in (1, 2) else self._value(kind, depth + 1) for _ in range(size)
        ]

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
