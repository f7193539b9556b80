"""Deflate, inflate and CRC-32: Intel's ISA-L where it is installed, else Python's zlib."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, cast

RAW_DEFLATE: Final = -15
"""``wbits`` of a deflate stream without header and trailer, as zip has it."""


class Inflater(Protocol):
    """What ``decompressobj`` of zlib and of isal_zlib give."""

    @property
    def eof(self) -> bool:
        """Whether the stream's end was reached."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that was not used because ``max_length`` was reached."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input behind the stream's end."""
        ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """Inflate at most `max_length` bytes."""
        ...


class Deflater(Protocol):
    """What ``compressobj`` of zlib and of isal_zlib give."""

    def compress(self, data: bytes, /) -> bytes:
        """Deflate some bytes."""
        ...

    def flush(self) -> bytes:
        """End the stream."""
        ...


@dataclass(frozen=True)
class Codec:
    """One implementation of deflate and CRC-32."""

    name: str
    inflater: Callable[[], Inflater]
    deflater: Callable[[], Deflater]
    """At the fastest level that compresses: SAR speckle hardly gains from more."""
    crc32: Callable[[bytes, int], int]
    errors: tuple[type[Exception], ...]
    """What a damaged stream raises."""


def _stdlib() -> Codec:
    return Codec(
        "zlib",
        lambda: zlib.decompressobj(RAW_DEFLATE),
        lambda: zlib.compressobj(1, zlib.DEFLATED, RAW_DEFLATE),
        zlib.crc32,
        (zlib.error, EOFError),
    )


def _isal() -> Codec | None:
    try:
        from isal import isal_zlib  # noqa: PLC0415 - optional: no wheel on some platforms
    except ImportError:
        return None
    return Codec(
        "isal",
        lambda: isal_zlib.decompressobj(RAW_DEFLATE),
        lambda: isal_zlib.compressobj(1, isal_zlib.DEFLATED, RAW_DEFLATE),
        isal_zlib.crc32,
        (cast("type[Exception]", isal_zlib.error), zlib.error, EOFError),
    )


STDLIB: Final = _stdlib()
ISAL: Final = _isal()
"""None where isal is not installed."""
BEST: Final = ISAL or STDLIB
