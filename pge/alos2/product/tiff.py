"""Reads the header of a TIFF or BigTIFF: tags only, never pixels.

Only the image file directory and the few values that it points to are read, so that a header
costs the same for any size of image and can be read from inside an archive. The directory may
lie behind the pixels; inside a compressed archive member that place can only be reached by
inflating everything before it, so the caller sets how far it may go.

Source: Adobe, TIFF Revision 6.0 (1992); the BigTIFF layout of libtiff; OGC 19-008r4 GeoTIFF 1.1
for the geographic tags.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeAlias

from alos2.errors import BadProduct

Values: TypeAlias = "tuple[int | float, ...] | str"

IMAGE_WIDTH: Final = 256
IMAGE_LENGTH: Final = 257
BITS_PER_SAMPLE: Final = 258
COMPRESSION: Final = 259
IMAGE_DESCRIPTION: Final = 270
STRIP_OFFSETS: Final = 273
SAMPLES_PER_PIXEL: Final = 277
ROWS_PER_STRIP: Final = 278
STRIP_BYTE_COUNTS: Final = 279
PLANAR_CONFIGURATION: Final = 284
TILE_OFFSETS: Final = 324
TILE_BYTE_COUNTS: Final = 325
SAMPLE_FORMAT: Final = 339
MODEL_PIXEL_SCALE: Final = 33550
MODEL_TIEPOINT: Final = 33922
MODEL_TRANSFORMATION: Final = 34264
GEO_KEY_DIRECTORY: Final = 34735
GEO_DOUBLE_PARAMS: Final = 34736
GEO_ASCII_PARAMS: Final = 34737

_WANTED: Final = frozenset(
    {
        IMAGE_WIDTH, IMAGE_LENGTH, BITS_PER_SAMPLE, COMPRESSION, IMAGE_DESCRIPTION,
        STRIP_OFFSETS, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_BYTE_COUNTS,
        PLANAR_CONFIGURATION, TILE_OFFSETS, TILE_BYTE_COUNTS, SAMPLE_FORMAT,
        MODEL_PIXEL_SCALE, MODEL_TIEPOINT, MODEL_TRANSFORMATION,
        GEO_KEY_DIRECTORY, GEO_DOUBLE_PARAMS, GEO_ASCII_PARAMS,
    }
)  # fmt: skip
_FORMATS: Final = {
    1: "B", 2: "s", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d",
    13: "I", 16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
_MAX_ENTRIES: Final = 4096
_MAX_VALUES: Final = 4_000_000
"""One strip per line of the longest scene is 200,000."""


class _BeyondReach(Exception):  # noqa: N818 - a signal inside this module, not an error
    """A byte that is needed lies farther than the caller allows."""


@dataclass(frozen=True)
class TiffHeader:
    """What the first directory of a TIFF says."""

    width: int
    height: int
    bits: tuple[int, ...]
    """Per sample."""
    samples: int
    sample_format: int
    """1 unsigned, 2 signed, 3 float, 5 complex integer, 6 complex float."""
    compression: int
    """1 is none."""
    description: str
    data_end: int
    """Offset behind the last byte of pixels that the directory promises."""
    little_endian: bool
    strip_offsets: tuple[int, ...]
    """Of each strip; empty if it has tiles."""
    rows_per_strip: int
    interleaved: bool
    """Whether the samples of a pixel lie side by side (planar configuration 1)."""
    pixel_scale: tuple[float, ...]
    tie_points: tuple[tuple[float, ...], ...]
    """(i, j, k, x, y, z) each."""
    matrix: tuple[float, ...]
    """4 x 4 by rows, or empty."""
    geo_keys: Mapping[int, int | float | str]


class _Reader:
    """Bytes at offsets of one file, in its byte order."""

    def __init__(self, file: BinaryIO, size: int, name: str, reach: int) -> None:
        self._file, self.size, self.name, self._reach = file, size, name, reach
        self.order = "<"

    def bytes_at(self, offset: int, count: int) -> bytes:
        if offset + count > self.size:
            raise BadProduct(
                f"{self.name} is truncated: its header needs bytes {offset}..{offset + count}, "
                f"and the file ends at {self.size}"
            )
        if offset + count > self._reach:
            raise _BeyondReach
        self._file.seek(offset)
        data = self._file.read(count)
        if len(data) != count:
            raise BadProduct(f"{self.name} ends at {offset + len(data)} of {self.size} bytes")
        return data

    def unpack_at(self, layout: str, offset: int) -> tuple[int, ...]:
        layout = self.order + layout
        return struct.unpack(layout, self.bytes_at(offset, struct.calcsize(layout)))


def read_tiff_header(
    file: BinaryIO, size: int, name: str, *, reach: int | None = None
) -> TiffHeader | None:
    """Read the first directory of a TIFF.

    Parameters
    ----------
    file : BinaryIO
        Seekable.
    size : int
        Its length, bytes.
    name : str
        What messages call it.
    reach : int, optional
        Offset beyond which nothing may be read; none by default.

    Returns
    -------
    TiffHeader or None
        None where the directory or one of its values lies beyond `reach`.

    Raises
    ------
    BadProduct
        It is empty, truncated, or no TIFF.
    """
    if size == 0:
        raise BadProduct(f"{name} is empty")
    reader = _Reader(file, size, name, size if reach is None else reach)
    try:
        return _header(_read_tags(reader), name, little_endian=reader.order == "<")
    except _BeyondReach:
        return None


def _read_tags(reader: _Reader) -> dict[int, Values]:
    magic = reader.bytes_at(0, min(4, reader.size))
    orders = {b"II*\0": ("<", False), b"MM\0*": (">", False),
              b"II+\0": ("<", True), b"MM\0+": (">", True)}  # fmt: skip
    if magic not in orders:
        raise BadProduct(f"{reader.name} is not a TIFF: it begins with {magic!r}")
    reader.order, big = orders[magic]
    if big:
        offset_size, _, start = reader.unpack_at("HHQ", 4)
        if offset_size != 8:
            raise BadProduct(f"{reader.name}: BigTIFF with offsets of {offset_size} bytes")
        (entries,) = reader.unpack_at("Q", start)
        start, layout, inline = start + 8, "HHQ", 8
    else:
        (start,) = reader.unpack_at("I", 4)
        (entries,) = reader.unpack_at("H", start)
        start, layout, inline = start + 2, "HHI", 4
    if not 0 < entries <= _MAX_ENTRIES:
        raise BadProduct(f"{reader.name}: TIFF directory at {start} with {entries} entries")
    step = 4 + 2 * inline
    directory = reader.bytes_at(start, entries * step)
    tags: dict[int, Values] = {}
    for position in range(0, len(directory), step):
        tag, kind, count = struct.unpack_from(reader.order + layout, directory, position)
        if tag in _WANTED and kind in _FORMATS:
            field = directory[position + step - inline : position + step]
            tags.setdefault(tag, _values(reader, tag, kind, count, field))
    return tags


def _values(reader: _Reader, tag: int, kind: int, count: int, field: bytes) -> Values:
    code = _FORMATS[kind]
    if count > _MAX_VALUES:
        raise BadProduct(f"{reader.name}: TIFF tag {tag} claims {count} values")
    length = count * struct.calcsize("=" + code)
    if length > len(field):
        (offset,) = struct.unpack(reader.order + ("I" if len(field) == 4 else "Q"), field)
        field = reader.bytes_at(offset, length)
    if kind == 2:
        return field[:length].decode("latin-1").rstrip("\0")
    return struct.unpack(f"{reader.order}{count}{code}", field[:length])


def _numbers(tags: Mapping[int, Values], tag: int) -> tuple[float, ...]:
    values = tags.get(tag, ())
    return () if isinstance(values, str) else tuple(float(value) for value in values)


def _whole(tags: Mapping[int, Values], tag: int) -> tuple[int, ...]:
    values = tags.get(tag, ())
    if isinstance(values, str):
        return ()
    return tuple(value for value in values if isinstance(value, int))


def _header(tags: Mapping[int, Values], name: str, *, little_endian: bool) -> TiffHeader:
    width, height = _whole(tags, IMAGE_WIDTH), _whole(tags, IMAGE_LENGTH)
    if len(width) != 1 or len(height) != 1 or not width[0] or not height[0]:
        raise BadProduct(f"{name}: the TIFF directory gives no width and height")
    offsets = _whole(tags, STRIP_OFFSETS) or _whole(tags, TILE_OFFSETS)
    counts = _whole(tags, STRIP_BYTE_COUNTS) or _whole(tags, TILE_BYTE_COUNTS)
    if not offsets or len(offsets) != len(counts):
        raise BadProduct(f"{name}: the TIFF directory has no strips or tiles")
    ties = _numbers(tags, MODEL_TIEPOINT)
    text = tags.get(IMAGE_DESCRIPTION, "")
    return TiffHeader(
        width=width[0],
        height=height[0],
        bits=_whole(tags, BITS_PER_SAMPLE) or (1,),
        samples=(*_whole(tags, SAMPLES_PER_PIXEL), 1)[0],
        sample_format=(*_whole(tags, SAMPLE_FORMAT), 1)[0],
        compression=(*_whole(tags, COMPRESSION), 1)[0],
        description=text.strip() if isinstance(text, str) else "",
        data_end=max(o + c for o, c in zip(offsets, counts, strict=True)),
        little_endian=little_endian,
        strip_offsets=_whole(tags, STRIP_OFFSETS),
        rows_per_strip=min((*_whole(tags, ROWS_PER_STRIP), height[0])[0], height[0]),
        interleaved=(*_whole(tags, PLANAR_CONFIGURATION), 1)[0] == 1,
        pixel_scale=_numbers(tags, MODEL_PIXEL_SCALE),
        tie_points=tuple(ties[i : i + 6] for i in range(0, len(ties) - 5, 6)),
        matrix=_numbers(tags, MODEL_TRANSFORMATION),
        geo_keys=_geo_keys(tags),
    )


def _geo_keys(tags: Mapping[int, Values]) -> dict[int, int | float | str]:
    """Key directory: (key, tag that holds the value or 0, count, value or index)."""
    directory = _whole(tags, GEO_KEY_DIRECTORY)
    doubles = _numbers(tags, GEO_DOUBLE_PARAMS)
    text = tags.get(GEO_ASCII_PARAMS, "")
    keys: dict[int, int | float | str] = {}
    for position in range(4, len(directory) - 3, 4):
        key, where, count, value = directory[position : position + 4]
        if where == 0:
            keys[key] = value
        elif where == GEO_DOUBLE_PARAMS and value < len(doubles):
            keys[key] = doubles[value]
        elif where == GEO_ASCII_PARAMS and isinstance(text, str):
            keys[key] = text[value : value + count].rstrip("|\0")
    return keys
