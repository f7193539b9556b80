"""Read one zip member as a stream: checked from start to end, or as a seekable file."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, Protocol

from alos2.archive.codec import BEST, Codec
from alos2.archive.records import DEFLATED, ENCRYPTED, METHODS, STORED, ZipEntry
from alos2.errors import BadArchive

READER_CHUNK: Final = 64 * 1024
"""Bytes read at a time by a seekable member: small, since mostly a header is wanted."""
DISCARD_CHUNK: Final = 1024 * 1024


class Readable(Protocol):
    """Anything that gives its next bytes; fewer than asked only at its end."""

    def read(self, size: int, /) -> bytes:
        """Read the next `size` bytes."""
        ...


def read_exactly(source: Readable, size: int) -> bytes:
    """Read `size` bytes, fewer only where `source` ends; raw files may give less at a time."""
    data = source.read(size)
    if len(data) == size or not data:
        return data
    parts = [data]
    missing = size - len(data)
    while missing:
        data = source.read(missing)
        if not data:
            break
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def require_readable(entry: ZipEntry, where: str) -> None:
    """Refuse an entry that is encrypted or packed by a method that is not read here.

    Raises
    ------
    BadArchive
        It says which.
    """
    if entry.flags & ENCRYPTED:
        raise BadArchive(
            f"{where} is encrypted", hint="unzip it with its password and give the folder"
        )
    if entry.method not in (STORED, DEFLATED):
        name = METHODS.get(entry.method, "unknown")
        raise BadArchive(
            f"{where} is packed by method {entry.method} ({name}); only 0 (stored) and 8 "
            "(deflate) are read",
            hint="unzip it with the program that made it and give the folder",
        )
    if entry.method == STORED and entry.compressed_size != entry.size:
        raise BadArchive(
            f"{where} is stored in {entry.compressed_size} bytes and declares {entry.size}"
        )


def member_chunks(
    packed: Readable, entry: ZipEntry, *, where: str, chunk: int, codec: Codec = BEST
) -> Iterator[bytes]:
    """Unpack a member's bytes in order, never more than it declares, and check them at the end.

    Parameters
    ----------
    packed : Readable
        Stands at the member's first packed byte; exactly its packed bytes are read.
    entry : ZipEntry
        What the central directory says.
    where : str
        For messages.
    chunk : int
        Most bytes that are read, and that are yielded, at a time. About equal measures suit
        SAR, which deflates little; larger output buffers grow by copying.
    codec : Codec, optional
        Implementation of inflate and CRC-32.

    Raises
    ------
    BadArchive
        The data are cut or damaged, longer or shorter than declared, or their CRC differs.
    """
    require_readable(entry, where)
    total = 0
    crc = 0
    pieces = _stored if entry.method == STORED else _inflated
    try:
        for data in pieces(packed, entry, where, chunk, codec):
            total += len(data)
            if total > entry.size:
                raise BadArchive(f"{where} holds more than the {entry.size} bytes it declares")
            crc = codec.crc32(data, crc)
            yield data
    except codec.errors as error:
        raise BadArchive(f"{where} is damaged at byte {total}: {error}") from error
    except OSError as error:
        raise BadArchive(f"{where} cannot be read: {error.strerror or error}") from error
    if total != entry.size:
        raise BadArchive(f"{where} holds {total} bytes and declares {entry.size}")
    if crc != entry.crc32:
        raise BadArchive(
            f"{where} is damaged: its CRC is {crc:08x} and should be {entry.crc32:08x}"
        )


def _stored(
    packed: Readable, entry: ZipEntry, where: str, chunk: int, codec: Codec
) -> Iterator[bytes]:
    del codec
    missing = entry.compressed_size
    while missing:
        data = packed.read(min(chunk, missing))
        if not data:
            raise BadArchive(f"{where} is cut: {missing} bytes are missing")
        missing -= len(data)
        yield data


def _inflated(
    packed: Readable, entry: ZipEntry, where: str, chunk: int, codec: Codec
) -> Iterator[bytes]:
    inflater = codec.inflater()
    missing = entry.compressed_size
    tail = b""
    while not inflater.eof:
        data = tail
        if not data and missing:
            data = packed.read(min(chunk, missing))
            if not data:
                raise BadArchive(f"{where} is cut: {missing} packed bytes are missing")
            missing -= len(data)
        output = inflater.decompress(data, chunk)
        tail = inflater.unconsumed_tail
        if output:
            yield output
        elif not data and not inflater.eof:
            raise BadArchive(f"{where} is damaged: its deflate stream does not end")
    if missing or inflater.unused_data or tail:
        raise BadArchive(f"{where} is damaged: something follows the end of its deflate stream")


class Window(io.RawIOBase):
    """A part of a file as a seekable file of its own.

    Parameters
    ----------
    opener : callable
        Opens the whole file, at the first read behind `head`; the window closes it.
    start, size : int
        The part, in bytes.
    where : str
        For messages.
    head : bytes, optional
        The part's first bytes, where they are known already.
    """

    def __init__(
        self,
        opener: Callable[[], BinaryIO],
        start: int,
        size: int,
        *,
        where: str,
        head: bytes = b"",
    ) -> None:
        super().__init__()
        self._opener = opener
        self._file: BinaryIO | None = None
        self._start = start
        self._size = size
        self._where = where
        self._head = head
        self._position = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to `offset`; nothing is read."""
        self._position = seek_target(offset, whence, self._position, self._size)
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read into `buffer`."""
        count = min(len(buffer), self._size - self._position)
        if count <= 0:
            return 0
        data = self._head[self._position : self._position + count]
        if not data:
            if self._file is None:
                self._file = self._opener()
            try:
                self._file.seek(self._start + self._position)
                data = self._file.read(count)
            except OSError as error:
                raise BadArchive(f"{self._where} cannot be read: {error}") from error
            if not data:
                missing = self._size - self._position
                raise BadArchive(f"{self._where} is cut: {missing} bytes are missing")
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file below, too."""
        if self._file is not None:
            self._file.close()
        super().close()


class InflatedFile(io.RawIOBase):
    """A deflated member as a seekable file; seeking back begins again from its start.

    Parameters
    ----------
    packed : BinaryIO
        The packed bytes, seekable; closed with this file.
    entry : ZipEntry
        What the central directory says.
    where : str
        For messages.
    codec : Codec, optional
        Implementation of inflate and CRC-32.
    """

    def __init__(
        self, packed: BinaryIO, entry: ZipEntry, *, where: str, codec: Codec = BEST
    ) -> None:
        super().__init__()
        require_readable(entry, where)
        self._packed = packed
        self._entry = entry
        self._where = where
        self._codec = codec
        self._position = 0
        self._failure: BadArchive | None = None
        self._restart()

    def _restart(self) -> None:
        self._packed.seek(0)
        self._chunks = member_chunks(
            self._packed, self._entry, where=self._where, chunk=READER_CHUNK, codec=self._codec
        )
        self._chunk = memoryview(b"")
        self._chunk_end = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes: it can be done, at a price."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to `offset`; bytes are inflated at the next read only."""
        self._position = seek_target(offset, whence, self._position, self._entry.size)
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read into `buffer`."""
        if self._position >= self._entry.size or not len(buffer):
            return 0
        if self._position < self._chunk_end - len(self._chunk):
            self._restart()
        while self._position >= self._chunk_end:
            data = self._next()
            self._chunk = memoryview(data)
            self._chunk_end += len(data)
        piece = self._chunk[self._position - self._chunk_end + len(self._chunk) :][: len(buffer)]
        if self._position + len(piece) == self._entry.size:
            # The last bytes are given out only after CRC and length have been looked at.
            self._next()
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _next(self) -> bytes:
        """Inflate the next chunk; what failed once fails again, from wherever it is read."""
        if self._failure is not None:
            raise self._failure
        try:
            return next(self._chunks, b"")
        except BadArchive as error:
            self._failure = error
            raise

    def close(self) -> None:
        """Close the packed file, too."""
        self._packed.close()
        super().close()


def seek_target(offset: int, whence: int, position: int, size: int) -> int:
    """Return the position that ``seek(offset, whence)`` moves to.

    Raises
    ------
    ValueError
        It lies before the start.
    """
    base = {os.SEEK_SET: 0, os.SEEK_CUR: position, os.SEEK_END: size}[whence]
    if base + offset < 0:
        raise ValueError(f"cannot seek to {base + offset}")
    return base + offset
