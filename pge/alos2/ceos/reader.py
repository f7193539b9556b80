"""Read the metadata files of a product: LED, VOL, TRL and the descriptor of an IMG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import numpy as np

from alos2.ceos.descriptors import COUNTED_RECORDS, FACILITIES
from alos2.ceos.image_layout import IMAGE_DESCRIPTOR
from alos2.ceos.layout import HEADER_BYTES
from alos2.ceos.leader import FACILITY_CODES, LEADER_DESCRIPTOR, LEADER_RECORDS
from alos2.ceos.records import RecordReader
from alos2.ceos.trailer import TRAILER_DESCRIPTOR
from alos2.ceos.volume import FILE_POINTER, TEXT, VOLUME_DESCRIPTOR
from alos2.errors import BadRecord

_BY_CODES: Final = {
    layout.codes: key for key, layout in LEADER_RECORDS.items() if layout.codes != FACILITY_CODES
}
_LOW_RESOLUTION_LIMIT: Final = 1 << 27
"""Bytes; the real low-resolution image has 1.3 MB."""


@dataclass(frozen=True)
class Leader:
    """Decoded records of a leader file; None where it has no such record."""

    descriptor: dict[str, Any]
    data_set_summary: dict[str, Any]
    map_projection: dict[str, Any] | None
    """None at level 1.1."""
    platform_position: dict[str, Any] | None
    attitude: dict[str, Any] | None
    radiometric: dict[str, Any] | None
    data_quality: dict[str, Any] | None
    facility_5: dict[str, Any] | None
    name: str


@dataclass(frozen=True)
class Volume:
    """Decoded volume directory."""

    descriptor: dict[str, Any]
    pointers: list[dict[str, Any]]
    """One a file: LED, every IMG, TRL."""
    text: dict[str, Any] | None
    name: str


@dataclass(frozen=True)
class Trailer:
    """Decoded trailer descriptor, and its low-resolution images."""

    descriptor: dict[str, Any]
    name: str
    images: tuple[bytes, ...] = field(default=(), repr=False)
    """Raw bytes of each image, as many as the file has."""

    def low_resolution(self, index: int = 0) -> np.ndarray[Any, np.dtype[np.uint16]] | None:
        """Give a low-resolution image, uint16 of shape (lines, pixels); None if there is none.

        Raises
        ------
        BadRecord
            The image is cut, or its size contradicts its lines and pixels.
        """
        sizes: list[dict[str, Any]] = self.descriptor["low_resolution"]
        if not 0 <= index < len(sizes):
            return None
        lines, pixels = sizes[index]["lines"] or 0, sizes[index]["pixels"] or 0
        width = sizes[index]["bytes_per_sample"]
        data, announced = self.images[index], sizes[index]["record_bytes"] or 0
        if width not in (1, 2) or lines < 1 or pixels < 1 or lines * pixels * width > announced:
            raise BadRecord(
                f"{self.name}: low-resolution image {index + 1} says {lines} lines x {pixels} "
                f"pixels x {width} bytes in {announced} bytes, expected 1 or 2 bytes that fit"
            )
        if len(data) < lines * pixels * width:
            raise BadRecord(
                f"{self.name}: the file ends after {len(data)} bytes of low-resolution image "
                f"{index + 1}, expected {lines * pixels * width}"
            )
        pixels_read = np.frombuffer(data, dtype=f">u{width}", count=lines * pixels)
        return pixels_read.reshape(lines, pixels).astype(np.uint16)


def read_leader(file: BinaryIO | bytes, *, name: str) -> Leader:
    """Read a leader file; facility records 1 to 4 are skipped by their lengths.

    Parameters
    ----------
    file : BinaryIO or bytes
        Seekable, at its beginning; or the content itself.
    name : str
        The file's name, for messages.

    Raises
    ------
    BadRecord
        A record is damaged, cut or missing; the message names file, offset, what was found and
        what was expected.
    """
    records = RecordReader(file, name=name)
    descriptor = records.require(LEADER_DESCRIPTOR)
    announced = _announced(descriptor)
    found: dict[str, dict[str, Any]] = {}
    walked = facilities = 0
    while (announced is None or walked < announced) and records.next():
        walked += 1
        key = _BY_CODES.get(records.codes)
        if records.codes == FACILITY_CODES:
            facilities += 1
            key = _facility(records, facilities)
        if key in LEADER_RECORDS and key not in found:
            found[key] = LEADER_RECORDS[key].decode(records.read(), where=records.where)
    if announced is not None and walked < announced:
        raise BadRecord(
            f"{records.where}: the file ends after {walked} records behind its descriptor, "
            f"which announces {announced}"
        )
    if "data_set_summary" not in found:
        raise BadRecord(f"{name}: no data set summary record among its {walked} records")
    others = {key: found.get(key) for key in LEADER_RECORDS if key != "data_set_summary"}
    leader = Leader(descriptor, found["data_set_summary"], name=name, **others)
    _require_announced(leader)
    return leader


def _announced(descriptor: Mapping[str, Any]) -> int | None:
    """Count the records behind the descriptor by its counts; None where it gives none."""
    kinds = (*COUNTED_RECORDS, *(f"facility_{n}" for n in range(1, FACILITIES + 1)))
    total = sum(max(descriptor[f"{kind}_count"] or 0, 0) for kind in kinds)
    return total or None


def _facility(records: RecordReader, ordinal: int) -> str:
    """Key of the current facility record: by its number, else by its place among them."""
    number = records.peek(HEADER_BYTES + 4)[HEADER_BYTES:].strip()
    known = number.isdigit() and 1 <= int(number) <= FACILITIES
    return f"facility_{int(number) if known else ordinal}"


def _require_announced(leader: Leader) -> None:
    for key in LEADER_RECORDS:
        announced = leader.descriptor[f"{key}_count"] or 0
        if announced > 0 and getattr(leader, key) is None:
            raise BadRecord(
                f"{leader.name}: its descriptor announces {announced} {LEADER_RECORDS[key].name} "
                "records, and none of that type is there"
            )


def read_volume(file: BinaryIO | bytes, *, name: str) -> Volume:
    """Read a volume directory file.

    Raises
    ------
    BadRecord
        A record is damaged, cut or missing.
    """
    records = RecordReader(file, name=name)
    descriptor = records.require(VOLUME_DESCRIPTOR)
    count = descriptor["pointer_count"] or 0
    if count < 0:
        raise BadRecord(
            f"{name}: its descriptor announces {count} file pointers, expected 0 or more"
        )
    pointers = [records.require(FILE_POINTER) for _ in range(count)]
    text = records.require(TEXT) if (descriptor["text_count"] or 0) > 0 else None
    return Volume(descriptor, pointers, text, name)


def read_image_descriptor(file: BinaryIO | bytes, *, name: str) -> dict[str, Any]:
    """Read the descriptor of an image file, and nothing of its pixels.

    Raises
    ------
    BadRecord
        It is damaged or cut.
    """
    return RecordReader(file, name=name).require(IMAGE_DESCRIPTOR)


def read_trailer(file: BinaryIO | bytes, *, name: str) -> Trailer:
    """Read a trailer file with its low-resolution images.

    An image that is cut does no harm here: :meth:`Trailer.low_resolution` says so.

    Raises
    ------
    BadRecord
        The descriptor is damaged or cut.
    """
    records = RecordReader(file, name=name)
    descriptor = records.require(TRAILER_DESCRIPTOR)
    images = []
    start = records.length
    for number, size in enumerate(descriptor["low_resolution"], start=1):
        length = size["record_bytes"] or 0
        if not 0 <= length <= _LOW_RESOLUTION_LIMIT:
            raise BadRecord(
                f"{name}: low-resolution image {number} says it has {length} bytes, "
                f"expected 0 to {_LOW_RESOLUTION_LIMIT}"
            )
        images.append(records.slice(start, length))
        start += length
    return Trailer(descriptor, name, tuple(images))
