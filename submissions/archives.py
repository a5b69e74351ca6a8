"""A packed entry: one ``.tar.gz`` that is the same for the same files, and is opened with care.

Why this form: a tar is read in one stream, front to back, so that what is checked is what is
unpacked; a zip has a second list of its files at its end, which may say otherwise. Of tar we take
the plain ``ustar`` form alone, of gzip a single member. The reader is our own, as it needs but a
page: Python's ``tarfile`` also follows links, sparse files and extended headers, none of which an
entry has. ::

    <id>/SHA256SUMS             a line for each other file, as sha256sum writes it
    <id>/submission.toml        and so on, by path
"""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import TYPE_CHECKING, BinaryIO

from submissions.manifest import ID_PATTERN
from submissions.structured_text import read_bytes
from tasks.errors import ArchiveError, EntryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SUMS = "SHA256SUMS"
ENDING = ".tar.gz"
MOST_BYTES = 2**30
MOST_UNPACKED = 2**31
MOST_RATIO = 100
FREE_OF_RATIO = 2**20
"""Bytes that a small archive may grow to, whatever the ratio."""
MOST_FILES = 500
MOST_PATH = 255
_BLOCK = 512
_CHUNK = 2**16
_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*){1,2}")
_SUM = re.compile(r"([0-9a-f]{64})  ([!-~]+)\n")


def write_archive(file: BinaryIO, name: str, files: Mapping[str, Path]) -> None:
    """Packs the files of an entry; the same files give the same bytes with the same zlib.

    Args:
        file: Takes the archive.
        name: Id of the entry.
        files: By path within the entry.

    Raises:
        EntryError: If a file has gone, or is no plain file.
    """
    sums = "".join(f"{_digest(path)}  {inner}\n" for inner, path in sorted(files.items()))
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)  # a gzip header without name and time
    for inner, source in {SUMS: None, **dict(sorted(files.items()))}.items():
        content = sums.encode() if source is None else read_bytes(source, MOST_BYTES)
        padding = bytes(-len(content) % _BLOCK)
        file.write(packer.compress(_header(f"{name}/{inner}", len(content)) + content + padding))
    file.write(packer.compress(bytes(2 * _BLOCK)))
    file.write(packer.flush())


def open_archive(path: Path, into: Path) -> Path:
    """Unpacks an archive into a fresh folder, under caps of bytes, ratio, files and path length.

    Args:
        path: The archive.
        into: An empty folder that nobody else writes to.

    Returns:
        The folder of the entry, named by its id.

    Raises:
        ArchiveError: If it is not an archive of ours to the letter; some files may be there then.
    """
    seen: dict[str, str] = {}
    sums: dict[str, str] = {}
    expected: dict[str, str] = {}
    root = ""
    with path.open("rb") as file:
        stream = _Stream(file)
        for name, size in _headers(stream):
            root = _check_path(name, root, seen)
            inner = name.partition("/")[2]
            if inner == SUMS:
                expected = _read_sums(_content(stream, size, 2**18))
            else:
                sums[inner] = _unpack(stream, size, into / name)
            stream.read(-size % _BLOCK)
    if not seen:
        raise ArchiveError("It holds no file.", "E080")
    if f"{root}/{SUMS}" not in seen.values():
        raise ArchiveError(f"It has no {SUMS}.", "E085")
    for inner in sorted(expected.keys() | sums.keys()):
        if expected.get(inner) != sums.get(inner):
            raise ArchiveError(
                f"{inner} has sha256 {sums.get(inner, 'nowhere, as it is not there')}; {SUMS} says "
                f"{expected.get(inner, 'nothing')}.",
                "E085",
            )
    return into / root


def _digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path, MOST_BYTES)).hexdigest()


def _header(path: str, size: int) -> bytes:
    """The header of a file in the form ustar; owner, times and rights say nothing."""
    prefix, name = "", path
    if len(name) > 100:
        prefix, _, name = path.rpartition("/")
    if len(name) > 100 or len(prefix) > 155:
        raise EntryError(f"The path {path!r} is too long to be packed. Choose shorter names.")
    fields = (
        name.encode().ljust(100, b"\0"),
        b"0000644\0",
        b"0000000\0" * 2,  # owner and group
        f"{size:011o}\0".encode(),
        b"00000000000\0",  # time
        b" " * 8,  # the checksum counts as blanks
        b"0",
        bytes(100),
        b"ustar\0" + b"00",
        bytes(64),  # names of owner and group
        bytes(16),
        prefix.encode().ljust(155, b"\0"),
        bytes(12),
    )
    header = b"".join(fields)
    return header[:148] + f"{sum(header):06o}\0 ".encode() + header[156:]


class _Stream:
    """What a gzip file holds, decompressed no further than it is asked for and may grow."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(31)
        self._compressed = 0
        self._given = 0
        self._left = b""

    def read(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            ArchiveError: If there are fewer, or too many in all.
        """
        parts = []
        while size:
            part = self._some(size)
            if not part:
                raise ArchiveError("It ends before it should.", "E080")
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def check_end(self) -> None:
        """Makes sure that only padding follows.

        Raises:
            ArchiveError: If something else does.
        """
        while part := self._some(_CHUNK):
            if part.strip(b"\0"):
                raise ArchiveError("Something follows its end.", "E080")
        if self._unpacker.unused_data or self._file.read(1):
            raise ArchiveError("Something follows its end.", "E080")
        if not self._unpacker.eof:
            raise ArchiveError("It ends before it should.", "E080")

    def _some(self, most: int) -> bytes:
        """Some bytes, at most so many; none at the end of the file."""
        while not self._unpacker.eof:
            is_last = False
            if not self._left:
                self._left = self._file.read(_CHUNK)
                self._compressed += len(self._left)
                is_last = not self._left
                if self._compressed > MOST_BYTES:
                    raise ArchiveError(f"It has more than {MOST_BYTES:,} bytes.", "E081")
            try:
                found = self._unpacker.decompress(self._left, min(most, _CHUNK))
            except zlib.error as error:
                raise ArchiveError(f"It is not gzip, or damaged: {error}.", "E080") from error
            self._left = self._unpacker.unconsumed_tail
            self._given += len(found)
            self._check_growth()
            if found or is_last:
                return found
        return b""

    def _check_growth(self) -> None:
        if self._given > MOST_UNPACKED:
            raise ArchiveError(f"It unpacks to more than {MOST_UNPACKED:,} bytes.", "E081")
        if self._given > max(FREE_OF_RATIO, MOST_RATIO * self._compressed):
            raise ArchiveError(f"It unpacks to more than {MOST_RATIO} times its size.", "E081")


def _headers(stream: _Stream) -> Iterator[tuple[str, int]]:
    """Path and size of each file; between two of them, its content is read from the stream."""
    for _ in range(MOST_FILES + 1):
        header = stream.read(_BLOCK)
        if not any(header):
            stream.check_end()
            return
        yield _parse(header)
    raise ArchiveError(f"It has more than {MOST_FILES} files.", "E081")


def _parse(header: bytes) -> tuple[str, int]:
    blank = header[:148] + b" " * 8 + header[156:]
    if header[257:265] != b"ustar\x0000" or _octal(header[148:156]) != sum(blank):
        raise ArchiveError("It is not a tar in the form ustar, or damaged.", "E080")
    kind = header[156:157]
    if kind != b"0" or header[157:257].strip(b"\0"):
        what = {b"1": "a hard link", b"2": "a symbolic link", b"5": "a folder", b"6": "a pipe"}
        what |= {b"3": "a device", b"4": "a device"}
        raise ArchiveError(
            f"It holds {what.get(kind, 'an extended header or another kind of thing')}; plain "
            "files alone are packed.",
            "E083",
        )
    name, prefix = _text(header[:100]), _text(header[345:500])
    return f"{prefix}/{name}" if prefix else name, _octal(header[124:136])


def _octal(field: bytes) -> int:
    digits = field.strip(b"\0 ")
    if not re.fullmatch(rb"[0-7]{1,11}", digits):
        raise ArchiveError("It is not a tar in the form ustar, or damaged.", "E080")
    return int(digits, 8)


def _text(field: bytes) -> str:
    text, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise ArchiveError("It is not a tar in the form ustar, or damaged.", "E080")
    return text.decode("ascii", "backslashreplace")


def _check_path(name: str, root: str, seen: dict[str, str]) -> str:
    """The folder that a path begins with, the same for all."""
    shown = ascii(name)[:80]
    if len(name) > MOST_PATH or not _PATH.fullmatch(name):
        raise ArchiveError(
            f"It has the path {shown}. Paths are ID/FILE or ID/FOLDER/FILE, in ASCII letters, "
            "digits and ._+-, none beginning with a dot.",
            "E082",
        )
    top = name.partition("/")[0]
    if not re.fullmatch(ID_PATTERN, top) or root not in ("", top):
        raise ArchiveError(
            f"It has the path {shown}. All paths begin with the id of one entry.", "E082"
        )
    if len(seen) >= MOST_FILES:
        raise ArchiveError(f"It has more than {MOST_FILES} files.", "E081")
    folded = name.casefold()
    parents = {folded.rpartition("/")[0], folded.partition("/")[0]}
    if folded in seen or parents & seen.keys() or any(s.startswith(f"{folded}/") for s in seen):
        raise ArchiveError(
            f"It has the path {shown} twice, or in letters of another case, or as a folder too.",
            "E084",
        )
    seen[folded] = name
    return top


def _content(stream: _Stream, size: int, most: int) -> bytes:
    if size > most:
        raise ArchiveError(f"Its {SUMS} has {size:,} bytes, more than {most:,}.", "E081")
    return stream.read(size)


def _read_sums(content: bytes) -> dict[str, str]:
    text = content.decode("ascii", "replace")
    found = {match[2]: match[1] for match in _SUM.finditer(text)}
    if "".join(f"{sha256}  {name}\n" for name, sha256 in found.items()) != text:
        raise ArchiveError(f"Its {SUMS} is malformed.", "E085")
    return found


def _unpack(stream: _Stream, size: int, target: Path) -> str:
    """Writes a file that was not there before; its sha256."""
    if size > MOST_UNPACKED:
        raise ArchiveError(f"It unpacks to more than {MOST_UNPACKED:,} bytes.", "E081")
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("xb") as file:
        while size:
            part = stream.read(min(size, _CHUNK))
            digest.update(part)
            file.write(part)
            size -= len(part)
    return digest.hexdigest()
