"""8-bit PNG, grey or colour, in which black is transparent, by ISA-L where it is installed.

Format: W3C, Portable Network Graphics (PNG) Specification, sections 5 (chunks), 11.3.2.1 (tRNS).
One byte a pixel instead of grey with alpha, three instead of four. Speckle leaves nothing for
string matching or row filters to find, so filter 0 and the fastest deflate lose nothing in size.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.uint8]
"""Rows as PNG has them, (height, 1 + width * samples), C-contiguous; the first byte is 0."""

_Deflate: TypeAlias = Callable[[Any], bytes]
_Crc: TypeAlias = Callable[[bytes, int], int]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES: Final = {1: 0, 3: 2}
"""By samples a pixel: grey, truecolour."""


def _stdlib_deflate(data: Any) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, 8, zlib.Z_RLE)
    return packer.compress(data) + packer.flush()


def _find_tools() -> tuple[_Deflate, _Crc]:
    try:
        from isal import isal_zlib  # noqa: PLC0415  no wheel for every platform
    except ImportError:
        return _stdlib_deflate, zlib.crc32

    def deflate(data: Any) -> bytes:
        packed: bytes = isal_zlib.compress(data, 1)
        return packed

    return deflate, isal_zlib.crc32


_deflate, _crc = _find_tools()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _head(height: int, width: int, samples: int) -> bytes:
    # Bit depth 8, deflate, adaptive filtering, not interlaced; black is transparent.
    said = struct.pack(">II5B", width, height, 8, _COLOUR_TYPES[samples], 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", said) + _chunk(b"tRNS", b"\0\0" * samples)


_HEADS: Final[dict[tuple[int, int, int], bytes]] = {}
_END: Final = _chunk(b"IEND", b"")


def new_rows(height: int, width: int, samples: int) -> Rows:
    """Return rows to draw into: `samples` is 1 (grey) or 3 (red, green, blue)."""
    return np.zeros((height, 1 + width * samples), np.uint8)


def encode_rows(rows: Rows, samples: int) -> bytes:
    """Return the PNG file of `rows`, `samples` (1 or 3) a pixel; black is transparent."""
    height, width = rows.shape[0], (rows.shape[1] - 1) // samples
    head = _HEADS.get((height, width, samples))
    if head is None:
        head = _HEADS[height, width, samples] = _head(height, width, samples)
    packed = _deflate(rows)
    # The checksum runs over the chunk's name too; nothing is copied but into the file.
    crc = _crc(packed, zlib.crc32(b"IDAT"))
    size = struct.pack(">I", len(packed))
    return b"".join((head, size, b"IDAT", packed, struct.pack(">I", crc), _END))


def encode_grey(grey: npt.NDArray[np.uint8]) -> bytes:
    """Return the PNG file of `grey`, shape (height, width); 0 is transparent."""
    height, width = grey.shape
    rows = new_rows(height, width, 1)
    rows[:, 1:] = grey
    return encode_rows(rows, 1)
