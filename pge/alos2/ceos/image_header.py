"""What an image file says of itself: descriptor and first line, checked against each other.

Level 1.1 (signal data): I and Q as big-endian float32, 8 bytes a pixel. Other levels (processed
data): big-endian uint16. Each line is one record: header and prefix, then pixels. The first line's
record length rules for all lines: files are known whose later headers are garbage while their
pixels are good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Literal, TypeAlias

import numpy as np

from alos2.ceos.image_layout import IMAGE_DESCRIPTOR, PROCESSED_PREFIX, SIGNAL_PREFIX
from alos2.ceos.layout import RecordLayout
from alos2.ceos.records import RecordReader
from alos2.errors import BadRecord
from alos2.types import RasterShape

LevelFamily: TypeAlias = Literal["signal", "processed"]
"""``signal``: level 1.1, complex; ``processed``: levels 1.5, 2.1 and 3.1, amplitude."""

PREFIXES: Final[dict[LevelFamily, RecordLayout]] = {
    "signal": SIGNAL_PREFIX,
    "processed": PROCESSED_PREFIX,
}
"""Table of a line's prefix."""
PIXEL_DTYPES: Final[dict[LevelFamily, np.dtype[Any]]] = {
    "signal": np.dtype(">c8"),
    "processed": np.dtype(">u2"),
}
"""A pixel in the file."""


def decode_prefix(data: bytes, *, where: str) -> dict[str, Any]:
    """Decode the prefix of a line by the table that its record type asks for.

    Parameters
    ----------
    data : bytes
        The record from its first byte: at least 544 bytes (signal) or 192 (processed).

    Raises
    ------
    BadRecord
        Neither type, or too short.
    """
    return PREFIXES[_family_of(data, where)].decode(data, where=where)


def _family_of(data: bytes, where: str) -> LevelFamily:
    codes = tuple(data[4:8])
    for family, layout in PREFIXES.items():
        if codes == layout.codes:
            return family
    expected = " or ".join(f"{layout.codes} ({layout.name})" for layout in PREFIXES.values())
    raise BadRecord(f"{where}: the line's record type is {codes}, expected {expected}")


@dataclass(frozen=True)
class ImageHeader:
    """What the descriptor and the first line of an image say, checked against each other."""

    descriptor: dict[str, Any]
    first_prefix: dict[str, Any] | None
    """Prefix of the first line; None where the file ends before it."""
    family: LevelFamily
    shape: RasterShape
    """Lines and pixels, as the descriptor says."""
    descriptor_bytes: int
    """Offset of the first line."""
    record_bytes: int
    """Length of every line's record."""
    prefix_bytes: int
    """Bytes of a record before its first pixel: 544 or 192."""


def read_image_header(file: BinaryIO | bytes, *, name: str) -> ImageHeader:
    """Read descriptor and first line's prefix, and no pixels: also from within a zip.

    Raises
    ------
    BadRecord
        One of them is damaged, or they contradict each other.
    """
    records = RecordReader(file, name=name)
    descriptor = records.require(IMAGE_DESCRIPTOR)
    family = _announced_family(descriptor, name)
    first_prefix, record_bytes = None, _announced_record_bytes(descriptor, family)
    descriptor_bytes = records.length
    layout = PREFIXES[family]
    line = records.slice(descriptor_bytes, layout.extent)
    where = f"{name}, offset {descriptor_bytes}"
    if len(line) >= layout.extent:
        first_prefix = layout.decode(line, where=where)
        record_bytes = first_prefix["record_length"]
    header = ImageHeader(
        descriptor,
        first_prefix,
        family,
        RasterShape(descriptor["lines"] or descriptor["record_count"] or 0, _pixels(descriptor)),
        descriptor_bytes,
        record_bytes,
        layout.length or layout.extent,
    )
    _check(header, where)
    return header


def _pixels(descriptor: dict[str, Any]) -> int:
    return descriptor["pixels"] or 0


def _announced_family(descriptor: dict[str, Any], name: str) -> LevelFamily:
    prefix, pixel = descriptor["prefix_bytes"], descriptor["bytes_per_group"]
    for family, layout in PREFIXES.items():
        if (prefix, pixel) == (layout.length, PIXEL_DTYPES[family].itemsize):
            return family
    raise BadRecord(
        f"{name}, offset 0: the descriptor says {prefix} bytes of prefix and {pixel} bytes a "
        "pixel, expected 544 and 8 (level 1.1) or 192 and 2 (levels 1.5, 2.1, 3.1)"
    )


def _announced_record_bytes(descriptor: dict[str, Any], family: LevelFamily) -> int:
    # Not the descriptor's own record length: it has six digits only.
    layout = PREFIXES[family]
    return (layout.length or layout.extent) + PIXEL_DTYPES[family].itemsize * _pixels(descriptor)


def _check(header: ImageHeader, where: str) -> None:
    shape = header.shape
    if shape.lines < 1 or shape.pixels < 1:
        raise BadRecord(
            f"{where}: the descriptor says {shape.lines} lines x {shape.pixels} pixels, "
            "expected at least one of each"
        )
    needed = header.prefix_bytes + shape.pixels * PIXEL_DTYPES[header.family].itemsize
    spare = max(header.descriptor["suffix_bytes"] or 0, 0)
    borders = (header.descriptor["left_border"] or 0) + (header.descriptor["right_border"] or 0)
    limit = needed + spare + max(borders, 0) * PIXEL_DTYPES[header.family].itemsize
    said = header.record_bytes in (needed, header.descriptor["data_record_length"])
    if header.record_bytes < needed or not (said or header.record_bytes <= limit):
        raise BadRecord(
            f"{where}: the first line's record says it is {header.record_bytes} bytes long, "
            f"expected {needed} for {shape.pixels} pixels"
        )
