"""Read a zip that comes as a stream, in one pass: what a deflated inner zip needs.

Only the layer around it is inflated. The headers, the directory and the first bytes of every
member are looked at (small members are kept whole), what is packed inside is skipped over.
Where an entry's sizes stand *behind* its data, their record is searched for: a signature,
followed by a CRC and by exactly the number of bytes that went by, followed by the next header;
the central directory at the end has to agree with all that was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from alos2.archive.directory import TAIL_BYTES, Directory, read_directory, require_zip
from alos2.archive.kept import Cache
from alos2.archive.limits import KIB, MIB, Limits
from alos2.archive.records import (
    CENTRAL_SIGNATURE,
    DESCRIPTOR_SIGNATURE,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR64,
    LocalHeader,
    ZipEntry,
    check_agreement,
    decode_name,
    label,
    local_header_lengths,
    parse_local,
)
from alos2.archive.streams import Readable, read_exactly
from alos2.errors import BadArchive, UnsafeArchive

CHUNK: Final = 256 * KIB
KEEP_WHOLE_BYTES: Final = 16 * MIB
"""Packed members up to this size are kept: leaders, trailers, summaries, browse pictures."""
KEEP_HEAD_BYTES: Final = 512 * KIB
"""Of larger ones (images) the first packed bytes: file descriptor and first line records."""

_NEXT_SIGNATURES: Final = (LOCAL_SIGNATURE, CENTRAL_SIGNATURE, END64_SIGNATURE, END_SIGNATURE)
_LONGEST_DESCRIPTOR: Final = 24


@dataclass(frozen=True)
class Passed:
    """One member that went by."""

    entry: ZipEntry
    data_offset: int
    kept: Callable[[], bytes]


@dataclass(frozen=True)
class _Local:
    header: LocalHeader
    data_offset: int
    packed_size: int
    kept: Callable[[], bytes]


class _Peekable:
    """A stream that can be looked ahead into, and knows where it stands."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._buffer = bytearray()
        self.position = 0

    def peek(self, size: int) -> bytes:
        if len(self._buffer) < size:
            self._buffer += read_exactly(self._source, max(size, CHUNK) - len(self._buffer))
        return bytes(memoryview(self._buffer)[:size])

    def read(self, size: int, /) -> bytes:
        data = self.peek(size)
        del self._buffer[: len(data)]
        self.position += len(data)
        return data


def scan_forward(source: Readable, *, where: str, limits: Limits, cache: Cache) -> list[Passed]:
    """Read a whole archive once, from its first byte to its last.

    Parameters
    ----------
    source : Readable
        Stands at the archive's first byte; it is read to its end.
    where : str
        For messages.
    limits : Limits
        For entries and the directory's size.
    cache : Cache
        Takes small members, and the first bytes of large ones.

    Returns
    -------
    list of Passed
        In the directory's order.

    Raises
    ------
    BadArchive
        The stream is not a zip, damaged, or not readable in one pass.
    UnsafeArchive
        A limit is passed.
    """
    stream = _Peekable(source)
    require_zip(stream.peek(512), where)
    found: dict[int, _Local] = {}
    while stream.peek(4) == LOCAL_SIGNATURE:
        if len(found) >= limits.entries:
            raise UnsafeArchive(f"{where} has more than {limits.entries} entries")
        offset = stream.position
        found[offset] = _pass_entry(stream, where, cache)
    directory = _directory_at_end(stream, where, limits)
    passed = []
    for entry in directory.entries:
        local = found.pop(entry.header_offset, None)
        place = label(where, entry.name)
        if local is None:
            raise BadArchive(f"{place}: there is no local header where the directory points to")
        check_agreement(entry, local.header, place)
        if local.packed_size != entry.compressed_size:
            raise BadArchive(f"{place}: its data and the central directory disagree in length")
        passed.append(Passed(entry, local.data_offset, local.kept))
    if found:
        raise BadArchive(f"{where} holds {len(found)} entries that its directory does not name")
    return passed


def _pass_entry(stream: _Peekable, where: str, cache: Cache) -> _Local:
    fixed = stream.peek(LOCAL.size)
    length = LOCAL.size + local_header_lengths(fixed, where)
    header = parse_local(stream.read(length), where)
    place = label(where, decode_name(header.raw_name, header.flags, where))
    start = stream.position
    if header.sizes_follow:
        pieces = _until_descriptor(stream, place)
    else:
        pieces = _counted(stream, header.compressed_size, place)
    head = bytearray()
    size = 0
    for data in pieces:
        size += len(data)
        if size <= KEEP_WHOLE_BYTES or len(head) < KEEP_HEAD_BYTES:
            head += data
        if size > KEEP_WHOLE_BYTES:
            del head[KEEP_HEAD_BYTES:]
    return _Local(header, start, size, cache.keep(bytes(head)))


def _counted(stream: _Peekable, size: int, place: str) -> Iterator[bytes]:
    while size:
        data = stream.read(min(size, CHUNK))
        if not data:
            raise BadArchive(f"{place} is cut: {size} bytes are missing")
        size -= len(data)
        yield data


def _until_descriptor(stream: _Peekable, place: str) -> Iterator[bytes]:
    """Yield packed bytes up to the data descriptor; read the descriptor, too."""
    passed = 0
    margin = _LONGEST_DESCRIPTOR + 4
    while True:
        data = stream.peek(CHUNK)
        hit = data.find(DESCRIPTOR_SIGNATURE)
        while hit >= 0:
            if hit + margin > len(data):
                data = stream.peek(hit + margin)
            length = _descriptor_length(data[hit : hit + margin], passed + hit)
            if length:
                yield stream.read(hit)
                stream.read(length)
                return
            hit = data.find(DESCRIPTOR_SIGNATURE, hit + 1)
        if len(data) < CHUNK:
            raise BadArchive(
                f"{place}: no data descriptor follows it",
                hint="the archive is cut, or cannot be read in one pass: unzip it by hand",
            )
        # A signature may begin in the last bytes of what was looked at.
        passed += CHUNK - 3
        yield stream.read(CHUNK - 3)


def _descriptor_length(data: bytes, packed_size: int) -> int:
    """Return the length of the descriptor at the start of `data`, 0 where it is none."""
    for width in (4, 8):
        end = 8 + 2 * width
        counted = int.from_bytes(data[8 : 8 + width], "little")
        if counted == packed_size and data[end : end + 4] in _NEXT_SIGNATURES:
            return end
    return 0


def _directory_at_end(stream: _Peekable, where: str, limits: Limits) -> Directory:
    base = stream.position
    allowed = limits.directory_bytes + END64.size + LOCATOR64.size + TAIL_BYTES
    tail = stream.read(allowed)
    if stream.peek(1):
        if not tail.startswith(_NEXT_SIGNATURES):
            raise BadArchive(f"{where}: something that is no entry begins at byte {base}")
        raise UnsafeArchive(
            f"{where} has a directory of more than directory_bytes = {limits.directory_bytes}"
        )

    def read_at(offset: int, count: int) -> bytes:
        before = min(count, max(0, base - offset))
        return bytes(before) + tail[max(0, offset - base) :][: count - before]

    return read_directory(read_at, base + len(tail), where=where, limits=limits)
