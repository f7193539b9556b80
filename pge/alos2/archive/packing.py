"""The records of a zip that is written: the other direction of `alos2.archive.records`.

Source: PKWARE, APPNOTE.TXT 6.3.10, as there. Zip64 only where a number needs it.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import Final

from alos2.archive.records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    DESCRIPTOR_FOLLOWS,
    DESCRIPTOR_SIGNATURE,
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    FULL_16,
    FULL_32,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR64,
    LOCATOR64_SIGNATURE,
    UTF8,
    ZIP64_EXTRA,
)

_TIME: Final = 0
_DATE: Final = 1 << 5 | 1
"""1980-01-01, the first day that a zip can say."""
_UNIX: Final = 3
_VERSION: Final = 20
_VERSION_ZIP64: Final = 45
_MODE: Final = (stat.S_IFREG | 0o644) << 16


@dataclass
class NewEntry:
    """One entry that is being written."""

    raw_name: bytes
    method: int
    size: int
    header_offset: int
    zip64: bool
    """Whether the local header, and a data descriptor, have 8-byte sizes."""
    crc32: int = 0
    packed_size: int = 0

    @property
    def flags(self) -> int:
        """UTF-8 where the name needs it; a data descriptor follows what is deflated."""
        flags = 0 if self.raw_name.isascii() else UTF8
        return flags | DESCRIPTOR_FOLLOWS if self.method == DEFLATED else flags


def _extra(values: list[int]) -> bytes:
    if not values:
        return b""
    return struct.pack(f"<HH{len(values)}Q", ZIP64_EXTRA, 8 * len(values), *values)


def pack_local(entry: NewEntry) -> bytes:
    """Pack a local header; sizes and CRC are zero where a descriptor follows."""
    known = not entry.flags & DESCRIPTOR_FOLLOWS
    sizes = [entry.size, entry.packed_size] if known else [0, 0]
    extra = _extra(sizes) if entry.zip64 else b""
    size, packed = (FULL_32, FULL_32) if entry.zip64 else sizes
    version = _VERSION_ZIP64 if entry.zip64 else _VERSION
    return (
        LOCAL.pack(
            LOCAL_SIGNATURE, version, entry.flags, entry.method, _TIME, _DATE,
            entry.crc32 if known else 0, packed, size, len(entry.raw_name), len(extra),
        )
        + entry.raw_name
        + extra
    )  # fmt: skip


def pack_descriptor(entry: NewEntry) -> bytes:
    """Pack the data descriptor that follows deflated data."""
    form = "<4sLQQ" if entry.zip64 else "<4sLLL"
    return struct.pack(form, DESCRIPTOR_SIGNATURE, entry.crc32, entry.packed_size, entry.size)


def pack_central(entry: NewEntry) -> bytes:
    """Pack a central directory header."""
    numbers = (entry.size, entry.packed_size, entry.header_offset)
    large = [value for value in numbers if value >= FULL_32]
    size, packed, offset = (min(value, FULL_32) for value in numbers)
    extra = _extra(large)
    version = _VERSION_ZIP64 if large or entry.zip64 else _VERSION
    return (
        CENTRAL.pack(
            CENTRAL_SIGNATURE, version, _UNIX, version, 0, entry.flags, entry.method, _TIME,
            _DATE, entry.crc32, packed, size, len(entry.raw_name), len(extra), 0, 0, 0, _MODE,
            offset,
        )
        + entry.raw_name
        + extra
    )  # fmt: skip


def pack_end(entries: int, directory_size: int, directory_start: int) -> bytes:
    """Pack the end record, with the zip64 records before it where they are needed."""
    end64 = b""
    if entries >= FULL_16 or directory_size >= FULL_32 or directory_start >= FULL_32:
        end64 = END64.pack(
            END64_SIGNATURE, END64.size - 12, _VERSION_ZIP64, _VERSION_ZIP64, 0, 0, entries,
            entries, directory_size, directory_start,
        ) + LOCATOR64.pack(
            LOCATOR64_SIGNATURE, 0, directory_start + directory_size, 1
        )  # fmt: skip
    count = min(entries, FULL_16)
    return end64 + END.pack(
        END_SIGNATURE, 0, 0, count, count, min(directory_size, FULL_32),
        min(directory_start, FULL_32), 0,
    )  # fmt: skip
