"""The records of a zip file, to and from bytes.

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.9 (data descriptor),
4.3.12 (central header), 4.5.3 (zip64 extra field). Numbers are little-endian.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import Final

from alos2.errors import BadArchive

LOCAL: Final = struct.Struct("<4s5H3L2H")
LOCAL_SIGNATURE: Final = b"PK\x03\x04"
CENTRAL: Final = struct.Struct("<4s4B4H3L5H2L")
CENTRAL_SIGNATURE: Final = b"PK\x01\x02"
END: Final = struct.Struct("<4s4H2LH")
END_SIGNATURE: Final = b"PK\x05\x06"
END64: Final = struct.Struct("<4sQ2H2L4Q")
END64_SIGNATURE: Final = b"PK\x06\x06"
LOCATOR64: Final = struct.Struct("<4sLQL")
LOCATOR64_SIGNATURE: Final = b"PK\x06\x07"
DESCRIPTOR_SIGNATURE: Final = b"PK\x07\x08"

FULL_16: Final = 0xFFFF
FULL_32: Final = 0xFFFFFFFF
ZIP64_EXTRA: Final = 0x0001

ENCRYPTED: Final = 0x0001
DESCRIPTOR_FOLLOWS: Final = 0x0008
UTF8: Final = 0x0800

STORED: Final = 0
DEFLATED: Final = 8
METHODS: Final = {
    1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA", 20: "zstd", 93: "zstd",
    95: "xz", 98: "PPMd", 99: "AES encryption",
}  # fmt: skip
"""Names of methods that exist and are not read here."""

WINDOWS_REPARSE_POINT: Final = 0x400
_SHOWN_CHARACTERS: Final = 300
_LINKS_KNOWN: Final = (stat.S_IFREG, stat.S_IFDIR, 0)


@dataclass(frozen=True)
class ZipEntry:
    """One central directory header."""

    name: str
    """With ``/``; ends in ``/`` for a folder."""
    raw_name: bytes
    flags: int
    method: int
    crc32: int
    compressed_size: int
    size: int
    header_offset: int
    """Of the local header, from the start of the archive."""
    external_attributes: int = 0

    @property
    def is_folder(self) -> bool:
        """Whether the entry is a folder."""
        return self.name.endswith("/")

    @property
    def special_kind(self) -> str:
        """What the entry is if neither file nor folder (``symbolic link``, ...), else empty."""
        kind = stat.S_IFMT(self.external_attributes >> 16)
        if stat.S_ISLNK(kind) or self.external_attributes & WINDOWS_REPARSE_POINT:
            return "symbolic link"
        return "" if kind in _LINKS_KNOWN else "device, pipe or socket"


@dataclass(frozen=True)
class LocalHeader:
    """One local file header, without what only the central directory knows."""

    flags: int
    method: int
    crc32: int
    compressed_size: int
    size: int
    raw_name: bytes
    length: int
    """Of the header itself, name and extra fields included."""
    zip64: bool
    """Whether a zip64 extra field is there (then a data descriptor has 8-byte sizes)."""

    @property
    def sizes_follow(self) -> bool:
        """Whether CRC and sizes stand behind the data, in a data descriptor."""
        return bool(self.flags & DESCRIPTOR_FOLLOWS)


def _zip64_extra(extra: bytes, where: str) -> bytes | None:
    """Return the payload of the zip64 extra field, None where there is none."""
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, position)
        payload = extra[position + 4 : position + 4 + length]
        if tag == ZIP64_EXTRA:
            if len(payload) != length:
                raise BadArchive(f"{where}: the zip64 field is cut")
            return payload
        position += 4 + length
    return None


def _widen(values: list[int], extra: bytes | None, where: str) -> list[int]:
    """Replace each value that is all ones by the next 8 bytes of the zip64 field."""
    position = 0
    widened = []
    for value in values:
        if value == FULL_32 and extra is not None:
            if position + 8 > len(extra):
                raise BadArchive(f"{where}: the zip64 field is too short")
            value = int.from_bytes(extra[position : position + 8], "little")  # noqa: PLW2901
            position += 8
        widened.append(value)
    return widened


def label(archive: str, name: str) -> str:
    """Write ``archive!name`` for messages and logs: on one line, not endless."""
    shown = name if name.isprintable() else ascii(name)[1:-1]
    return f"{archive}!{shown if len(shown) <= _SHOWN_CHARACTERS else shown[:100] + '...'}"


def decode_name(raw: bytes, flags: int, where: str) -> str:
    """Decode a name: UTF-8 where the flag says so, else code page 437.

    Raises
    ------
    BadArchive
        The name is not UTF-8 and the flag says it is.
    """
    try:
        return raw.decode("utf-8" if flags & UTF8 else "cp437")
    except UnicodeDecodeError:
        raise BadArchive(f"{where}: the name {raw!r} is not UTF-8, as its flag says") from None


def parse_central(data: bytes, position: int, where: str) -> tuple[ZipEntry, int]:
    """Parse the central header at `position`; return it and the position behind it.

    Raises
    ------
    BadArchive
        There is no whole header, or it is part of an archive of several volumes.
    """
    if position + CENTRAL.size > len(data):
        raise BadArchive(f"{where}: the central directory is cut")
    (signature, _made, _system, _needed, _, flags, method, _time, _day, crc, packed, size,
     name_length, extra_length, comment_length, disk, _internal, external, offset,
     ) = CENTRAL.unpack_from(data, position)  # fmt: skip
    if signature != CENTRAL_SIGNATURE:
        raise BadArchive(f"{where}: no directory entry at byte {position} of the directory")
    if disk not in (0, FULL_16):
        raise BadArchive(f"{where}: is part {disk + 1} of an archive of several volumes")
    start = position + CENTRAL.size
    end = start + name_length + extra_length + comment_length
    if end > len(data):
        raise BadArchive(f"{where}: the central directory is cut")
    raw_name = data[start : start + name_length]
    extra = data[start + name_length : start + name_length + extra_length]
    name = decode_name(raw_name, flags, where)
    place = label(where, name)
    size, packed, offset = _widen([size, packed, offset], _zip64_extra(extra, place), place)
    return ZipEntry(name, raw_name, flags, method, crc, packed, size, offset, external), end


def local_header_lengths(fixed: bytes, where: str) -> int:
    """Return how many bytes of name and extra fields follow the 30 fixed bytes.

    Raises
    ------
    BadArchive
        `fixed` is not a local header.
    """
    if len(fixed) < LOCAL.size or not fixed.startswith(LOCAL_SIGNATURE):
        raise BadArchive(f"{where}: there is no local header where the directory points to")
    name_length, extra_length = struct.unpack_from("<HH", fixed, 26)
    return int(name_length + extra_length)


def parse_local(data: bytes, where: str) -> LocalHeader:
    """Parse a whole local header (fixed part, name, extra fields).

    Raises
    ------
    BadArchive
        It is not one, or cut.
    """
    rest = local_header_lengths(data, where)
    if len(data) < LOCAL.size + rest:
        raise BadArchive(f"{where}: the local header is cut")
    _, _, flags, method, _, _, crc, packed, size, name_length, _ = LOCAL.unpack_from(data)
    extra = _zip64_extra(data[LOCAL.size + name_length : LOCAL.size + rest], where)
    size, packed = _widen([size, packed], extra, where)
    raw_name = data[LOCAL.size : LOCAL.size + name_length]
    return LocalHeader(
        flags, method, crc, packed, size, raw_name, LOCAL.size + rest, extra is not None
    )


def check_agreement(entry: ZipEntry, local: LocalHeader, where: str) -> None:
    """Refuse an entry whose local header says otherwise than the central directory.

    Raises
    ------
    BadArchive
        Name, method, flags, CRC or sizes differ.
    """
    compared = [
        ("name", entry.raw_name, local.raw_name),
        ("method", entry.method, local.method),
        ("encryption flag", entry.flags & ENCRYPTED, local.flags & ENCRYPTED),
        ("name's encoding", entry.flags & UTF8, local.flags & UTF8),
    ]
    numbers = [
        ("CRC", entry.crc32, local.crc32),
        ("packed size", entry.compressed_size, local.compressed_size),
        ("size", entry.size, local.size),
    ]
    # A writer that could not go back leaves zeros (or ones) here and writes a data descriptor.
    unknown = (0, FULL_32) if local.sizes_follow else ()
    compared += [item for item in numbers if item[2] not in unknown]
    for what, central_value, local_value in compared:
        if central_value != local_value:
            raise BadArchive(
                f"{where}: its local header and the central directory disagree: "
                f"{what} {local_value!r} and {central_value!r}"
            )
