"""Find and read a zip's central directory, strictly: nothing before, between or behind it.

Python's zipfile takes an archive with an HTML page before it or a log behind it; a download that
went wrong looks like that, so here it is refused and said why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from alos2.archive.limits import DEFAULT_LIMITS, Limits
from alos2.archive.records import (
    CENTRAL,
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
    ZipEntry,
    check_agreement,
    local_header_lengths,
    parse_central,
    parse_local,
)
from alos2.errors import BadArchive, UnsafeArchive

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""(offset, count) -> bytes, fewer at the end of the archive."""

TAIL_BYTES: Final = END.size + FULL_16
"""Where the end record can start: it may be followed by a comment of up to 65,535 bytes."""
HEAD_BYTES: Final = 512
"""What is looked at to say what a file is that is not a zip."""


_CONTENTS: Final = (
    ((b"<head", b"<script"), "it is a piece of HTML (an error page instead of the file?)"),
    ((b"<?xml",), "it is an XML document (an error message instead of the file?)"),
    ((b"{", b"["), "it looks like JSON (an error message instead of the file?)"),
    ((b"\x1f\x8b",), "it is a gzip file"),
    ((b"rar!", b"7z\xbc\xaf"), "it is a RAR or 7-Zip archive"),
)


@dataclass(frozen=True)
class Directory:
    """The central directory of one archive."""

    entries: tuple[ZipEntry, ...]
    """In the directory's order."""
    start: int
    """Offset of the directory: no entry's data reaches beyond it."""
    size: int
    """Of the archive, bytes."""


@dataclass(frozen=True)
class _End:
    offset: int
    entries: int
    directory_size: int
    directory_start: int


def looks_like_zip(head: bytes) -> bool:
    """Whether the first bytes are those of a zip (an empty one included)."""
    return head.startswith((LOCAL_SIGNATURE, END_SIGNATURE))


def describe_content(head: bytes) -> str:
    """Say in a few words what a file is that is not a zip."""
    if not head:
        return "it is empty"
    if not any(head):
        return "it begins with zeros (a download that was cut and padded?)"
    text = head[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<html" in text or b"<!doctype html" in text:
        return "it is an HTML page (a login or error page instead of the file?)"
    for starts, words in _CONTENTS:
        if text.startswith(starts):
            return words
    return f"it begins with {head[:4]!r}, not PK"


def require_zip(head: bytes, where: str) -> None:
    """Refuse what is not a zip by its first bytes.

    Raises
    ------
    BadArchive
        The first bytes are not PK; the message says what it is, where that is known.
    """
    if not looks_like_zip(head):
        raise BadArchive(f"{where} is not a zip: {describe_content(head)}")


def _find_end(read_at: ReadAt, size: int, where: str) -> _End:
    tail_start = max(0, size - TAIL_BYTES)
    tail = read_at(tail_start, size - tail_start)
    position = tail.rfind(END_SIGNATURE)
    misplaced = position
    while position >= 0:
        if position + END.size <= len(tail):
            record = END.unpack_from(tail, position)
            if position + END.size + record[7] == len(tail):
                return _end_record(record, read_at, tail_start + position, where)
        position = tail.rfind(END_SIGNATURE, 0, position)
    if misplaced >= 0 and misplaced + END.size <= len(tail):
        length = END.unpack_from(tail, misplaced)[7]
        extra = len(tail) - misplaced - END.size - length
        if extra > 0:
            raise BadArchive(f"{where}: {extra} bytes of something else follow the end of the zip")
    raise BadArchive(f"{where} is cut: the directory at its end is missing")


def _end_record(record: tuple[int, ...], read_at: ReadAt, offset: int, where: str) -> _End:
    _, disk, directory_disk, here, entries, directory_size, directory_start, _ = record
    locator = read_at(offset - LOCATOR64.size, LOCATOR64.size) if offset >= LOCATOR64.size else b""
    if locator.startswith(LOCATOR64_SIGNATURE):
        return _end64_record(locator, read_at, offset - LOCATOR64.size, where)
    if disk or directory_disk or here != entries:
        raise BadArchive(f"{where} is one part of an archive of several volumes")
    if FULL_32 in (directory_size, directory_start):
        raise BadArchive(f"{where}: the zip64 end record is missing")
    return _End(offset, entries, directory_size, directory_start)


def _end64_record(locator: bytes, read_at: ReadAt, locator_offset: int, where: str) -> _End:
    _, disk, offset, disks = LOCATOR64.unpack(locator)
    if disk or disks > 1:
        raise BadArchive(f"{where} is one part of an archive of several volumes")
    data = read_at(offset, END64.size) if offset + END64.size <= locator_offset else b""
    if not data.startswith(END64_SIGNATURE):
        raise BadArchive(f"{where}: there is no zip64 end record at byte {offset}")
    (_, length, _, _, disk, directory_disk, here, entries, directory_size, directory_start,
     ) = END64.unpack(data)  # fmt: skip
    if disk or directory_disk or here != entries:
        raise BadArchive(f"{where} is one part of an archive of several volumes")
    if offset + 12 + length != locator_offset:
        raise BadArchive(f"{where}: the zip64 end record has a wrong length")
    return _End(offset, entries, directory_size, directory_start)


def read_directory(
    read_at: ReadAt, size: int, *, where: str, limits: Limits = DEFAULT_LIMITS
) -> Directory:
    """Read the central directory of an archive of `size` bytes.

    Raises
    ------
    BadArchive
        It is cut, has something before or behind it, is one of several volumes, or damaged.
    UnsafeArchive
        It has more entries, or a larger directory, than `limits` allow.
    """
    if size < END.size:
        raise BadArchive(f"{where} is cut: {size} bytes are no zip")
    end = _find_end(read_at, size, where)
    expected = end.directory_start + end.directory_size
    if expected != end.offset:
        if expected < end.offset:
            what = f"{end.offset - expected} bytes were put before or into it"
        else:
            what = f"{expected - end.offset} bytes are missing in it"
        raise BadArchive(f"{where}: {what}: the directory is not where the end record says")
    if end.entries > limits.entries:
        raise UnsafeArchive(f"{where} has {end.entries} entries, more than {limits.entries}")
    if end.directory_size > limits.directory_bytes:
        raise UnsafeArchive(
            f"{where} has a directory of {end.directory_size} bytes, "
            f"more than directory_bytes = {limits.directory_bytes}"
        )
    if end.entries * CENTRAL.size > end.directory_size:
        raise BadArchive(f"{where}: {end.entries} entries do not fit into its directory")
    data = read_at(end.directory_start, end.directory_size)
    entries = []
    position = 0
    for _ in range(end.entries):
        entry, position = parse_central(data, position, where)
        entries.append(entry)
    if position != len(data):
        raise BadArchive(f"{where}: its directory holds more than the {end.entries} entries said")
    return Directory(tuple(entries), end.directory_start, size)


def data_offset(read_at: ReadAt, entry: ZipEntry, directory: Directory, *, where: str) -> int:
    """Return where the data of `entry` begin, after comparing its local with its central header.

    Raises
    ------
    BadArchive
        The headers disagree, or the data reach into or beyond the central directory.
    """
    outside = BadArchive(f"{where}: its data reach beyond the central directory")
    if entry.header_offset + LOCAL.size > directory.start:
        raise outside
    fixed = read_at(entry.header_offset, LOCAL.size)
    rest = local_header_lengths(fixed, where)
    local = parse_local(read_at(entry.header_offset, LOCAL.size + rest), where)
    check_agreement(entry, local, where)
    start = entry.header_offset + local.length
    if start + entry.compressed_size > directory.start:
        raise outside
    return start
