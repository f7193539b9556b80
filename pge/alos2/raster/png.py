"""8-bit grey PNG in which 0 is transparent, by ISA-L where it is installed.

Format: W3C, Portable Network Graphics (PNG) Specification, sections 5 (chunks), 11.3.2.1 (tRNS).
One byte a pixel instead of grey with alpha; speckle leaves nothing for string matching or row
filters to find, so filter 0 and the fastest deflate lose nothing in size.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

_Deflate: TypeAlias = Callable[[bytes], bytes]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GREY_8: Final = (8, 0, 0, 0, 0)
"""Bit depth, colour type grey, deflate, adaptive filtering, not interlaced."""
_ZERO_IS_TRANSPARENT: Final = b"\0\0"


def _stdlib_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, 8, zlib.Z_RLE)
    return packer.compress(data) + packer.flush()


def _find_deflate() -> _Deflate:
    try:
        from isal import isal_zlib  # noqa: PLC0415  no wheel for every platform
    except ImportError:
        return _stdlib_deflate

    def deflate(data: bytes) -> bytes:
        packed: bytes = isal_zlib.compress(data, 1)
        return packed

    return deflate


_deflate: Final = _find_deflate()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encode_grey(grey: npt.NDArray[np.uint8]) -> bytes:
    """Return the PNG file of `grey`, shape (height, width); 0 is transparent."""
    height, width = grey.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = 0  # the filter of each row: none
    rows[:, 1:] = grey
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">II5B", width, height, *_GREY_8)),
            _chunk(b"tRNS", _ZERO_IS_TRANSPARENT),
            _chunk(b"IDAT", _deflate(rows.tobytes())),
            _chunk(b"IEND", b""),
        )
    )
